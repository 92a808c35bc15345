//! Numbers that count datagrams.

/// After so many that count up, one by one, it is no coincidence.
const PROOF: u32 = 16;
/// A number that has jumped by more has been begun anew.
const MAX_GAP: u32 = 100_000;

/// Looks for a number at the beginning of datagrams that counts them: of four bytes or eight, in either
/// byte order. A sender that counts slowly enough changes only the four lower bytes of eight.
#[derive(Debug, Default)]
pub(super) struct SequenceNumber {
    /// At 0 little-endian, at 0 big-endian, at 4 big-endian.
    words: [Word; 3],
    /// Whether the upper four bytes of a little-endian number of eight have been something else than zero.
    has_upper: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Word {
    last: Option<u32>,
    in_a_row: u32,
}

impl SequenceNumber {
    /// Takes in the next datagram. Returns how many are missing before it, as far as is known.
    pub(super) fn follow(&mut self, datagram: &[u8]) -> u32 {
        let (first, second) = (word(datagram, 0), word(datagram, 4));
        let values = [
            first.map(u32::from_le_bytes),
            first.map(u32::from_be_bytes),
            second.map(u32::from_be_bytes),
        ];
        self.has_upper |= second != Some([0; 4]);
        let follow = |(word, value): (&mut Word, Option<u32>)| word.follow(value);
        self.words.iter_mut().zip(values).map(follow).max().unwrap_or(0)
    }

    /// Of how many bytes the number is, once it is sure that there is one.
    pub(super) fn width(&self) -> Option<usize> {
        let is_proven = |word: &Word| word.in_a_row >= PROOF;
        let [little, big, lower_big] = self.words.each_ref().map(is_proven);
        match (little, big, lower_big) {
            (true, ..) => Some(if self.has_upper { 4 } else { 8 }),
            (_, true, _) => Some(4),
            (.., true) => Some(8),
            _ => None,
        }
    }
}

impl Word {
    fn follow(&mut self, value: Option<u32>) -> u32 {
        let step = value.zip(self.last).map(|(value, last)| value.wrapping_sub(last));
        self.last = value;
        match step {
            Some(1) => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                0
            }
            Some(step @ 2..=MAX_GAP) if self.in_a_row >= PROOF => step - 1,
            _ => {
                self.in_a_row = 0;
                0
            }
        }
    }
}

fn word(datagram: &[u8], start: usize) -> Option<[u8; 4]> {
    datagram.get(start..start + 4)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are no number.
    fn noise(n: u64) -> [u8; 16] {
        let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        [0; 16].map(|_: u8| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
    }

    fn width(head: impl Fn(u64) -> Vec<u8>) -> Option<usize> {
        let mut number = SequenceNumber::default();
        for n in 250..270 {
            assert_eq!(number.follow(&[head(n), noise(n).to_vec()].concat()), 0);
        }
        number.width()
    }

    #[test]
    fn numbers_are_found_and_noise_is_none() {
        assert_eq!(width(|n| (n as u32).to_le_bytes().to_vec()), Some(4));
        assert_eq!(width(|n| (n as u32).to_be_bytes().to_vec()), Some(4));
        assert_eq!(width(|n| n.to_le_bytes().to_vec()), Some(8));
        assert_eq!(width(|n| n.to_be_bytes().to_vec()), Some(8));
        assert_eq!(width(|_| Vec::new()), None);
        let mut silence = SequenceNumber::default();
        for _ in 0..100 {
            silence.follow(&[0; 100]);
            silence.follow(&[]);
        }
        assert_eq!(silence.width(), None);
    }

    #[test]
    fn what_is_missing_is_counted_once_the_number_is_known() {
        let mut number = SequenceNumber::default();
        assert_eq!(
            (number.follow(&5_u32.to_le_bytes()), number.follow(&9_u32.to_le_bytes())),
            (0, 0)
        );
        for n in 10_u32..30 {
            assert_eq!(number.follow(&n.to_le_bytes()), 0);
        }
        assert_eq!(number.follow(&33_u32.to_le_bytes()), 3);
        assert_eq!(number.follow(&34_u32.to_le_bytes()), 0);
        // Begun anew.
        assert_eq!(number.follow(&0_u32.to_le_bytes()), 0);
        assert_eq!(number.width(), None);
    }
}
