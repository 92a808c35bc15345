//! SigMF archives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::io::Write;
use std::path::PathBuf;

use common::{fixed_seed, fixture, open, open_error, read_all};
use nap_io::{Error, JoinRule, OpenOptions};
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

/// The same bytes as the program gzip would pack them, and as xz would.
fn packed(bytes: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    let options = lzma_rust2::XzOptions::with_preset(0);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    xz.write_all(bytes).unwrap();
    [("a.sigmf.gz", gzip.finish().unwrap()), ("a.tar.xz", xz.finish().unwrap())]
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
        // What tar on a Mac adds is no metadata.
        let files = [&[("._r.sigmf-meta", &b"\0\x05\x16\x07"[..])], &files[..]].concat();
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
fn a_compressed_archive_is_unpacked_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = open(&fixture("rc2_minus112dbm.sigmf-meta")).unwrap();
    let (info, samples) = (alone.info().clone(), read_all(alone.as_mut()));
    let (meta, data) = (meta(), data());
    for files in [
        [("r/r.sigmf-meta", &meta[..]), ("r/r.sigmf-data", &data[..])],
        [("r.sigmf-data", &data[..]), ("r.sigmf-meta", &meta[..])],
    ] {
        for (name, bytes) in packed(&archive(&files)) {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let mut source = open(&path).unwrap();
            assert_eq!(source.info().center_hz, info.center_hz);
            assert_eq!(read_all(source.as_mut()), samples, "{name}");
            // Its end is missing: whole samples come, then that.
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            let Ok(mut source) = open(&path) else {
                assert_eq!(files[0].0, "r.sigmf-data", "the metadata has gone too");
                continue;
            };
            let mut block = vec![num_complex::Complex32::ZERO; 1 << 16];
            let error = loop {
                match source.read(&mut block) {
                    Ok(0) => panic!("{name}: the end is missing"),
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
        }
    }
}

#[test]
fn each_recording_of_an_archive_has_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, data) = (meta(), data());
    let other = String::from_utf8(meta.clone()).unwrap().replace("902200000", "902300000");
    assert_ne!(other.as_bytes(), meta);
    let files = [
        ("one/a.sigmf-meta", &meta[..]),
        ("two/b.sigmf-meta", other.as_bytes()),
        ("two/b.sigmf-data", &data[..data.len() / 2]),
        ("one/a.sigmf-data", &data[..]),
    ];
    let whole = archive(&files);
    let path = write(&folder, &whole);
    let [(name, gzip), _] = packed(&whole);
    std::fs::write(folder.path().join(name), gzip).unwrap();
    for path in [path, folder.path().join(name)] {
        let names = [path.join("one/a.sigmf-meta"), path.join("two/b.sigmf-meta")];
        assert_eq!(nap_io::sigmf::recordings_in(&path), names);
        let groups =
            nap_io::group(std::slice::from_ref(&path), &OpenOptions::default(), JoinRule::Offsets);
        assert_eq!(groups, names.each_ref().map(|name| vec![name.clone()]));
        let several = open_error(&path, &OpenOptions::default()).to_string();
        assert!(several.contains("an archive of 2 SigMF recordings as one ("), "{several}");
        assert!(several.contains("one/a.sigmf-meta"), "{several}");
        let mut lengths = Vec::new();
        for name in [&names[0], &path.join("two/b"), &path.join("two/b.sigmf-data")] {
            lengths.push(read_all(open(name).unwrap().as_mut()).len());
        }
        assert_eq!(lengths, [data.len() / 2, data.len() / 4, data.len() / 4]);
        assert_eq!(open(&names[1]).unwrap().info().center_hz, Some(902.3e6));
        let none = open_error(&path.join("three.sigmf-meta"), &OpenOptions::default());
        assert!(matches!(none, Error::MissingPart { .. }), "{none:?}");
    }
    // One recording is the archive itself.
    let path = write(&folder, &archive(&files[..1]));
    assert!(nap_io::sigmf::recordings_in(&path).is_empty());
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
    assert!(two.contains("an archive of 2 SigMF recordings"), "{two}");
    let no_archive = error(&[7; 2000]).to_string();
    assert!(no_archive.contains("cannot be read as tar"), "{no_archive}");
    // A raw file is no folder, whatever is asked for in it.
    let raw = folder.path().join("x.cu8");
    std::fs::write(&raw, [7; 2000]).unwrap();
    let inside = open_error(&raw.join("x"), &OpenOptions::default());
    assert_eq!(inside.io_kind(), Some(std::io::ErrorKind::NotADirectory), "{inside}");
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
    let Error::Truncated { declared, .. } = error else { panic!("{error:?}") };
    assert_eq!(declared, Some(data.len() as u64 / 2));
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
