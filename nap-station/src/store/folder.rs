//! The folder in which a station keeps what it must not lose.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::rotated_file::sync_folder_of;

/// The ledger's file in it.
#[must_use]
pub fn ledger_path(state: &Path) -> PathBuf {
    state.join("ledger.db")
}

/// The ledger's file, where there is one.
///
/// # Errors
/// [`Error::BadFile`] if there is none.
pub fn expect_ledger(state: &Path) -> Result<PathBuf, Error> {
    let path = ledger_path(state);
    if path.exists() {
        return Ok(path);
    }
    let problem = "there is no ledger yet; start the station once".to_owned();
    Err(Error::BadFile { path, problem })
}

/// What a station has in its folder, by the beginning of the name.
const OWN: [&str; 2] = ["ledger.db", "identity.json"];

/// Looks whether a folder can be closed to others, if it is there: one that they can look into is to have nothing of
/// theirs in it.
///
/// # Errors
/// [`Error::BadFile`] if not; [`Error::Io`] if it cannot be looked at.
pub fn look(state: &Path) -> Result<(), Error> {
    if !state.exists() || !is_open(state)? {
        return Ok(());
    }
    let entries = fs::read_dir(state).map_err(Error::io(state, "look into"))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    // What every disk has is nobody's.
    let names: Vec<_> = names.filter(|name| name != "lost+found").collect();
    let is_own = |name: &OsString| {
        let name = name.to_string_lossy();
        OWN.iter().any(|own| name.starts_with(own))
    };
    if names.is_empty() || names.iter().any(is_own) {
        return Ok(());
    }
    let problem = "others can look into it, and what is in it is not a station's; say a folder of its own as `state`, or close it (chmod 700)";
    Err(Error::BadFile { path: state.into(), problem: problem.into() })
}

fn is_open(state: &Path) -> Result<bool, Error> {
    let metadata = fs::metadata(state).map_err(Error::io(state, "look at"))?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}

/// Makes the folder if it is not there, with mode 0700; one that others can look into is closed to them.
/// When this returns, a new folder stays after a loss of power.
///
/// # Errors
/// [`Error::Io`] if it cannot be made or closed; as [`look`].
pub fn make(state: &Path) -> Result<(), Error> {
    look(state)?;
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = state.ancestors().take_while(is_new).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(Error::io(state, "make the folder"))?;
    new.into_iter().try_for_each(sync_folder_of)?;
    if is_open(state)? {
        let closed = fs::Permissions::from_mode(0o700);
        fs::set_permissions(state, closed).map_err(Error::io(state, "set the mode of"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_not_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let set_mode =
            |mode| fs::set_permissions(&state, fs::Permissions::from_mode(mode)).unwrap();
        fs::create_dir(&state).unwrap();
        set_mode(0o755);
        fs::create_dir(state.join("lost+found")).unwrap();
        make(&state).unwrap();
        assert!(!is_open(&state).unwrap(), "an empty one is");
        set_mode(0o755);
        fs::write(state.join("letter.txt"), "").unwrap();
        assert!(make(&state).unwrap_err().to_string().contains("a folder of its own"));
        assert!(is_open(&state).unwrap());
        fs::write(state.join("ledger.db"), "").unwrap();
        make(&state).unwrap();
        assert!(!is_open(&state).unwrap(), "one of a station is");
    }
}
