//! One station a state folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::Error;

const FILE: &str = "lock";

/// Holds a state folder for this process, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process has it, and which; [`Error::Io`] if the lock cannot be made.
    pub fn take(state: &Path) -> Result<Self, Error> {
        let path = state.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(Error::io(&path, "open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                drop(file.read_to_string(&mut pid));
                return Err(Error::InUse { state: state.into(), pid: pid.trim().into() });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(&path, "lock")(error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        // On a disk that is full the lock holds all the same.
        drop(written);
        Ok(Self { _file: file })
    }

    /// The process that has the folder, if one has.
    #[must_use]
    pub fn holder(state: &Path) -> Option<String> {
        let mut file = File::open(state.join(FILE)).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut pid = String::new();
        file.read_to_string(&mut pid).ok()?;
        Some(pid.trim().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it() {
        let state = tempfile::tempdir().unwrap();
        let first = FolderLock::take(state.path()).unwrap();
        let error = FolderLock::take(state.path()).unwrap_err();
        let pid = std::process::id().to_string();
        assert!(matches!(&error, Error::InUse { pid: found, .. } if *found == pid), "{error}");
        assert_eq!(FolderLock::holder(state.path()), Some(pid));
        drop(first);
        assert_eq!(FolderLock::holder(state.path()), None);
        FolderLock::take(state.path()).unwrap();
    }
}
