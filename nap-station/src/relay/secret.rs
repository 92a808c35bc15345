//! A secret in a file of its own, read whenever it is used, so that a new one counts at once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::secret::check_secret_file;

/// A secret in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    path: PathBuf,
}

impl Secret {
    /// A file whose relative path starts from a folder.
    #[must_use]
    pub fn new(folder: &Path, path: &Path) -> Self {
        Self { path: folder.join(path) }
    }

    /// The secret, without the line's end.
    ///
    /// # Errors
    /// If the file cannot be read, is empty, or others can read it.
    pub fn read(&self) -> Result<String, Error> {
        check_secret_file(&self.path)?;
        let text = fs::read_to_string(&self.path).map_err(Error::io(&self.path, "read"))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        let is_one = !secret.is_empty() && !secret.contains(char::is_control);
        let problem = "is to have one line with the secret in it";
        let bad = || Error::BadFile { path: self.path.clone(), problem: problem.into() };
        is_one.then(|| secret.to_owned()).ok_or_else(bad)
    }
}
