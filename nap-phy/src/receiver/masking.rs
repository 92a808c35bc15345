//! What one burst leaves to be seen of another.

use std::f64::consts::PI;
use std::ops::{Range, RangeInclusive};

use nap_dsp::demodulator::PhaseTrack;
use nap_dsp::subbands::SubbandGrid;

/// A burst that was cancelled leaves a residue that is so much fainter.
const RESIDUAL_POWER: f64 = 100.0;
/// Sidelobes show preambles by chance with up to this many times less than their power.
pub(super) const SIDELOBE_POWER: f64 = 0.5;
/// A burst that has less than this share of another's power at its carrier does not corrupt it.
pub(super) const CORRUPTING_POWER: f64 = 0.1;
/// Symbols of the reference and the preamble, over which candidates are seen.
pub(super) const PREAMBLE_SYMBOLS: f64 = 20.0;

/// Symbols of the frame type, which follows the preamble.
const FRAME_TYPE_SYMBOLS: f64 = 13.0;

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

    /// Whether the burst has more than some power in a region, in the bandwidth of its symbols.
    pub(super) fn exceeds(&self, region: &Region, power: f64) -> bool {
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

    /// Whether another burst, of which the preamble and the frame type lie within this one's time, may
    /// be this one, or a wider one that this one is a line of, or what its sidelobes show by chance.
    pub(super) fn accounts_for(&self, other: &Self) -> bool {
        let middle_s =
            other.from_s + (PREAMBLE_SYMBOLS + FRAME_TYPE_SYMBOLS) / 2.0 * other.symbol_s;
        let power = SIDELOBE_POWER * other.power;
        self.power > power
            && (self.from_s..self.to_s).contains(&middle_s)
            && (self.reaches(other.frequency_hz, other.symbol_s, power)
                || self.is_inside(other)
                || self.is_beside(other))
    }

    /// The same, of samples whose spectrum has a period: over an edge of the band a burst shows at the
    /// other one.
    pub(super) fn accounts_for_in(&self, period_hz: f64, other: &Self) -> bool {
        [0.0, -period_hz, period_hz].into_iter().any(|shift_hz| {
            let seen = Self { frequency_hz: self.frequency_hz + shift_hz, ..*self };
            seen.accounts_for(other)
        })
    }

    /// Whether the carrier is in the main lobe of another burst.
    fn is_inside(&self, other: &Self) -> bool {
        (self.frequency_hz - other.frequency_hz).abs() * other.symbol_s < 0.5
    }

    /// Whether the other burst begins with this one a symbol rate away, where the phase changes from symbol to
    /// symbol as it does here.
    fn is_beside(&self, other: &Self) -> bool {
        let distance = (self.frequency_hz - other.frequency_hz).abs() * self.symbol_s;
        (distance - 1.0).abs() < 0.1
            && self.symbol_s == other.symbol_s
            && (self.from_s - other.from_s).abs() < self.symbol_s
    }

    /// Where the burst has more than some power in the bandwidth of symbols of some duration, in hertz
    /// from the centre of the recording.
    pub(super) fn reach_hz(&self, symbol_s: f64, power: f64) -> RangeInclusive<f64> {
        let wider = (self.symbol_s / symbol_s).max(1.0);
        let distance_hz = (wider * self.power / power).sqrt() / (PI * self.symbol_s);
        self.frequency_hz - distance_hz..=self.frequency_hz + distance_hz
    }
}

impl Cancelled {
    /// Whether what is seen in a region with some power may be the burst's residue, or sidelobes that were
    /// left because they are so far off.
    pub(super) fn accounts_for(&self, region: &Region, power: f64) -> bool {
        let residue =
            if self.subbands.contains(&region.subband) { RESIDUAL_POWER } else { SIDELOBE_POWER };
        self.mask.exceeds(region, residue * power)
    }
}

/// The power that symbols without shaping have in the bandwidth of one, at a distance in symbol
/// rates from the carrier, as a share of their power.
pub(super) fn sidelobe_power(distance: f64) -> f64 {
    (PI * distance).powi(2).max(1.0).recip()
}
