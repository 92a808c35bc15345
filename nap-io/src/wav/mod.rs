//! WAV files with two channels: I is left, Q is right.
//!
//! Read are integers of 8, 16, 24 and 32 bit and floats of 32 and 64 bit, as RIFF or as RF64 or BW64 (over
//! 4 GiB, EBU Tech 3306), from files and from pipes. Sizes in headers are often wrong: whatever follows
//! the header and is no other chunk is read, with a warning. Centre frequency and start come from the `auxi` chunk that SpectraVue,
//! SDR#, HDSDR, SDRuno and SDR Console write, before the samples or behind them, else from the file name.

mod auxi;
mod extent;
mod header;
mod pipe_body;
pub(crate) mod recording;
mod trailer;
pub(crate) mod writer;

pub use header::Header;
pub use writer::WavWriter;
