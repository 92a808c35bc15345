//! WAV files with two channels: I is left, Q is right.
//!
//! Read are integers of 8, 16, 24 and 32 bit and floats of 32 and 64 bit, as RIFF or as RF64 (over
//! 4 GiB, EBU Tech 3306). Centre frequency and start come from the `auxi` chunk that SpectraVue,
//! SDR#, HDSDR and SDRuno write, else from the file name.

mod header;
pub(crate) mod recording;
pub(crate) mod writer;

pub use header::Header;
pub use writer::WavWriter;
