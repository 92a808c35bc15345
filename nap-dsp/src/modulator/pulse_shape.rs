//! How transmitters turn the phase of a DBPSK signal.

use std::sync::LazyLock;

/// How a transmitter turns the phase.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum PulseShape {
    /// At once, as unshaped modulators do (the renard project's, for one).
    Rectangular,
    /// Along the real axis, smoothed symmetrically around the symbol boundary: the rectangular
    /// waveform convolved with a Hann pulse.
    Smoothed {
        /// Whole length of the Hann pulse in symbols, above 0 up to 1.
        width_symbols: f64,
    },
    /// ST S2-LP in direct polar mode: 40 sub-samples a symbol, each a pair of frequency deviation
    /// and amplifier code. At a 0 bit the amplitude falls to nothing in the *middle* of the bit and
    /// one sub-sample turns the phase by half a cycle, alternately up and down.
    ///
    /// Source: ST's Sigfox driver for the S2-LP, published as
    /// `sigfox-tech-radio/sigfox-ep-rf-api-st-s2lp`.
    StPolar,
}

impl PulseShape {
    /// A smoothed shape of middle width.
    pub const SMOOTHED: Self = Self::Smoothed { width_symbols: 0.62 };
}

/// Sub-samples a symbol of the S2-LP in direct polar mode.
pub(super) const SUBSAMPLES: usize = 40;

/// The sub-sample of a 0 bit during which the S2-LP turns the phase.
pub(super) const TURNING_SUBSAMPLE: f64 = 20.0;

/// Amplifier codes of the S2-LP from full power to nothing; a notch runs through them and back.
const NOTCH_CODES: [u8; SUBSAMPLES / 2] =
    [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 5, 7, 10, 14, 19, 25, 31, 39, 60, 220];

/// The last amplifier codes of the S2-LP's ramp down; before them it stays at full power.
const RAMP_CODES: [u8; 15] = [2, 2, 2, 3, 3, 5, 7, 10, 14, 19, 25, 31, 39, 60, 220];

/// Amplitude of an amplifier code: half a decibel a step below the strongest code 1; 220 is off.
fn amplifier_amplitude(code: u8) -> f64 {
    match code {
        220 => 0.0,
        code => 10f64.powf(-0.5 * f64::from(code - 1) / 20.0),
    }
}

/// The amplitudes of [`NOTCH_CODES`].
static NOTCH: LazyLock<[f64; SUBSAMPLES / 2]> =
    LazyLock::new(|| NOTCH_CODES.map(amplifier_amplitude));

/// Amplitude in a 0 bit, `position` sub-samples after its start.
pub(super) fn notch_amplitude(position: f64) -> f32 {
    // The notch is symmetric, so only its first half is looked up.
    let position = position.min(SUBSAMPLES as f64 - position);
    interpolate(position, |i| NOTCH[i.clamp(0, NOTCH.len() as i64 - 1) as usize])
}

/// Amplitude in the ramp down, `position` sub-samples after its start; a ramp up is its mirror.
pub(super) fn ramp_amplitude(position: f64) -> f32 {
    interpolate(position, |i| {
        let i = i - (SUBSAMPLES - RAMP_CODES.len()) as i64;
        if i < 0 {
            return 1.0;
        }
        RAMP_CODES.get(i as usize).map_or(0.0, |&code| amplifier_amplitude(code))
    })
}

/// The amplifier moves linearly from the middle of a sub-sample to the middle of the next.
fn interpolate(position: f64, amplitude: impl Fn(i64) -> f64) -> f32 {
    let middle = position - 0.5;
    let i = middle.floor();
    let fraction = middle - i;
    let (from, to) = (amplitude(i as i64), amplitude(i as i64 + 1));
    (from + (to - from) * fraction) as f32
}
