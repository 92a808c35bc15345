//! The folder in which a station keeps what it must not lose.

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

/// Makes the folder if it is not there, with mode 0700; one that others can look into is closed to them.
/// When this returns, a new folder stays after a loss of power.
///
/// # Errors
/// [`Error::Io`] if it cannot be made or closed.
pub fn make(state: &Path) -> Result<(), Error> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = state.ancestors().take_while(is_new).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(Error::io(state, "make the folder"))?;
    new.into_iter().try_for_each(sync_folder_of)?;
    let metadata = fs::metadata(state).map_err(Error::io(state, "look at"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let closed = fs::Permissions::from_mode(0o700);
        fs::set_permissions(state, closed).map_err(Error::io(state, "set the mode of"))?;
    }
    Ok(())
}
