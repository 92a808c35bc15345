//! Writing a recording.

use std::io;
use std::path::{Path, PathBuf};

use num_complex::Complex32;
use serde_json::{Map, Value, json};

use super::annotate::write_json;
use super::annotation::{Annotation, Extension, append};
use super::names::{data_path, meta_path};
use crate::error::Error;
use crate::raw::RawWriter;
use crate::sink::SampleSink;
use crate::stream_info::{StreamInfo, check_center, check_sample_rate};

/// The version of the specification that is written.
pub const SIGMF_VERSION: &str = "1.2.0";

/// Writes a SigMF recording: the samples as they come, the metadata at the end.
pub struct SigmfWriter {
    meta_path: PathBuf,
    root: Map<String, Value>,
    data: RawWriter,
}

impl SigmfWriter {
    /// Starts a recording; `path` is its base name or the name of either of its files. A recording
    /// of that name is replaced.
    ///
    /// Format, rate, centre, start and description are taken from `info`. Annotations are not:
    /// [`SigmfWriter::annotate`] adds them, since their name spaces have to be declared.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a format that SigMF does not have, [`Error::OutOfRange`] for an
    /// impossible rate or centre, [`Error::Io`] if a file cannot be created.
    pub fn create(path: &Path, info: &StreamInfo) -> Result<Self, Error> {
        let meta_path = meta_path(path);
        let root = document(&meta_path, info)?;
        // Metadata of an older recording must not describe the samples of this one.
        remove_if_there(&meta_path)?;
        let data = RawWriter::create(&data_path(path), info.format)?;
        Ok(Self { meta_path, root, data })
    }

    /// Adds annotations, to be written with the metadata.
    ///
    /// # Errors
    /// [`Error::Annotation`] for one that breaks the rules of SigMF; none is added then.
    pub fn annotate(
        &mut self,
        annotations: &[Annotation],
        extensions: &[Extension],
    ) -> Result<(), Error> {
        append(&self.meta_path, &mut self.root, annotations, extensions)
    }

    /// The metadata file, which is there once the recording is finished.
    pub fn meta_path(&self) -> &Path {
        &self.meta_path
    }
}

impl SampleSink for SigmfWriter {
    fn write(&mut self, samples: &[Complex32]) -> Result<(), Error> {
        self.data.write(samples)
    }

    fn samples_written(&self) -> u64 {
        self.data.samples_written()
    }

    fn clipped_components(&self) -> u64 {
        self.data.clipped_components()
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.data.finish()?;
        write_json(&self.meta_path, &Value::Object(self.root.clone()))
    }
}

fn document(meta_path: &Path, info: &StreamInfo) -> Result<Map<String, Value>, Error> {
    let datatype = info.format.sigmf_datatype().ok_or_else(|| {
        let what = format!("the sample format {} in SigMF", info.format);
        Error::unsupported(meta_path, what, "use cs8, cs16 or cf32")
    })?;
    let mut global = Map::new();
    global.insert("core:version".into(), json!(SIGMF_VERSION));
    global.insert("core:datatype".into(), json!(datatype));
    let sample_rate_hz = check_sample_rate(meta_path, info.sample_rate_hz)?;
    global.insert("core:sample_rate".into(), json!(sample_rate_hz));
    global.insert("core:num_channels".into(), json!(1));
    let recorder = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    global.insert("core:recorder".into(), json!(recorder));
    if let Some(description) = &info.description {
        global.insert("core:description".into(), json!(description));
    }
    let mut capture = Map::new();
    capture.insert("core:sample_start".into(), json!(0));
    if let Some(center_hz) = info.center_hz {
        capture.insert("core:frequency".into(), json!(check_center(meta_path, center_hz)?));
    }
    if let Some(start) = info.start {
        capture.insert("core:datetime".into(), json!(start.to_string()));
    }
    let mut root = Map::new();
    root.insert("global".into(), Value::Object(global));
    root.insert("captures".into(), json!([capture]));
    root.insert("annotations".into(), json!([]));
    Ok(root)
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(path, "replace")(error))
        }
        _ => Ok(()),
    }
}
