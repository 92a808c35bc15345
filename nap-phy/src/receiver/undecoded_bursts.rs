//! Keeps bursts that did not decode until it is certain that they never will.

use nap_dsp::detector::Candidate;
use nap_dsp::synchronizer::Hypothesis;

use super::bursts::expected_mask;
use super::calibration::{Calibration, decibel};
use super::joint::UNDECODED_AGE_S;
use super::masking::{Mask, MaskingTuning, PREAMBLE_SYMBOLS};
use super::statistics::Statistics;
use super::undecoded::{UndecodedBurst, UndecodedReason};
use crate::message::{Extent, Signal};
use crate::radio::bit_rate::BitRate;
use crate::uplink::frame_type::FrameType;

/// After so many seconds a burst will not decode any more: neither alone, when something is cancelled over
/// it, nor with the other frames of its message, which are kept less long by more than the time from
/// search to search.
pub(super) const HOLD_S: f64 = UNDECODED_AGE_S + 1.0;
/// Bursts with less energy of a symbol over the noise density (linear) may be noise. White noise has more
/// in 33 known symbols with the probability exp(-33 · 1.5), less than one in 10^21; of the bursts that an hour of it shows,
/// some six thousand, none had as much (docs/performance.md).
const MIN_BURST_EB_OVER_N0: f64 = 1.5;
/// The same for candidates at which no frame type fits: the strongest lines of a quarter of an hour of noise
/// stood for 1.6; what was left of decoded bursts in the fixtures for 3.9.
const MIN_CANDIDATE_EB_OVER_N0: f64 = 7.4;
/// Power of a preamble's two lines over the noise of a bin, relative to Es/N0: 81 % of the energy of twenty
/// symbols, over the equivalent noise bandwidth of Hann's window in bins.
const LINES_OVER_SYMBOL: f64 = 0.81 * 20.0 / 1.5;
/// Symbols of the preamble and after it in which a candidate has shown energy.
const SEEN_SYMBOLS: f64 = 100.0;
/// Bursts kept at once; of more, the strongest.
const MAX_SIGHTINGS: usize = 256;

/// What was seen of a burst.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    pub(super) mask: Mask,
    pub(super) bit_rate: BitRate,
    pub(super) frame_type: Option<FrameType>,
    pub(super) drift_hz_per_s: f64,
    /// Energy of a bit over the noise density (linear).
    pub(super) eb_over_n0: f64,
    pub(super) reason: UndecodedReason,
}

impl Sighting {
    /// A candidate at which no frame type fits; `None` if noise may show it.
    pub(super) fn of_candidate(candidate: &Candidate, bit_rate: BitRate) -> Option<Self> {
        let Candidate { time_s, frequency_hz, line_snr, power } = *candidate;
        let symbol_s = bit_rate.symbol_s();
        let from_s = time_s - PREAMBLE_SYMBOLS / 2.0 * symbol_s;
        let to_s = from_s + SEEN_SYMBOLS * symbol_s;
        let eb_over_n0 = line_snr / LINES_OVER_SYMBOL;
        (eb_over_n0 >= MIN_CANDIDATE_EB_OVER_N0).then_some(Self {
            mask: Mask { from_s, to_s, frequency_hz, symbol_s, power },
            bit_rate,
            frame_type: None,
            drift_hz_per_s: 0.0,
            eb_over_n0,
            reason: UndecodedReason::NoFrameType,
        })
    }

    /// A burst by its best hypothesis, in noise of this density; `None` if noise may show it.
    pub(super) fn of_burst(
        best: &Hypothesis,
        bit_rate: BitRate,
        density: f64,
        reason: UndecodedReason,
    ) -> Option<Self> {
        let eb_over_n0 = if density > 0.0 {
            best.power * bit_rate.symbol_s() / density
        } else {
            best.correlation / (1.0 - best.correlation).max(f64::EPSILON)
        };
        (eb_over_n0 >= MIN_BURST_EB_OVER_N0).then_some(Self {
            mask: expected_mask(best, bit_rate),
            bit_rate,
            frame_type: FrameType::ALL.get(best.sync_word).copied(),
            drift_hz_per_s: best.carrier.drift_hz_per_s,
            eb_over_n0,
            reason,
        })
    }

    /// The report of it.
    pub(super) fn report(&self, calibration: &Calibration) -> UndecodedBurst {
        let Mask { from_s, to_s, frequency_hz, power, .. } = self.mask;
        UndecodedBurst {
            signal: Signal {
                time_s: from_s,
                frequency_hz: calibration.frequency_hz(frequency_hz),
                level: calibration.level(power),
                snr_db: decibel(self.eb_over_n0),
                drift_hz_per_s: self.drift_hz_per_s,
            },
            extent: Extent::new(to_s - from_s, self.bit_rate),
            bit_rate: self.bit_rate,
            frame_type: self.frame_type,
            reason: self.reason,
        }
    }
}

/// The bursts of the last seconds that did not decode, of all bit rates, each once.
pub(super) struct UndecodedBursts {
    /// After which the spectrum comes again: the sample rate.
    period_hz: f64,
    masking: MaskingTuning,
    sightings: Vec<Sighting>,
    /// Frames decoded lately.
    decoded: Vec<Mask>,
}

impl UndecodedBursts {
    /// None seen yet, in samples of this rate.
    pub(super) fn new(sample_rate_hz: f64, masking: MaskingTuning) -> Self {
        let (sightings, decoded) = (Vec::new(), Vec::new());
        Self { period_hz: sample_rate_hz, masking, sightings, decoded }
    }

    /// Takes a burst that did not decode, if it is one. What a decoded frame or a stronger burst explains
    /// is none.
    pub(super) fn add(&mut self, sighting: Option<Sighting>, statistics: &mut Statistics) {
        let Some(sighting) = sighting else { return };
        let (mask, period_hz, masking) = (&sighting.mask, self.period_hz, self.masking);
        let others = self.sightings.iter().map(|other| &other.mask);
        let mut stronger = self.decoded.iter().chain(others);
        if stronger.any(|stronger| masking.accounts_for(stronger, period_hz, mask)) {
            return;
        }
        self.sightings.retain(|weaker| !masking.accounts_for(mask, period_hz, &weaker.mask));
        self.sightings.push(sighting);
        if self.sightings.len() > MAX_SIGHTINGS {
            self.sightings.sort_by(|a, b| b.mask.power.total_cmp(&a.mask.power));
            self.sightings.truncate(MAX_SIGHTINGS);
            statistics.dropped_undecoded_bursts += 1;
        }
    }

    /// Takes a frame that was decoded, and forgets what it explains.
    pub(super) fn account_for(&mut self, frame: Mask) {
        let (period_hz, masking) = (self.period_hz, self.masking);
        self.sightings.retain(|other| !masking.accounts_for(&frame, period_hz, &other.mask));
        self.decoded.push(frame);
    }

    /// Takes out the bursts that will not decode any more after `now_s`, in the order of time.
    pub(super) fn take_final(&mut self, now_s: f64) -> Vec<Sighting> {
        let oldest_s = now_s - HOLD_S;
        self.decoded.retain(|frame| frame.to_s >= oldest_s);
        let mut done: Vec<Sighting> =
            self.sightings.extract_if(.., |sighting| sighting.mask.from_s < oldest_s).collect();
        done.sort_by(|a, b| {
            let time = a.mask.from_s.total_cmp(&b.mask.from_s);
            time.then(a.mask.frequency_hz.total_cmp(&b.mask.frequency_hz))
        });
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(from_s: f64, frequency_hz: f64, power: f64) -> Mask {
        Mask { from_s, to_s: from_s + 2.0, frequency_hz, symbol_s: 0.01, power }
    }

    fn sighting(mask: Mask) -> Option<Sighting> {
        Some(Sighting {
            mask,
            bit_rate: BitRate::Bps100,
            frame_type: None,
            drift_hz_per_s: 0.0,
            eb_over_n0: 10.0,
            reason: UndecodedReason::NoFrameType,
        })
    }

    /// The times of those that are told of when these come, after `frames` were decoded.
    fn told(sightings: &[Mask], frames: &[Mask]) -> Vec<f64> {
        let statistics = &mut Statistics::default();
        let mut bursts = UndecodedBursts::new(3_000.0, MaskingTuning::default());
        let (before, after) = frames.split_at(frames.len() / 2);
        before.iter().for_each(|&frame| bursts.account_for(frame));
        sightings.iter().for_each(|&mask| bursts.add(sighting(mask), statistics));
        after.iter().for_each(|&frame| bursts.account_for(frame));
        bursts.take_final(f64::INFINITY).iter().map(|s| s.mask.from_s).collect()
    }

    #[test]
    fn each_burst_is_told_of_once() {
        let strong = mask(1.0, 0.0, 1.0);
        let (sidelobe_power, data) = (mask(1.0, 200.0, 0.01), mask(2.0, 10.0, 0.9));
        assert_eq!(told(&[strong, sidelobe_power, data], &[]), [1.0]);
        assert_eq!(told(&[data, sidelobe_power, strong], &[]), [1.0]);
        let (beside, later) = (mask(1.1, 200.0, 0.5), mask(3.5, 0.0, 0.01));
        assert_eq!(told(&[strong, beside, later], &[]), [1.0, 1.1, 3.5]);
    }

    #[test]
    fn what_is_at_one_edge_of_the_band_shows_at_the_other() {
        let strong = mask(1.0, 1_450.0, 1.0);
        let (image, own) = (mask(1.1, -1_400.0, 0.01), mask(1.2, -1_000.0, 0.01));
        assert_eq!(told(&[strong, image, own], &[]), [1.0, 1.2]);
        assert_eq!(told(&[image, own], &[strong]), [1.2]);
    }

    #[test]
    fn what_a_decoded_frame_accounts_for_is_not_told_of() {
        let frame = mask(1.0, 0.0, 1.0);
        let seen = [mask(1.005, 3.0, 0.8), mask(1.5, 100.0, 0.1), mask(1.0, 500.0, 0.5)];
        // Whichever of the two is known first.
        assert_eq!(told(&seen, &[frame]), [1.0]);
        assert_eq!(told(&seen, &[frame, mask(50.0, 0.0, 1.0)]), [1.0]);
    }

    #[test]
    fn a_burst_is_told_of_when_it_will_not_decode_any_more() {
        let mut bursts = UndecodedBursts::new(250e3, MaskingTuning::default());
        bursts.add(sighting(mask(1.0, 0.0, 1.0)), &mut Statistics::default());
        assert!(bursts.take_final(1.0 + HOLD_S).is_empty());
        assert_eq!(bursts.take_final(1.1 + HOLD_S).len(), 1);
        assert!(bursts.take_final(f64::INFINITY).is_empty());
    }

    #[test]
    fn of_too_many_the_strongest_are_told_of() {
        let statistics = &mut Statistics::default();
        let mut bursts = UndecodedBursts::new(1e9, MaskingTuning::default());
        for n in 0..MAX_SIGHTINGS + 10 {
            let power = 1.0 + n as f64;
            bursts.add(sighting(mask(1.0, 10_000.0 * n as f64, power)), statistics);
        }
        let told = bursts.take_final(f64::INFINITY);
        assert_eq!((told.len(), statistics.dropped_undecoded_bursts), (MAX_SIGHTINGS, 10));
        assert!(told.iter().all(|s| s.mask.power > 10.0));
    }
}
