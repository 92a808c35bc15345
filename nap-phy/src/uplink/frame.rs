//! A checked view over a frame that came off the air.

use arrayvec::ArrayVec;

use crate::uplink::container::{Container, MAX_CONTAINER_BYTES, check_length};
use crate::uplink::convolution;
use crate::uplink::frame_error::FrameError;
use crate::uplink::frame_type::FrameType;
use crate::uplink::rank::Rank;
use crate::uplink::sync_word::{PREAMBLE, split_sync_word};

/// A frame off the air whose preamble, type, length and container have been found valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    rank: Rank,
    container: Container,
}

impl Frame {
    /// Takes a bitstream apart and checks all of it but the authentication tag.
    ///
    /// `bitstream` is a whole frame with its preamble, 14 to 26 bytes, nothing after it.
    ///
    /// # Errors
    ///
    /// The first thing wrong, in the order: preamble, frame type, length, CRC, length indicator,
    /// control code.
    pub fn parse(bitstream: &[u8]) -> Result<Self, FrameError> {
        let (frame_type, bytes) = deconvolved(bitstream)?;
        let container = Container::check(frame_type.class, &bytes)?;
        Ok(Self { rank: frame_type.rank, container })
    }

    /// Which frame of a message.
    #[must_use]
    pub const fn rank(&self) -> Rank {
        self.rank
    }

    /// Rank and length class of the frame.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        FrameType { class: self.container.class(), rank: self.rank }
    }

    /// The deconvolved container.
    #[must_use]
    pub const fn container(&self) -> &Container {
        &self.container
    }
}

/// Splits a bitstream into its type and its deconvolved container, which is yet to be checked.
pub(crate) fn deconvolved(
    bitstream: &[u8],
) -> Result<(FrameType, ArrayVec<u8, MAX_CONTAINER_BYTES>), FrameError> {
    let (sync_word, container) =
        bitstream.split_first_chunk().ok_or(FrameError::TooShort { found: bitstream.len() })?;
    let frame_type = parse_sync_word(u32::from_be_bytes(*sync_word))?;
    check_length(frame_type.class, container)?;
    let mut container: ArrayVec<u8, MAX_CONTAINER_BYTES> = container.iter().copied().collect();
    convolution::decode(frame_type.rank, &mut container);
    Ok((frame_type, container))
}

fn parse_sync_word(sync_word: u32) -> Result<FrameType, FrameError> {
    let (found, frame_type) = split_sync_word(sync_word);
    if found != PREAMBLE {
        return Err(FrameError::Preamble { expected: PREAMBLE, found });
    }
    FrameType::from_bits(frame_type).ok_or(FrameError::FrameType { found: frame_type })
}
