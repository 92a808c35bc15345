//! Measuring what is received.

use std::time::Instant;

use nap_dsp::spectrogram::{Spectrogram, SpectrogramConfig};
use nap_io::live::{Block, Source, SourceKind};
use nap_io::{FormatDoubt, SampleLook, StreamInfo, swap_iq};
use nap_phy::receiver::Statistics;
use nap_phy::{Authentication, Event, Receiver, ReceiverConfig};
use num_complex::{Complex32, Complex64};

use crate::diagnosis::spectrum::Spectrum;
use crate::error::Error;

const RESOLUTION_HZ: f64 = 500.0;
/// A component from here on is at the converter's end.
const CLIPPED: f32 = 0.995;
/// Blocks that the device had kept come at once at the beginning; the rate is measured after them.
const SETTLE_S: f64 = 0.5;

/// Sample rates over the one told that programs write by mistake: that before or after a decimation, or one of
/// round thousands for one of 1024.
const OTHER_RATES: [f64; 8] = [0.5, 2.0, 0.25, 4.0, 0.125, 8.0, 1.024, 1.0 / 1.024];

/// Looks at samples.
pub(crate) struct Examination {
    config: ReceiverConfig,
    receiver: Receiver,
    /// Hears the same with I and Q swapped, until the other has heard something.
    mirrored: Option<Receiver>,
    swapped: Vec<Complex32>,
    /// Hear the same at other sample rates, until one has heard something.
    at_other_rates: Vec<(f64, Receiver)>,
    spectrogram: Spectrogram,
    /// What the samples look like.
    look: SampleLook,
    kind: SourceKind,
    samples: u64,
    lost: u64,
    clipped: u64,
    sum: Complex64,
    sum_of_squares: Complex64,
    power: f64,
    started: Option<Instant>,
    /// The time and the index from which on the rate is measured, and to which.
    clock: Option<[(Instant, u64); 2]>,
    /// Frequencies of frames of known devices, from the centre of the channel.
    offsets_hz: Vec<f64>,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) kind: SourceKind,
    pub(crate) config: ReceiverConfig,
    pub(crate) look: SampleLook,
    pub(crate) statistics: Statistics,
    /// On average, and while nobody sends for a short time.
    pub(crate) spectrum: Spectrum,
    pub(crate) quiet_spectrum: Spectrum,
    pub(crate) samples: u64,
    pub(crate) lost: u64,
    /// Share of the samples that were clipped.
    pub(crate) clipped: f64,
    /// Mean of the samples.
    pub(crate) dc: f64,
    /// Mean power without it.
    pub(crate) power: f64,
    /// Power of the image over that of the signal.
    pub(crate) image: f64,
    /// Samples a second by the clock, of a radio, and the time over which they were counted.
    pub(crate) measured_rate: Option<(f64, f64)>,
    pub(crate) offsets_hz: Vec<f64>,
    /// Messages heard with I and Q swapped, if none was as it is.
    pub(crate) mirrored_messages: u64,
    /// Another sample rate at which some are heard, if none is at that told, and how many.
    pub(crate) other_rate: Option<(f64, u64)>,
}

impl Examination {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A channel outside the sampled band, or a rate of which no spectrum can be made.
    pub(crate) fn new(
        source: &Source,
        info: &StreamInfo,
        config: ReceiverConfig,
    ) -> Result<Self, Error> {
        let name = || source.name.clone();
        let mut spectrogram = SpectrogramConfig::new(config.sample_rate_hz);
        spectrogram.resolution_hz = RESOLUTION_HZ;
        spectrogram.time_step_s = 0.1;
        spectrogram.max_rows = 64;
        spectrogram.max_columns = 8192;
        let receiver = || {
            Receiver::new(config.clone())
                .map_err(|error| Error::Receiver { name: name(), source: error })
        };
        Ok(Self {
            receiver: receiver()?,
            mirrored: Some(receiver()?),
            swapped: Vec::new(),
            at_other_rates: match source.kind {
                SourceKind::Recording => at_other_rates(&config),
                // Of others the clock tells the rate.
                _ => Vec::new(),
            },
            config,
            spectrogram: Spectrogram::new(spectrogram)
                .map_err(|error| Error::Spectrum { name: name(), source: error })?,
            look: SampleLook::new(info.format),
            kind: source.kind,
            samples: 0,
            lost: 0,
            clipped: 0,
            sum: Complex64::ZERO,
            sum_of_squares: Complex64::ZERO,
            power: 0.0,
            started: None,
            clock: None,
            offsets_hz: Vec::new(),
        })
    }

    /// How much was seen.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// How much was seen, in seconds.
    pub(crate) fn duration_s(&self) -> f64 {
        self.samples as f64 / self.config.sample_rate_hz
    }

    /// Takes samples in.
    pub(crate) fn take(&mut self, block: &Block) {
        self.look.take(self.samples, &block.samples);
        self.samples += block.samples.len() as u64;
        self.lost += block.lost_before;
        for &sample in &block.samples {
            self.count(sample);
        }
        self.spectrogram.push(&block.samples);
        let now = block.arrived;
        if now.duration_since(*self.started.get_or_insert(now)).as_secs_f64() > SETTLE_S {
            let [start, end] = self.clock.get_or_insert([(now, self.samples); 2]);
            *end = (now, start.1.max(self.samples));
        }
        let mut events = self.receiver.skip(block.lost_before);
        events.append(&mut self.receiver.push(&block.samples));
        self.hear(events);
        self.try_mirror(block);
        self.try_other_rates(block);
    }

    /// Listens to the samples as if they had been taken at other rates, as long as nothing is heard otherwise.
    fn try_other_rates(&mut self, block: &Block) {
        let mirrored = self.mirrored.as_ref().map_or(0, messages);
        if messages(&self.receiver) + mirrored > 0 {
            self.at_other_rates.clear();
        }
        for (_, receiver) in &mut self.at_other_rates {
            receiver.skip_with(block.lost_before, |_| ());
            receiver.push_with(&block.samples, |_| ());
        }
    }

    /// The rate at which most is heard, if nothing is at that told and the format is in no doubt: numbers
    /// read in pieces are heard as more samples.
    fn other_rate(&mut self) -> Option<(f64, u64)> {
        if matches!(self.look.doubt(), Some(FormatDoubt::Other { .. } | FormatDoubt::White)) {
            return None;
        }
        self.at_other_rates.iter_mut().for_each(|(_, receiver)| receiver.flush_with(|_| ()));
        let counts = self.at_other_rates.iter().map(|(hz, receiver)| (*hz, messages(receiver)));
        counts.max_by_key(|&(_, count)| count).filter(|&(_, count)| count > 0)
    }

    /// Listens to the samples with I and Q swapped, as long as nothing is heard without.
    fn try_mirror(&mut self, block: &Block) {
        if messages(&self.receiver) > 0 {
            self.mirrored = None;
        }
        let Some(mirrored) = &mut self.mirrored else { return };
        self.swapped.clear();
        self.swapped.extend_from_slice(&block.samples);
        swap_iq(&mut self.swapped);
        mirrored.skip_with(block.lost_before, |_| ());
        mirrored.push_with(&self.swapped, |_| ());
    }

    fn count(&mut self, sample: Complex32) {
        self.clipped += u64::from(sample.re.abs() >= CLIPPED || sample.im.abs() >= CLIPPED);
        let sample = Complex64::new(sample.re.into(), sample.im.into());
        if sample.is_finite() {
            self.sum += sample;
            self.sum_of_squares += sample * sample;
            self.power += sample.norm_sqr();
        }
    }

    fn hear(&mut self, events: Vec<Event>) {
        for event in events {
            let Some(message) = event.complete() else { continue };
            if message.authentication == Authentication::Verified {
                let center_hz = self.config.channel_center_hz;
                let frames = message.frames.iter();
                self.offsets_hz.extend(frames.map(|f| f.signal.frequency_hz - center_hz));
            }
        }
    }

    /// Whether samples come by the clock.
    fn has_clock(&self) -> bool {
        matches!(self.kind, SourceKind::Network | SourceKind::Radio)
    }

    /// Ends the examination.
    pub(crate) fn finish(mut self) -> Report {
        let events = self.receiver.flush();
        self.hear(events);
        let is_heard = messages(&self.receiver) > 0;
        let mirrored = self.mirrored.take().filter(|_| !is_heard);
        let mirrored_messages = mirrored.map_or(0, |mut mirrored| {
            mirrored.flush_with(|_| ());
            messages(&mirrored)
        });
        let other_rate = self.other_rate().filter(|_| !is_heard && mirrored_messages == 0);
        let count = self.samples.max(1) as f64;
        let mean = self.sum / count;
        let power = self.power / count - mean.norm_sqr();
        // With x + g x* for x, and x as much to the left as to the right, the mean of the squares is
        // twice g times the power of x.
        let squares = (self.sum_of_squares / count - mean * mean).norm();
        let array = self.spectrogram.array();
        let rate = self.clock.filter(|_| self.has_clock()).map(|[start, end]| {
            let elapsed_s = end.0.duration_since(start.0).as_secs_f64();
            ((end.1 - start.1) as f64 / elapsed_s, elapsed_s)
        });
        Report {
            kind: self.kind,
            look: self.look,
            statistics: self.receiver.statistics(),
            spectrum: Spectrum::mean(&array),
            quiet_spectrum: Spectrum::median(&array),
            config: self.config,
            samples: self.samples,
            lost: self.lost,
            clipped: self.clipped as f64 / count,
            dc: mean.norm(),
            power,
            image: (squares / (2.0 * power.max(f64::MIN_POSITIVE))).powi(2),
            measured_rate: rate.filter(|(_, elapsed_s)| *elapsed_s > 1.0),
            offsets_hz: self.offsets_hz,
            mirrored_messages,
            other_rate,
        }
    }
}

/// How many messages a receiver has heard.
fn messages(receiver: &Receiver) -> u64 {
    receiver.statistics().messages
}

/// Receivers of the same channel, as far as there can be one at a rate.
fn at_other_rates(config: &ReceiverConfig) -> Vec<(f64, Receiver)> {
    let at = |factor: f64| {
        let mut config = config.clone();
        config.sample_rate_hz *= factor;
        Some((config.sample_rate_hz, Receiver::new(config).ok()?))
    };
    OTHER_RATES.into_iter().filter_map(at).collect()
}
