//! What one burst leaves to be seen of another.

use std::f64::consts::PI;
use std::ops::{Range, RangeInclusive};

use nap_dsp::demodulator::PhaseTrack;
use nap_dsp::detector::Candidate;
use nap_dsp::subbands::SubbandGrid;

/// Symbols of the reference and the preamble, over which candidates are seen.
pub(super) const PREAMBLE_SYMBOLS: f64 = 20.0;

/// Symbols of the frame type, which follows the preamble.
const FRAME_TYPE_SYMBOLS: f64 = 13.0;

/// What a burst may do to what is seen of another one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// Its sidelobes may be all there is: the other is looked at once it has been cancelled.
    Masks,
    /// It damages the other's symbols, which are clearer without it.
    Corrupts,
    /// It shows as the other does where symbols repeat by chance: there is no other.
    Imitates,
    /// What is left of it when it has been cancelled shows so.
    LeavesResidue,
    /// Seen at the same time, it has all of the other's power there.
    Outshines,
}

/// From which share of another's power on a burst masks it, corrupts it, or is all there is of it; by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MaskingTuning {
    /// A burst whose sidelobes have this share of a candidate's power masks it.
    pub masking: f64,
    /// A burst that has this share of another's power at its carrier corrupts it.
    pub corrupting: f64,
    /// A burst whose sidelobes have this share of what is seen may show it by chance.
    pub imitating: f64,
    /// What has less than this share of the power of a burst that was cancelled may be its residue.
    pub residue: f64,
    /// A candidate is a sidelobe of one seen with it that has this many times its power there.
    pub outshining: f64,
    /// A burst waits for one that corrupts it and has this many times its power.
    pub blocking: f64,
}

impl Default for MaskingTuning {
    fn default() -> Self {
        Self {
            // The power of the sidelobes of data scatters around its mean as that of noise: five times as much shows
            // with a probability of exp(-5).
            masking: 0.2,
            // Beside the noise of a frame at 0 dB, such interference costs 0.4 dB.
            corrupting: 0.1,
            // By the same scatter, twice as much shows with a probability of exp(-2): what has more may be a burst, and
            // its frame type has to prove that.
            imitating: 0.5,
            // 27 dB. A gate on work, since a residue that looks like a frame has to decode as one: with 20 dB 39 % of single frames beside
            // one 38 dB stronger were lost, with 22 dB 19 %, from 27 dB on 2 to 4 %, and strong bursts that fade and wander cost
            // no more time (`tune --only masking.residue --scenes 4`, `loss --doppler 3 --eb-over-n0=30`).
            residue: 0.002,
            // Of two that may be one, the stronger is.
            outshining: 1.0,
            // Two bursts of about the same power wait for neither: they would for each other.
            blocking: 4.0,
        }
    }
}

impl MaskingTuning {
    /// Whether a burst has an effect on what is seen in a region with some power: the one question behind all
    /// masking. A burst has one where it has more than a share of that power, in the bandwidth of the symbols
    /// there.
    pub(super) fn does(&self, burst: &Mask, effect: Effect, seen: &Region, power: f64) -> bool {
        burst.exceeds(seen, self.share(effect) * power)
    }

    /// How far from its carrier a burst has an effect on symbols of some duration and power, in hertz from the
    /// centre of the recording.
    pub(super) fn reach_hz(
        &self,
        burst: &Mask,
        effect: Effect,
        symbol_s: f64,
        power: f64,
    ) -> RangeInclusive<f64> {
        burst.reach_hz(symbol_s, self.share(effect) * power)
    }

    /// Whether what is seen in a region with some power may be the residue of a burst that was cancelled, or
    /// sidelobes that were left because they are so far off.
    pub(super) fn may_be_left_of(&self, cancelled: &Cancelled, seen: &Region, power: f64) -> bool {
        let effect = if cancelled.subbands.contains(&seen.subband) {
            Effect::LeavesResidue
        } else {
            Effect::Imitates
        };
        self.does(&cancelled.mask, effect, seen, power)
    }

    /// Whether what one burst is taken for, of which the preamble and the frame type lie within another's time, may be
    /// that other one, or a wider one that it is a line of, or what its sidelobes show by chance. Over an edge of
    /// the band a burst shows at the other one: the spectrum has a period.
    pub(super) fn accounts_for(&self, burst: &Mask, period_hz: f64, other: &Mask) -> bool {
        let power = self.share(Effect::Imitates) * other.power;
        [0.0, -period_hz, period_hz].into_iter().any(|shift_hz| {
            let seen = Mask { frequency_hz: burst.frequency_hz + shift_hz, ..*burst };
            seen.accounts_for(other, power)
        })
    }

    /// Whether a burst is to be waited for with what is seen in a region with some power: it corrupts that, and is so
    /// much stronger that it decodes first.
    pub(super) fn blocks(&self, burst: &Mask, seen: &Region, power: f64) -> bool {
        burst.power > self.blocking * power && self.does(burst, Effect::Corrupts, seen, power)
    }

    /// The share of the power seen from which on a burst has an effect.
    fn share(&self, effect: Effect) -> f64 {
        match effect {
            Effect::Masks => self.masking,
            Effect::Corrupts => self.corrupting,
            Effect::Imitates => self.imitating,
            Effect::LeavesResidue => self.residue.recip(),
            Effect::Outshines => self.outshining,
        }
    }
}

/// Where a burst was cancelled.
#[derive(Debug, Clone)]
pub(super) struct Cancelled {
    pub(super) subbands: Range<usize>,
    pub(super) mask: Mask,
}

/// A burst that is on the air or has just been, by what it masks: time, frequency and power.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    pub(super) frequency_hz: f64,
    pub(super) symbol_s: f64,
    pub(super) power: f64,
}

/// A time-frequency region in which a receiver of symbols of some duration sees something.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) window_s: Range<f64>,
    pub(super) subband: usize,
    pub(super) frequency_hz: f64,
    pub(super) symbol_s: f64,
}

impl Region {
    /// The region of a preamble with its middle at an instant.
    pub(super) fn new(time_s: f64, frequency_hz: f64, symbol_s: f64, grid: &SubbandGrid) -> Self {
        let half_s = PREAMBLE_SYMBOLS / 2.0 * symbol_s;
        Self {
            window_s: time_s - half_s..time_s + half_s,
            subband: grid.nearest(frequency_hz),
            frequency_hz,
            symbol_s,
        }
    }

    /// The same with the symbols after the preamble that show a candidate to be a frame.
    pub(super) fn with_frame_type(self) -> Self {
        let end_s = self.window_s.end + FRAME_TYPE_SYMBOLS * self.symbol_s;
        Self { window_s: self.window_s.start..end_s, ..self }
    }
}

impl Mask {
    /// What a burst masks, of which all is known.
    pub(super) fn of_track(track: &PhaseTrack, symbol_s: f64, power: f64) -> Self {
        let (from_s, to_s) = (track.start_s, track.start_s + track.duration_s);
        let frequency_hz = track.frequency_at((from_s + to_s) / 2.0);
        Self { from_s, to_s, frequency_hz, symbol_s, power }
    }

    /// What a preamble masks that is seen at the time of a region, with symbols as long as there.
    pub(super) fn of_candidate(candidate: &Candidate, region: &Region) -> Self {
        Self {
            from_s: region.window_s.start,
            to_s: region.window_s.end,
            frequency_hz: candidate.frequency_hz,
            symbol_s: region.symbol_s,
            power: candidate.power,
        }
    }

    /// Whether both bursts are on the air at a time.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.from_s < other.to_s && other.from_s < self.to_s
    }

    /// Whether the other is what was seen of this burst once more.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.symbol_s == other.symbol_s
            && (self.from_s - other.from_s).abs() < self.symbol_s
            && (self.frequency_hz - other.frequency_hz).abs() * self.symbol_s < 0.5
    }

    /// Whether the burst has more than some power in a region, in the bandwidth of the symbols there.
    fn exceeds(&self, region: &Region, power: f64) -> bool {
        // Asked of all bursts for every candidate: the cheapest question first, and no division.
        self.power > power
            && region.window_s.end > self.from_s
            && region.window_s.start < self.to_s
            && self.reaches(region.frequency_hz, region.symbol_s, power)
    }

    /// Whether the burst has more than some power, which is less than its own, at a frequency in the
    /// bandwidth of symbols of some duration.
    fn reaches(&self, frequency_hz: f64, symbol_s: f64, power: f64) -> bool {
        let distance = PI * (frequency_hz - self.frequency_hz) * self.symbol_s;
        let wider_s = self.symbol_s.max(symbol_s);
        wider_s * self.power > power * distance * distance * symbol_s
    }

    /// Whether all that is seen of another burst may be this one, which has more than some power there.
    fn accounts_for(&self, other: &Self, power: f64) -> bool {
        let middle_s =
            other.from_s + (PREAMBLE_SYMBOLS + FRAME_TYPE_SYMBOLS) / 2.0 * other.symbol_s;
        self.power > power
            && (self.from_s..self.to_s).contains(&middle_s)
            && (self.reaches(other.frequency_hz, other.symbol_s, power)
                || self.is_inside(other)
                || self.is_beside(other))
    }

    /// Whether the carrier is in the main lobe of another burst.
    fn is_inside(&self, other: &Self) -> bool {
        (self.frequency_hz - other.frequency_hz).abs() * other.symbol_s < 0.5
    }

    /// Whether the other burst begins with this one a symbol rate away, where the phase changes from symbol to
    /// symbol as it does here; since preambles repeat, it may fit some symbols off.
    fn is_beside(&self, other: &Self) -> bool {
        let distance = (self.frequency_hz - other.frequency_hz).abs() * self.symbol_s;
        (distance - 1.0).abs() < 0.1
            && self.symbol_s == other.symbol_s
            && (self.from_s - other.from_s).abs() < PREAMBLE_SYMBOLS / 2.0 * self.symbol_s
    }

    /// Where the burst has more than some power in the bandwidth of symbols of some duration, in hertz
    /// from the centre of the recording.
    fn reach_hz(&self, symbol_s: f64, power: f64) -> RangeInclusive<f64> {
        let wider = (self.symbol_s / symbol_s).max(1.0);
        let distance_hz = (wider * self.power / power).sqrt() / (PI * self.symbol_s);
        self.frequency_hz - distance_hz..=self.frequency_hz + distance_hz
    }
}
