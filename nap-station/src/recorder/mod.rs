//! Keeps bursts as small recordings, to look at them later.
//!
//! The channel's last seconds are remembered at a lower sample rate until the receiver has told of all
//! bursts in them: what it has decoded, and what it has seen and given up. Which of them are wanted is
//! cut out and handed to a thread that writes.

mod cut;
mod memory;
pub(crate) mod options;
mod store;

use nap_io::live::StreamTime;
use nap_phy::receiver::{self, UndecodedBurst};
use nap_phy::{Authentication, DeviceTable, Event, Extent, Message, ReceiverConfig, Signal};
use num_complex::Complex32;

use crate::error::Error;
use crate::monitor::Monitor;
use cut::{Burst, Cut};
use memory::Memory;
use store::{Store, WriteRequest};

pub use options::{RecorderOptions, WhichBursts};

/// Bursts are recorded in windows so long, one after the other, in seconds: those that overlap come into
/// one recording.
const WINDOW_S: f64 = 2.0;
/// All bursts of a window are told of so long after it, in seconds: a burst is given up a while after it
/// has begun, a weakly proven message waits, and the receiver itself is a moment behind.
const TOLD_AFTER_S: f64 = receiver::TOLD_AFTER_S + 0.5;
/// What is recorded around a burst, in seconds.
const MARGIN_S: f64 = 0.5;

/// Remembers the channel and records bursts.
#[derive(Debug)]
pub struct Recorder {
    which: WhichBursts,
    store: Store,
    memory: Memory,
    sample_rate_hz: f64,
    center_hz: Option<f64>,
    devices: DeviceTable,
    /// Start of the next window, in seconds of the stream.
    window_s: f64,
    /// Bursts that are wanted, from that on.
    bursts: Vec<Burst>,
}

impl Recorder {
    /// A recorder for what a receiver listens to.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be used, [`Error::Receiver`] for a sample rate that is out of
    /// all reason.
    pub fn new(
        options: &RecorderOptions,
        config: &ReceiverConfig,
        monitor: Monitor,
    ) -> Result<Self, Error> {
        let offset_hz = config.channel_center_hz - config.center_hz;
        let memory = Memory::new(config.sample_rate_hz, offset_hz).map_err(|error| {
            Error::Receiver { name: "the recorder".to_owned(), source: error.into() }
        })?;
        Ok(Self {
            which: options.which,
            store: Store::open(&options.folder, options.max_bytes, monitor)?,
            memory,
            sample_rate_hz: config.sample_rate_hz,
            // With 0 nobody knows the frequency.
            center_hz: Some(config.center_hz).filter(|&hz| hz != 0.0),
            devices: config.devices.clone(),
            window_s: 0.0,
            bursts: Vec::new(),
        })
    }

    /// Goes by these devices from now on, as to which are known.
    pub fn set_devices(&mut self, devices: DeviceTable) {
        self.devices = devices;
    }

    /// Takes what the receiver tells, before the samples with which it has come.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Message(message) | Event::Update(message) => {
                let is_known = self.is_known(message);
                let is_wanted = match self.which {
                    WhichBursts::Undecoded => false,
                    WhichBursts::Known => is_known,
                    WhichBursts::All => true,
                };
                if is_wanted {
                    frames(message).for_each(|burst| self.want(burst));
                }
            }
            Event::Retracted(message) => {
                let wrong: Vec<Burst> = frames(message).collect();
                self.bursts.retain(|burst| !wrong.contains(burst));
            }
            Event::Undecoded(burst) if self.which != WhichBursts::Known => {
                self.want(undecoded(burst));
            }
            _ => {}
        }
    }

    /// Takes samples that the receiver has worked on, after `lost` that are missing.
    pub fn push(&mut self, lost: u64, samples: &[Complex32], time: &StreamTime) {
        if Memory::is_broken_by(lost as f64 / self.sample_rate_hz) {
            // The receiver has told of all that was before.
            self.record_until(self.memory.end_s(), time);
        }
        self.memory.skip(lost);
        self.memory.push(samples);
        self.record_until(self.memory.end_s() - TOLD_AFTER_S - WINDOW_S, time);
        self.memory.forget_before(self.window_s - MARGIN_S);
    }

    /// Why bursts cannot be recorded, once for all that follow each other.
    pub fn problem(&self) -> Option<Error> {
        self.store.problem()
    }

    /// Records what is left and waits until all is written; says why it could not be, as
    /// [`Self::problem`] does.
    pub fn finish(mut self, time: &StreamTime) -> Option<Error> {
        self.record_until(self.memory.end_s(), time);
        self.store.finish();
        self.store.problem()
    }

    fn is_known(&self, message: &Message) -> bool {
        let id = message.uplink.device_id();
        self.devices.get(id).is_some() && message.authentication != Authentication::Failed
    }

    /// Keeps a burst in mind, once; it is too late for those whose window is recorded.
    fn want(&mut self, burst: Burst) {
        if burst.start_s >= self.window_s && !self.bursts.contains(&burst) {
            self.bursts.push(burst);
        }
    }

    /// Records the windows that begin before a time.
    fn record_until(&mut self, time_s: f64, time: &StreamTime) {
        while self.window_s < time_s {
            self.window_s += WINDOW_S;
            let bursts =
                self.bursts.extract_if(.., |burst| burst.start_s < self.window_s).collect();
            for cut in Cut::around(bursts, MARGIN_S) {
                self.record(cut, time);
            }
        }
    }

    fn record(&self, cut: Cut, time: &StreamTime) {
        let Some(excerpt) = self.memory.excerpt(cut.start_s, cut.end_s) else { return };
        self.store.keep(WriteRequest {
            samples: excerpt.samples,
            rate_hz: self.memory.rate_hz(),
            center_hz: self.center_hz.map(|hz| hz + self.memory.offset_hz()),
            start_s: excerpt.start_s,
            time: time.text(excerpt.start_s),
            bursts: cut.bursts,
        });
    }
}

/// The frames of a message.
fn frames(message: &Message) -> impl Iterator<Item = Burst> + '_ {
    let (id, extent) = (message.uplink.device_id(), message.frame_extent());
    message.frames.iter().map(move |frame| {
        let label = format!("{id} frame {}", frame.rank);
        burst(&frame.signal, extent, label, None)
    })
}

fn undecoded(undecoded: &UndecodedBurst) -> Burst {
    let reason = undecoded.reason.to_string();
    burst(&undecoded.signal, undecoded.extent, "not decoded".to_owned(), Some(reason))
}

fn burst(signal: &Signal, extent: Extent, label: String, comment: Option<String>) -> Burst {
    Burst {
        start_s: signal.time_s,
        end_s: signal.time_s + extent.duration_s,
        lower_hz: signal.frequency_hz - extent.width_hz / 2.0,
        upper_hz: signal.frequency_hz + extent.width_hz / 2.0,
        label,
        comment,
    }
}
