//! The station's ID, made at the first start.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;

const FILE: &str = "identity.json";

/// Who a station is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// 16 hexadecimal digits.
    pub station: String,
}

impl Identity {
    /// The identity in a state folder; where there is none yet, it is made. One that is there is never
    /// replaced, though it cannot be read.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read or written, [`Error::BadFile`] for one that is damaged.
    pub fn load_or_make(state: &Path) -> Result<Self, Error> {
        Self::load(state)?.map_or_else(|| make(state, &state.join(FILE)), Ok)
    }

    /// The identity in a state folder, if there is one.
    ///
    /// # Errors
    /// As [`Self::load_or_make`].
    pub fn load(state: &Path) -> Result<Option<Self>, Error> {
        let path = state.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => parse(&path, &text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path, "read")(error)),
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<Identity, Error> {
    let identity: Identity = serde_json::from_str(text)
        .map_err(|error| Error::BadFile { path: path.into(), problem: error.to_string() })?;
    let is_id = |id: &str| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id(&identity.station) {
        return Ok(identity);
    }
    Err(Error::BadFile { path: path.into(), problem: "`station` has 16 hexadecimal digits".into() })
}

/// Written aside and renamed, so that a loss of power leaves all or nothing.
fn make(state: &Path, path: &Path) -> Result<Identity, Error> {
    let identity = Identity { station: random_hex::<8>()? };
    let text = serde_json::json!(identity).to_string() + "\n";
    let aside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)
        .map_err(Error::io(&aside, "make"))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(Error::io(&aside, "write"))?;
    fs::rename(&aside, path).map_err(Error::io(path, "rename"))?;
    File::open(state).and_then(|folder| folder.sync_all()).map_err(Error::io(state, "sync"))?;
    Ok(identity)
}

/// So many random bytes in hexadecimal.
///
/// # Errors
/// [`Error::Random`] if the operating system has none.
pub fn random_hex<const BYTES: usize>() -> Result<String, Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random { problem: error.to_string() })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_made_once_and_never_replaced() {
        let state = tempfile::tempdir().unwrap();
        let made = Identity::load_or_make(state.path()).unwrap();
        assert_eq!(made.station.len(), 16);
        assert_eq!(Identity::load_or_make(state.path()).unwrap(), made);
        fs::write(state.path().join(FILE), "{\"station\":").unwrap();
        let error = Identity::load_or_make(state.path()).unwrap_err();
        assert!(matches!(error, Error::BadFile { .. }), "{error}");
        assert_eq!(fs::read_to_string(state.path().join(FILE)).unwrap(), "{\"station\":");
    }
}
