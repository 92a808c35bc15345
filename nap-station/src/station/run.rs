//! A station from its start to its end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::config::parse::Config;
use crate::config::radio::SourceChoice;
use crate::config::station::Profile;
use crate::error::Error;
use crate::http::Server;
use crate::monitor::Monitor;
use crate::relay::certificate_time::CertificateTime;
use crate::relay::context::Context;
use crate::relay::options::Options;
use crate::relay::outbox::Level;
use crate::rules::utc::Utc;
use crate::station::clock::{StationClock, now, utc_by};
use crate::station::control::Control;
use crate::station::desk::Desk;
use crate::station::devices::DevicesFile;
use crate::station::ending::Ending;
use crate::station::event::Event;
use crate::station::keeper::Command;
use crate::station::keeper::undated::Undated;
use crate::station::opening::Opened;
use crate::station::outbox::LedgerOutbox;
use crate::station::receiving::Receiving;
use crate::station::records::{RECORDING, RecordsFeed};
use crate::station::relays::{Relay, Relays};
use crate::station::remark::{Judged, Remark, Say};
use crate::station::status::status;
use crate::station::watch::ClockWatch;
use crate::station::whereabouts::Whereabouts;
use crate::store::folder;
use crate::store::identity::Identity;
use crate::store::ledger::Found;
use crate::store::lock::FolderLock;
use crate::store::outbox::Waiting;
use crate::store::relay_end::RelayEnd;
use crate::store::retention::Limits;
use crate::store::wire::{Sender, position};

/// Commands that wait for the one who writes.
const QUEUE: usize = 1024;
/// Without records for so long it is looked whether to stop, and so on.
const RECORDS_TICK: Duration = Duration::from_millis(100);
/// How often is looked whether the relays are done.
const DRAIN_TICK: Duration = Duration::from_millis(20);
/// How often is looked whether the table of devices has changed.
const DEVICES_TICK: Duration = Duration::from_secs(2);
/// How often is told how the relays are doing.
const RELAYS_TICK: Duration = Duration::from_secs(5);

/// How to run a station, beside its configuration.
#[derive(Debug, Clone)]
pub struct StationOptions {
    /// So long relays may take to deliver what is there when a recording has ended.
    pub drain_timeout: Duration,
    /// Said: stop.
    pub stop: Arc<AtomicBool>,
    /// Said: read again what may be read again.
    pub reload: Arc<AtomicBool>,
    /// Who is told what happens.
    pub say: Say,
    /// What a local radio's driver is started with.
    pub driver: Option<nap_io::live::DriverProgram>,
}

/// A station that has its state, and whose relays are at work.
#[derive(Debug)]
pub struct Station {
    config: Config,
    options: StationOptions,
    monitor: Monitor,
    devices: DevicesFile,
    /// The clock, if messages come by it.
    watch: Option<ClockWatch>,
    whereabouts: Whereabouts,
    listed: nap_phy::DeviceTable,
    commands: SyncSender<Command>,
    outboxes: Vec<(String, Arc<LedgerOutbox>)>,
    relays: Relays,
    status: watch::Sender<Value>,
    /// Where operators say what to do.
    control: Option<Control>,
    desk: JoinHandle<()>,
    devices_tick: Instant,
    /// When it was told last how the relays are doing.
    relays_told: Option<Instant>,
    _lock: FolderLock,
}

impl Station {
    /// Takes the state folder, opens the ledger, and starts the relays.
    ///
    /// # Errors
    /// [`Error::InUse`] if another station has the folder; what is wrong with the table of devices, the state
    /// or the ledger.
    pub fn open(config: Config, options: StationOptions, monitor: Monitor) -> Result<Self, Error> {
        let state = config.station.state.clone();
        let mut devices = DevicesFile::new(config.devices.file.clone());
        let listed = devices.read()?;
        folder::make(&state)?;
        let lock = FolderLock::take(&state)?;
        let identity = Identity::load_or_make(&state)?;
        options.say.say(Remark::Station(identity.station.clone()));
        let mut opened = Opened::open(&config)?;
        opened.left.drain(..).for_each(|left| options.say.say(Remark::Left(left)));
        if opened.found == Found::OtherHardware {
            options.say.say(Remark::OtherHardware);
        }
        let (newest, _) = watch::channel(0);
        let (commands, asked) = sync_channel(QUEUE);
        let station = identity.station;
        let sender = Sender { station: station.clone(), position: position(&config.position) };
        let whereabouts = Whereabouts::start(&config.position);
        let mut watch = (!is_recording(&config))
            .then(|| ClockWatch::new(&opened.ledger, whereabouts.gpsd().cloned()))
            .transpose()?;
        let clock = watch.as_ref().map(|watch| Arc::clone(watch.clock()));
        let status = watch::Sender::new(status(&config, clock_name(watch.as_ref()))?);
        let outboxes = outboxes(&state, &sender, &opened.ends, &commands, &newest, clock.as_ref())?;
        let stored = Undated::load(&opened.ledger)?;
        let mut keeper = opened.keeper(&config, &listed, newest)?;
        if let Some(watch) = &mut watch {
            watch.begin(&mut keeper, stored);
            // Relays are to see what that has put right. What cannot be written now is written later.
            keeper.commit(watch.clock().utc());
        }
        let desk = Desk {
            keeper,
            commands: asked,
            clock: clock.clone(),
            limits: limits(&config),
            server: serve(&config, &monitor, &options.say)?,
            monitor: monitor.clone(),
            say: options.say.clone(),
            judged: Judged::default(),
        };
        let desk = desk.start();
        let mut context = Context::new(&station, &config.folder, status.subscribe());
        context.is_metered = config.station.profile == Profile::Metered;
        if let Some(clock) = clock {
            context.certificate_time = CertificateTime::of(move || clock.utc().timestamp());
        }
        let relays = Relays::start(relays(&config, &outboxes), &context, &config.places)?;
        let control = Control::listen(&state, commands.clone());
        let control = control.map_err(|error| options.say.say(Remark::NoOrders(error))).ok();
        Ok(Self {
            config,
            options,
            monitor,
            devices,
            watch,
            whereabouts,
            listed,
            commands,
            outboxes,
            relays,
            status,
            control,
            desk,
            devices_tick: Instant::now(),
            relays_told: None,
            _lock: lock,
        })
    }

    /// Receives until the source ends or somebody says stop, and lets the relays finish if it has ended.
    ///
    /// # Errors
    /// What is wrong with the source, from the start.
    pub fn run(mut self) -> Result<Ending, Error> {
        let has_ended = match self.config.radio.source.clone() {
            SourceChoice::Records(path) => self.run_records(&path)?,
            SourceChoice::Samples(address) => self.run_samples(&address)?,
        };
        let ending = match has_ended {
            Some(Ending::Done) => self.drain(),
            Some(ending) => ending,
            None => Ending::Done,
        };
        self.stop();
        Ok(ending)
    }

    /// Returns how it has ended, `None` if somebody said stop.
    fn run_records(&mut self, path: &Path) -> Result<Option<Ending>, Error> {
        let records = RecordsFeed::start(path, now());
        while !self.is_stopped() {
            self.reload();
            self.look_around();
            self.tell_relays();
            match records.next(RECORDS_TICK) {
                None => {}
                Some(Ok(Some(report))) => self.send(Command::Report(report)),
                Some(Ok(None)) => return Ok(Some(Ending::Done)),
                Some(Err(error @ Error::BadFile { .. })) => {
                    self.options.say.say(Remark::BadRecord(error));
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn run_samples(&mut self, address: &str) -> Result<Option<Ending>, Error> {
        let mut receiving = Receiving::open(
            address,
            &self.config.radio,
            self.options.driver.clone(),
            self.watch.as_ref().map(|watch| Arc::clone(watch.clock())),
            self.monitor.clone(),
            self.options.say.clone(),
        )?;
        let mut ending = None;
        while ending.is_none() && !self.is_stopped() {
            if let Some(devices) = self.reload() {
                receiving.set_devices(devices);
            }
            self.look_at_clock();
            self.look_around();
            self.tell_relays();
            ending = receiving.step(&self.listed, &self.commands)?;
        }
        receiving.finish(&self.commands);
        Ok(ending)
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    fn send(&self, command: Command) {
        // The one who writes ends after all others.
        let _never = self.commands.send(command);
    }

    /// Reads the table of devices again if it has changed, or if somebody said so; the new one if so.
    fn reload(&mut self) -> Option<nap_phy::DeviceTable> {
        let is_asked = self.options.reload.swap(false, Ordering::Relaxed);
        if !is_asked && self.devices_tick.elapsed() < DEVICES_TICK {
            return None;
        }
        self.devices_tick = Instant::now();
        if !is_asked && !self.devices.has_changed() {
            return None;
        }
        match self.devices.read() {
            Ok(devices) => {
                self.options.say.say(Remark::Devices(devices.len()));
                self.listed = devices.clone();
                self.send(Command::Devices(devices.clone()));
                Some(devices)
            }
            Err(error) => {
                let detail = json!({ "problem": error.to_string() });
                let event = Event::new("device_changed", Level::Alarm, self.utc(), detail).said();
                self.send(Command::Event(event));
                self.options.say.say(Remark::BadDevices(error));
                None
            }
        }
    }

    fn utc(&self) -> Utc {
        utc_by(self.watch.as_ref().map(|watch| watch.clock().as_ref()))
    }

    /// Looks where the station is, and tells those who write and send it.
    fn look_around(&mut self) {
        let (command, told) = self.whereabouts.look();
        command.into_iter().for_each(|command| self.send(command));
        if let Some(position) = told {
            self.status.send_modify(|status| status["position"] = position);
        }
    }

    /// Looks at the clock, has done what is to be done about it, and tells those who send the status.
    fn look_at_clock(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        let commands = watch.look();
        let clock = clock_name(Some(watch));
        for command in commands {
            self.send(command);
        }
        self.status.send_if_modified(|status| {
            let is_news = status["clock"] != clock;
            status["clock"] = json!(clock);
            is_news
        });
    }

    /// Says how the relays are doing, to the metrics and to whom they send the status.
    fn tell_relays(&mut self) {
        if self.relays_told.is_some_and(|told| told.elapsed() < RELAYS_TICK) {
            return;
        }
        self.relays_told = Some(Instant::now());
        self.options.say.say(Remark::Alive);
        let metrics = self.monitor.metrics();
        let mut lag = serde_json::Map::new();
        for ((name, outbox), (_, state)) in self.outboxes.iter().zip(self.relays.states()) {
            let waiting = outbox.waiting().unwrap_or_default();
            let shown = i64::try_from(waiting).unwrap_or(i64::MAX);
            metrics.relay_waiting.with_label_values(&[name]).set(shown);
            metrics.relay_connected.with_label_values(&[name]).set(state.is_connected.into());
            lag.insert(name.clone(), json!(waiting));
        }
        let lag = Value::Object(lag);
        self.status.send_if_modified(|status| {
            let is_news = status["lag"] != lag;
            status["lag"] = lag;
            is_news
        });
    }

    /// Waits until the relays have delivered what is there.
    fn drain(&mut self) -> Ending {
        let (reply, flushed) = sync_channel(1);
        self.send(Command::Flush(reply));
        // What is not written in time is counted as left.
        let _flushed = flushed.recv_timeout(self.options.drain_timeout);
        self.relays.drain();
        let deadline = Instant::now() + self.options.drain_timeout;
        loop {
            self.tell_relays();
            let left =
                self.outboxes.iter().map(|(name, outbox)| (name, outbox.left().unwrap_or(1)));
            let left: Vec<_> = left
                .filter(|(_, left)| *left > 0)
                .map(|(name, left)| (name.clone(), left))
                .collect();
            if left.is_empty() {
                return Ending::Done;
            }
            if Instant::now() > deadline || self.is_stopped() {
                return Ending::Undelivered(left);
            }
            thread::sleep(DRAIN_TICK);
        }
    }

    /// Stops the relays, then the one who writes.
    fn stop(self) {
        let Self { control, relays, desk, commands, outboxes, .. } = self;
        control.into_iter().for_each(Control::stop);
        relays.stop();
        drop(outboxes);
        drop(commands);
        // A panic in the thread has been reported.
        drop(desk.join());
    }
}

/// What the time of messages goes by.
fn clock_name(watch: Option<&ClockWatch>) -> &'static str {
    watch.map_or(RECORDING, |watch| watch.clock().name().name())
}

fn limits(config: &Config) -> Limits {
    let bytes = u64::from(config.retention.megabytes) * 1_000_000;
    Limits { days: config.retention.days, bytes }
}

/// Lets others ask, where the configuration says so.
fn serve(config: &Config, monitor: &Monitor, say: &Say) -> Result<Option<Arc<Server>>, Error> {
    let Some(http) = config.http else { return Ok(None) };
    let server = Server::start(http.listen, monitor.clone())?;
    say.say(Remark::Listening(server.address()));
    Ok(Some(Arc::new(server)))
}

fn relays(config: &Config, outboxes: &[(String, Arc<LedgerOutbox>)]) -> Vec<Relay> {
    let relays = config.relays.iter().zip(outboxes);
    let relay =
        |((name, options), (_, outbox)): (&(String, Options), &(String, Arc<LedgerOutbox>))| {
            Relay { name: name.clone(), options: options.clone(), outbox: Arc::clone(outbox) }
        };
    relays.map(relay).collect()
}

fn outboxes(
    state: &Path,
    sender: &Sender,
    ends: &[RelayEnd],
    commands: &SyncSender<Command>,
    newest: &watch::Sender<u64>,
    clock: Option<&Arc<StationClock>>,
) -> Result<Vec<(String, Arc<LedgerOutbox>)>, Error> {
    let outbox = |(relay, end): (usize, &RelayEnd)| {
        let waiting = Waiting::open(state, sender.clone(), end.clone())?;
        let (commands, newest) = (commands.clone(), newest.subscribe());
        let outbox = LedgerOutbox::new(relay, waiting, commands, newest, clock.cloned());
        Ok((end.name.clone(), Arc::new(outbox)))
    };
    ends.iter().enumerate().map(outbox).collect()
}

/// Whether the source is read on its own times, not by the clock.
fn is_recording(config: &Config) -> bool {
    match &config.radio.source {
        SourceChoice::Records(_) => true,
        SourceChoice::Samples(address) => Receiving::is_recording(address),
    }
}
