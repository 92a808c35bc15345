//! Pictures of recordings that others made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{exit_code, nap, recording, stderr, stdout, truth};

/// Runs `nap waterfall` on a recording.
fn waterfall(file: &Path, output: &Path, more: &[&str]) -> Output {
    nap().arg("waterfall").arg(file).arg("-o").arg(output).args(more).output().unwrap()
}

struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        Self { width: info.width as usize, height: info.height as usize, rgb }
    }

    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// The bright end of the scale is green to yellow, the noise is dark blue.
    fn is_bright(&self, x: usize, y: usize) -> bool {
        let [red, green, _] = self.pixel(x, y);
        green > 150 && red < 254
    }

    fn is_box(&self, x: usize, y: usize) -> bool {
        [[0xff, 0xff, 0xff], [0xff, 0x9d, 0x76]].contains(&self.pixel(x, y))
    }
}

#[test]
fn bursts_and_boxes_are_where_the_truth_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let output = waterfall(&recording("rc1_two_uplinks"), &path, &[]);
    assert_eq!((exit_code(&output), stdout(&output)), (0, ""), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 messages, 6 frames decoded"), "{}", stderr(&output));

    let picture = Picture::read(&path);
    assert_eq!((picture.width, picture.height), (1600, 900));
    // The plot is 1400 pixels wide and 774 high; it shows 192 kHz and 9 s.
    let x_of = |hz: f64| 76.0 + (hz - (868.13e6 - 96e3)) / 192e3 * 1400.0;
    let y_of = |s: f64| 64.0 + s / 9.0 * 774.0;
    let truth = truth("rc1_two_uplinks");
    let messages = truth["messages"].as_array().unwrap();
    for frame in messages.iter().flat_map(|message| message["frames"].as_array().unwrap()) {
        let x = x_of(frame["frequency_hz"].as_f64().unwrap()) as usize;
        let start_s = frame["time_s"].as_f64().unwrap();
        // Frames of 9 to 12 bytes take 208 bits of 10 ms, after a symbol of reference.
        let (top, bottom) = (y_of(start_s) as usize, y_of(start_s + 2.09) as usize);
        let rows = top + 4..bottom - 4;
        let bright = rows.clone().filter(|&y| (x - 1..=x + 1).any(|x| picture.is_bright(x, y)));
        assert!(bright.count() * 10 > rows.len() * 9, "the burst of {frame}");
        for side in [x - 7, x + 7] {
            let edge = |y: usize| (side - 2..=side + 2).any(|x| picture.is_box(x, y));
            assert!(rows.clone().all(edge), "the sides of the box of {frame}");
        }
        for end in [top, bottom] {
            assert!((end - 2..=end + 2).any(|y| picture.is_box(x - 4, y)), "the ends for {frame}");
        }
    }
}

#[test]
fn size_part_and_span_are_those_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let more = ["--size", "800x500", "--start", "3.5", "--duration", "2.8", "--no-decode"];
    let span = ["--span", "868.13M..868.145M"];
    let output = waterfall(&recording("rc1_two_uplinks"), &path, &[&more[..], &span[..]].concat());
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(!stderr(&output).contains("decoded"), "{}", stderr(&output));
    let picture = Picture::read(&path);
    assert_eq!((picture.width, picture.height), (800, 500));
    // The frame at 868137131 Hz, 3.94 to 6.03 s, on 600 by 374 pixels for 15 kHz and 2.8 s.
    let x = 76 + 600 * 7131 / 15_000;
    let is_bright = |y: usize| (x - 3..=x + 3).any(|x| picture.is_bright(x, y));
    let (top, bottom) = (64 + 374 * 439 / 2800, 64 + 374 * 2529 / 2800);
    assert!((top + 8..bottom - 8).filter(|&y| is_bright(y)).count() * 10 > (bottom - top) * 8);
    assert!(!(66..top - 8).chain(bottom + 8..436).any(is_bright));
}

#[test]
fn standard_input_needs_no_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let samples = fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap();
    let output = nap()
        .args(["waterfall", "-", "--sample-format", "cs8", "--sample-rate", "250k", "-o"])
        .arg(&path)
        .write_stdin(samples)
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("2 messages, 6 frames decoded"), "{}", stderr(&output));
    assert_eq!(Picture::read(&path).width, 1600);
}

#[test]
fn a_picture_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/out.png");
    let output = waterfall(&recording("rc2_minus112dbm"), &path, &["--no-decode"]);
    assert_eq!(exit_code(&output), 1);
    assert!(stderr(&output).contains("out.png: cannot write the picture"), "{}", stderr(&output));
}

#[test]
fn a_recording_cut_short_is_drawn_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, path) = (folder.path().join("cut.sigmf-meta"), folder.path().join("out.png"));
    let data = fs::read(recording("rc1_two_uplinks.sigmf-data")).unwrap();
    fs::copy(recording("rc1_two_uplinks.sigmf-meta"), &meta).unwrap();
    fs::write(folder.path().join("cut.sigmf-data"), &data[..1_000_001]).unwrap();
    let output = waterfall(&meta, &path, &["--size", "640x480"]);
    assert_eq!(exit_code(&output), 1, "{}", stderr(&output));
    assert_eq!(Picture::read(&path).width, 640);

    fs::write(folder.path().join("cut.sigmf-data"), &data[..400]).unwrap();
    let none = folder.path().join("none.png");
    let output = waterfall(&meta, &none, &[]);
    assert_eq!(exit_code(&output), 1);
    assert!(stderr(&output).contains("100 samples are too few"), "{}", stderr(&output));
    assert!(!none.exists());
}

/// Nine seconds, two of pause, nine 10 kHz higher, and one at another band.
fn retuned(folder: &Path) -> PathBuf {
    let data = fs::read(recording("rc1_two_uplinks.sigmf-data")).unwrap();
    let samples = data.len() / 4;
    let more = vec![0_u8; 250_000 * 4];
    fs::write(folder.join("retuned.sigmf-data"), [&data[..], &data, &more].concat()).unwrap();
    let meta = fs::read(recording("rc1_two_uplinks.sigmf-meta")).unwrap();
    let mut meta: serde_json::Value = serde_json::from_slice(&meta).unwrap();
    meta["captures"] = serde_json::json!([
        {"core:sample_start": 0, "core:frequency": 868.13e6, "core:global_index": 0},
        {"core:sample_start": samples, "core:frequency": 868.14e6,
         "core:global_index": samples + 500_000},
        {"core:sample_start": 2 * samples, "core:frequency": 433.92e6},
    ]);
    let path = folder.join("retuned.sigmf-meta");
    fs::write(&path, meta.to_string()).unwrap();
    path
}

#[test]
fn all_parts_of_a_retuned_recording_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, path) = (retuned(folder.path()), folder.path().join("out.png"));
    let output = waterfall(&meta, &path, &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("4 messages, 12 frames decoded"), "{}", stderr(&output));
    let elsewhere = "the part from 20.000 s on was tuned elsewhere and stays grey";
    assert!(stderr(&output).contains(elsewhere), "{}", stderr(&output));
    let picture = Picture::read(&path);
    let x_of = |hz: f64| (76.0 + (hz - (868.13e6 - 96e3)) / 192e3 * 1400.0) as usize;
    let y_of = |s: f64| (64.0 + s / 21.0 * 774.0) as usize;
    // The frame at 868137131 Hz, 3.94 to 6.03 s.
    for (offset_hz, offset_s) in [(0.0, 0.0), (10e3, 11.0)] {
        let x = x_of(868_137_131.0 + offset_hz);
        let rows = y_of(4.0 + offset_s)..y_of(6.0 + offset_s);
        let bright = rows.clone().filter(|&y| (x - 1..=x + 1).any(|x| picture.is_bright(x, y)));
        assert!(bright.count() * 10 > rows.len() * 9, "{offset_s} s");
    }
    for pause_s in [9.2, 10.8, 20.5] {
        assert_eq!(picture.pixel(700, y_of(pause_s)), [0xc8; 3], "{pause_s} s");
    }
    assert_ne!(picture.pixel(700, y_of(11.2)), [0xc8; 3]);
    // A part of it is drawn as any recording is.
    let output = waterfall(&meta, &path, &["--start", "20", "--no-decode"]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let output = waterfall(&meta, &path, &["--span", "500M..501M"]);
    assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("outside the sampled band"), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_shown_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    for (arguments, expected) in [
        (["--size", "10x10"], "is not a size from 480x320"),
        (["--span", "0"], "must be above 0"),
        (["--span", "868.2M..868.1M"], "from a lower to a higher"),
        (["--span", "868.1M..869M"], "outside the sampled band"),
        (["--span", "300k"], "outside the sampled band"),
    ] {
        let output = waterfall(&recording("rc2_minus112dbm"), &path, &arguments);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert_eq!(exit_code(&output), 2, "{arguments:?}");
        assert!(!path.exists());
    }
}
