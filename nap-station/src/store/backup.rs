//! The state as one file, and back: ledger and configuration, without keys, identity or passwords.
//!
//! A backup is a tar archive: `backup.json` says what follows, with hashes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tar::{Archive, Builder, EntryType, Header};

use crate::error::Error;
use crate::rules::utc::Utc;
use crate::store::folder::{self, ledger_path};
use crate::store::lock::FolderLock;
use crate::store::schema;
use crate::store::upkeep;

const CONTENTS: &str = "backup.json";
const LEDGER: &str = "ledger.db";
const CONFIG: &str = "nap.toml";
const FORMAT: u32 = 1;
/// No list of contents and no configuration is longer, in bytes.
const LONGEST_TEXT: u64 = 1_000_000;
/// A ledger that comes out of a backup is of hardware that no station has: the next start begins a new epoch.
const RESTORED: &str = "restored";

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    format: u32,
    /// The program's version, for people.
    version: String,
    /// When it was made.
    time: String,
    /// The ledger's version.
    schema: usize,
    files: BTreeMap<String, FileEntry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FileEntry {
    bytes: u64,
    sha256: String,
}

/// Writes a backup of a state folder and the configuration that stands in `config`. Works beside a station that runs.
///
/// # Errors
/// [`Error::Io`], [`Error::Ledger`]; then there is no new file, and an older one of this name is as it was.
pub fn backup(state: &Path, config: &Path, file: &Path, now: Utc) -> Result<(), Error> {
    let (aside, copy) = (beside(file, "part"), beside(file, "ledger"));
    let written = copy_ledger(state, &copy).and_then(|()| pack(&copy, config, &aside, now));
    remove(&copy)?;
    if let Err(error) = written.and_then(|()| rename(&aside, file)) {
        remove(&aside)?;
        return Err(error);
    }
    Ok(())
}

/// A copy of the ledger as it is at one moment.
fn copy_ledger(state: &Path, copy: &Path) -> Result<(), Error> {
    remove(copy)?;
    drop(create(copy)?);
    let ledger = ledger_path(state);
    if !ledger.exists() {
        let problem = "there is no ledger to back up".to_owned();
        return Err(Error::BadFile { path: ledger, problem });
    }
    let connection = Connection::open(&ledger)?;
    schema::check_version(&connection)?;
    let text = copy.to_str().ok_or_else(|| Error::BadFile {
        path: copy.into(),
        problem: "the name is no UTF-8".into(),
    })?;
    connection.execute("VACUUM INTO ?", [text])?;
    Ok(())
}

fn pack(ledger: &Path, config: &Path, aside: &Path, now: Utc) -> Result<(), Error> {
    let parts = [(LEDGER, ledger), (CONFIG, config)];
    let mut files = BTreeMap::new();
    for (name, path) in parts {
        files.insert(name.to_owned(), describe(path)?);
    }
    let contents = Contents {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        time: now.text(),
        schema: schema::known(),
        files,
    };
    let text = serde_json::json!(contents).to_string();
    let mut archive = Builder::new(create(aside)?);
    let written = append(&mut archive, CONTENTS, text.len() as u64, text.as_bytes(), now);
    written.map_err(Error::io(aside, "write"))?;
    for (name, path) in parts {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let bytes = contents.files[name].bytes;
        append(&mut archive, name, bytes, file, now).map_err(Error::io(aside, "write"))?;
    }
    let file = archive.into_inner().map_err(Error::io(aside, "write"))?;
    file.sync_all().map_err(Error::io(aside, "write"))
}

fn append(
    archive: &mut Builder<File>,
    name: &str,
    bytes: u64,
    data: impl Read,
    now: Utc,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(now.0 / 1_000_000).unwrap_or(0));
    archive.append_data(&mut header, name, data)
}

fn describe(path: &Path) -> Result<FileEntry, Error> {
    let mut file = File::open(path).map_err(Error::io(path, "open"))?;
    hash(&mut file, &mut io::sink()).map_err(Error::io(path, "read"))
}

/// Copies all, and says what it was.
fn hash(from: &mut impl Read, to: &mut impl Write) -> io::Result<FileEntry> {
    let (mut hasher, mut buffer, mut bytes) = (Sha256::new(), vec![0; 65_536], 0);
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
        bytes += count as u64;
    }
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileEntry { bytes, sha256 })
}

/// Puts the ledger of a backup into a state folder in which there is none. All of the backup is looked at first; the
/// next start begins a new epoch.
///
/// # Errors
/// [`Error::BadFile`] for a backup that is damaged, or a state folder that has a ledger; [`Error::NewerLedger`] for
/// one of a later version; [`Error::InUse`] if a station works on the folder.
pub fn restore(file: &Path, state: &Path) -> Result<(), Error> {
    verify(file)?;
    folder::make(state)?;
    let _lock = FolderLock::take(state)?;
    let ledger = ledger_path(state);
    if ledger.exists() {
        let problem = "is there already; a backup is restored where there is none".to_owned();
        return Err(Error::BadFile { path: ledger, problem });
    }
    let aside = beside(&ledger, "restored");
    forget_log(&aside)?;
    let unpacked = unpack(file, &aside).and_then(|()| adopt(&aside));
    let is_alone = unpacked.and_then(|()| forget_log(&ledger));
    if let Err(error) = is_alone.and_then(|()| rename(&aside, &ledger)) {
        remove(&aside)?;
        return Err(error);
    }
    Ok(())
}

/// The configuration in a backup, once all of the backup was looked at.
///
/// # Errors
/// As [`restore`].
pub fn configuration(file: &Path) -> Result<String, Error> {
    verify(file)?;
    let mut text = String::new();
    let mut archive = Archive::new(open(file)?);
    let entries = archive.entries().map_err(Error::io(file, "read"))?;
    for entry in entries {
        let entry = entry.map_err(Error::io(file, "read"))?;
        if entry.path_bytes().as_ref() == CONFIG.as_bytes() {
            let read = entry.take(LONGEST_TEXT).read_to_string(&mut text);
            read.map_err(Error::io(file, "read"))?;
        }
    }
    Ok(text)
}

/// Reads all of a backup, and compares it with what it says of itself.
fn verify(file: &Path) -> Result<(), Error> {
    let bad = |problem: &str| Error::BadFile { path: file.into(), problem: problem.into() };
    let damaged = |error: io::Error| bad(&format!("is damaged or no backup: {error}"));
    let mut archive = Archive::new(open(file)?);
    let mut entries = archive.entries().map_err(damaged)?;
    let first = entries.next().ok_or_else(|| bad("is empty"))?.map_err(damaged)?;
    if first.path_bytes().as_ref() != CONTENTS.as_bytes() {
        return Err(bad("is no backup of a station"));
    }
    let contents: Contents = serde_json::from_reader(first.take(LONGEST_TEXT))
        .map_err(|error| bad(&format!("is damaged: {error}")))?;
    if contents.format != FORMAT {
        return Err(bad(&format!(
            "is of format {}, and this program knows {FORMAT}",
            contents.format
        )));
    }
    schema::check(contents.schema)?;
    let mut expected = contents.files;
    for entry in entries {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let found = hash(&mut entry, &mut io::sink()).map_err(damaged)?;
        if expected.remove(&name).as_ref() != Some(&found) {
            return Err(bad(&format!("is damaged: {name} is not what it was")));
        }
    }
    match expected.keys().next() {
        Some(name) => Err(bad(&format!("is damaged: {name} is missing"))),
        None => Ok(()),
    }
}

fn unpack(file: &Path, aside: &Path) -> Result<(), Error> {
    let mut archive = Archive::new(open(file)?);
    let entries = archive.entries().map_err(Error::io(file, "read"))?;
    for entry in entries {
        let mut entry = entry.map_err(Error::io(file, "read"))?;
        if entry.path_bytes().as_ref() == LEDGER.as_bytes() {
            remove(aside)?;
            let mut ledger = create(aside)?;
            let copied = hash(&mut entry, &mut ledger).and_then(|_| ledger.sync_all());
            copied.map_err(Error::io(aside, "write"))?;
        }
    }
    Ok(())
}

/// Removes what SQLite left beside a ledger that is not there any more: it would be taken for changes of the next
/// one of this name.
fn forget_log(ledger: &Path) -> Result<(), Error> {
    ["-wal", "-shm", "-journal"].iter().try_for_each(|suffix| remove(&with_suffix(ledger, suffix)))
}

/// Looks whether the ledger is sound, and has the next start begin a new epoch.
fn adopt(ledger: &Path) -> Result<(), Error> {
    let connection = Connection::open(ledger)?;
    // All of it is in one file then, which is to get another name.
    connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
    schema::check_version(&connection)?;
    let problems = upkeep::problems(&connection)?;
    if let Some(problem) = problems.first() {
        return Err(Error::BadFile { path: ledger.into(), problem: problem.clone() });
    }
    connection.execute("UPDATE epochs SET hardware = ?", [RESTORED])?;
    Ok(())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    with_suffix(file, &format!(".{suffix}"))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn open(file: &Path) -> Result<File, Error> {
    File::open(file).map_err(Error::io(file, "open"))
}

/// Nobody else may read it: a configuration may have passwords in addresses and headers.
fn create(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(Error::io(path, "make"))
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::io(to, "rename"))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder, "sync"))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path, "remove")(error)),
        _ => Ok(()),
    }
}
