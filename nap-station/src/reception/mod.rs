//! From a source of samples to messages with their time of day.
//!
//! A [`Reception`] runs a source under a supervisor, which opens it again when it fails, and hands its
//! samples to a receiver and a recorder. Whoever drives it calls [`Reception::next`] in
//! a loop and finds out what happened: that the source is open, that a message was received, that samples
//! are missing, that the source has failed or works again. What becomes of that is up to them; those who
//! have to wait for a disk or a network do it in another thread, since samples go on. The recorder does
//! so: it writes in a thread of its own.
//!
//! What changes slowly, and faults, are counted in the [`Monitor`] that is handed in.

pub(crate) mod event;
pub(crate) mod fault_log;
mod latency;
mod listening;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nap_io::StreamInfo;
use nap_io::live::{Block, Fault, LiveEvent, Moment, Source, Supervisor};
use nap_phy::receiver::Statistics;
use nap_phy::{DeviceTable, Event, ReceiverConfig};

use crate::error::Error;
use crate::monitor::Monitor;
use crate::recorder::Recorder;
use crate::recorder::options::RecorderOptions;
use listening::Listening;

pub use event::{Loss, Received, ReceptionEvent};
pub use fault_log::{FaultLog, Repetition};
pub use latency::Latencies;

/// How often what changes slowly is looked at.
const SLOW_TICK: Duration = Duration::from_secs(1);

/// A source and a receiver at work.
pub struct Reception {
    source: Source,
    supervisor: Supervisor,
    recorder: Option<RecorderOptions>,
    monitor: Monitor,
    /// The time of the first sample, if the source tells it.
    start: Option<Timestamp>,
    has_started: bool,
    /// There once somebody has said what to listen to.
    listening: Option<Listening>,
    /// What has happened and was not told yet.
    waiting: VecDeque<ReceptionEvent>,
    latencies: Latencies,
    /// The receiver's counters as the monitor knows them.
    counted: Statistics,
    slow_tick: Instant,
}

impl fmt::Debug for Reception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reception")
            .field("source", &self.source)
            .field("end_s", &self.end_s())
            .finish_non_exhaustive()
    }
}

impl Reception {
    /// Starts to open a source, which is closed when this is dropped.
    #[must_use]
    pub fn new(source: Source, recorder: Option<RecorderOptions>, monitor: Monitor) -> Self {
        Self {
            supervisor: Supervisor::new(source.opener.clone(), source.policy),
            source,
            recorder,
            monitor,
            start: None,
            has_started: false,
            listening: None,
            waiting: VecDeque::new(),
            latencies: Latencies::default(),
            counted: Statistics::default(),
            slow_tick: Instant::now(),
        }
    }

    /// Says what to listen to, once the source has [started](ReceptionEvent::Started). To listen to
    /// something else, start another reception.
    ///
    /// # Errors
    /// [`Error::Receiver`] for a channel or rate that the receiver does not take, [`Error::Io`] if the
    /// recorder cannot use its folder.
    pub fn listen(&mut self, config: ReceiverConfig) -> Result<(), Error> {
        let recorder = self.recorder.as_ref();
        let recorder = recorder.map(|o| Recorder::new(o, &config, self.monitor.clone()));
        let recorder = recorder.transpose()?;
        self.listening = Some(Listening::new(vec![config], &self.source, self.start, recorder)?);
        Ok(())
    }

    /// Says to listen to several channels, once the source has started; nothing is recorded then.
    ///
    /// # Errors
    /// [`Error::Receiver`] for a channel or rate that the receivers do not take.
    pub fn listen_to_all(&mut self, configs: Vec<ReceiverConfig>) -> Result<(), Error> {
        self.listening = Some(Listening::new(configs, &self.source, self.start, None)?);
        Ok(())
    }

    /// Goes by these devices from now on: for their keys, and for which the recorder takes as known.
    /// Nothing before it listens.
    pub fn set_devices(&mut self, devices: DeviceTable) {
        if let Some(listening) = &mut self.listening {
            listening.set_devices(devices);
        }
    }

    /// What happens next; `None` if there is nothing to tell yet, at the latest after `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Option<ReceptionEvent> {
        if let Some(event) = self.waiting.pop_front() {
            return Some(event);
        }
        match self.supervisor.next(timeout) {
            Some(LiveEvent::Block(block)) => self.block(&block),
            Some(LiveEvent::Started(info)) => self.started(info),
            Some(LiveEvent::Recovered(outage)) => {
                self.monitor.metrics().restarts.inc();
                self.waiting.push_back(ReceptionEvent::Recovered(outage));
            }
            Some(LiveEvent::Fault(fault)) => self.fault(fault),
            Some(LiveEvent::Ended) => self.waiting.push_back(ReceptionEvent::Ended),
            None => {}
        }
        let now = Instant::now();
        if now.duration_since(self.slow_tick) > SLOW_TICK {
            self.slow_tick = now;
            self.tick();
        }
        self.waiting.pop_front()
    }

    /// Decodes and records what is left; what was not told yet, and what comes of that. Afterwards
    /// nothing more is received.
    pub fn finish(&mut self) -> Vec<ReceptionEvent> {
        let rest = self.listening.as_mut().map(Listening::finish);
        let (events, problem) = rest.unwrap_or_default();
        self.report(events);
        self.waiting.extend(problem.map(ReceptionEvent::NotRecorded));
        self.tick();
        self.waiting.drain(..).collect()
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// How long so many samples take, in seconds; 0 before it listens.
    #[must_use]
    pub fn seconds(&self, samples: u64) -> f64 {
        self.listening.as_ref().map_or(0.0, |listening| listening.seconds(samples))
    }

    /// How much of the stream has passed, in seconds.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.listening.as_ref().map_or(0.0, Listening::end_s)
    }

    /// The receiver's counters; `None` before it listens.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        self.listening.as_ref().map(Listening::statistics)
    }

    /// How long after the end of frames their messages were reported.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.latencies
    }

    fn started(&mut self, info: Box<StreamInfo>) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        let metrics = self.monitor.metrics();
        metrics.sample_rate.set(info.sample_rate_hz);
        metrics.center_frequency.set(info.center_hz.unwrap_or_default());
        self.start = info.start;
        self.waiting.push_back(ReceptionEvent::Started(info));
    }

    fn block(&mut self, block: &Block) {
        let Some(listening) = &mut self.listening else { return };
        self.monitor.metrics().receiving.set(1);
        if block.lost_before > 0 {
            let time_s = listening.seconds(block.first_sample);
            let loss = Loss { samples: block.lost_before, time_s };
            self.waiting.push_back(ReceptionEvent::Lost(loss));
        }
        let events = listening.push(block, &Moment::now());
        self.waiting.extend(listening.recorder_problem().map(ReceptionEvent::NotRecorded));
        self.monitor.health().receives(Instant::now());
        self.report(events);
    }

    fn fault(&mut self, fault: Fault) {
        self.monitor.metrics().count_fault(fault.kind);
        let mut events = Vec::new();
        if fault.kind.is_fatal() {
            self.monitor.metrics().receiving.set(0);
            self.monitor.health().fails(fault.text.clone(), Instant::now());
            events =
                self.listening.as_mut().map(Listening::advance_over_outage).unwrap_or_default();
        }
        self.waiting.push_back(ReceptionEvent::Fault(fault));
        self.report(events);
    }

    fn report(&mut self, events: Vec<Event>) {
        let Some(listening) = &self.listening else { return };
        let now = Instant::now();
        for event in events {
            let received = listening.timed(event, now);
            if let Some(latency_s) = received.latency_s {
                self.monitor.metrics().latency.observe(latency_s);
                self.latencies.add(latency_s);
            }
            self.waiting.push_back(ReceptionEvent::Received(Box::new(received)));
        }
    }

    fn tick(&mut self) {
        let Some(listening) = &self.listening else { return };
        let statistics = listening.statistics();
        self.monitor.metrics().follow(&self.counted, &statistics);
        self.counted = statistics;
        if let Some(density) = listening.noise_density_dbfs_per_hz() {
            self.monitor.metrics().noise_floor.set(density);
        }
    }
}
