//! IQ samples in and out of files and pipes.
//!
//! [`open`] finds out how a recording is stored and gives its samples as a [`SampleSource`], block
//! by block: SigMF, WAV (RF64 too), raw files named the way rtl_433 does, and standard input, compressed
//! or not.
//! [`create`] is the way back, a [`SampleSink`]. The crate knows no protocol: a sample is a
//! `Complex32` of full scale 1.0, whatever the file holds (see [`SampleFormat`]).
//!
//! ```no_run
//! use nap_io::num_complex::Complex32;
//! use nap_io::{OpenOptions, SampleSource};
//!
//! # fn main() -> Result<(), nap_io::Error> {
//! let mut source = nap_io::open("g001_868.13M_250k.cu8".as_ref(), &OpenOptions::default())?;
//! println!("{} samples a second", source.info().sample_rate_hz);
//! let mut block = vec![Complex32::ZERO; 1 << 16];
//! loop {
//!     let count = source.read(&mut block)?;
//!     if count == 0 {
//!         break;
//!     }
//!     // ... use block[..count]
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`live`] has sources that go on and on, and what keeps them running.
//!
//! # Recordings that are cut short
//! A recording whose end is missing is no reason to lose the rest: all whole samples are read, and
//! then, once, [`Error::Truncated`] says what is missing.
//!
//! # Fuzzing
//! Everything that reads bytes of others can be called by itself: [`sigmf::Metadata::parse`],
//! [`wav::Header::read`], [`FileName::parse`] and [`FileName::split_prefix`]. They never panic.

mod atomic_file;
mod compression;
mod content;
pub mod convert;
mod counted;
mod create;
mod crystal;
mod error;
mod file_name;
mod float_width;
mod format;
mod gnu_radio;
mod input;
mod join;
pub mod live;
mod mirror;
mod open;
mod open_options;
mod raw;
mod sample_look;
mod sample_reader;
mod sdriq;
mod side_file;
pub mod sigmf;
mod sink;
mod source;
mod stream_info;
mod stretch;
mod stretch_reader;
mod time_text;
mod utc;
pub mod wav;

pub use counted::counted;
pub use create::create;
pub use crystal::CrystalCorrected;
pub use error::{Error, io_words};
pub use file_name::told::FileName;
pub use format::{SampleFormat, UnknownFormatName};
pub use join::{JoinRule, group, open_joined};
pub use mirror::swap_iq;
/// The crate that samples are from: `num_complex::Complex32`.
pub use num_complex;
pub use open::{open, open_stream};
pub use open_options::OpenOptions;
pub use raw::RawWriter;
pub use sample_look::{FormatDoubt, SampleLook, Stillness};
pub use sink::SampleSink;
pub use source::SampleSource;
pub use stream_info::{Break, MAX_CENTER_HZ, MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ, StreamInfo};
pub use stretch::Stretch;
pub use stretch_reader::StretchReader;
pub use utc::utc_text;
