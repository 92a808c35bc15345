//! Keeps bursts as small recordings, to look at them later.
//!
//! The channel's last seconds are remembered at a lower sample rate. Every other second all bursts that
//! began in a stretch of it are known: those that were decoded, from the receiver, and those that were
//! not, from their energy. Which of them are wanted is cut out and handed to a thread that writes.

mod cut;
mod finder;
mod options;
mod store;

use std::collections::VecDeque;

use nap_dsp::decimator::Decimator;
use nap_io::live::StreamTime;
use nap_phy::{Authentication, DeviceTable, Event, Message, ReceiverConfig};
use num_complex::Complex32;

use crate::error::Error;
use crate::monitor::Monitor;
use cut::{Burst, Cut};
use store::{Store, WriteRequest};

pub use options::{RecorderOptions, WhichBursts};

/// The rate to come down to at most: the channel's 192 kHz and room for the filter.
const LEAST_RATE_HZ: f64 = 240_000.0;
const PASSED_HZ: f64 = 98_000.0;
/// Bursts are looked for in windows so long, one after the other, in seconds.
const STEP_S: f64 = 2.0;
/// What is looked at before and after a window, so that bursts are seen whole, in seconds: the longest
/// takes 2.1 s, and its report may take some more.
const BEFORE_S: f64 = 1.0;
const AFTER_S: f64 = 4.0;
/// What is recorded around a burst, in seconds.
const MARGIN_S: f64 = 0.5;
/// A decoded frame explains what is so near to it, in seconds and in hertz.
const NEAR_S: f64 = 0.3;
const NEAR_HZ: f64 = 2_000.0;
/// After a burst has begun, the receiver has seen its preamble within so many seconds, if ever.
const SEEN_S: f64 = 2.0;

/// Remembers the channel and records bursts.
#[derive(Debug)]
pub struct Recorder {
    which: WhichBursts,
    store: Store,
    decimator: Decimator,
    /// The last seconds, and the index of the first of these samples.
    memory: VecDeque<Complex32>,
    first: u64,
    /// Start of the next window, in seconds of the stream.
    window_s: f64,
    /// Frames decoded lately.
    decoded: Vec<Burst>,
    /// When the receiver has seen how many preambles, in seconds of the stream.
    preambles: VecDeque<(f64, u64)>,
    center_hz: Option<f64>,
    known: DeviceTable,
}

impl Recorder {
    /// A recorder for what a receiver listens to.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be used.
    pub fn new(
        options: &RecorderOptions,
        config: &ReceiverConfig,
        monitor: Monitor,
    ) -> Result<Self, Error> {
        let offset_hz = config.channel_centre_hz - config.centre_hz;
        Ok(Self {
            which: options.which,
            store: Store::open(&options.folder, options.max_bytes, monitor)?,
            decimator: Decimator::new(config.sample_rate_hz, offset_hz, PASSED_HZ, LEAST_RATE_HZ)
                .map_err(|source| Error::Receiver {
                name: "recorder".to_owned(),
                source: source.into(),
            })?,
            memory: VecDeque::new(),
            first: 0,
            window_s: 0.0,
            decoded: Vec::new(),
            preambles: VecDeque::new(),
            // With 0 nobody knows the frequency.
            center_hz: Some(config.centre_hz).filter(|&hz| hz != 0.0),
            known: config.devices.clone(),
        })
    }

    /// Takes samples that the receiver has worked on, after `lost` that are missing.
    pub fn push(&mut self, lost: u64, samples: &[Complex32], preambles: u64, time: &StreamTime) {
        self.remember_gap(lost);
        self.memory.extend(self.decimator.push(samples));
        let now_s = self.end_s();
        self.preambles.push_back((now_s, preambles));
        while now_s > self.window_s + STEP_S + AFTER_S {
            self.record_window(time);
            self.window_s += STEP_S;
            self.forget();
        }
    }

    /// Takes what was decoded.
    pub fn decoded(&mut self, event: &Event) {
        let (Event::Message(message) | Event::Update(message)) = event else { return };
        for burst in frames(message, &self.known) {
            if !self.decoded.contains(&burst) {
                self.decoded.push(burst);
            }
        }
    }

    /// Why bursts cannot be recorded, once for all that follow each other.
    pub fn problem(&self) -> Option<Error> {
        self.store.problem()
    }

    /// Records what is left and waits until all is written; says why it could not be, as
    /// [`Self::problem`] does.
    pub fn finish(mut self, time: &StreamTime) -> Option<Error> {
        while self.window_s < self.end_s() {
            self.record_window(time);
            self.window_s += STEP_S;
        }
        self.store.finish();
        self.store.problem()
    }

    fn rate_hz(&self) -> f64 {
        self.decimator.rate_hz()
    }

    /// Where what is remembered ends, in seconds of the stream.
    fn end_s(&self) -> f64 {
        (self.first + self.memory.len() as u64) as f64 / self.rate_hz()
    }

    /// What is missing is remembered as silence, or, if it is long, all before it is forgotten.
    fn remember_gap(&mut self, lost: u64) {
        if lost == 0 {
            return;
        }
        let missing = self.decimator.skip(lost);
        if (missing as f64) < STEP_S * self.rate_hz() {
            let length = self.memory.len() + missing as usize;
            self.memory.resize(length, Complex32::ZERO);
        } else {
            self.first += self.memory.len() as u64 + missing;
            self.memory.clear();
            self.window_s = self.end_s();
        }
    }

    fn forget(&mut self) {
        let needed = ((self.window_s - BEFORE_S).max(0.0) * self.rate_hz()) as u64;
        let old = needed.saturating_sub(self.first).min(self.memory.len() as u64);
        self.memory.drain(..old as usize);
        self.first += old;
        let oldest_s = self.window_s - BEFORE_S - AFTER_S;
        self.decoded.retain(|burst| burst.end_s > oldest_s);
        while self.preambles.get(1).is_some_and(|(time_s, _)| *time_s < oldest_s) {
            self.preambles.pop_front();
        }
    }

    fn record_window(&mut self, time: &StreamTime) {
        let window_s = self.window_s..self.window_s + STEP_S;
        let mut bursts: Vec<Burst> =
            self.decoded.iter().filter(|b| window_s.contains(&b.start_s)).cloned().collect();
        match self.which {
            WhichBursts::Known => bursts.retain(|burst| burst.is_known),
            WhichBursts::Undecoded => bursts.clear(),
            WhichBursts::All => {}
        }
        if self.which != WhichBursts::Known {
            let undecoded = self.undecoded();
            bursts.extend(undecoded.into_iter().filter(|b| window_s.contains(&b.start_s)));
        }
        for cut in Cut::around(bursts, MARGIN_S) {
            self.record(cut, time);
        }
    }

    /// Bursts that the receiver has seen but not decoded.
    fn undecoded(&mut self) -> Vec<Burst> {
        let start_s = self.first as f64 / self.rate_hz();
        let samples = self.memory.make_contiguous();
        let found = finder::find(samples, self.decimator.rate_hz(), start_s);
        let base_hz = self.decimator.offset_hz() + self.center_hz.unwrap_or(0.0);
        let found = found.into_iter().map(|burst| burst.shifted(base_hz));
        found.filter(|burst| !self.is_explained(burst) && self.is_detected(burst)).collect()
    }

    fn is_explained(&self, burst: &Burst) -> bool {
        self.decoded.iter().any(|decoded| decoded.is_near(burst, NEAR_S, NEAR_HZ))
    }

    /// Whether the receiver saw preambles when the burst had begun: other systems' have none.
    fn is_detected(&self, burst: &Burst) -> bool {
        let seen = |time_s: f64| {
            let until = self.preambles.iter().take_while(|(at_s, _)| *at_s <= time_s);
            until.last().map_or(0, |(_, count)| *count)
        };
        seen(burst.start_s + SEEN_S) > seen(burst.start_s)
    }

    fn record(&mut self, cut: Cut, time: &StreamTime) {
        let rate_hz = self.rate_hz();
        let index = |time_s: f64| (time_s.max(0.0) * rate_hz) as u64;
        let from = index(cut.start_s).max(self.first);
        let to = index(cut.end_s).min(self.first + self.memory.len() as u64);
        if to <= from {
            return;
        }
        let range = (from - self.first) as usize..(to - self.first) as usize;
        let samples = self.memory.range(range).copied().collect();
        let start_s = from as f64 / rate_hz;
        let center_hz = self.center_hz.map(|hz| hz + self.decimator.offset_hz());
        self.store.keep(WriteRequest {
            samples,
            rate_hz,
            center_hz,
            start_s,
            time: time.text(start_s),
            bursts: cut.bursts,
        });
    }
}

/// The frames of a message.
fn frames<'a>(message: &'a Message, known: &'a DeviceTable) -> impl Iterator<Item = Burst> + 'a {
    let extent = message.frame_extent();
    let id = message.uplink.device_id();
    let is_known = known.get(id).is_some() && message.authentication != Authentication::Failed;
    message.frames.iter().map(move |frame| Burst {
        start_s: frame.signal.time_s,
        end_s: frame.signal.time_s + extent.duration_s,
        lower_hz: frame.signal.frequency_hz - extent.width_hz / 2.0,
        upper_hz: frame.signal.frequency_hz + extent.width_hz / 2.0,
        label: format!("{id} frame {}", frame.rank),
        is_known,
    })
}
