//! A dry run: what would go wrong at a start.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use nap_io::live::DriverProgram;
use rustix::fs::{Access, StatVfsMountFlags, access};
use tokio::sync::watch;

use crate::config::http::HttpConfig;
use crate::config::parse::Config;
use crate::config::position::PositionConfig;
use crate::config::radio::SourceChoice;
use crate::config::retention::RetentionConfig;
use crate::error::Error;
use crate::relay::context::Context;
use crate::relay::options::Options;
use crate::relay::spawn::check as check_relay;
use crate::relay::trial::try_out as try_relay;
use crate::relay::visitor::Visitor;
use crate::station::clock::{built, now};
use crate::station::devices::DevicesFile;
use crate::station::found::Found;
use crate::station::gpsd;
use crate::station::receiving::Receiving;
use crate::station::records::Records;
use crate::station::synchronization::is_synchronized;
use crate::store::folder::{self, ledger_path};
use crate::store::identity::Identity;
use crate::store::lock::FolderLock;
use crate::store::upkeep;

/// Whoever does not answer within so long is not there.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Some radios calibrate themselves when they are opened.
const RADIO_TIMEOUT: Duration = Duration::from_secs(20);

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What.
    pub what: String,
    /// How it is.
    pub found: Found,
}

/// Looks at everything that a start needs, without a start, in at most twenty seconds: the radio is opened and closed
/// again, relays are reached, nothing is written and no message is sent. What a station that runs has in its hands
/// is left alone.
#[must_use]
pub fn check(config: &Config, driver: Option<DriverProgram>) -> Vec<Finding> {
    let state = &config.station.state;
    let running = FolderLock::holder(state);
    thread::scope(|scope| {
        let source = scope.spawn(|| source(config, driver, running.as_deref()));
        let relays = scope.spawn(|| relays(config, running.is_some()));
        let position = scope.spawn(|| position(&config.position));
        let mut findings = vec![
            finding("devices", Found::of(devices(config))),
            finding("state", Found::of(sound(state))),
            finding("disk", room(state, config.retention)),
            finding("clock", clock()),
        ];
        findings.extend(config.http.map(|http| finding("http", listen(http, running.is_some()))));
        findings.extend(joined(position).map(|found| finding("position", found)));
        findings.push(finding("source", joined(source)));
        findings.extend(joined(relays));
        findings
    })
}

fn finding(what: &str, found: Found) -> Finding {
    Finding { what: what.into(), found }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn devices(config: &Config) -> Result<String, Error> {
    let devices = DevicesFile::new(config.devices.file.clone()).read()?;
    Ok(format!("{} in the table", devices.len()))
}

fn source(config: &Config, driver: Option<DriverProgram>, running: Option<&str>) -> Found {
    match (&config.radio.source, running) {
        (SourceChoice::Records(path), _) => Found::of(records(path)),
        (SourceChoice::Samples(address), Some(process)) if !Receiving::is_recording(address) => {
            Found::Well(format!("not opened: the station that runs has it (process {process})"))
        }
        (SourceChoice::Samples(address), _) => {
            Receiving::try_out(address, &config.radio, driver, RADIO_TIMEOUT)
        }
    }
}

/// Who opens a pipe takes something from whoever else reads it, and waits for whoever writes.
fn records(path: &Path) -> Result<String, Error> {
    let is_file = fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    if !is_file {
        return Ok("not opened: it is no file, but a pipe or a device".into());
    }
    Records::open(path, now()).map(|_| "it can be read".into())
}

fn position(config: &PositionConfig) -> Option<Found> {
    let PositionConfig::Gpsd { address } = config else { return None };
    Some(match gpsd::try_out(address, TIMEOUT) {
        Ok(text) => Found::Well(text),
        Err(problem) => Found::Away(format!(
            "gpsd at {address}: {problem}; is it started, and does it listen there (gpsd -n, systemctl status gpsd.socket)?"
        )),
    })
}

/// All relays at once.
fn relays(config: &Config, is_running: bool) -> Vec<Finding> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            return vec![finding("relays", Found::Wrong(Error::Thread { source }.to_string()))];
        }
    };
    let identity = Identity::load(&config.station.state).ok().flatten();
    let visitor = Visitor::of(identity.map(|identity| identity.station), is_running);
    let findings = runtime.block_on(async {
        let trials: Vec<_> = config
            .relays
            .iter()
            .map(|(name, options)| {
                let context = context(config, &visitor);
                let (places, relay_name) = (config.places.clone(), name.clone());
                let told = move |error: &Error| places.told(&relay_name, error);
                let trial = relay(options.clone(), context, visitor.clone(), told);
                (name, tokio::spawn(trial))
            })
            .collect();
        let mut findings = Vec::new();
        for (name, trial) in trials {
            let found = trial.await.unwrap_or_else(|error| Found::Wrong(error.to_string()));
            findings.push(finding(&format!("relay {name:?}"), found));
        }
        findings
    });
    // A name that is looked up still is waited for by nobody.
    runtime.shutdown_background();
    findings
}

fn context(config: &Config, visitor: &Visitor) -> Context {
    let clock = if now() < built() { "none" } else { "rtc" };
    let status = watch::Sender::new(serde_json::json!({ "clock": clock }));
    let mut context = Context::new(&visitor.station, &config.folder, status.subscribe());
    context.answer_timeout = TIMEOUT;
    context
}

async fn relay(
    options: Options,
    context: Context,
    visitor: Visitor,
    told: impl Fn(&Error) -> String,
) -> Found {
    if let Err(error) = check_relay(&options, &context) {
        return Found::Wrong(told(&error));
    }
    match try_relay(&options, context, &visitor).await {
        Ok(text) => Found::Well(text),
        Err(fault) => Found::Away(fault.reason),
    }
}

fn listen(config: HttpConfig, is_running: bool) -> Found {
    if is_running {
        return Found::Well(format!(
            "not tried: the station that runs listens at {}",
            config.listen
        ));
    }
    match TcpListener::bind(config.listen) {
        Ok(_) => Found::Well(format!("{} is free", config.listen)),
        Err(source) => Found::Away(Error::Listen { address: config.listen, source }.to_string()),
    }
}

/// Whether there is room for the ledger as large as it may become.
fn room(state: &Path, retention: RetentionConfig) -> Found {
    let existing = existing(state);
    let disk = match rustix::fs::statvfs(existing) {
        Ok(disk) => disk,
        Err(error) => {
            let error = Error::io(existing, "look at the disk of")(error.into());
            return Found::Away(error.to_string());
        }
    };
    let shown = state.display();
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Found::Away(format!("{shown}: is on a disk that is read-only"));
    }
    let ledger = fs::metadata(ledger_path(state)).map_or(0, |metadata| metadata.len());
    let free = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_add(ledger) / 1_000_000;
    let wanted = u64::from(retention.megabytes);
    if free < wanted {
        return Found::Away(format!(
            "{shown}: has room for {free} MB, and the ledger may have {wanted}: make room, or set `megabytes` under [retention]"
        ));
    }
    Found::Well(format!("{free} MB are free for the ledger, which may have {wanted}"))
}

/// The first folder on the way to a path that is there.
fn existing(path: &Path) -> &Path {
    let is_there = |folder: &&Path| folder.exists();
    let found = path.ancestors().filter(|folder| !folder.as_os_str().is_empty()).find(is_there);
    found.unwrap_or(Path::new("."))
}

/// What the clock goes by, or what is wrong with it.
fn clock() -> Found {
    let (now, built) = (now(), built());
    if now < built {
        let (now, built) = (now.text(), built.text());
        return Found::Away(format!(
            "it says {now}, and the program was built at {built}; set it (timedatectl set-ntp true)"
        ));
    }
    match is_synchronized() {
        true => Found::Well("a time service keeps it".into()),
        false => Found::Well(format!(
            "no time service keeps it; it says {}, and is trusted until one says otherwise",
            now.text()
        )),
    }
}

/// The folder can be written to, and its ledger is sound.
fn sound(state: &Path) -> Result<String, Error> {
    let nearest = existing(state);
    access(nearest, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| Error::io(nearest, "write to")(error.into()))?;
    folder::look(state)?;
    if !ledger_path(state).exists() {
        return Ok(
            "there is no ledger yet; it is made at the first start, and the station's ID".into()
        );
    }
    let identity = Identity::load(state)?;
    let problems = upkeep::check(state)?;
    if problems.is_empty() {
        let of = identity.map(|identity| format!(" of station {}", identity.station));
        return Ok(format!("the ledger{} is sound", of.unwrap_or_default()));
    }
    Err(Error::BadFile { path: ledger_path(state), problem: problems.join("; ") })
}
