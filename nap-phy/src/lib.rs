//! The Sigfox 0G uplink: a receiver, and what it is made of: radio configurations, frames, coding and
//! authentication.
//!
//! Samples in, messages out. The samples of this example come from the simulator of [`nap_dsp`]:
//!
//! ```
//! # #[cfg(feature = "receiver")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use nap_dsp::modulator::{PulseShape, Waveform};
//! use nap_dsp::simulator::{FrontEnd, Simulator, Transmission};
//! use nap_phy::num_complex::Complex32;
//! use nap_phy::{Content, Event, Key, MessageCounter, Payload, Rank, Receiver, ReceiverConfig, Uplink};
//! use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
//!
//! // A frame of 100 bit/s at an Eb/N0 of 10 dB, 4 kHz above the centre.
//! let content = Content::Bytes(Payload::new(b"hello")?);
//! let sent = Uplink::new("FEDCBA98".parse()?, MessageCounter::new(7)?, content);
//! let bitstream = sent.encode(Rank::First, &Key::PUBLIC);
//! let bits = bitstream.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
//! let waveform = Waveform::new(bits, 100.0, PulseShape::Rectangular)?;
//! let mut simulator = Simulator::new(FrontEnd::new(25_000.0), ChaCha12Rng::seed_from_u64(1))?;
//! simulator.add(Transmission::new(waveform, 0.5, 4_000.0, -138.0))?;
//! let mut samples = vec![Complex32::ZERO; 100_000];
//! simulator.render(&mut samples);
//!
//! let mut receiver = Receiver::new(ReceiverConfig::new(25_000.0, 868_130_000.0))?;
//! let mut events = receiver.push(&samples);
//! events.extend(receiver.flush());
//! let messages: Vec<_> = events
//!     .into_iter()
//!     .filter_map(|event| if let Event::Message(message) = event { Some(message) } else { None })
//!     .collect();
//! assert_eq!(messages.len(), 1);
//! assert_eq!(messages[0].uplink, sent);
//! assert!((messages[0].signal.frequency_hz - 868_134_000.0).abs() < 1.0);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "receiver"))]
//! # fn main() {}
//! ```
//!
//! [`receiver`] tells of its stages, of several channels and of long recordings.
//!
//! # Frames
//!
//! A device sends a message as up to three *frames*. Each is a bitstream of a 19-bit preamble, a
//! 13-bit frame type and a *container*, which frames 2 and 3 pass through a convolution. Two types
//! stand for the two sides of it:
//!
//! - [`Uplink`] is the meaning: a message value that cannot be illegal. [`Uplink::encode`] turns it
//!   into a bitstream.
//! - [`Frame`] and [`Container`] are the wire: checked views over what came off the air.
//!   [`Frame::parse`] takes a bitstream apart, [`Container::uplink`] gives its meaning and
//!   [`Container::authenticate`] says whether a key made it.
//!
//! ```
//! use nap_phy::{Authentication, Content, Frame, Key, MessageCounter, Payload, Rank, Uplink};
//!
//! # fn main() -> Result<(), nap_phy::Error> {
//! let key: Key = "0123456789ABCDEF0123456789ABCDEF".parse()?;
//! let uplink = Uplink::new(
//!     "FEDCBA98".parse()?,
//!     MessageCounter::new(0x123)?,
//!     Content::Bytes(Payload::new(&[0x40, 0x41])?),
//! );
//! let bitstream = uplink.encode(Rank::Second, &key);
//!
//! let frame = Frame::parse(&bitstream)?;
//! assert_eq!(frame.rank(), Rank::Second);
//! assert_eq!(frame.container().uplink()?, uplink);
//! assert_eq!(frame.container().authenticate(&key), Authentication::Verified);
//! # Ok(())
//! # }
//! ```
//!
//! Bits and bytes are most significant first. A 0 bit is a phase reversal on the air. Names carry their
//! units.
//!
//! # Features
//!
//! - `receiver` (default): the streaming receiver. Brings `std`.
//! - `parallel`: receivers of several channels on all cores. Brings `receiver`.
//! - `std`: device tables and messages as a receiver reports them.
//! - `csv`: tables of devices as CSV. Brings `std`.
//! - `serde`: serialisation of the value types; with `std` also the documented JSON records of
//!   `schema`.
//! - `scene`: simulated scenes. Brings `receiver` and `serde`.
//!
//! Without features the crate needs neither `std` nor an allocator.
//!
//! # Sources
//!
//! The constants and rules are those of the official end-point library
//! [sigfox-ep-lib](https://github.com/sigfox-tech-radio/sigfox-ep-lib), of
//! [RFC 8376](https://www.rfc-editor.org/rfc/rfc8376#section-2.3) section 2.3 and of the
//! [renard specification](https://github.com/Jeija/renard-spec); each item says which.
#![cfg_attr(not(any(feature = "std", test)), no_std)]

mod device;
mod error;
mod hexadecimal;
#[cfg(feature = "std")]
mod message;
mod radio;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg(feature = "scene")]
pub mod scene;
#[cfg(all(feature = "serde", feature = "std"))]
pub mod schema;
#[cfg(feature = "serde")]
mod serde_text;
mod uplink;

pub use device::authentication::{Authentication, MAX_TAG_BYTES, cbc_mac};
#[cfg(feature = "csv")]
pub use device::csv::{DeviceLineError, DeviceTableError};
pub use device::id::DeviceId;
pub use device::key::Key;
#[cfg(feature = "std")]
pub use device::table::{Device, DeviceTable};
pub use error::Error;
#[cfg(feature = "std")]
pub use message::{Decoder, Extent, FrameReport, Level, Message, MessageId, Signal};
/// The crate that samples are from: `num_complex::Complex32`.
#[cfg(feature = "receiver")]
pub use num_complex;
pub use radio::access::{Access, DownlinkWindow};
pub use radio::bit_rate::BitRate;
pub use radio::channel::MACRO_CHANNEL_WIDTH_HZ;
pub use radio::configuration::{
    BIDIRECTIONAL_PAUSE_MS, CONFIRMATION_DELAY_MS, MAX_UPLINK_PAUSE_MS, RadioConfiguration,
};
pub use radio::frequency_generator::FrequencyGenerator;
pub use radio::guard::Guard;
pub use radio::hopping::HoppingRaster;
#[cfg(feature = "receiver")]
pub use receiver::{Event, Receiver, ReceiverConfig, UndecodedBurst, UndecodedReason};
pub use uplink::acceptance::{Acceptance, AcceptanceWindow};
pub use uplink::container::{Bitstream, Container, MAX_CONTAINER_BYTES, MAX_FRAME_BYTES};
pub use uplink::content::Content;
pub use uplink::control::{ControlMessage, DeviceRssi, Telemetry};
pub use uplink::convolution;
pub use uplink::crc16::{crc_syndrome, crc16};
pub use uplink::frame::Frame;
pub use uplink::frame_error::FrameError;
pub use uplink::frame_type::FrameType;
pub use uplink::kind::Kind;
pub use uplink::length_class::LengthClass;
pub use uplink::message::Uplink;
pub use uplink::message_counter::{MessageCounter, MessageModulo};
pub use uplink::payload::{MAX_PAYLOAD_BYTES, Payload};
pub use uplink::rank::Rank;
pub use uplink::sync_word::{PREAMBLE, PREAMBLE_BITS, SYNC_BITS};
