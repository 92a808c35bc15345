//! What the receiver listens to, and its bounds.

use std::ops::RangeInclusive;

use crate::device::table::DeviceTable;
use crate::error::Error;
use crate::radio::bit_rate::BitRate;
use crate::radio::channel::MACRO_CHANNEL_WIDTH_HZ;
use crate::radio::configuration::RadioConfiguration;
use crate::receiver::coverage::Coverage;
use crate::receiver::decoder::false_message_budget::BudgetShare;
use crate::receiver::tuning::Tuning;

/// Ten times what any oscillator that can be received does.
const MAX_DRIFT_HZ_PER_S: f64 = 1_000.0;

/// How far from an edge of the band carriers are looked for, in symbol rates: so far that the lines of
/// their preambles are both inside.
const EDGE_SYMBOL_RATES: f64 = 0.25;

/// More false messages than decisions are ever tried.
const MAX_FALSE_MESSAGES_PER_DAY: f64 = 1e6;

/// Bounds on work and memory.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bursts of one bit rate that may wait for their ends at once; of more, those that match the
    /// known symbols best are kept. What one takes says [`MemoryBound`](super::MemoryBound).
    pub max_bursts: usize,
    /// The fastest change of a carrier's frequency that is looked for.
    pub max_drift_hz_per_s: f64,
    /// Frames of one bit rate that did not decode alone and are kept to be decoded together with
    /// others; of more, the clearest.
    pub max_undecoded_frames: usize,
    /// Groups of such frames that are tried when a new one comes; of more, the most promising.
    pub max_groups: usize,
    /// Devices with keys whose frames are looked for with the help of what is known of them; of more,
    /// those with the lowest identities. None with 0.
    pub max_known_devices: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bursts: 512,
            max_drift_hz_per_s: 60.0,
            max_undecoded_frames: 512,
            max_groups: 32,
            max_known_devices: 1000,
        }
    }
}

/// What the receiver listens to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceiverConfig {
    /// Samples per second, at least [`BitRate::min_sample_rate_hz`] of every bit rate. Of a band that is
    /// narrower than the channel, what of the channel is in it is listened to: see [`Self::coverage`].
    pub sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz. With 0 all frequencies are reported relative to it.
    pub center_hz: f64,
    /// Middle of the channel.
    pub channel_center_hz: f64,
    /// Width of the channel.
    pub channel_width_hz: f64,
    /// Reported with the messages.
    pub radio_configuration: Option<RadioConfiguration>,
    /// Reported with the messages: the middle of the channel, if that is how it was chosen.
    pub reported_channel_center_hz: Option<f64>,
    /// Bit rates to listen for.
    pub bit_rates: Vec<BitRate>,
    /// Power of a full-scale carrier at the antenna; with it levels are reported in dBm.
    pub full_scale_dbm: Option<f64>,
    /// Keys of known devices.
    pub devices: DeviceTable,
    /// False messages a day that may be expected at most. Their number, and with it how far down
    /// the list of likely decisions the receiver looks for one whose check sum is right, follows from
    /// [`Statistics::refuted_decisions`](super::Statistics::refuted_decisions): of 65536, one passes by chance. With 0 the receiver hears
    /// clear frames only.
    pub false_messages_per_day: f64,
    /// What the receiver gets of the false messages, which it may share with others.
    pub(super) budget_share: BudgetShare,
    /// Bounds on work and memory.
    pub limits: Limits,
    /// Thresholds of all stages.
    pub tuning: Tuning,
    /// Memory that the receiver may take at most, in bytes; there is no receiver if the limits allow more
    /// ([`Receiver::memory_bound`](super::Receiver::memory_bound)).
    pub max_memory_bytes: Option<u64>,
}

impl ReceiverConfig {
    /// A configuration for the channel in the middle of the samples, all bit rates that the sample rate
    /// is enough for.
    #[must_use]
    pub fn new(sample_rate_hz: f64, center_hz: f64) -> Self {
        Self {
            sample_rate_hz,
            center_hz,
            channel_center_hz: center_hz,
            channel_width_hz: f64::from(MACRO_CHANNEL_WIDTH_HZ),
            radio_configuration: None,
            reported_channel_center_hz: None,
            bit_rates: receivable(&BitRate::ALL, sample_rate_hz),
            full_scale_dbm: None,
            devices: DeviceTable::new(),
            false_messages_per_day: 1.0,
            budget_share: BudgetShare::ALL,
            limits: Limits::default(),
            tuning: Tuning::default(),
            max_memory_bytes: None,
        }
    }

    /// Listens to the uplink channel of a radio configuration.
    #[must_use]
    pub fn with_radio_configuration(mut self, radio_configuration: RadioConfiguration) -> Self {
        self.channel_center_hz = f64::from(radio_configuration.uplink_center_hz());
        self.radio_configuration = Some(radio_configuration);
        self.reported_channel_center_hz = None;
        self
    }

    /// Listens to the channel around this frequency, and says so with the messages.
    #[must_use]
    pub fn with_channel_center(mut self, channel_center_hz: f64) -> Self {
        self.channel_center_hz = channel_center_hz;
        self.radio_configuration = None;
        self.reported_channel_center_hz = Some(channel_center_hz);
        self
    }

    /// What of the channel is in the sampled band.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let heard_hz = self.channel_hz();
        Coverage {
            lowest_hz: self.center_hz + heard_hz.start(),
            highest_hz: self.center_hz + heard_hz.end(),
            channel_width_hz: self.channel_width_hz,
        }
    }

    /// Checks what can be told without the samples.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_sample_rate(self.sample_rate_hz, &self.bit_rates)?;
        let Limits { max_drift_hz_per_s, .. } = self.limits;
        let max_false = MAX_FALSE_MESSAGES_PER_DAY;
        check_range("max_drift_hz_per_s", max_drift_hz_per_s, MAX_DRIFT_HZ_PER_S)?;
        check_range("false_messages_per_day", self.false_messages_per_day, max_false)
    }

    /// Middle of the channel, from the samples' 0 Hz.
    pub(super) fn channel_offset_hz(&self) -> f64 {
        self.channel_center_hz - self.center_hz
    }

    /// The channel, from the samples' 0 Hz; of a band that is narrower, what is in it. A wider band has
    /// to hold the whole channel: elsewhere in it there is room to listen.
    pub(super) fn channel_hz(&self) -> RangeInclusive<f64> {
        let (offset_hz, half_width_hz) = (self.channel_offset_hz(), self.channel_width_hz / 2.0);
        let (lowest_hz, highest_hz) = (offset_hz - half_width_hz, offset_hz + half_width_hz);
        let edge_hz = self.sample_rate_hz / 2.0;
        let is_in_band = lowest_hz < edge_hz && highest_hz > -edge_hz;
        if edge_hz >= half_width_hz || !is_in_band {
            return lowest_hz..=highest_hz;
        }
        lowest_hz.max(-edge_hz)..=highest_hz.min(edge_hz)
    }

    /// Where carriers of a bit rate are looked for, from the samples' 0 Hz: what is nearer to an edge of
    /// the band is seen at the other one too.
    pub(super) fn carriers_hz(&self, bit_rate: BitRate) -> RangeInclusive<f64> {
        let channel_hz = self.channel_hz();
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let edge_hz = self.sample_rate_hz / 2.0 - EDGE_SYMBOL_RATES * symbol_rate_hz;
        channel_hz.start().max(-edge_hz)..=channel_hz.end().min(edge_hz)
    }
}

/// The bit rates for which the sample rate is enough.
pub(super) fn receivable(bit_rates: &[BitRate], sample_rate_hz: f64) -> Vec<BitRate> {
    let is_enough = |bit_rate: &BitRate| sample_rate_hz >= bit_rate.min_sample_rate_hz();
    bit_rates.iter().copied().filter(is_enough).collect()
}

/// Checks that the sample rate is enough for some bit rates; for any at all, if there are none.
pub(super) fn check_sample_rate(sample_rate_hz: f64, bit_rates: &[BitRate]) -> Result<(), Error> {
    let bit_rates = if bit_rates.is_empty() { &BitRate::ALL[..1] } else { bit_rates };
    for bit_rate in bit_rates {
        let min_hz = bit_rate.min_sample_rate_hz();
        if sample_rate_hz.is_nan() || sample_rate_hz < min_hz {
            let bits_per_s = bit_rate.bits_per_s();
            return Err(Error::SampleRate { found_hz: sample_rate_hz, bits_per_s, min_hz });
        }
    }
    Ok(())
}

/// The sample rate of receivers of one stream, in samples per second; 1 if there are none.
pub(super) fn common_sample_rate_hz(configs: &[ReceiverConfig]) -> f64 {
    configs.first().map_or(1.0, |config| config.sample_rate_hz)
}

/// Checks that a setting is between 0 and `max`.
fn check_range(parameter: &'static str, value: f64, max: f64) -> Result<(), Error> {
    if (0.0..=max).contains(&value) {
        return Ok(());
    }
    Err(nap_dsp::Error::OutOfRange { parameter, value, min: 0.0, max }.into())
}
