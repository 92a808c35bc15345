//! How well a message is proven.

use super::decoded_frame::DecodedFrame;

/// Logarithm of the odds, 10 000 to 1, below which a message is weakly proven: it is told of when nothing
/// can contradict it any more. What a clear frame says has odds of millions to one; the weakest decisions
/// that the budget of false messages lets through, of 300 to 1.
const WEAK_LN_ODDS: f64 = 9.21;
/// What a key adds that made the tag: so rarely 16 bits match by chance, ln 2¹⁶.
pub(super) const TAG_LN_ODDS: f64 = 11.09;
/// What each further frame adds to a message's weight against another one. It is at the right time and has
/// more bits in common with the message than chance would give it; but it does not prove the message, for
/// where a few of its bits are wrong, the others are still found in all its frames.
const FURTHER_FRAME_LN_ODDS: f64 = 3.0;

/// How well a message is proven by what its frames have shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Proof {
    /// The sum for frames that decoded by themselves: each has a check sum of its own.
    alone: f64,
    /// The best of what was decoded from several frames together.
    together: f64,
    frames: u32,
}

impl Proof {
    /// What frames of one message prove.
    pub(super) fn of<'a>(frames: impl IntoIterator<Item = &'a DecodedFrame>) -> Self {
        let mut proof = Self::default();
        frames.into_iter().for_each(|frame| proof.add(frame.crc_ok, frame.ln_odds));
        proof
    }

    /// Takes another frame of the message, which may have decoded alone.
    pub(super) fn add(&mut self, crc_ok: bool, ln_odds: f64) {
        if crc_ok {
            self.alone += ln_odds;
        } else {
            self.together = self.together.max(ln_odds);
        }
        self.frames += 1;
    }

    /// How much is to be said for the message, to compare it with another.
    pub(super) fn weight(&self) -> f64 {
        let further = f64::from(self.frames.saturating_sub(1));
        self.alone + self.together + FURTHER_FRAME_LN_ODDS * further
    }

    /// Whether the message may well turn out wrong, by what was decoded.
    pub(super) fn is_weak(&self) -> bool {
        self.alone + self.together < WEAK_LN_ODDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(frames: &[(bool, f64)]) -> Proof {
        let mut proof = Proof::default();
        frames.iter().for_each(|&(crc_ok, ln_odds)| proof.add(crc_ok, ln_odds));
        proof
    }

    #[test]
    fn a_clear_frame_is_enough_and_a_list_is_not() {
        assert!(!proof(&[(true, 15.0)]).is_weak());
        assert!(proof(&[(true, 6.0)]).is_weak());
        assert!(!proof(&[(true, 6.0 + TAG_LN_ODDS)]).is_weak());
    }

    #[test]
    fn frames_that_decode_alone_prove_more_than_those_that_were_decoded_together() {
        let (alone, together) =
            (proof(&[(true, 6.0), (true, 6.0)]), proof(&[(false, 6.0), (false, 6.0)]));
        assert!(!alone.is_weak() && together.is_weak());
        assert!(together.weight() > 6.0, "two bursts tell more than one");
    }
}
