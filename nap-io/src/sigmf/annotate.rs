//! Adding annotations to a recording that exists.

use std::path::Path;

use serde_json::{Value, json};

use super::annotation::{Annotation, Extension, append};
use super::metadata::{read_text, root_object};
use super::names::data_path;
use crate::atomic_file;
use crate::error::Error;

/// Copies a metadata file with annotations added; all other fields stay, known here or not.
///
/// `sample_start` of the annotations counts from the first sample in the data file. The copy is
/// written as a whole or not at all, and may replace the original. A copy of another name in the
/// same folder names the data file (`core:dataset`); a copy in another folder needs the data file
/// put beside it.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read or written, [`Error::Malformed`] if `meta_path_in` is no
/// SigMF metadata, [`Error::Annotation`] if an annotation breaks the rules of SigMF.
pub fn annotate(
    meta_path_in: &Path,
    annotations: &[Annotation],
    extensions: &[Extension],
    meta_path_out: &Path,
) -> Result<(), Error> {
    let mut root = root_object(meta_path_in, &read_text(meta_path_in)?)?;
    append(meta_path_in, &mut root, annotations, extensions)?;
    let data_in = data_path(meta_path_in);
    let data_out = data_path(meta_path_out);
    if data_in != data_out
        && data_in.parent() == data_out.parent()
        && let Some(global) = root.get_mut("global").and_then(Value::as_object_mut)
        && let Some(name) = data_in.file_name().and_then(|name| name.to_str())
    {
        global.entry("core:dataset").or_insert_with(|| json!(name));
    }
    write_json(meta_path_out, &Value::Object(root))
}

/// Writes a metadata document, for people to read too.
pub(super) fn write_json(path: &Path, root: &Value) -> Result<(), Error> {
    // `{:#}` is the indented form and, unlike the functions for writers, cannot fail.
    atomic_file::write(path, format!("{root:#}\n").as_bytes())
}
