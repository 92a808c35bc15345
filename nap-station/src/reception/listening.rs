//! Receivers at work on a stream.

use std::time::Instant;

use jiff::Timestamp;
use nap_io::live::{Block, Moment, Source, StreamTime};
use nap_phy::receiver::Statistics;
use nap_phy::receiver::channels::ChannelReceivers;
use nap_phy::{DeviceTable, Event, Message, ReceiverConfig};

use crate::error::Error;
use crate::reception::event::Received;
use crate::recorder::Recorder;

/// When the source fails, so much silence completes what the receiver has seen the end of, in seconds by
/// the clock; no outage is shorter.
const ADVANCE_S: f64 = 0.1;

/// The receivers at work on a stream, and what else looks at the samples. It has no clock: time is handed in.
pub(crate) struct Listening {
    sample_rate_hz: f64,
    /// How many seconds of signal a second brings; `None` where an outage costs no samples.
    speed: Option<f64>,
    /// What 0 dBFS is, where levels are told in dBm.
    full_scale_dbm: Option<f64>,
    receivers: ChannelReceivers,
    time: StreamTime,
    recorder: Option<Recorder>,
    /// The index after the last sample.
    end: u64,
    /// Of the samples that an outage costs, those that the receiver has been told of already.
    advanced: u64,
}

impl Listening {
    /// Receivers of some channels that have heard nothing yet. `start` is the time of the first sample, if the source
    /// tells it.
    pub(crate) fn new(
        configs: Vec<ReceiverConfig>,
        source: &Source,
        start: Option<Timestamp>,
        recorder: Option<Recorder>,
    ) -> Result<Self, Error> {
        let first = configs.first();
        let sample_rate_hz = first.map_or(0.0, |config| config.sample_rate_hz);
        let full_scale_dbm = first.and_then(|config| config.full_scale_dbm);
        let receivers = ChannelReceivers::new(configs)
            .map_err(|error| Error::Receiver { name: source.name.clone(), source: error })?;
        let speed = source.policy.speed;
        Ok(Self {
            sample_rate_hz,
            speed,
            full_scale_dbm,
            receivers,
            time: StreamTime::new(start, sample_rate_hz, speed, source.kind.is_live()),
            recorder,
            end: 0,
            advanced: 0,
        })
    }

    /// Works on a block and returns what it completes.
    pub(crate) fn push(&mut self, block: &Block, now: &Moment) -> Vec<Event> {
        self.time.follow(block, now);
        let mut events = Vec::new();
        if block.lost_before > 0 {
            let told = std::mem::take(&mut self.advanced);
            events = self.receivers.skip(block.lost_before.saturating_sub(told));
        }
        events.append(&mut self.receivers.push(&block.samples));
        self.end = block.end();
        if let Some(recorder) = &mut self.recorder {
            events.iter().for_each(|event| recorder.take(event));
            recorder.push(block.lost_before, &block.samples, &self.time);
        }
        events
    }

    /// The source has failed: returns what has ended before that now, not after the outage.
    pub(crate) fn advance_over_outage(&mut self) -> Vec<Event> {
        let Some(speed) = self.speed.filter(|_| self.advanced == 0) else { return Vec::new() };
        self.advanced = (ADVANCE_S * speed * self.sample_rate_hz) as u64;
        let events = self.receivers.skip(self.advanced);
        if let Some(recorder) = &mut self.recorder {
            events.iter().for_each(|event| recorder.take(event));
        }
        events
    }

    /// Decodes and records what is left, and says why it could not be recorded.
    pub(crate) fn finish(&mut self) -> (Vec<Event>, Option<Error>) {
        let events = self.receivers.flush();
        let problem = self.recorder.take().and_then(|mut recorder| {
            events.iter().for_each(|event| recorder.take(event));
            recorder.finish(&self.time)
        });
        (events, problem)
    }

    /// An event with its time of day and its latency.
    pub(crate) fn timed(&self, event: Event, now: Instant) -> Received {
        let message = event.message().or_else(|| event.retracted());
        let burst = event.undecoded().map(|burst| &burst.signal);
        let signal = message.map(|message| &message.signal).or(burst);
        let newest = match &event {
            Event::Message(message) | Event::Update(message) => Some(message),
            _ => None,
        };
        Received {
            time: signal.and_then(|signal| self.time.text(signal.time_s)),
            age_s: signal.and_then(|signal| self.time.age_s(signal.time_s, self.end, now)),
            latency_s: newest.and_then(|message| self.latency_s(message, now)),
            event,
        }
    }

    /// How long ago the newest frame has ended; 0 for one that is decoded before its end has come.
    fn latency_s(&self, message: &Message, now: Instant) -> Option<f64> {
        let starts = message.frames.iter().map(|frame| frame.signal.time_s);
        let end_s = starts.fold(0.0, f64::max) + message.frame_extent().duration_s;
        self.time.age_s(end_s, self.end, now).map(|age_s| age_s.max(0.0))
    }

    /// Why bursts cannot be recorded, once for all that follow each other.
    pub(crate) fn recorder_problem(&self) -> Option<Error> {
        self.recorder.as_ref()?.problem()
    }

    /// How much of the stream has passed, in seconds.
    pub(crate) fn end_s(&self) -> f64 {
        self.seconds(self.end)
    }

    /// How long so many samples take, in seconds.
    pub(crate) fn seconds(&self, samples: u64) -> f64 {
        samples as f64 / self.sample_rate_hz
    }

    /// The receiver's counters.
    pub(crate) fn statistics(&self) -> Statistics {
        self.receivers.statistics()
    }

    /// The median noise density of the channel, of several the highest, in dBFS/Hz.
    pub(crate) fn noise_density_dbfs_per_hz(&self) -> Option<f64> {
        let density = self.receivers.noise_density()?.value();
        Some(density - self.full_scale_dbm.unwrap_or(0.0))
    }

    /// Goes by these devices from now on.
    pub(crate) fn set_devices(&mut self, devices: DeviceTable) {
        if let Some(recorder) = &mut self.recorder {
            recorder.set_devices(devices.clone());
        }
        self.receivers.set_devices(&devices);
    }
}
