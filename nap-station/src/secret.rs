//! Files that nobody else may read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::Error;

/// Refuses a file with a secret in it that others can read.
///
/// # Errors
/// [`Error::Io`] if it cannot be looked at, [`Error::BadFile`] if others can read it.
pub(crate) fn check_secret_file(path: &Path) -> Result<(), Error> {
    let metadata = fs::metadata(path).map_err(Error::io(path, "look at"))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let problem =
        format!("holds a secret, and its mode {mode:03o} lets others read it; chmod 600 it");
    Err(Error::BadFile { path: path.into(), problem })
}
