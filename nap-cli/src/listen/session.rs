//! From blocks of samples to results.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nap_io::StreamInfo;
use nap_io::live::{Block, Fault, LiveEvent, OnError, Outage, Supervisor};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, Event, Message, Receiver};
use serde_json::{Value, json};

use super::fault_log::FaultLog;
use super::health::Health;
use super::http::{Published, Server};
use super::metrics::Metrics;
use super::noise::NoiseMeter;
use super::recorder::Recorder;
use super::source::Source;
use super::stream_time::StreamTime;
use super::{Args, Report, TICK};
use crate::channel::ChannelArgs;
use crate::outcome::{self, Outcome};
use crate::output::{Names, Printer, log};

/// How often what changes slowly is looked at.
const SLOW_TICK: Duration = Duration::from_secs(1);

/// When the source fails, so much silence completes what the receiver has seen the end of, in seconds by the
/// clock; no outage is shorter.
const BRIDGE_S: f64 = 0.1;

/// All that is needed to listen.
pub struct Session<'a> {
    args: &'a Args,
    channel: &'a ChannelArgs,
    source: &'a Source,
    devices: &'a DeviceTable,
    names: Names<'a>,
    printer: Printer,
    /// Whether the last result could not be written.
    is_write_failing: bool,
    metrics: Arc<Metrics>,
    health: Arc<Mutex<Health>>,
    server: Option<Server>,
    faults: FaultLog,
    /// There once the source is open.
    reception: Option<Reception>,
    outcome: Outcome,
    slow_tick: Instant,
    latencies: Latencies,
}

/// What depends on how the source is set.
struct Reception {
    sample_rate_hz: f64,
    receiver: Receiver,
    time: StreamTime,
    noise: NoiseMeter,
    recorder: Option<Recorder>,
    /// The index after the last sample.
    end: u64,
    /// Of the samples that an outage costs, those that the receiver has been told of already.
    bridged: u64,
}

/// The least, the most and the sum, for the last line.
#[derive(Default)]
struct Latencies {
    count: u32,
    sum_s: f64,
    most_s: f64,
}

impl<'a> Session<'a> {
    /// A session that has heard nothing yet.
    ///
    /// # Errors
    /// If the counters cannot be set up.
    pub fn new(
        args: &'a Args,
        channel: &'a ChannelArgs,
        source: &'a Source,
        devices: &'a DeviceTable,
        printer: Printer,
    ) -> Result<Self> {
        let metrics = Arc::new(Metrics::new()?);
        let health = Arc::new(Mutex::new(Health::default()));
        let start = |address| Server::start(address, Arc::clone(&metrics), Arc::clone(&health));
        let server = args.output.http.map(start).transpose()?;
        if let Some(server) = &server {
            tracing::info!("http://{}/metrics, /events and /health", server.address);
        }
        Ok(Self {
            args,
            channel,
            source,
            devices,
            names: Names::new(devices),
            printer,
            is_write_failing: false,
            metrics,
            health,
            server,
            faults: FaultLog::default(),
            reception: None,
            outcome: Outcome::Done,
            slow_tick: Instant::now(),
            latencies: Latencies::default(),
        })
    }

    /// Listens until the source ends, or `stop`.
    ///
    /// # Errors
    /// A receiver that cannot be set up for this source, and a reader of the results who has gone.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<()> {
        let mut live = Supervisor::new(Arc::clone(&self.source.opener), self.source.policy);
        while !stop.load(Ordering::Relaxed) && !self.is_over() {
            match live.next(TICK) {
                Some(LiveEvent::Block(block)) => self.block(&block)?,
                Some(LiveEvent::Started(info)) => self.started(&info)?,
                Some(LiveEvent::Recovered(outage)) => self.recovered(&outage),
                Some(LiveEvent::Fault(fault)) => self.fault(&fault)?,
                Some(LiveEvent::Ended) => break,
                None => {}
            }
            if self.slow_tick.elapsed() > SLOW_TICK {
                self.slow_tick = Instant::now();
                self.tick();
            }
        }
        Ok(())
    }

    /// Decodes what is left and ends.
    ///
    /// # Errors
    /// If the results cannot be written.
    pub fn finish(mut self) -> Result<Outcome> {
        if let Some(reception) = &mut self.reception {
            let events = reception.receiver.flush();
            if let Some(mut recorder) = reception.recorder.take() {
                events.iter().for_each(|event| recorder.decoded(event));
                recorder.finish(&reception.time);
            }
            self.report(events)?;
        }
        self.tick();
        self.printer.finish()?;
        let Some(reception) = &self.reception else {
            return Ok(self.outcome);
        };
        let statistics = reception.receiver.statistics();
        tracing::info!(
            "{} messages, {} frames in {:.1} s of signal, {:.1} s lost{}",
            statistics.messages,
            statistics.frames,
            statistics.samples as f64 / reception.sample_rate_hz,
            statistics.lost_samples as f64 / reception.sample_rate_hz,
            self.latencies.text()
        );
        Ok(self.outcome)
    }

    /// Whether all that was asked for has been heard.
    fn is_over(&self) -> bool {
        let heard_s = |r: &Reception| r.end as f64 / r.sample_rate_hz;
        let heard_s = self.reception.as_ref().map_or(0.0, heard_s);
        self.args.duration.is_some_and(|duration_s| heard_s >= duration_s)
    }

    fn recovered(&mut self, outage: &Outage) {
        self.faults.recovered(&self.source.name, outage);
        self.metrics.restarts.inc();
        let down_s = outage.duration.as_secs_f64();
        self.publish("recovered", || json!({ "down_s": down_s, "trials": outage.trials }));
    }

    fn started(&mut self, info: &StreamInfo) -> Result<()> {
        let name = &self.source.name;
        if self.reception.is_some() {
            return Ok(());
        }
        self.metrics.sample_rate.set(info.sample_rate_hz);
        self.metrics.center_frequency.set(info.center_hz.unwrap_or_default());
        tracing::info!(
            "{name}: {}{:.6} MS/s{}",
            info.description.as_deref().map(|text| format!("{text}, ")).unwrap_or_default(),
            info.sample_rate_hz / 1e6,
            info.center_hz.map(|hz| format!(" around {:.6} MHz", hz / 1e6)).unwrap_or_default()
        );
        for warning in &info.warnings {
            tracing::warn!("{name}: {warning}");
        }
        let config = self.channel.receiver_config(name, info, self.devices)?;
        let noise = NoiseMeter::new(&config);
        let recorder = self.args.recorder.recorder(&config, &self.metrics)?;
        let receiver = Receiver::new(config).with_context(|| name.clone())?;
        let speed = self.source.policy.speed;
        let time = StreamTime::new(info.start, info.sample_rate_hz, speed, self.source.is_live);
        self.reception = Some(Reception {
            sample_rate_hz: info.sample_rate_hz,
            receiver,
            time,
            noise,
            recorder,
            end: 0,
            bridged: 0,
        });
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let Some(reception) = &mut self.reception else {
            return Ok(());
        };
        self.metrics.receiving.set(1);
        reception.time.follow(block);
        reception.noise.push(&block.samples);
        let mut events = Vec::new();
        if block.lost_before > 0 {
            let told = std::mem::take(&mut reception.bridged);
            events = reception.receiver.skip(block.lost_before.saturating_sub(told));
        }
        events.append(&mut reception.receiver.push(&block.samples));
        reception.end = block.end();
        if let Some(recorder) = &mut reception.recorder {
            events.iter().for_each(|event| recorder.decoded(event));
            let preambles = reception.receiver.statistics().bursts;
            recorder.push(block.lost_before, &block.samples, preambles, &reception.time);
        }
        self.health().receives();
        self.report(events)
    }

    fn fault(&mut self, fault: &Fault) -> Result<()> {
        let restarts = self.source.policy.on_error == OnError::Restart;
        self.faults.fault(&self.source.name, fault, restarts);
        self.metrics.count_fault(fault.kind);
        self.publish("fault", || json!({ "kind": fault.kind.name(), "text": fault.text }));
        if fault.kind.is_fatal() {
            self.metrics.receiving.set(0);
            self.health().fails(fault.text.clone());
            if !restarts {
                self.outcome = Outcome::Failed;
            }
            return self.bridge();
        }
        Ok(())
    }

    /// Reports what has ended before an outage now, not after it.
    fn bridge(&mut self) -> Result<()> {
        let speed = self.source.policy.speed.unwrap_or(1.0);
        let Some(reception) = self.reception.as_mut().filter(|r| r.bridged == 0) else {
            return Ok(());
        };
        reception.bridged = (BRIDGE_S * speed * reception.sample_rate_hz) as u64;
        let events = reception.receiver.skip(reception.bridged);
        self.report(events)
    }

    fn tick(&mut self) {
        self.faults.tick(&self.source.name);
        if let Some(reception) = &self.reception {
            self.metrics.follow(&reception.receiver.statistics());
            if let Some(density) = reception.noise.density_dbfs_per_hz() {
                self.metrics.noise_floor.set(density);
            }
        }
    }

    fn report(&mut self, events: Vec<Event>) -> Result<()> {
        for event in events {
            let wanted = self.args.report;
            match event {
                Event::Message(message) => {
                    self.measure_latency(&message);
                    if wanted != Report::Complete {
                        self.print(MessageRecordType::Message, &message)?;
                    }
                }
                Event::Update(message) => {
                    self.measure_latency(&message);
                    if wanted == Report::Every {
                        self.print(MessageRecordType::Update, &message)?;
                    }
                }
                Event::Complete(message) if wanted == Report::Complete => {
                    self.print(MessageRecordType::Message, &message)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Measures how long ago the newest frame has ended.
    fn measure_latency(&mut self, message: &Message) {
        let Some(reception) = &self.reception else { return };
        let starts = message.frames.iter().map(|frame| frame.signal.time_s);
        let end_s = starts.fold(0.0, f64::max) + message.frame_extent().duration_s;
        if let Some(latency_s) = reception.time.age_s(end_s, reception.end) {
            self.metrics.latency.observe(latency_s);
            self.latencies.add(latency_s);
        }
    }

    fn print(&mut self, record_type: MessageRecordType, message: &Message) -> Result<()> {
        let time = self.reception.as_ref().and_then(|r| r.time.text(message.signal.time_s));
        let record = MessageRecord::new(record_type, message, time);
        let kind = match record_type {
            MessageRecordType::Message => "message",
            MessageRecordType::Update => "update",
        };
        self.publish(kind, || json!(record));
        let name = self.names.padded(message);
        let written = self.printer.record(&record, || log::message(&record, &name));
        self.survive(written)
    }

    /// Hands an event to those who listen in over HTTP.
    fn publish(&self, kind: &'static str, data: impl FnOnce() -> Value) {
        if let Some(server) = &self.server {
            server.publish(Published { kind, data: data().to_string() });
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A full disk is no reason to stop listening; a reader who has gone is.
    fn survive(&mut self, written: Result<()>) -> Result<()> {
        let Err(error) = written else {
            if std::mem::take(&mut self.is_write_failing) {
                tracing::info!("results can be written again");
            }
            return Ok(());
        };
        if outcome::is_closed_pipe(&error) {
            return Err(error);
        }
        self.metrics.failed_writes.inc();
        self.outcome = Outcome::Failed;
        if !std::mem::replace(&mut self.is_write_failing, true) {
            tracing::error!("{}; decoding goes on", outcome::text(&error));
        }
        Ok(())
    }
}

impl Latencies {
    fn add(&mut self, latency_s: f64) {
        self.count += 1;
        self.sum_s += latency_s;
        self.most_s = self.most_s.max(latency_s);
    }

    fn text(&self) -> String {
        if self.count == 0 {
            return String::new();
        }
        let mean_s = self.sum_s / f64::from(self.count);
        format!("; reported {mean_s:.2} s after the end of a frame, {:.2} s at most", self.most_s)
    }
}
