//! The receiver: samples in, messages out. No clock, no input or output.

mod alignment;
mod band;
mod burst_decoder;
mod bursts;
mod candidates;
mod chain;
pub mod channel_choice;
pub mod channels;
mod config;
mod context;
mod decision;
mod decoded_frame;
mod decoder;
mod event;
mod frame_reporter;
mod gap;
mod joint;
mod masking;
mod message_assembler;
pub mod pieces;
mod pipeline;
mod same_message;
pub mod stages;
mod statistics;

use nap_dsp::channelizer::Channelizer;
use num_complex::Complex32;

use crate::error::Error;
use pipeline::Pipeline;

pub use crate::radio::channel::LEAST_SAMPLE_RATE_HZ;
pub use config::{Limits, ReceiverConfig};
pub use event::Event;
pub use statistics::Statistics;

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
    channelizer: Channelizer,
    pipeline: Pipeline,
}

impl Receiver {
    /// A receiver at the start of a stream.
    ///
    /// # Errors
    ///
    /// - [`Error::SampleRate`] if the sample rate is below [`LEAST_SAMPLE_RATE_HZ`].
    /// - [`Error::Signal`] if the channel lies outside the sampled band, or a limit or the sample
    ///   rate makes no sense.
    pub fn new(config: ReceiverConfig) -> Result<Self, Error> {
        config.check()?;
        let half_width_hz = config.channel_width_hz / 2.0;
        let channelizer =
            Channelizer::new(config.sample_rate_hz, config.channel_offset_hz(), half_width_hz)?;
        let sample_rate_hz = config.sample_rate_hz;
        let pipeline = Pipeline::new(channelizer.grid(), config);
        Ok(Self { sample_rate_hz, skipped_s: 0.0, channelizer, pipeline })
    }

    /// Takes samples in and returns what they complete. Any split of a stream into blocks gives the
    /// same events in the same order.
    pub fn push(&mut self, samples: &[Complex32]) -> Vec<Event> {
        let pipeline = &mut self.pipeline;
        self.channelizer.push(samples, |column| pipeline.take(column));
        pipeline.context.statistics.samples += samples.len() as u64;
        pipeline.context.statistics.unusable_samples = self.channelizer.unusable_samples();
        self.take_events()
    }

    /// Ends the stream: decodes what is left and completes all messages. A frame that the end cuts
    /// off is lost. Samples pushed later count as recorded after a short silence, and frames in them
    /// as those of new messages.
    pub fn flush(&mut self) -> Vec<Event> {
        let silence = vec![Complex32::default(); self.closing_silence()];
        let pipeline = &mut self.pipeline;
        self.channelizer.push(&silence, |column| pipeline.take(column));
        pipeline.finish();
        self.take_events()
    }

    /// How many samples of silence complete the last frames.
    fn closing_silence(&self) -> usize {
        let latency_s = self.pipeline.latency_s();
        (latency_s * self.sample_rate_hz) as usize
    }

    /// Samples after which filter bank and detectors are where they were: a receiver that begins a
    /// multiple of so many samples later cuts the stream at the same instants.
    #[must_use]
    pub fn period_samples(&self) -> u64 {
        let hop_samples = self.channelizer.hop_samples() as u64;
        // Of two columns, one is turned.
        hop_samples * 2 * self.pipeline.hop_columns()
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
}
