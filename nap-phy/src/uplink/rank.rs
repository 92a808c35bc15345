//! Which of the three frames of a message.

use core::fmt;

use crate::error::Error;

/// Which of the three frames of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u8", try_from = "u8")
)]
pub enum Rank {
    /// The first frame, whose container is sent as it is.
    First,
    /// The second frame, convolved with octal 7.
    Second,
    /// The third frame, convolved with octal 5.
    Third,
}

impl Rank {
    /// The three ranks in the order of sending.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// The place in [`Rank::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.number() as usize - 1
    }

    /// The rank counted from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }

    /// Generator of the frame's convolution, octal 1, 7 or 5: bit *k* taps `x[n−k]`.
    #[must_use]
    pub const fn generator(self) -> u8 {
        match self {
            Self::First => 0o1,
            Self::Second => 0o7,
            Self::Third => 0o5,
        }
    }
}

impl From<Rank> for u8 {
    fn from(rank: Rank) -> Self {
        rank.number()
    }
}

impl TryFrom<u8> for Rank {
    type Error = Error;

    fn try_from(found: u8) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|rank| rank.number() == found).ok_or(Error::Rank { found })
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_one() {
        for (number, rank) in (1..).zip(Rank::ALL) {
            assert_eq!(Rank::try_from(number), Ok(rank));
        }
        assert_eq!(Rank::try_from(0), Err(Error::Rank { found: 0 }));
        assert_eq!(Rank::try_from(4), Err(Error::Rank { found: 4 }));
    }
}
