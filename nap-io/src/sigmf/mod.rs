//! SigMF recordings: samples in one file, what is known about them in another (JSON).
//!
//! Follows the SigMF specification 1.2 (<https://sigmf.org>) for recordings with one channel of
//! complex samples. The checksum is not verified. Sample indices in this crate count from the
//! first sample in the data file; where a document counts otherwise (`core:offset`), they are converted.

mod annotate;
mod annotation;
mod metadata;
mod names;
mod recording;
mod writer;

pub use annotate::annotate;
pub use annotation::{Annotation, Extension};
pub use metadata::{Capture, Metadata};
pub(crate) use names::find_meta;
pub(crate) use recording::open;
pub use writer::SigmfWriter;

/// The version of the specification that is written.
pub const SIGMF_VERSION: &str = "1.2.0";
