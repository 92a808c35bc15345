//! Recordings in several files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

mod common;

use std::path::PathBuf;
use std::slice;

use common::{read_all, read_to_end};
use nap_io::{Error, JoinRule, OpenOptions, SampleSource, group, open_joined};
use num_complex::Complex32;
use serde_json::json;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A SigMF recording of 100 samples whose values begin with `first`.
    fn sigmf(&self, name: &str, first: u8, offset: u64, time: Option<&str>) -> PathBuf {
        let meta = json!({
            "global": {"core:datatype": "ci8", "core:sample_rate": 1000, "core:version": "1.2.0",
                "core:offset": offset},
            "captures": [{"core:sample_start": offset, "core:frequency": 868e6,
                "core:datetime": time}],
        });
        let path = self.0.path().join(format!("{name}.sigmf-meta"));
        std::fs::write(&path, meta.to_string()).unwrap();
        std::fs::write(path.with_extension("sigmf-data"), numbers(first)).unwrap();
        path
    }

    fn raw(&self, name: &str, first: u8) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, numbers(first)).unwrap();
        path
    }
}

fn numbers(first: u8) -> Vec<u8> {
    (0..100).flat_map(|i| [first + i, 0]).collect()
}

fn groups(paths: &[&PathBuf], rule: JoinRule) -> Vec<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = paths.iter().map(|&path| path.clone()).collect();
    group(&paths, &OpenOptions::default(), rule)
}

/// As a shell gives them for `*`.
#[test]
fn both_files_of_a_recording_are_one() {
    let folder = Folder::new();
    let (a, b) = (folder.sigmf("a", 0, 0, None), folder.sigmf("b", 0, 0, None));
    let [a_data, b_data] = [&a, &b].map(|meta| meta.with_extension("sigmf-data"));
    let raw = folder.raw("c_868M_1k.cs8", 0);
    let found = groups(&[&a_data, &a, &b, &b_data, &raw], JoinRule::Offsets);
    assert_eq!(found, [vec![a_data], vec![b], vec![raw]]);
}

#[test]
fn offsets_and_times_that_fit_join_recordings() {
    let folder = Folder::new();
    let first = folder.sigmf("a", 0, 0, Some("2026-01-19T09:30:00.0Z"));
    let second = folder.sigmf("b", 10, 100, Some("2026-01-19T09:30:00.1Z"));
    // Samples are missing before it, and offset and time agree about that.
    let third = folder.sigmf("c", 20, 5200, Some("2026-01-19T09:30:05.2Z"));
    let other = folder.sigmf("d", 30, 100, Some("2026-01-20T09:30:00.1Z"));
    let groups = groups(&[&third, &other, &first, &second], JoinRule::Offsets);
    assert_eq!(groups, [vec![first, second, third], vec![other]]);

    let mut source = open_joined(&groups[0], &OpenOptions::default()).unwrap();
    let info = source.info().clone();
    assert_eq!((info.total_samples, info.time_line_samples()), (Some(300), Some(5300)));
    let [stretch] = info.stretches().try_into().unwrap();
    assert_eq!(stretch.gaps, slice::from_ref(&(200..5200)));
    assert_eq!(info.time_at(5200), "2026-01-19T09:30:05.2Z".parse().ok());
    let samples = read_all(&mut source);
    assert_eq!(samples.len(), 300);
    assert_eq!(samples[205], Complex32::new(25.0 / 128.0, 0.0));
    for skipped in [0, 99, 100, 150, 200, 299] {
        let mut source = open_joined(&groups[0], &OpenOptions::default()).unwrap();
        assert_eq!(source.skip(skipped).unwrap(), skipped);
        assert_eq!(read_all(&mut source), samples[skipped as usize..], "{skipped}");
    }
    let mut source = open_joined(&groups[0], &OpenOptions::default()).unwrap();
    assert_eq!(source.skip(1000).unwrap(), 300);
}

#[test]
fn without_times_offsets_must_fit_to_the_sample() {
    let folder = Folder::new();
    let first = folder.sigmf("a", 0, 0, None);
    let second = folder.sigmf("b", 10, 100, None);
    let late = folder.sigmf("c", 20, 201, None);
    let joined = groups(&[&first, &second, &late], JoinRule::Offsets);
    assert_eq!(joined, [vec![first, second], vec![late]]);
}

#[test]
fn names_that_count_are_joined_on_demand_only() {
    let folder = Folder::new();
    let [ninth, tenth, twelfth] =
        ["r9_1k.cs8", "r10_1k.cs8", "r12_1k.cs8"].map(|name| folder.raw(name, 1));
    let broken = folder.raw("r11_1k.what", 1);
    let files = [&tenth, &twelfth, &ninth, &broken];
    assert_eq!(groups(&files, JoinRule::Offsets).len(), 4);
    let joined = groups(&files, JoinRule::Names);
    assert_eq!(joined, [vec![ninth, tenth], vec![twelfth], vec![broken]]);
    assert_eq!(read_all(&mut open_joined(&joined[0], &OpenOptions::default()).unwrap()).len(), 200);
}

#[test]
fn names_with_times_that_follow_each_other_are_joined_on_demand() {
    let folder = Folder::new();
    // A hundredth of a second each; names tell whole seconds.
    let [first, second, later] = ["20260119_093000Z", "20260119_093001Z", "20260119_094500Z"]
        .map(|time| folder.raw(&format!("SDR_{time}_868000kHz_10ksps.cs8"), 1));
    let joined = groups(&[&first, &second, &later], JoinRule::Names);
    assert_eq!(joined, [vec![first, second], vec![later]]);
}

#[test]
fn a_part_of_another_frequency_is_a_stretch_of_its_own() {
    let folder = Folder::new();
    let parts = [folder.raw("r1_868M_1k.cs8", 0), folder.raw("r2_869M_1k.cs8", 0)];
    let source = open_joined(&parts, &OpenOptions::default()).unwrap();
    let [first, second] = source.info().stretches().try_into().unwrap();
    assert_eq!((first.center_hz, second.center_hz), (Some(868e6), Some(869e6)));
    assert_eq!((first.length, second.first_sample), (Some(100), 100));
}

#[test]
fn an_incomplete_sample_in_the_middle_is_told_at_the_end() {
    let folder = Folder::new();
    let parts = [folder.raw("r1_1k.cs8", 0), folder.raw("r2_1k.cs8", 0)];
    std::fs::write(&parts[0], [0; 199]).unwrap();
    let mut source = open_joined(&parts, &OpenOptions::default()).unwrap();
    let (samples, error) = read_to_end(&mut source);
    assert_eq!(samples.len(), 199);
    assert!(matches!(error, Some(Error::Truncated { samples: 99, .. })), "{error:?}");
}

#[test]
fn parts_that_cannot_be_one_recording_are_refused() {
    let folder = Folder::new();
    let parts = [folder.raw("r1_1k.cs8", 0), folder.raw("r2_2k.cs8", 0)];
    let error = open_joined(&parts, &OpenOptions::default()).err().unwrap();
    assert!(error.to_string().contains("sample rate that changes to 2000"), "{error}");
}
