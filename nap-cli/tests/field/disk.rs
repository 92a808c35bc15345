//! Disks that are full, read-only, broken or slow.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::common::site::{Feed, Running, Site, traffic, verdicts, wait_for};
use crate::common::stderr;
use crate::far::file;

/// What is said when the ledger cannot be written to, and when it can be again.
const TOLD: &str = "receiving goes on";
const AGAIN: &str = "can be written to again";

/// A disk of a few megabytes in memory, for a station's state; only root may make one.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(site: &Site) -> Self {
        let folder = site.path("state");
        fs::create_dir(&folder).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=12m,mode=700", "nap-test"];
        let mount = Command::new("mount").args(options).arg(&folder).status();
        assert!(mount.unwrap().success(), "only root can make a small disk");
        Self { folder }
    }

    fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{how}")]).arg(&self.folder);
        assert!(mount.status().unwrap().success(), "remount,{how}");
    }

    /// Takes all room that there is.
    fn fill(&self) {
        let mut piece = 1 << 20;
        let mut filler = fs::File::create(self.folder.join("filler")).unwrap();
        while piece > 0 {
            if std::io::Write::write_all(&mut filler, &vec![0x55; piece]).is_err() {
                piece /= 2;
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.folder.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What still has a file open there does not hold it.
        _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// A station that reads what it is fed, and has passed these records on.
fn fed(site: &Site, records: &[Value]) -> (Running, Feed) {
    Feed::make(site, "");
    let running = Running::start(site);
    let mut feed = Feed::opened(site);
    put(&mut feed, records);
    wait_for(|| file(site).len() == records.len());
    (running, feed)
}

fn put(feed: &mut Feed, records: &[Value]) {
    for record in records {
        feed.put(record).unwrap();
    }
}

fn times_said(site: &Site, text: &str) -> usize {
    site.log().matches(text).count()
}

/// All is stored and delivered, each once and in order, and the ledger is sound.
fn all_is_there(site: &Site, records: &[Value]) {
    assert!(site.run(&["ledger", "check"]).status.success());
    let rows = site.export();
    assert_eq!(verdicts(&rows), [("accepted".to_owned(), records.len())].into());
    let payloads = |lines: &[Value]| -> Vec<Value> {
        lines.iter().map(|line| line["payload"].clone()).collect()
    };
    assert_eq!(payloads(&rows), payloads(records));
    assert_eq!(payloads(&file(site)), payloads(records));
}

/// A full disk is told of once, receiving goes on, and all is written when there is room again.
#[test]
fn full_on_a_small_disk() {
    let records = traffic(300, 10, 60.0);
    let site = Site::new(&records, "");
    let disk = SmallDisk::mount(&site);
    let (mut running, mut feed) = fed(&site, &records[..20]);
    disk.fill();
    put(&mut feed, &records[20..150]);
    wait_for(|| times_said(&site, TOLD) == 1);
    put(&mut feed, &records[150..]);
    thread::sleep(Duration::from_millis(100));
    assert!(!running.has_ended() && file(&site).len() < records.len());
    disk.free();
    wait_for(|| times_said(&site, AGAIN) == 1);
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    assert_eq!(times_said(&site, TOLD), 1, "told once: {}", site.log());
    all_is_there(&site, &records);
    read_only(&site, &disk, &records);
}

/// On a disk that is read-only from the start the station says so and damages nothing.
fn read_only(site: &Site, disk: &SmallDisk, records: &[Value]) {
    disk.remount("ro");
    site.configure("records:records.jsonl", "");
    let output = site.run(&[]);
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("state") && said.contains("ead-only"), "{said}");
    let dry_run = site.run(&["check"]);
    assert!(stderr(&dry_run).contains("ead-only"), "{}", stderr(&dry_run));
    disk.remount("rw");
    all_is_there(site, records);
}

/// Has calls of a running station fail that are about its ledger's log, for as long as it is there.
struct Tampering(Child);

impl Tampering {
    fn with(running: &Running, site: &Site, injection: &str) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-p", &running.id().to_string(), "-P"]);
        strace.arg(site.path("state/ledger.db-wal"));
        let call = injection.split(':').next().unwrap();
        strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={injection}")]);
        strace.args(["-o", "/dev/null"]).stderr(Stdio::null());
        let child = strace.spawn().unwrap();
        let status = format!("/proc/{}/task", running.id());
        let is_traced = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            !text.contains("TracerPid:\t0\n")
        };
        wait_for(|| fs::read_dir(&status).unwrap().all(|task| is_traced(task.unwrap())));
        Self(child)
    }

    fn end(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Tampering {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Whatever a disk answers, what was heard is there when it works again: nothing is told as done that is
/// not, also when it is the sync that fails.
#[test]
fn a_disk_that_fails_under_strace() {
    let injections =
        ["pwrite64,write:error=EROFS", "pwrite64,write:error=EIO", "fdatasync,fsync:error=EIO"];
    let records = traffic(20 + 20 * injections.len(), 10, 60.0);
    let site = Site::new(&records, "");
    let (mut running, mut feed) = fed(&site, &records[..20]);
    for (number, injection) in injections.iter().enumerate() {
        let tampering = Tampering::with(&running, &site, injection);
        let stored = 20 * (number + 1);
        put(&mut feed, &records[stored..stored + 20]);
        wait_for(|| times_said(&site, TOLD) == number + 1);
        assert!(file(&site).len() <= stored, "{injection}: what is not stored is passed on");
        tampering.end();
        wait_for(|| times_said(&site, AGAIN) == number + 1);
    }
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    all_is_there(&site, &records);
}

/// A disk that takes a third of a second for each sync slows the relays, but not the receiving.
#[test]
fn a_slow_disk_under_strace() {
    let records = traffic(400, 10, 60.0);
    let site = Site::new(&records, "");
    let (mut running, mut feed) = fed(&site, &records[..20]);
    let tampering = Tampering::with(&running, &site, "fdatasync,fsync:delay_enter=300000");
    let start = Instant::now();
    for some in records[20..].chunks(20) {
        put(&mut feed, some);
        thread::sleep(Duration::from_millis(20));
    }
    // As many syncs as pieces would have taken six seconds, on a machine with nothing else to do.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    tampering.end();
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    assert_eq!(times_said(&site, TOLD), 0);
    all_is_there(&site, &records);
}
