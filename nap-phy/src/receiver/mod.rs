//! The receiver: samples in, messages out. No clock, no input or output.

mod band;
mod chain;
mod decoder;
mod gap;
mod joint;
mod message_assembler;
pub mod stages;

use std::sync::Arc;

use nap_dsp::channelizer::Channelizer;
use num_complex::Complex32;

use crate::{
    BitRate, DeviceTable, Error, MACRO_CHANNEL_WIDTH_HZ, MAX_UPLINK_PAUSE_MS, Message,
    RadioConfiguration,
};
use band::{Band, Cover};
use chain::{Chain, DecodedFrame};
use decoder::container_search::ContainerSearch;
use decoder::false_message_budget::FalseMessageBudget;
use joint::carrier_plan::CarrierRules;
use joint::groups::Fragments;
use message_assembler::{Assembler, Reporter};

/// The pause between frames is at most 2 s for a device; a little more for imprecise ones.
const LONGEST_PAUSE_S: f64 = MAX_UPLINK_PAUSE_MS as f64 / 1000.0 + 0.5;

/// Ten times what any oscillator that can be received does.
const MOST_DRIFT_HZ_PER_S: f64 = 1_000.0;

/// More false messages than decisions are ever tried.
const MOST_FALSE_MESSAGES_PER_DAY: f64 = 1e6;

/// The lowest sample rate, in samples per second, that covers a channel.
pub const LEAST_SAMPLE_RATE_HZ: f64 = 200_000.0;

/// What happened on the air.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A message was decoded for the first time. Where several frames were decoded together, updates
    /// with the others follow at once.
    Message(Message),
    /// Another frame of a message that was reported: the message now lists it too.
    Update(Message),
    /// No more frames can come to this message; its figures are final.
    Complete(Message),
}

/// Bounds on work and memory.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bursts of one bit rate that may wait for their ends at once; of more, those that match the
    /// known symbols best are kept. One takes up to 300 kB, while frames of eight types are read in it.
    pub most_bursts: usize,
    /// The fastest change of a carrier's frequency that is looked for.
    pub most_drift_hz_per_s: f64,
    /// Frames of one bit rate that did not decode alone and are kept to be decoded together with
    /// others; of more, the clearest. One takes some 50 kB.
    pub most_fragments: usize,
    /// Groups of such frames that are tried when a new one comes; of more, the most promising.
    pub most_groups: usize,
    /// Devices with keys whose frames are looked for with the help of what is known of them; of more,
    /// those with the lowest identities. None with 0.
    pub most_known_devices: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            most_bursts: 512,
            most_drift_hz_per_s: 60.0,
            most_fragments: 512,
            most_groups: 32,
            most_known_devices: 1000,
        }
    }
}

/// What the receiver listens to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceiverConfig {
    /// Samples per second, at least [`LEAST_SAMPLE_RATE_HZ`].
    pub sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz. With 0 all frequencies are reported relative to it.
    pub centre_hz: f64,
    /// Middle of the channel.
    pub channel_centre_hz: f64,
    /// Width of the channel.
    pub channel_width_hz: f64,
    /// Reported with the messages.
    pub radio_configuration: Option<RadioConfiguration>,
    /// Bit rates to listen for.
    pub bit_rates: Vec<BitRate>,
    /// Power of a full-scale carrier at the antenna; with it levels are reported in dBm.
    pub full_scale_dbm: Option<f64>,
    /// Keys of known devices.
    pub devices: DeviceTable,
    /// False messages a day that may be expected at most. Their number, and with it how far down
    /// the list of likely decisions the receiver looks for one whose check sum is right, follows from
    /// [`Statistics::refuted_decisions`]: of 65536, one passes by chance. With 0 the receiver hears
    /// clear frames only.
    pub false_messages_per_day: f64,
    /// Bounds on work and memory.
    pub limits: Limits,
}

impl ReceiverConfig {
    /// A configuration for the channel in the middle of the samples, both bit rates.
    #[must_use]
    pub fn new(sample_rate_hz: f64, centre_hz: f64) -> Self {
        Self {
            sample_rate_hz,
            centre_hz,
            channel_centre_hz: centre_hz,
            channel_width_hz: f64::from(MACRO_CHANNEL_WIDTH_HZ),
            radio_configuration: None,
            bit_rates: BitRate::ALL.to_vec(),
            full_scale_dbm: None,
            devices: DeviceTable::new(),
            false_messages_per_day: 1.0,
            limits: Limits::default(),
        }
    }

    /// Listens to the uplink channel of a radio configuration.
    #[must_use]
    pub fn with_radio_configuration(mut self, radio_configuration: RadioConfiguration) -> Self {
        self.channel_centre_hz = f64::from(radio_configuration.uplink_centre_hz());
        self.radio_configuration = Some(radio_configuration);
        self
    }
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Samples taken in.
    pub samples: u64,
    /// Samples that were lost before they came here, see [`Receiver::skip`].
    pub lost_samples: u64,
    /// Of the samples taken in, those that were not finite or absurdly large and counted as silence.
    pub unusable_samples: u64,
    /// Places where a preamble might have begun.
    pub candidates: u64,
    /// Candidates given up because there were too many at once.
    pub dropped_candidates: u64,
    /// Candidates at which a preamble and a frame type were found.
    pub bursts: u64,
    /// Bursts given up because there were too many at once.
    pub dropped_bursts: u64,
    /// Demodulations of a burst as a frame of some type.
    pub hypotheses: u64,
    /// Sets of two or three frames that were decoded together, with or without success.
    pub groups: u64,
    /// Such sets that were not tried because there were too many.
    pub dropped_groups: u64,
    /// Decisions whose check sum was wrong. One in 65536 would have passed by chance, so this is
    /// 65536 times the number of false messages that were to be expected.
    pub refuted_decisions: u64,
    /// Trials to decode frames as those of a known device.
    pub a_priori_trials: u64,
    /// Frames given up that might have decoded with others, because there were too many.
    pub dropped_fragments: u64,
    /// Frames of messages.
    pub frames: u64,
    /// Messages reported.
    pub messages: u64,
}

/// Checks that a setting is between 0 and `max`.
fn check_range(parameter: &'static str, value: f64, max: f64) -> Result<(), Error> {
    if (0.0..=max).contains(&value) {
        return Ok(());
    }
    Err(nap_dsp::Error::OutOfRange { parameter, value, min: 0.0, max }.into())
}

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
    core: Core,
}

/// All that works on subbands.
struct Core {
    band: Band,
    chains: Vec<Chain>,
    /// Bursts of all chains that other signals may hide under.
    covers: Vec<Cover>,
    assembler: Assembler,
    statistics: Statistics,
    frames: Vec<DecodedFrame>,
    events: Vec<Event>,
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
        if config.sample_rate_hz.is_nan() || config.sample_rate_hz < LEAST_SAMPLE_RATE_HZ {
            return Err(Error::SampleRate { found_hz: config.sample_rate_hz });
        }
        let offset_hz = config.channel_centre_hz - config.centre_hz;
        let half_width_hz = config.channel_width_hz / 2.0;
        let channelizer = Channelizer::new(config.sample_rate_hz, offset_hz, half_width_hz)?;
        let grid = channelizer.grid();
        let channel_hz = offset_hz - half_width_hz..=offset_hz + half_width_hz;
        check_range("most_drift_hz_per_s", config.limits.most_drift_hz_per_s, MOST_DRIFT_HZ_PER_S)?;
        check_range(
            "false_messages_per_day",
            config.false_messages_per_day,
            MOST_FALSE_MESSAGES_PER_DAY,
        )?;
        let devices = Arc::new(config.devices);
        // Every bit rate has its share of the budget.
        let budget = FalseMessageBudget::new(
            config.false_messages_per_day,
            1.0 / config.bit_rates.len().max(1) as f64,
        );
        let mut chains: Vec<Chain> = config
            .bit_rates
            .iter()
            .map(|&bit_rate| {
                let containers = ContainerSearch::new(
                    Arc::clone(&devices),
                    config.limits.most_known_devices,
                    budget.clone(),
                );
                let rules = CarrierRules::new(config.radio_configuration);
                let fragments = Fragments::new(bit_rate, &config.limits, rules);
                let channel_hz = channel_hz.clone();
                Chain::new(bit_rate, grid, channel_hz, &config.limits, (fragments, containers))
            })
            .collect();
        let lookback_s =
            config.bit_rates.iter().copied().map(Chain::lookback_s).fold(1.0, f64::max);
        let reporter = Reporter {
            centre_hz: config.centre_hz,
            full_scale_dbm: config.full_scale_dbm,
            radio_configuration: config.radio_configuration,
            devices,
        };
        let patience_s = chains.iter().map(Chain::detection_s).fold(0.0, f64::max);
        chains.iter_mut().for_each(|chain| chain.be_patient(patience_s));
        let core = Core {
            band: Band::new(grid, lookback_s),
            chains,
            covers: Vec::new(),
            assembler: Assembler::new(reporter, lookback_s),
            statistics: Statistics::default(),
            frames: Vec::new(),
            events: Vec::new(),
        };
        Ok(Self { sample_rate_hz: config.sample_rate_hz, skipped_s: 0.0, channelizer, core })
    }

    /// Takes samples in and returns what they complete. Any split of a stream into blocks gives the
    /// same events in the same order.
    pub fn push(&mut self, samples: &[Complex32]) -> Vec<Event> {
        let core = &mut self.core;
        self.channelizer.push(samples, |column| core.take(column));
        core.statistics.samples += samples.len() as u64;
        core.statistics.unusable_samples = self.channelizer.unusable_samples();
        self.take_events()
    }

    /// Ends the stream: decodes what is left and completes all messages. A frame that the end cuts
    /// off is lost. Samples pushed later count as recorded after a short silence, and frames in them
    /// as those of new messages.
    pub fn flush(&mut self) -> Vec<Event> {
        let silence = vec![Complex32::default(); self.closing_silence()];
        let core = &mut self.core;
        self.channelizer.push(&silence, |column| core.take(column));
        core.finish();
        self.take_events()
    }

    /// How many samples of silence complete the last frames.
    fn closing_silence(&self) -> usize {
        let latency_s = self.core.chains.iter().map(Chain::latency_s).fold(0.0, f64::max);
        (latency_s * self.sample_rate_hz) as usize
    }

    /// Counters since the start.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.core.statistics
    }
}

impl Core {
    /// Works on one more column of subband samples.
    fn take(&mut self, column: &[Complex32]) {
        self.band.push(column);
        let mut searched = false;
        for chain in &mut self.chains {
            searched |= chain.search(&self.band, &mut self.statistics);
        }
        if searched {
            let now_s = self.band.now_s();
            self.decode(now_s);
            self.assembler.complete(now_s, &mut self.events);
        }
    }

    fn finish(&mut self) {
        // What was covered comes to light once what covers it is decoded or given up.
        while self.chains.iter().any(Chain::is_busy) {
            self.decode(f64::INFINITY);
        }
        for chain in &mut self.chains {
            chain.clear();
        }
        self.assembler.complete(f64::INFINITY, &mut self.events);
    }

    /// Decodes what is due before `now_s`, burst by burst: what was decoded is taken out of the band
    /// and its place is searched again before the next burst is tried.
    fn decode(&mut self, now_s: f64) {
        loop {
            self.covers.clear();
            for chain in &self.chains {
                self.covers.extend(chain.covers());
            }
            let (band, statistics, frames) =
                (&mut self.band, &mut self.statistics, &mut self.frames);
            for chain in &mut self.chains {
                chain.synchronize(band, &mut self.covers, now_s, statistics);
            }
            let changed =
                self.chains.iter_mut().any(|c| c.decode_next(band, now_s, statistics, frames));
            if !changed {
                break;
            }
            for place in band.take_cancelled() {
                for chain in &mut self.chains {
                    chain.search_again(band, &place, statistics);
                }
            }
        }
        self.report();
    }

    fn report(&mut self) {
        for frame in self.frames.drain(..) {
            let event = self.assembler.add(&frame);
            self.statistics.frames += u64::from(event.is_some());
            self.statistics.messages += u64::from(matches!(event, Some(Event::Message(_))));
            self.events.extend(event);
        }
    }
}
