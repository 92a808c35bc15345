//! `nap listen`: messages as they come, from a radio or whatever else goes on and on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use nap_io::live::{Fault, FaultKind, OnError, Outage};
use nap_io::{StreamInfo, counted};
use nap_phy::schema::columns::MESSAGE_COLUMNS;
use nap_phy::schema::{MessageRecord, MessageRecordType, RetractedRecord};
use nap_phy::{DeviceTable, Event, Message};
use nap_station::Monitor;
use nap_station::http::{Published, Server};
use nap_station::reception::{FaultLog, Received, Reception, ReceptionEvent};
use nap_station::rotated_file::Rotation;
use serde_json::{Value, json};

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
#[cfg(feature = "station")]
use crate::args::mqtt::MqttArgs;
use crate::args::quantity;
use crate::args::recorder::RecorderArgs;
use crate::args::source::{SourceArgs, Speed};
use crate::outcome::{self, Outcome, misuse};
use crate::output::message_log::MessageLog;
use crate::output::printer::{Format, Printer};
#[cfg(feature = "station")]
use crate::output::publishing::Publishing;
use crate::signals::stop_on_signals;

/// Live signals to messages.
///
/// Listens to a radio, day and night: when it stalls, goes away or does something else that it should
/// not, that is said once, counted, and the radio is opened again.
///
/// A message is written as soon as one of its frames is decoded, and again, as an `update`, with each
/// frame that follows. One that is weakly proven waits until no more frames can come; one that turns out
/// wrong after it was written is `retracted`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap listen --radio driver=rtlsdr --gain 40 --radio-configuration RC1
  nap listen --radio driver=hackrf --gain LNA=24,VGA=20 --format json --http 127.0.0.1:9868
  nap listen rtl_tcp://radio.local:1234 --gain 40
  nap listen capture.sigmf-meta --replay 10")]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,

    /// How results are written.
    #[arg(long, value_enum, default_value = "log")]
    format: Format,

    /// Which of a message's frames are reported.
    #[arg(long, value_enum, default_value = "every")]
    report: Report,

    #[command(flatten)]
    devices: DevicesArg,

    /// What to do when the radio fails; if left out, restart. A recording that fails is over.
    #[arg(long, value_enum)]
    on_error: Option<OnErrorArg>,

    /// End after so many seconds of signal.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration)]
    duration: Option<f64>,

    #[command(flatten)]
    output: OutputArgs,

    #[cfg(feature = "station")]
    #[command(flatten)]
    mqtt: MqttArgs,

    #[command(flatten)]
    recorder: RecorderArgs,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Where results go.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Outputs")]
struct OutputArgs {
    /// Write results to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Rename the file to FILE.1 and start anew when it has so many megabytes.
    #[arg(long, value_name = "MB", value_parser = quantity::positive, default_value = "100", requires = "output")]
    rotate_size: f64,

    /// How many renamed files are kept.
    #[arg(long, value_name = "N", default_value = "7", requires = "output")]
    rotate_count: u32,

    /// Answer over HTTP: /metrics for Prometheus, /events as server-sent events, /health.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
}

impl OutputArgs {
    fn printer(&self, format: Format) -> Result<Printer> {
        let rotation = Rotation { bytes: (self.rotate_size * 1e6) as u64, kept: self.rotate_count };
        match &self.output {
            Some(path) => Printer::to_file(path, rotation, format, MESSAGE_COLUMNS),
            None => Ok(Printer::new(format, MESSAGE_COLUMNS)),
        }
    }

    fn server(&self, monitor: &Monitor) -> Result<Option<Server>> {
        let Some(address) = self.http else { return Ok(None) };
        let server = Server::start(address, monitor.clone())?;
        tracing::info!("http://{}/metrics, /events and /health", server.address());
        Ok(Some(server))
    }
}

/// Which of a message's frames are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Report {
    /// The message with its first frame.
    First,
    /// The message with its first frame, and an update with each that follows.
    Every,
    /// The message once, when no more frames can come.
    Complete,
}

/// What to do when the radio fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnErrorArg {
    /// End with exit status 1.
    Quit,
    /// Open it again, after pauses that grow to 20 s.
    Restart,
}

impl From<OnErrorArg> for OnError {
    fn from(arg: OnErrorArg) -> Self {
        match arg {
            OnErrorArg::Quit => Self::Quit,
            OnErrorArg::Restart => Self::Restart,
        }
    }
}

/// How often to look whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let devices = args.devices.load()?;
    let recorder = args.recorder.options(&devices)?;
    let stop = stop_on_signals()?;
    let printer = args.output.printer(args.format)?;
    let channel = args.source.channel(&args.channel);
    let on_error = args.on_error.unwrap_or(OnErrorArg::Restart).into();
    let source = args.source.prepare(&channel, on_error, Speed::Times(1.0))?;
    if args.on_error == Some(OnErrorArg::Restart) && source.policy.on_error == OnError::Quit {
        let text = "--on-error restart: a recording that fails is over; leave that out";
        return Err(misuse(anyhow!("{}: {text}", source.name)));
    }
    let restarts = source.policy.on_error == OnError::Restart;
    let monitor = Monitor::new()?;
    let server = args.output.server(&monitor)?;
    #[cfg(feature = "station")]
    let publisher = args.mqtt.publisher()?.map(Publishing::new);
    let reception = Reception::new(source, recorder, monitor.clone());
    let mut session = Session {
        args,
        channel: &channel,
        devices: &devices,
        log: MessageLog::new(&devices),
        printer,
        is_write_failing: false,
        restarts,
        monitor,
        server,
        #[cfg(feature = "station")]
        publisher,
        faults: FaultLog::default(),
        last_fault: None,
        outcome: Outcome::Done,
    };
    session.run(reception, &stop)?;
    session.finish()
}

/// What becomes of that which is received.
struct Session<'a> {
    args: &'a Args,
    channel: &'a ChannelArgs,
    devices: &'a DeviceTable,
    log: MessageLog<'a>,
    printer: Printer,
    /// Whether a source that has failed is opened again.
    restarts: bool,
    /// Whether the last result could not be written.
    is_write_failing: bool,
    monitor: Monitor,
    server: Option<Server>,
    #[cfg(feature = "station")]
    publisher: Option<Publishing>,
    faults: FaultLog,
    last_fault: Option<FaultKind>,
    outcome: Outcome,
}

impl Session<'_> {
    /// Listens until the source ends, or `stop`, and decodes what is left.
    ///
    /// # Errors
    /// A receiver that cannot be set up for this source, and a reader of the results who has gone.
    fn run(&mut self, mut reception: Reception, stop: &AtomicBool) -> Result<()> {
        let name = reception.source().name.clone();
        while !stop.load(Ordering::Relaxed) && !self.is_over(&reception) {
            match reception.next(TICK) {
                Some(ReceptionEvent::Started(info)) => self.started(&mut reception, &info)?,
                Some(ReceptionEvent::Ended) => {
                    self.ended();
                    break;
                }
                Some(event) => self.event(&name, event)?,
                None => {}
            }
            for repetition in self.faults.repetitions(Instant::now()) {
                tracing::warn!("{name}: {repetition}");
            }
        }
        for event in reception.finish() {
            self.event(&name, event)?;
        }
        self.summarize(&reception);
        Ok(())
    }

    /// Ends the results.
    ///
    /// # Errors
    /// If they cannot be written.
    fn finish(self) -> Result<Outcome> {
        self.printer.finish()?;
        #[cfg(feature = "station")]
        if let Some(publisher) = self.publisher
            && !publisher.finish()
        {
            return Ok(self.outcome.max(Outcome::Failed));
        }
        Ok(self.outcome)
    }

    /// Whether all that was asked for has been heard.
    fn is_over(&self, reception: &Reception) -> bool {
        self.args.duration.is_some_and(|duration_s| reception.end_s() >= duration_s)
    }

    fn started(&self, reception: &mut Reception, info: &StreamInfo) -> Result<()> {
        let name = reception.source().name.clone();
        tracing::info!(
            "{name}: {}{:.6} MS/s{}",
            info.description.as_deref().map(|text| format!("{text}, ")).unwrap_or_default(),
            info.sample_rate_hz / 1e6,
            info.center_hz.map(|hz| format!(" around {:.6} MHz", hz / 1e6)).unwrap_or_default()
        );
        for warning in &info.warnings {
            tracing::warn!("{name}: {warning}");
        }
        for note in &info.notes {
            tracing::debug!("{name}: {note}");
        }
        let config = self.channel.receiver_config(&name, info, self.devices)?;
        Ok(reception.listen(config)?)
    }

    fn event(&mut self, name: &str, event: ReceptionEvent) -> Result<()> {
        match event {
            ReceptionEvent::Received(received) => return self.received(name, &received),
            ReceptionEvent::Fault(fault) => self.fault(name, &fault),
            ReceptionEvent::Recovered(outage) => self.recovered(name, &outage),
            ReceptionEvent::Lost(loss) => {
                tracing::debug!(
                    "{name}: {} lost before {:.3} s",
                    counted(loss.samples, "sample"),
                    loss.time_s
                );
            }
            ReceptionEvent::NotRecorded(error) => {
                tracing::error!("a burst is not recorded: {error}; decoding goes on");
            }
            _ => {}
        }
        Ok(())
    }

    /// The source does not go on: if it could not, trying again is of no use.
    fn ended(&mut self) {
        if self.last_fault == Some(FaultKind::Refused) {
            self.outcome = Outcome::Misused;
        }
    }

    fn fault(&mut self, name: &str, fault: &Fault) {
        let then = match (fault.kind, self.restarts) {
            (FaultKind::Refused, _) => "",
            (kind, _) if !kind.is_fatal() => "",
            (_, true) => "; trying again until it works",
            (_, false) => "; giving up",
        };
        if fault.kind == FaultKind::Refused {
            tracing::error!("{name}: {fault}");
        } else if self.faults.fault(fault, Instant::now()) {
            tracing::warn!("{name}: {fault}{then}");
        } else {
            tracing::debug!("{name}: {fault}");
        }
        self.last_fault = Some(fault.kind);
        self.publish("fault", || json!({ "kind": fault.kind.name(), "text": fault.text }));
        if fault.kind.is_fatal() && !self.restarts {
            self.outcome = self.outcome.max(Outcome::Failed);
        }
    }

    fn recovered(&mut self, name: &str, outage: &Outage) {
        let down_s = outage.duration.as_secs_f64();
        if self.faults.recovered() {
            tracing::info!(
                "{name}: samples again, after {down_s:.1} s and {} trials",
                outage.trials
            );
        }
        self.publish("recovered", || json!({ "down_s": down_s, "trials": outage.trials }));
    }

    fn received(&mut self, name: &str, received: &Received) -> Result<()> {
        let wanted = self.args.report;
        let (record_type, message, is_wanted) = match &received.event {
            Event::Message(message) => {
                (MessageRecordType::Message, message, wanted != Report::Complete)
            }
            Event::Update(message) => (MessageRecordType::Update, message, wanted == Report::Every),
            Event::Complete(message) => {
                (MessageRecordType::Message, message, wanted == Report::Complete)
            }
            Event::Retracted(message) => {
                let was_printed = wanted != Report::Complete;
                let time = received.time.as_deref();
                return if was_printed { self.retract(message, time) } else { Ok(()) };
            }
            Event::Undecoded(burst) => {
                let (time_s, mhz) = (burst.signal.time_s, burst.signal.frequency_hz / 1e6);
                tracing::debug!(
                    "{name}: not decoded at {time_s:.3} s, {mhz:.6} MHz: {}",
                    burst.reason
                );
                return Ok(());
            }
            _ => return Ok(()),
        };
        if is_wanted { self.print(record_type, message, received.time.clone()) } else { Ok(()) }
    }

    fn print(
        &mut self,
        record_type: MessageRecordType,
        message: &Message,
        time: Option<String>,
    ) -> Result<()> {
        let record = MessageRecord::new(record_type, message, time, self.devices);
        let kind = match record_type {
            MessageRecordType::Message => "message",
            MessageRecordType::Update => "update",
        };
        self.publish(kind, || json!(record));
        let Self { printer, log, .. } = self;
        let written = printer.record(&record, || log.message(&record));
        self.tolerate(written)
    }

    /// Takes back a message that was printed.
    fn retract(&mut self, message: &Message, time: Option<&str>) -> Result<()> {
        let record = RetractedRecord::new(message.id);
        self.publish("retracted", || json!(record));
        let Self { printer, log, .. } = self;
        let written = printer.record(&record, || log.retracted(message, time));
        self.tolerate(written)
    }

    /// Hands an event to those who listen in over HTTP or MQTT.
    fn publish(&mut self, kind: &'static str, data: impl Fn() -> Value) {
        if let Some(server) = &self.server {
            server.publish(Published { kind, data: data().to_string() });
        }
        #[cfg(feature = "station")]
        if let Some(publisher) = &mut self.publisher {
            publisher.publish(kind, data());
        }
    }

    /// A full disk is no reason to stop listening; a reader who has gone is.
    fn tolerate(&mut self, written: Result<()>) -> Result<()> {
        let Err(error) = written else {
            if std::mem::take(&mut self.is_write_failing) {
                tracing::info!("results can be written again");
            }
            return Ok(());
        };
        if outcome::is_closed_pipe(&error) {
            return Err(error);
        }
        self.monitor.metrics().failed_writes.inc();
        self.outcome = Outcome::Failed;
        if !std::mem::replace(&mut self.is_write_failing, true) {
            tracing::error!("{}; decoding goes on", outcome::text(&error));
        }
        Ok(())
    }

    /// The last line.
    fn summarize(&self, reception: &Reception) {
        let Some(statistics) = reception.statistics() else { return };
        if statistics.samples == 0 && self.outcome != Outcome::Done {
            return;
        }
        let latencies = reception.latencies();
        let latency = latencies.mean_s().map(|mean_s| {
            let max_s = latencies.max_s();
            format!("; reported {mean_s:.2} s after the end of a frame, {max_s:.2} s at most")
        });
        tracing::info!(
            "{}, {} in {:.1} s of signal, {:.1} s lost{}",
            counted(statistics.messages, "message"),
            counted(statistics.frames, "frame"),
            reception.seconds(statistics.samples),
            reception.seconds(statistics.lost_samples),
            latency.unwrap_or_default()
        );
    }
}
