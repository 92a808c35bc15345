//! From samples to reports.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nap_io::live::{DriverProgram, FaultKind, OnError, Source, SourceKind, SourceSettings};
use nap_io::{OpenOptions, StreamInfo};
use nap_phy::receiver::channel_choice::{ChannelChoice, Channels, ChosenChannels};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, Event as ReceiverEvent, Message, ReceiverConfig};
use serde_json::json;

use crate::config::radio::{RadioConfig, source_address};
use crate::error::Error;
use crate::monitor::Monitor;
use crate::reception::Reception;
use crate::reception::event::{Received, ReceptionEvent};
use crate::reception::fault_log::FaultLog;
use crate::relay::outbox::Level;
use crate::rules::utc::Utc;
use crate::station::backlog::Backlog;
use crate::station::clock::{StationClock, now, utc_by};
use crate::station::ending::Ending;
use crate::station::event::Event;
use crate::station::found::Found;
use crate::station::keeper::Command;
use crate::station::records::RECORDING;
use crate::station::remark::{Remark, Say};
use crate::station::report::{Heard, Report, ReportKind};

/// How often to look whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// A source of samples and its receiver at work.
#[derive(Debug)]
pub struct Receiving {
    radio: RadioConfig,
    reception: Reception,
    say: Say,
    faults: FaultLog,
    is_refused: bool,
    /// The clock of what is received by the clock; recordings have their own.
    clock: Option<Arc<StationClock>>,
    /// What times without a start count from.
    start: Utc,
    /// What could not be handed on yet.
    backlog: Backlog<Command>,
}

impl Receiving {
    /// Starts to open a source.
    ///
    /// # Errors
    /// What is wrong with it, if trying again is of no use.
    pub fn open(
        address: &str,
        radio: &RadioConfig,
        driver: Option<DriverProgram>,
        clock: Option<Arc<StationClock>>,
        monitor: Monitor,
        say: Say,
    ) -> Result<Self, Error> {
        let source = source(address, radio, driver)?;
        Ok(Self {
            radio: radio.clone(),
            reception: Reception::new(source, None, monitor),
            say,
            faults: FaultLog::default(),
            is_refused: false,
            clock,
            start: now(),
            backlog: Backlog::default(),
        })
    }

    /// Whether what is at an address is read on its own times, not by the clock.
    #[must_use]
    pub fn is_recording(address: &str) -> bool {
        let kind = source_address(address).kind();
        kind == SourceKind::Recording || kind == SourceKind::Pipe
    }

    /// Opens a source, asks it for what is to be received, and closes it again.
    #[must_use]
    pub fn try_out(
        address: &str,
        radio: &RadioConfig,
        driver: Option<DriverProgram>,
        timeout: Duration,
    ) -> Found {
        if source_address(address).kind() == SourceKind::Pipe {
            return Found::Well("standard input, which is not read here".into());
        }
        let say = Say::new(|_| {});
        let opened = Monitor::new()
            .and_then(|monitor| Self::open(address, radio, driver, None, monitor, say));
        match opened {
            Ok(mut receiving) => receiving.wait_for_samples(Instant::now() + timeout),
            Err(error) => Found::Wrong(error.to_string()),
        }
    }

    fn wait_for_samples(&mut self, deadline: Instant) -> Found {
        while Instant::now() < deadline {
            match self.reception.next(TICK) {
                Some(ReceptionEvent::Started(info)) => return Found::of(self.described(&info)),
                Some(ReceptionEvent::Fault(fault)) if fault.kind.is_fatal() => {
                    let is_wrong = fault.kind == FaultKind::Refused
                        || self.reception.source().kind == SourceKind::Recording;
                    let found = if is_wrong { Found::Wrong } else { Found::Away };
                    return found(fault.to_string());
                }
                Some(ReceptionEvent::Ended) => {
                    return Found::Away("it ends before the first sample".into());
                }
                _ => {}
            }
        }
        Found::Away("it does not answer: is it there, and used by nobody else?".into())
    }

    /// How an open source is set, if receivers can be set up for it.
    fn described(&mut self, info: &StreamInfo) -> Result<String, Error> {
        let chosen = self.chosen(info)?;
        let notes = chosen.unheard();
        self.reception.listen_to_all(chosen.configs)?;
        let rate = format!("{:.6} MS/s", info.sample_rate_hz / 1e6);
        let around = info.center_hz.map(|hz| format!(" around {:.6} MHz", hz / 1e6));
        let names = self.radio.radio_configurations.iter().map(|one| one.name());
        let names: Vec<&str> = names.collect();
        let mut text = format!("{rate}{} for {}", around.unwrap_or_default(), names.join(", "));
        notes.iter().for_each(|note| text.extend(["; ", note.as_str()]));
        Ok(text)
    }

    /// Goes by these devices from now on.
    pub fn set_devices(&mut self, devices: DeviceTable) {
        self.reception.set_devices(devices);
    }

    /// Receives for a moment, and hands on what was heard; says how the source has ended, if it has.
    ///
    /// # Errors
    /// A receiver that cannot be set up for this source.
    pub fn step(
        &mut self,
        devices: &DeviceTable,
        commands: &SyncSender<Command>,
    ) -> Result<Option<Ending>, Error> {
        let mut ending = None;
        match self.reception.next(TICK) {
            Some(ReceptionEvent::Started(info)) => self.started(info, devices)?,
            Some(ReceptionEvent::Ended) if self.is_refused => ending = Some(Ending::SourceFailed),
            Some(ReceptionEvent::Ended) => ending = Some(Ending::Done),
            Some(event) => self.event(event),
            None => {}
        }
        for repetition in self.faults.repetitions(Instant::now()) {
            self.say.say(Remark::Repeated(repetition));
        }
        self.hand_on(commands);
        Ok(ending)
    }

    /// Decodes what is left and hands it on.
    pub fn finish(&mut self, commands: &SyncSender<Command>) {
        for event in self.reception.finish() {
            self.event(event);
        }
        self.backlog.finish(commands);
    }

    fn started(&mut self, info: Box<StreamInfo>, devices: &DeviceTable) -> Result<(), Error> {
        let configs = self.receiver_configs(&info, devices)?;
        self.say.say(Remark::Started(info));
        self.reception.listen_to_all(configs)
    }

    fn receiver_configs(
        &self,
        info: &StreamInfo,
        devices: &DeviceTable,
    ) -> Result<Vec<ReceiverConfig>, Error> {
        let chosen = self.chosen(info)?;
        for note in chosen.unheard() {
            self.say.say(Remark::Note(note));
        }
        let mut configs = chosen.configs;
        for config in &mut configs {
            config.full_scale_dbm = self.radio.full_scale_dbm;
            config.devices = devices.clone();
        }
        Ok(configs)
    }

    /// The channels that are to be received of a source.
    fn chosen(&self, info: &StreamInfo) -> Result<ChosenChannels, Error> {
        let channels = match info.center_hz {
            Some(_) => Channels::Configurations(self.radio.radio_configurations.clone()),
            None => Channels::Nearest,
        };
        let choice = ChannelChoice { channels, bit_rate: self.radio.bit_rate };
        let name = self.reception.source().name.clone();
        let refused = |problem: String| Error::Refused { name, problem };
        let chosen = choice.in_band(info.sample_rate_hz, info.center_hz);
        chosen.map_err(|error| refused(error.to_string()))
    }

    fn event(&mut self, event: ReceptionEvent) {
        match event {
            ReceptionEvent::Received(received) => self.received(&received),
            ReceptionEvent::Fault(fault) => {
                self.is_refused = fault.kind == FaultKind::Refused;
                let is_news = self.is_refused || self.faults.fault(&fault, Instant::now());
                if is_news && fault.kind.is_fatal() {
                    let detail = json!({ "kind": fault.kind.name(), "text": fault.text });
                    let event = Event::new("radio_fault", Level::Alarm, self.utc(), detail).said();
                    self.backlog.push(Command::Event(event));
                }
                self.say.say(Remark::Fault(fault, is_news));
            }
            ReceptionEvent::Recovered(outage) if self.faults.recovered() => {
                let down_s = outage.duration.as_secs_f64();
                let detail = json!({ "down_s": down_s, "trials": outage.trials });
                let event = Event::new("radio_recovered", Level::Info, self.utc(), detail).said();
                self.backlog.push(Command::Event(event));
                self.say.say(Remark::Recovered(outage));
            }
            _ => {}
        }
    }

    fn received(&mut self, received: &Received) {
        let (is_first, is_complete, message) = match &received.event {
            ReceiverEvent::Message(message) => (true, false, message),
            ReceiverEvent::Update(message) => (false, false, message),
            ReceiverEvent::Complete(message) => (false, true, message),
            ReceiverEvent::Retracted(message) => {
                let report = Report { message: (0, message.id.0), kind: ReportKind::Retracted };
                self.backlog.push(Command::Report(report));
                return;
            }
            _ => return,
        };
        let (at, time, clock) = self.dated(message, received);
        // The device's name is added where the record is kept, by the table in force then.
        let nameless = DeviceTable::new();
        let record = MessageRecord::new(MessageRecordType::Message, message, time, &nameless);
        let heard = Heard { is_first, is_complete, record, at, clock };
        let kind = ReportKind::Heard(Box::new(heard));
        self.backlog.push(Command::Report(Report { message: (0, message.id.0), kind }));
    }

    /// When a message was sent, how its record tells it, and the clock that it is of.
    fn dated(&self, message: &Message, received: &Received) -> (Utc, Option<String>, &'static str) {
        let moment = self.clock.as_ref().map(|clock| clock.ago(received.age_s.unwrap_or(0.0)));
        if let Some(moment) = moment.filter(|moment| !moment.clock.is_trusted()) {
            return (moment.at, None, moment.clock.name());
        }
        let (mut at, mut time) = self.time(message, received.time.as_deref());
        // A source knows the computer's clock alone.
        let ahead_us = self.clock.as_ref().map_or(0, |clock| clock.ahead_us());
        if ahead_us != 0 {
            at = at.plus_us(ahead_us);
            time = at.text();
        }
        (at, Some(time), moment.map_or(RECORDING, |moment| moment.clock.name()))
    }

    fn utc(&self) -> Utc {
        utc_by(self.clock.as_deref())
    }

    /// When a message was sent: as the source says, else by its samples from the start of the station.
    fn time(&self, message: &Message, time: Option<&str>) -> (Utc, String) {
        let known = time.and_then(|text| text.parse::<Timestamp>().ok().map(|at| (at, text)));
        match known {
            Some((at, text)) => (at.into(), text.to_owned()),
            None => {
                let at = self.start.plus_s(message.signal.time_s);
                (at, at.text())
            }
        }
    }

    /// Hands on what can be without waiting. Samples that are read as fast as can be have time to wait.
    fn hand_on(&mut self, commands: &SyncSender<Command>) {
        self.backlog.hand_on(commands);
        let Some(lost) = self.backlog.take_lost() else { return };
        self.say.say(Remark::StoredAgain { lost });
        let detail = json!({ "lost_messages": lost });
        let event = Event::new("disk_low", Level::Alarm, self.utc(), detail).said();
        self.backlog.push(Command::Event(event));
    }
}

fn source(
    address: &str,
    radio: &RadioConfig,
    driver: Option<DriverProgram>,
) -> Result<Source, Error> {
    let address = source_address(address);
    let channels = Channels::Configurations(radio.radio_configurations.clone());
    let mut settings = SourceSettings::default();
    let kind = address.kind();
    settings.on_error = OnError::Restart;
    settings.speed = if kind == SourceKind::Recording { radio.replay.times() } else { Some(1.0) };
    settings.samples = OpenOptions {
        format: radio.sample_format,
        sample_rate_hz: radio.sample_rate_hz,
        center_hz: radio.center_hz,
        ..OpenOptions::default()
    };
    settings.tuning.sample_rate_hz = radio.sample_rate_hz;
    settings.tuning.channel_center_hz = channels.middle_hz().unwrap_or_default();
    settings.tuning.channel_width_hz = channels.width_hz().unwrap_or_default();
    settings.tuning.center_hz = radio.center_hz;
    settings.tuning.gain = radio.gain.clone();
    settings.tuning.ppm = radio.ppm;
    if kind == SourceKind::Radio {
        settings.driver = driver;
    }
    Ok(address.source(&settings)?)
}
