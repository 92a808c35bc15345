//! When a transmission begins.
//!
//! It begins with its first symbol. Most transmitters turn the phase at the bounds of symbols; a polar one
//! turns it in the middle, where its amplitude is least, and begins with a symbol in which it ramps up. What
//! the demodulator takes for its first symbol, from one place where the phase may turn to the next, begins
//! in the middle of that. Which of the two it is, the envelope tells: by the signal that a polar transmitter
//! sends before that, and by the energy that a turn of the phase takes away.

/// The part of a symbol, before the first one, in which a polar transmitter is on and others hardly are.
pub(super) const BEFORE: f64 = 0.35;
/// A polar transmitter's amplitude there, and that of one which turns the phase smoothly, over the amplitude
/// later.
const POLAR_AMPLITUDE: f64 = 0.85;
const OTHER_AMPLITUDE: f64 = 0.1;
/// How much sooner a polar transmission begins, in symbols.
const POLAR_LEAD: f64 = 0.5;
/// Shares of a symbol's energy that are missing around a turn of the phase: so much and the transmitter is
/// as likely a polar one as not, so much more (or less) and the odds are the best that the shape gives. The
/// S2-LP's share is 0.45, that of a smooth turn over six tenths of a symbol 0.3.
const EVEN_LOSS: f64 = 0.38;
const CLEAR_LOSS: f64 = 0.06;
/// Logarithm of these odds: wider turns look like a polar transmitter's.
const SHAPE_ODDS: f64 = 4.0;

/// How many symbols before the first one the transmission began. `before` is the mean over [`BEFORE`],
/// turned to the first symbol's sign, over the amplitude, `es_over_n0` (linear) tells how sure that is, and
/// `loss` is the share of a symbol's energy that is missing around a turn of the phase.
pub(super) fn lead(before: f64, es_over_n0: f64, loss: f64) -> f64 {
    let step = POLAR_AMPLITUDE - OTHER_AMPLITUDE;
    let middle = f64::midpoint(POLAR_AMPLITUDE, OTHER_AMPLITUDE);
    // Over the noise variance of such a mean.
    let by_signal = (before - middle) * step * 2.0 * es_over_n0 * BEFORE;
    let by_shape = SHAPE_ODDS * ((loss - EVEN_LOSS) / CLEAR_LOSS).clamp(-1.0, 1.0);
    if by_signal + by_shape > 0.0 { POLAR_LEAD } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strong_signal_tells_by_itself_and_a_weak_one_by_its_shape() {
        assert_eq!(lead(0.85, 100.0, 0.3), POLAR_LEAD);
        assert_eq!(lead(0.1, 100.0, 0.45), 0.0);
        assert_eq!(lead(0.3, 1.0, 0.45), POLAR_LEAD);
        assert_eq!(lead(0.6, 1.0, 0.2), 0.0);
    }
}
