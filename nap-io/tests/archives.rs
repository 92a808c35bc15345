//! SigMF archives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::path::PathBuf;

use common::{fixed_seed, fixture, open, open_error, read_all};
use nap_io::{Error, OpenOptions};
use proptest::prelude::*;
use tempfile::TempDir;

/// An archive of these files, written by a library.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn write(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("a.sigmf");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn meta() -> Vec<u8> {
    std::fs::read(fixture("rc2_minus112dbm.sigmf-meta")).unwrap()
}

fn data() -> Vec<u8> {
    std::fs::read(fixture("rc2_minus112dbm.sigmf-data")).unwrap()
}

/// Whichever comes first, in a folder with a long name or not.
#[test]
fn an_archive_is_read_like_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = open(&fixture("rc2_minus112dbm.sigmf-meta")).unwrap();
    let (info, samples) = (alone.info().clone(), read_all(alone.as_mut()));
    let (meta, data) = (meta(), data());
    let long = "x".repeat(120);
    let (long_meta, long_data) = (format!("{long}/r.sigmf-meta"), format!("{long}/r.sigmf-data"));
    for files in [
        [("r/r.sigmf-meta", &meta[..]), ("r/r.sigmf-data", &data[..])],
        [("r.sigmf-data", &data[..]), ("r.sigmf-meta", &meta[..])],
        [(&long_data, &data[..]), (&long_meta, &meta[..])],
    ] {
        let path = write(&folder, &archive(&files));
        let mut source = open(&path).unwrap();
        assert_eq!(*source.info(), info);
        assert_eq!(read_all(source.as_mut()), samples);
        let mut source = open(&path).unwrap();
        assert_eq!(source.skip(1000).unwrap(), 1000);
        assert_eq!(read_all(source.as_mut()), samples[1000..]);
    }
}

#[test]
fn what_an_archive_lacks_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = |bytes: &[u8]| open_error(&write(&folder, bytes), &OpenOptions::default());
    let (meta, data) = (meta(), data());
    let nothing = error(&archive(&[("readme", b"hello")])).to_string();
    assert!(nothing.contains("holds no .sigmf-meta file"), "{nothing}");
    let half = error(&archive(&[("r.sigmf-meta", &meta)]));
    assert!(matches!(half, Error::MissingPart { .. }), "{half:?}");
    let files: Vec<(&str, &[u8])> =
        vec![("a.sigmf-meta", &meta), ("b.sigmf-meta", &meta), ("a.sigmf-data", &data)];
    let two = error(&archive(&files)).to_string();
    assert!(two.contains("a SigMF archive of 2 recordings"), "{two}");
    let no_archive = error(&[7; 2000]).to_string();
    assert!(no_archive.contains("cannot be read as tar"), "{no_archive}");
    let empty = error(&[]).to_string();
    assert!(empty.contains("holds no .sigmf-meta file"), "{empty}");
}

#[test]
fn an_archive_that_is_cut_short_gives_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, data) = (meta(), data());
    let whole = archive(&[("r.sigmf-meta", &meta), ("r.sigmf-data", &data)]);
    // The data of 2 MB starts after two heads and the metadata.
    let path = write(&folder, &whole[..1_000_000]);
    let mut source = open(&path).unwrap();
    let mut block = vec![num_complex::Complex32::ZERO; 2_000_000];
    let count = source.read(&mut block).unwrap();
    assert!((490_000..500_000).contains(&count), "{count}");
    let error = source.read(&mut block).unwrap_err();
    let Error::Truncated { promised, .. } = error else { panic!("{error:?}") };
    assert_eq!(promised, Some(data.len() as u64 / 2));
}

proptest! {
    #![proptest_config(fixed_seed(300))]

    /// A damaged archive gives samples or an error.
    #[test]
    fn any_byte_may_be_wrong(at in 0_usize..3000, byte: u8) {
        let mut bytes = archive(&[("r.sigmf-meta", &meta()), ("r.sigmf-data", &[1; 400])]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let folder = tempfile::tempdir().unwrap();
        if let Ok(mut source) = open(&write(&folder, &bytes)) {
            let mut block = [num_complex::Complex32::ZERO; 1000];
            while matches!(source.read(&mut block), Ok(1..)) {}
        }
    }
}
