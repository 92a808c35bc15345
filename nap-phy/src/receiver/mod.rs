//! The receiver: samples in, messages out. No clock, no input or output.
//!
//! A [`Receiver`] listens to one channel. The stages, in the order of the signal:
//!
//! 1. Impulses that fill the whole band are blanked ([`Blanker`]).
//! 2. The filter bank ([`Channelizer`]) splits the samples into subbands of about 10 kS/s, which are
//!    remembered for some seconds.
//! 3. The detector ([`PreambleDetector`], one for each bit rate) looks for preambles in them. What it finds
//!    are *candidates*. Those that a stronger burst masks wait until that is decoded or given up.
//! 4. The synchronizer ([`Synchronizer`]) tries the known symbols of all frame types around a candidate:
//!    time, carrier and drift. What it finds is a *burst* with one or several hypotheses, which waits for
//!    the end of its frame.
//! 5. The demodulator ([`Demodulator`]) follows the carrier of a burst that is due and gives soft symbols.
//! 6. The decoder ([`stages::decode`] by itself) lists the likely containers of one frame and takes the
//!    first whose check sum is right, as far as the budget of false messages goes
//!    ([`ReceiverConfig::false_messages_per_day`]).
//! 7. A frame that does not decode alone is compared with frames of the last seconds: it may be another
//!    one of a message that is known, or decode with the help of a known device's key, or together with
//!    others that did not decode.
//! 8. A frame that is known to the last bit is measured, reported and cancelled ([`Canceller`]) in the
//!    subbands. There the detector looks again, and bursts that were masked are tried again.
//! 9. Frames become messages ([`Event`]): each message is told of once, with all its frames. A burst is of
//!    one message: where two claim it, the better proven one keeps it, and what is weakly proven is told of
//!    when nothing can contradict it any more. What was seen
//!    and will not decode any more is told of too ([`UndecodedBurst`]).
//!
//! Stages 1 to 5 and 8 are those of `nap-dsp`; [`stages`] has what they need of the protocol, to put them
//! together step by step.
//!
//! # Memory
//!
//! While there is nothing but noise, the receiver allocates nothing once it has started, but for what
//! looks like a burst, about twice a second. A frame of 100 bit/s far above the noise costs 310 allocations
//! until its message is complete.
//! What is held is bounded by [`Limits`], whatever is on the air, and [`ReceiverConfig::max_memory_bytes`] refuses
//! limits that allow too much.
//!
//! # Time
//!
//! [`Receiver::push`] does all the work on the samples, most of it where bursts end. Who may not be held so long
//! has [`PacedReceiver`](paced::PacedReceiver), which spreads the work.
//!
//! [`Blanker`]: nap_dsp::blanker::Blanker
//! [`Channelizer`]: nap_dsp::channelizer::Channelizer
//! [`PreambleDetector`]: nap_dsp::detector::PreambleDetector
//! [`Synchronizer`]: nap_dsp::synchronizer::Synchronizer
//! [`Demodulator`]: nap_dsp::demodulator::Demodulator
//! [`Canceller`]: nap_dsp::canceller::Canceller

mod alignment;
mod band;
mod burst_decoder;
mod bursts;
mod calibration;
mod candidates;
mod chain;
pub mod channel_choice;
pub mod channels;
mod config;
mod context;
mod contradiction;
mod coverage;
mod decision;
mod decoded_frame;
mod decoder;
mod event;
mod frame_news;
mod frame_reporter;
mod gap;
mod joint;
mod masking;
mod memory;
mod message_assembler;
mod noise_density;
pub mod paced;
pub mod pieces;
mod pipeline;
mod proof;
mod recent_frames;
mod same_message;
pub mod stages;
mod statistics;
mod tuning;
pub(crate) mod undecoded;
mod undecoded_bursts;

use std::fmt;

use nap_dsp::blanker::Blanker;
use nap_dsp::channelizer::Channelizer;
use num_complex::Complex32;

use crate::device::table::DeviceTable;
use crate::error::Error;
use crate::message::Level;
use alignment::least_common_multiple;
use pipeline::Pipeline;

pub use config::{Limits, ReceiverConfig};
pub use coverage::Coverage;
pub use decoder::frame_priors::FramePriors;
pub use decoder::tuning::DecoderTuning;
pub use event::Event;
pub use joint::tuning::JointTuning;
pub use masking::MaskingTuning;
pub use memory::MemoryBound;
pub use noise_density::NoiseDensity;
pub use statistics::{Counter, Statistics};
pub use tuning::Tuning;
pub use undecoded::{UndecodedBurst, UndecodedReason};

/// How long after its start a burst is given up that did not decode, in seconds: until then it may
/// decode with the other frames of its message.
pub const UNDECODED_AFTER_S: f64 = undecoded_bursts::HOLD_S;

/// So long after its start all has been told of that begins at an instant, in seconds: bursts that were
/// given up, and messages, those included that waited because they are weakly proven.
pub const TOLD_AFTER_S: f64 = 17.0;

/// Silence is pushed in pieces of so many samples.
const PIECE: usize = 1 << 12;

/// A streaming receiver for one channel.
///
/// ```
/// use nap_phy::{Receiver, ReceiverConfig};
/// use num_complex::Complex32;
///
/// # fn main() -> Result<(), nap_phy::Error> {
/// let mut receiver = Receiver::new(ReceiverConfig::new(250_000.0, 868_130_000.0))?;
/// let silence = vec![Complex32::default(); 250_000];
/// assert!(receiver.push(&silence).is_empty());
/// assert!(receiver.flush().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Receiver {
    sample_rate_hz: f64,
    /// What long gaps add to the times that the stages count, in seconds.
    skipped_s: f64,
    blanker: Blanker,
    channelizer: Channelizer,
    pipeline: Pipeline,
}

impl Receiver {
    /// A receiver at the start of a stream.
    ///
    /// # Errors
    ///
    /// - [`Error::MemoryBound`] if the limits allow more memory than the receiver may take.
    /// - [`Error::SampleRate`] if the sample rate is too low for a bit rate.
    /// - [`Error::Signal`] if the channel lies outside the sampled band, or a limit or the sample
    ///   rate makes no sense. Of a band that is narrower than the channel, a part of it may be outside.
    pub fn new(config: ReceiverConfig) -> Result<Self, Error> {
        config.check()?;
        let channelizer = channelizer(&config)?;
        MemoryBound::new(&config, &channelizer.grid()).check(config.max_memory_bytes)?;
        let sample_rate_hz = config.sample_rate_hz;
        let blanker = Blanker::with_tuning(sample_rate_hz, config.tuning.blanker)?;
        let pipeline = Pipeline::new(channelizer.grid(), config);
        Ok(Self { sample_rate_hz, skipped_s: 0.0, blanker, channelizer, pipeline })
    }

    /// The most memory that a receiver of this configuration takes, part by part.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`] says of the configuration, but for its bound.
    pub fn memory_bound(config: &ReceiverConfig) -> Result<MemoryBound, Error> {
        config.check()?;
        Ok(MemoryBound::new(config, &channelizer(config)?.grid()))
    }

    /// Takes samples in and returns what they complete. Any split of a stream into blocks gives the
    /// same events in the same order.
    pub fn push(&mut self, samples: &[Complex32]) -> Vec<Event> {
        self.take(samples);
        self.events().collect()
    }

    /// The same as [`push`](Self::push), the events handed to `sink` one after the other.
    pub fn push_with(&mut self, samples: &[Complex32], sink: impl FnMut(&Event)) {
        self.take(samples);
        self.hand_out(sink);
    }

    /// Ends the stream: decodes what is left and completes all messages. A frame that the end cuts
    /// off is lost. Samples pushed later count as recorded after a short silence, and frames in them
    /// as those of new messages.
    pub fn flush(&mut self) -> Vec<Event> {
        self.end();
        self.events().collect()
    }

    /// The same as [`flush`](Self::flush), the events handed to `sink` one after the other.
    pub fn flush_with(&mut self, sink: impl FnMut(&Event)) {
        self.end();
        self.hand_out(sink);
    }

    /// Goes by these devices from now on, in place of those of the configuration: their keys check the
    /// messages that are first told of, and frames of them are looked for with the help of their keys.
    pub fn set_devices(&mut self, devices: DeviceTable) {
        self.pipeline.set_devices(devices);
    }

    /// Samples after which blanker, filter bank and detectors are where they were: a receiver that begins
    /// a multiple of so many samples later cuts the stream at the same instants.
    #[must_use]
    pub fn period_samples(&self) -> u64 {
        let hop_samples = self.channelizer.hop_samples() as u64;
        // Of two columns, one is turned.
        let detection_samples = hop_samples * 2 * self.pipeline.hop_columns();
        least_common_multiple(detection_samples, self.blanker.segment_samples() as u64)
    }

    /// Begins at a sample of a longer stream, a multiple of [`Self::period_samples`]: times count from the
    /// start of that stream, and what is found is the same, to the last bit, as from there.
    pub(super) fn begin_at(&mut self, sample: u64) {
        self.pipeline.begin_at(sample / self.channelizer.hop_samples() as u64);
    }

    /// Counters since the start.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.pipeline.context.statistics
    }

    /// The noise along the channel, in parts of about 5 kHz in the order of frequency: the lower quartile
    /// of the last ten seconds, which bursts do not lift. Empty before there was any.
    #[must_use]
    pub fn noise_densities(&self) -> Vec<NoiseDensity> {
        self.pipeline.noise_densities()
    }

    /// The noise of the channel in one hertz, the median along it; `None` before there was any.
    #[must_use]
    pub fn noise_density(&self) -> Option<Level> {
        let mut all = self.noise_densities();
        all.sort_by(|a, b| a.level_per_hz.value().total_cmp(&b.level_per_hz.value()));
        all.get(all.len() / 2).map(|median| median.level_per_hz)
    }

    fn take(&mut self, samples: &[Complex32]) {
        self.work_on(samples);
        self.count(samples.len());
    }

    /// Does all work on these samples.
    fn work_on(&mut self, samples: &[Complex32]) {
        let Self { blanker, channelizer, pipeline, .. } = self;
        blanker.push(samples, |clean| {
            channelizer.push(clean, |column| {
                pipeline.take(column);
                while pipeline.step() {}
            });
        });
    }

    /// Counts samples that were taken in.
    fn count(&mut self, samples: usize) {
        let counts = self.blanker.counts();
        let statistics = &mut self.pipeline.context.statistics;
        statistics.samples += samples as u64;
        statistics.unusable_samples = counts.unusable_samples;
        statistics.impulses = counts.impulses;
        statistics.blanked_samples = counts.blanked_samples;
    }

    /// Takes so many samples of silence in, which do not count.
    fn take_silence(&mut self, samples: u64) {
        let silence = [Complex32::ZERO; PIECE];
        let mut left = usize::try_from(samples).unwrap_or(usize::MAX);
        while left > 0 {
            let count = left.min(PIECE);
            self.work_on(&silence[..count]);
            left -= count;
        }
    }

    fn end(&mut self) {
        self.take_silence(self.closing_silence());
        self.pipeline.finish();
        while self.pipeline.step() {}
    }

    /// How many samples of silence complete the last frames.
    fn closing_silence(&self) -> u64 {
        (self.pipeline.latency_s() * self.sample_rate_hz) as u64
            + self.blanker.latency_samples() as u64
    }

    /// Takes out the events since the last call, their times counted from the first sample ever.
    fn events(&mut self) -> impl Iterator<Item = Event> {
        let skipped_s = self.skipped_s;
        self.pipeline.events.drain(..).map(move |event| event.delayed_by(skipped_s))
    }

    fn hand_out(&mut self, mut sink: impl FnMut(&Event)) {
        self.events().for_each(|event| sink(&event));
    }
}

/// The filter bank for the channel of a configuration.
fn channelizer(config: &ReceiverConfig) -> Result<Channelizer, Error> {
    let channel_hz = config.channel_hz();
    let half_width_hz = (channel_hz.end() - channel_hz.start()) / 2.0;
    let offset_hz = channel_hz.start() + half_width_hz;
    Ok(Channelizer::new(config.sample_rate_hz, offset_hz, half_width_hz)?)
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("sample_rate_hz", &self.sample_rate_hz)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::bit_rate::BitRate;
    use bursts::longest_frame_s;
    use chain::Chain;
    use decoded_frame::LONGEST_PAUSE_S;

    /// A message of which the first frame is heard only is complete when two more could have come and what
    /// is decoded late has been.
    #[test]
    fn all_is_told_of_in_time() {
        for bit_rate in BitRate::ALL {
            let frame_s = longest_frame_s(bit_rate);
            let complete_s = 3.0 * frame_s + 2.0 * LONGEST_PAUSE_S + Chain::lookback_s(bit_rate);
            assert!(complete_s < TOLD_AFTER_S - 0.5, "{complete_s} s at {bit_rate} bit/s");
        }
        const { assert!(UNDECODED_AFTER_S < TOLD_AFTER_S) };
    }
}
