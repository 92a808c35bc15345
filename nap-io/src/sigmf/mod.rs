//! SigMF recordings: samples in one file, what is known about them in another (JSON).
//!
//! Follows the SigMF specification 1.2 (<https://sigmf.org>) for recordings with one channel of
//! complex samples. The checksum is not verified. Sample indices in this crate count from the
//! first sample in the data file; where a document counts otherwise (`core:offset`), they are converted.

mod annotate;
pub(crate) mod annotation;
pub(crate) mod archive;
pub(crate) mod bare_data;
pub(crate) mod capture_breaks;
mod data_file;
mod fields;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod recording;
pub(crate) mod writer;

pub use annotate::annotate;
pub use annotation::{Annotation, Extension};
pub use archive::recordings_in;
pub use metadata::{Capture, Metadata};
pub use writer::{SIGMF_VERSION, SigmfWriter};
