//! The container of a message: everything of a frame after preamble and frame type.

use core::hash::{Hash, Hasher};

use arrayvec::ArrayVec;
use subtle::ConstantTimeEq;

use crate::device::authentication::{Authentication, cbc_mac};
use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::uplink::content::Content;
use crate::uplink::convolution;
use crate::uplink::crc16::{crc_syndrome, crc16};
use crate::uplink::frame_error::FrameError;
use crate::uplink::frame_type::FrameType;
use crate::uplink::length_class::LengthClass;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::rank::Rank;

/// Longest container in bytes.
pub const MAX_CONTAINER_BYTES: usize = LengthClass::NineToTwelveBytes.container_bytes();

/// Longest frame in bytes, preamble included.
pub const MAX_FRAME_BYTES: usize = LengthClass::NineToTwelveBytes.frame_bits() / 8;

/// A whole frame as sent: preamble, frame type and convolved container, most significant bit first.
pub type Bitstream = ArrayVec<u8, MAX_FRAME_BYTES>;

/// Bytes of header and device id, which come before the payload.
const ADDRESS_BYTES: usize = 6;

/// Bytes of the CRC at a container's end.
const CRC_BYTES: usize = 2;

const BIDIRECTIONAL: u8 = 0x20;
const REPEATED: u8 = 0x10;

/// A container, deconvolved, whose CRC matches and whose content could be understood.
///
/// | bytes | field |
/// | --- | --- |
/// | 0, bits 7–6 | length indicator |
/// | 0, bit 5 | bidirectional flag |
/// | 0, bit 4 | repeated flag |
/// | 0, bits 3–0, and 1 | sequence number |
/// | 2–5 | device id, least significant byte first |
/// | 0–12 more | payload |
/// | 2–5 more | authentication tag |
/// | last two | CRC, most significant byte first |
#[derive(Debug, Clone)]
pub struct Container {
    class: LengthClass,
    bytes: ArrayVec<u8, MAX_CONTAINER_BYTES>,
    content: Content,
}

/// Class and bytes say all: the content is read from them. Compilers compare a content ahead of knowing its kind,
/// and with it bytes that it does not have, which tools that watch memory take for an error.
impl PartialEq for Container {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class && self.bytes == other.bytes
    }
}

impl Eq for Container {}

impl Hash for Container {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.class.hash(state);
        self.bytes.hash(state);
    }
}

impl Container {
    /// Checks the bytes of a container that have been deconvolved.
    ///
    /// A receiver calls this on many candidates: the CRC comes first, nothing is allocated.
    ///
    /// # Errors
    ///
    /// - [`FrameError::ContainerLength`] if `bytes` is not as long as the class says.
    /// - [`FrameError::Crc`] if the CRC does not match.
    /// - [`FrameError::LengthIndicator`] if no device uses the indicator in this class.
    /// - [`FrameError::ControlCode`], [`FrameError::ControlLength`] or
    ///   [`FrameError::BidirectionalControl`] if the class is [`LengthClass::Control`] and the
    ///   container holds no control message that is known.
    pub fn check(class: LengthClass, bytes: &[u8]) -> Result<Self, FrameError> {
        check_length(class, bytes)?;
        check_crc(bytes)?;
        Self::read(class, bytes)
    }

    /// Reads a container whose length has been checked, whatever its CRC.
    pub(crate) fn read(class: LengthClass, bytes: &[u8]) -> Result<Self, FrameError> {
        let length_indicator = bytes[0] >> 6;
        let payload_bytes = class
            .payload_bytes(length_indicator)
            .ok_or(FrameError::LengthIndicator { class, found: length_indicator })?;
        if class == LengthClass::Control && bytes[0] & BIDIRECTIONAL != 0 {
            return Err(FrameError::BidirectionalControl);
        }
        let payload = &bytes[ADDRESS_BYTES..][..payload_bytes];
        Ok(Self {
            class,
            bytes: bytes.iter().copied().collect(),
            content: Content::parse(class, length_indicator, payload)?,
        })
    }

    /// The container of a message.
    pub(crate) fn build(uplink: &Uplink, key: &Key) -> Self {
        let content = uplink.content().clone();
        let class = content.class();
        let payload = content.wire_payload();
        let mut bytes = ArrayVec::new();
        bytes.extend(header(uplink, content.length_indicator(payload.len())));
        bytes.extend(uplink.device_id().0.to_le_bytes());
        bytes.extend(payload.iter().copied());
        let tag = cbc_mac(key, &bytes);
        bytes.extend(tag.into_iter().take(class.tag_bytes(payload.len())));
        bytes.extend(crc16(&bytes).to_be_bytes());
        Self { class, bytes, content }
    }

    /// A whole frame with this container: preamble, frame type and the container convolved.
    #[must_use]
    pub fn bitstream(&self, rank: Rank) -> Bitstream {
        let frame_type = FrameType { class: self.class, rank };
        let mut convolved = self.bytes.clone();
        convolution::encode(rank, &mut convolved);
        frame_type.sync_word().to_be_bytes().into_iter().chain(convolved).collect()
    }

    /// The bytes of the container.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The class of the container.
    #[must_use]
    pub const fn class(&self) -> LengthClass {
        self.class
    }

    /// The length indicator, 0 to 3.
    #[must_use]
    pub fn length_indicator(&self) -> u8 {
        self.bytes[0] >> 6
    }

    /// Whether the device will listen for a downlink.
    #[must_use]
    pub fn bidirectional(&self) -> bool {
        self.bytes[0] & BIDIRECTIONAL != 0
    }

    /// Whether the flag is set that devices always clear, presumably by a repeater.
    #[must_use]
    pub fn repeated(&self) -> bool {
        self.bytes[0] & REPEATED != 0
    }

    /// The message counter.
    #[must_use]
    pub fn sequence_number(&self) -> MessageCounter {
        MessageCounter::from_low_bits(u16::from_be_bytes([self.bytes[0], self.bytes[1]]))
    }

    /// The sender.
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        DeviceId(u32::from_le_bytes([2, 3, 4, 5].map(|index| self.bytes[index])))
    }

    /// What the container says.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The payload as sent: that of the application or a control message, empty for a bit.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes[ADDRESS_BYTES..self.tag_start()]
    }

    /// The authentication tag, 2 to 5 bytes.
    #[must_use]
    pub fn tag(&self) -> &[u8] {
        &self.bytes[self.tag_start()..self.bytes.len() - CRC_BYTES]
    }

    /// The CRC.
    #[must_use]
    pub fn crc(&self) -> u16 {
        crc_of(&self.bytes)
    }

    /// The message in the container.
    ///
    /// # Errors
    ///
    /// [`FrameError::RepeatedFrame`] if the repeated flag is set: the format of repeated frames is
    /// not public, so their fields may mean something else.
    pub fn uplink(&self) -> Result<Uplink, FrameError> {
        if self.repeated() {
            return Err(FrameError::RepeatedFrame);
        }
        Uplink::new(self.device_id(), self.sequence_number(), self.content.clone())
            .with_bidirectional(self.bidirectional())
            .map_err(|_| FrameError::BidirectionalControl)
    }

    /// Whether `key` made the tag. Compares in constant time.
    ///
    /// Either [`Authentication::Verified`] or [`Authentication::Failed`].
    #[must_use]
    pub fn authenticate(&self, key: &Key) -> Authentication {
        let expected = cbc_mac(key, &self.bytes[..self.tag_start()]);
        let tag = self.tag();
        if tag.ct_eq(&expected[..tag.len()]).into() {
            Authentication::Verified
        } else {
            Authentication::Failed
        }
    }

    fn tag_start(&self) -> usize {
        let payload_bytes = self.class.payload_bytes(self.length_indicator()).unwrap_or(0);
        ADDRESS_BYTES + payload_bytes
    }
}

impl Uplink {
    /// The container of the message, authenticated with the device's key.
    #[must_use]
    pub fn container(&self, key: &Key) -> Container {
        Container::build(self, key)
    }

    /// A whole frame of the message, preamble included.
    ///
    /// To make several frames, build the [`container`](Self::container) once and take its
    /// [`bitstream`](Container::bitstream) for each rank.
    #[must_use]
    pub fn encode(&self, rank: Rank, key: &Key) -> Bitstream {
        self.container(key).bitstream(rank)
    }
}

/// Checks that a container has the length of its class.
pub(crate) fn check_length(class: LengthClass, container: &[u8]) -> Result<(), FrameError> {
    let (expected, found) = (class.container_bytes(), container.len());
    if found != expected {
        return Err(FrameError::ContainerLength { class, expected, found });
    }
    Ok(())
}

/// Checks the CRC at the end of a container.
pub(crate) fn check_crc(container: &[u8]) -> Result<(), FrameError> {
    match crc_syndrome(container) {
        0 => Ok(()),
        syndrome => {
            let found = crc_of(container);
            Err(FrameError::Crc { expected: found ^ syndrome, found })
        }
    }
}

/// The CRC at the end of a container.
fn crc_of(container: &[u8]) -> u16 {
    container.last_chunk().map_or(0, |crc| u16::from_be_bytes(*crc))
}

/// The first two bytes of a container.
fn header(uplink: &Uplink, length_indicator: u8) -> [u8; 2] {
    let [high, low] = uplink.sequence_number().value().to_be_bytes();
    let flags = if uplink.bidirectional() { BIDIRECTIONAL } else { 0 };
    [length_indicator << 6 | flags | high, low]
}
