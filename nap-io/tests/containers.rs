//! Files that are compressed, or something else than their name says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

mod common;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use common::{open, open_error, ramp, raw, read_all, read_to_end};
use nap_io::wav::WavWriter;
use nap_io::{Error, OpenOptions, SampleFormat, SampleSink, StreamInfo, convert};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

type Compress = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

const COMPRESSIONS: [(&str, Compress); 4] =
    [("gz", gzip), ("bz2", bzip2), ("xz", xz), ("zst", zstd)];

fn write(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// 100 000 samples as cs16, more than any buffer on the way takes.
fn stored() -> Vec<u8> {
    let mut bytes = Vec::new();
    convert::encode(SampleFormat::Cs16Le, &ramp(100_000), &mut bytes);
    bytes
}

#[test]
fn compressed_files_are_unpacked_on_the_way() {
    let stored = stored();
    let (_folder, plain) = write("x_868.13M_250k.cs16", &stored);
    let expected = read_all(&mut open(&plain).unwrap());
    for (suffix, compress) in COMPRESSIONS {
        let packed = compress(&stored);
        // The name before the ending counts, and a file that was renamed is known by its bytes.
        for name in [format!("x_868.13M_250k.cs16.{suffix}"), "x_868.13M_250k.cs16".into()] {
            let (_folder, path) = write(&name, &packed);
            let mut source = open(&path).unwrap();
            assert_eq!(source.info().center_hz, Some(868.13e6));
            assert_eq!(source.info().total_samples, None);
            assert_eq!(read_all(&mut source), expected, "{name}");
        }
        // Files made of several, as parallel programs write them.
        let halves = stored.split_at(stored.len() / 2);
        let (_folder, path) =
            write("x_250k.cs16", &[compress(halves.0), compress(halves.1)].concat());
        assert_eq!(read_all(&mut open(&path).unwrap()), expected, "{suffix}");
        // Through a pipe, and with samples left out.
        let mut source = nap_io::open_stream(
            Box::new(Cursor::new(packed)),
            Path::new("-"),
            &raw(SampleFormat::Cs16Le),
        )
        .unwrap();
        assert_eq!(source.skip(70_000).unwrap(), 70_000);
        assert_eq!(read_all(&mut source), expected[70_000..], "{suffix}");
    }
}

/// Blocks of tapes and disks are filled up; anything else there is told.
#[test]
fn zeros_behind_what_gzip_packed_are_no_data() {
    let packed = [gzip(&[1, 2, 3, 4]), vec![0; 20_000], gzip(&[5, 6]), vec![0; 512]].concat();
    let (_folder, path) = write("x_250k.cs8", &packed);
    assert_eq!(read_all(&mut open(&path).unwrap()).len(), 3);
    let packed = [gzip(&stored()), vec![0; 512], b"something else".to_vec()].concat();
    let (_folder, path) = write("x_250k.cs16", &packed);
    let (samples, error) = read_to_end(open(&path).unwrap().as_mut());
    assert_eq!(samples.len(), 100_000);
    assert!(matches!(error, Some(Error::Io { .. })), "{error:?}");
}

#[test]
fn a_skippable_frame_of_zstandard_is_no_data() {
    let mut packed = zstd(&[1, 2, 3, 4]);
    packed.extend(b"\x50\x2a\x4d\x18\x03\0\0\0abc");
    packed.extend(zstd(&[5, 6]));
    let (_folder, path) = write("x_250k.cs8", &packed);
    assert_eq!(read_all(&mut open(&path).unwrap()).len(), 3);
    // As pzstd begins.
    let packed = [b"\x50\x2a\x4d\x18\x04\0\0\0\x12\0\0\0" as &[u8], &packed].concat();
    let (_folder, path) = write("x_250k.cs8", &packed);
    assert_eq!(read_all(&mut open(&path).unwrap()).len(), 3);
}

#[test]
fn compressed_files_that_end_early_are_cut_short() {
    let stored = stored();
    for (suffix, compress) in COMPRESSIONS {
        let packed = compress(&stored);
        let (_folder, path) = write("x_250k.cs16", &packed[..packed.len() * 9 / 10]);
        let (samples, error) = read_to_end(open(&path).unwrap().as_mut());
        assert!(!samples.is_empty(), "{suffix}");
        assert!(matches!(error, Some(Error::Truncated { .. })), "{suffix}: {error:?}");
    }
}

#[test]
fn compressed_wav_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let mut writer =
        WavWriter::create(&path, &StreamInfo::new(250e3, SampleFormat::Cs16Le)).unwrap();
    writer.write(&ramp(1000)).unwrap();
    writer.finish().unwrap();
    let expected = read_all(&mut open(&path).unwrap());
    let packed = folder.path().join("x_868.13M.wav.gz");
    std::fs::write(&packed, gzip(&std::fs::read(&path).unwrap())).unwrap();
    let mut source = open(&packed).unwrap();
    assert_eq!(source.info().center_hz, Some(868.13e6));
    assert_eq!(read_all(&mut source), expected);
    let renamed = folder.path().join("x.bin");
    std::fs::rename(&path, &renamed).unwrap();
    assert_eq!(read_all(&mut open(&renamed).unwrap()), expected);
}

#[test]
fn compressed_sigmf_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let meta = br#"{"global": {"core:datatype": "ci16_le", "core:sample_rate": 250000,
        "core:version": "1.2.0"}, "captures": [{"core:sample_start": 0}]}"#;
    for (suffix, compress) in COMPRESSIONS {
        let packed_data = file(&format!("r.sigmf-data.{suffix}"));
        std::fs::write(&packed_data, compress(&stored())).unwrap();
        std::fs::write(file("r.sigmf-meta"), meta).unwrap();
        for given in [&packed_data, &file("r.sigmf-meta"), &file("r")] {
            assert_eq!(read_all(&mut open(given).unwrap()).len(), 100_000, "{given:?}");
        }
        std::fs::remove_file(file("r.sigmf-meta")).unwrap();
        let packed_meta = file(&format!("r.sigmf-meta.{suffix}"));
        std::fs::write(&packed_meta, compress(meta)).unwrap();
        for given in [&packed_data, &packed_meta] {
            assert_eq!(read_all(&mut open(given).unwrap()).len(), 100_000, "{given:?}");
        }
        std::fs::remove_file(packed_meta).unwrap();
        std::fs::remove_file(packed_data).unwrap();
    }
}

#[test]
fn what_is_no_recording_is_told_by_its_name() {
    let cases: [(&[u8], &str); 16] = [
        (b"PK\x03\x04\x14\0\0\0\x08\0", "a zip archive"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        (b"<HTML><head>", "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "git lfs pull",
        ),
        (b"/annex/objects/SHA256E-s1--4d7a\n", "git annex get"),
        (b"\x93NUMPY\x01\0v\0{'descr': '<c8'}", "a NumPy file"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0", "an HDF5 file"),
        (b"fLaC\0\0\0\x22", "a FLAC file"),
        (b"caff\0\x01\0\0desc", "a Core Audio file"),
        (b"{\"global\": {\"core:datatype\": \"ci8\"},\n\"captures\": []}", "a JSON document"),
        (b"{\"message\":\"Not Found\"}", "a JSON document"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture or film"),
        (b"ID3\x04\0\0\0\0", "an MP3 file"),
        (b"I,Q\n0.25,0.5\n0.125,0.25\n-0.5,0.0625\n", "a text file"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (b"MATLAB 5.0 MAT-file, Platform", "a MATLAB file"),
    ];
    for (bytes, word) in cases {
        for name in ["x_868.13M_250k.cu8", "x.wav", "x_250k.cu8.gz"] {
            let (_folder, path) = write(name, bytes);
            let error = open_error(&path, &OpenOptions::default());
            assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(6);
    tar.append_data(&mut header, "readme", &b"hello\n"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    for (name, bytes) in [("x_250k.cu8", tar.clone()), ("x.tar.gz", gzip(&tar))] {
        let (_folder, path) = write(name, &bytes);
        let error = open_error(&path, &OpenOptions::default());
        assert!(error.to_string().contains("an archive that holds no .sigmf-meta"), "{error}");
    }
    for name in ["x_250k.cs16.lzma", "x_250k.cs16.Z", "x_250k.cs16.br"] {
        let (_folder, path) = write(name, &[0x5d, 0, 0, 0x80, 0, 1, 2, 3]);
        let error = open_error(&path, &OpenOptions::default());
        assert!(error.to_string().contains("compressed as its name says"), "{error}");
    }
    let (_folder, path) = write("x_250k.cu8", &gzip(&gzip(&[0; 100])));
    assert!(open_error(&path, &OpenOptions::default()).to_string().contains("twice"));
}

#[test]
fn a_pointer_instead_of_the_data_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let meta = folder.path().join("r.sigmf-meta");
    std::fs::write(&meta, r#"{"global": {"core:datatype": "ci8", "core:sample_rate": 1e6}}"#)
        .unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    std::fs::write(folder.path().join("r.sigmf-data"), pointer).unwrap();
    assert!(open_error(&meta, &OpenOptions::default()).to_string().contains("git lfs pull"));
}

proptest! {
    #![proptest_config(common::fixed_seed(256))]

    /// Damaged files end in an error or give some other samples; they never panic nor go on for ever.
    #[test]
    fn compressed_files_with_wrong_bytes(
        which in 0_usize..4,
        changes in prop::collection::vec((6_usize..400, any::<u8>()), 1..5),
        length in 10_usize..500,
    ) {
        let numbers: Vec<u8> = (0..2000_u32).map(|i| (i * i / 7) as u8).collect();
        let (_, compress) = COMPRESSIONS[which];
        let mut packed = compress(&numbers);
        for (index, value) in changes {
            if let Some(byte) = packed.get_mut(index) {
                *byte = value;
            }
        }
        packed.truncate(length);
        let (_folder, path) = write("x_250k.cu8", &packed);
        if let Ok(mut source) = open(&path) {
            let mut block = vec![num_complex::Complex32::ZERO; 1000];
            for _ in 0..1000 {
                match source.read(&mut block) {
                    Ok(1..) => {}
                    _ => break,
                }
            }
        }
    }

    #[test]
    fn a_file_of_any_first_bytes(bytes in prop::collection::vec(any::<u8>(), 1..40), mark in 0_usize..5) {
        let marks = [b"\x1f\x8b\x08\0" as &[u8], b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b""];
        let (_folder, path) = write("x_250k.cu8", &[marks[mark], &bytes].concat());
        if let Ok(mut source) = open(&path) {
            let (samples, _) = read_to_end(source.as_mut());
            prop_assert!(mark < 4 || samples.len() <= 20);
        }
    }
}
