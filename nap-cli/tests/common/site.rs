//! A station's folder, and running the station in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{json_lines, stderr};

/// A station's folder with its configuration.
pub struct Site {
    folder: tempfile::TempDir,
}

/// A record as a receiver writes it: device, counter, seconds from the first of November, number of the message.
pub fn record(device: u32, counter: u32, seconds: f64, number: usize) -> Value {
    const FIRST_OF_NOVEMBER_S: f64 = 1_793_491_200.0;
    let time = Timestamp::from_microsecond(((FIRST_OF_NOVEMBER_S + seconds) * 1e6).round() as i64);
    json!({
        "type": "message", "schema": 1, "message_id": number, "time": format!("{:.6}", time.unwrap()),
        "time_s": seconds, "device_id": format!("{device:08X}"), "sequence_number": counter % 4096,
        "kind": "bytes", "payload": format!("{number:08x}"), "bidirectional": false, "auth": "verified",
        "radio_configuration": "RC1", "bit_rate": 100, "frequency_hz": 868_130_000.0, "rssi_dbfs": -50.0,
        "snr_db": 12.0, "drift_hz_per_s": 0.0, "decoder": "single", "frames": [],
    })
}

impl Site {
    pub fn new(records: &[Value], more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder };
        site.put("records.jsonl", &lines(records));
        let devices: BTreeSet<&str> =
            records.iter().filter_map(|record| record["device_id"].as_str()).collect();
        let devices = devices.into_iter().filter(|id| !id.starts_with("0BAD"));
        let table: String = devices.map(|id| format!("{id},,no {id}\n")).collect();
        site.put("devices.csv", &format!("device_id,key,name\n{table}"));
        site.configure("records:records.jsonl", more);
        site
    }

    pub fn configure(&self, source: &str, more: &str) {
        let text = format!(
            "[station]\nstate = \"state\"\n[radio]\nsource = \"{source}\"\n[devices]\nfile = \"devices.csv\"\n\
             [relay.archive]\ntype = \"file\"\npath = \"archive.jsonl\"\n{more}"
        );
        self.put("nap.toml", &text);
    }

    /// Raw samples, whose rate and center nobody else says.
    pub fn configure_samples(&self, source: &str, center_hz: f64, more: &str) {
        self.configure(source, more);
        let text = fs::read_to_string(self.path("nap.toml")).unwrap();
        let samples = format!(
            "[radio]\nsample_rate_hz = 250000\ncenter_hz = {center_hz:.1}\nsample_format = \"cu8\"\n"
        );
        self.put("nap.toml", &text.replace("[radio]\n", &samples));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
        command.arg("station").args(arguments).arg("--config").arg(self.path("nap.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it to its end, which is a good one.
    pub fn finish(&self) {
        let output = self.run(&[]);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    pub fn export(&self) -> Vec<Value> {
        let output = self.run(&["ledger", "export"]);
        assert!(output.status.success(), "{}", stderr(&output));
        json_lines(&output.stdout)
    }

    pub fn archive(&self) -> Vec<Value> {
        json_lines(&fs::read(self.path("archive.jsonl")).unwrap_or_default())
    }

    /// All that was said by what was started with [`Running`].
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }
}

pub fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Messages of some devices one after the other, so many seconds apart.
pub fn traffic(count: usize, devices: usize, pause_s: f64) -> Vec<Value> {
    let of = |n: usize| {
        record(0x1000 + (n % devices) as u32, (n / devices) as u32, n as f64 * pause_s, n + 1)
    };
    (0..count).map(of).collect()
}

/// How many rows have each verdict and reason.
pub fn verdicts(rows: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let reason = row["reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
        *counts.entry(format!("{}{reason}", row["verdict"].as_str().unwrap())).or_default() += 1;
    }
    counts
}

pub fn ids(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["id"].as_str().unwrap()).collect()
}

/// A station that runs, and that is killed.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it; what it says goes into the site's log.
    pub fn start(site: &Site) -> Self {
        Self::of(site.command(&[]), site)
    }

    /// Starts it by another command.
    pub fn of(command: Command, site: &Site) -> Self {
        Self::reading(command, site, Stdio::null())
    }

    /// Starts it by another command, with something to read.
    pub fn reading(mut command: Command, site: &Site, from: impl Into<Stdio>) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(site.path("log")).unwrap();
        command.stdin(from).stdout(Stdio::null()).stderr(log);
        Self { child: command.spawn().unwrap() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end, and waits for that.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait()
    }

    pub fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

pub fn wait_for(what: impl Fn() -> bool) {
    wait_within(Duration::from_secs(20), what);
}

pub fn wait_within(timeout: Duration, what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < timeout, "it does not come within {timeout:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A pipe that a station reads its records from: the test says when there are more of them.
pub struct Feed(File);

impl Feed {
    /// Makes the pipe, and has the site read from it, with these further keys.
    pub fn make(site: &Site, more: &str) {
        assert!(Command::new("mkfifo").arg(site.path("pipe.jsonl")).status().unwrap().success());
        site.configure("records:pipe.jsonl", more);
    }

    /// The pipe's other end, if the station has opened it.
    pub fn open(site: &Site) -> Option<Self> {
        // Without waiting for a reader.
        const O_NONBLOCK: i32 = 0o4000;
        let file =
            OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(site.path("pipe.jsonl"));
        file.ok().map(Self)
    }

    /// The pipe's other end, as soon as the station has opened it.
    pub fn opened(site: &Site) -> Self {
        let start = Instant::now();
        loop {
            if let Some(feed) = Self::open(site) {
                return feed;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "nobody reads: {}", site.log());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Hands over a record, as soon as there is room for it.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn put(&mut self, record: &Value) -> io::Result<()> {
        let line = format!("{record}\n");
        loop {
            // A line is shorter than what a pipe takes at once or not at all.
            match self.0.write_all(line.as_bytes()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(1));
                }
                done => return done,
            }
        }
    }
}
