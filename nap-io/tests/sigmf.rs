//! SigMF: metadata and data that agree, disagree or are incomplete.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

mod common;

use std::path::{Path, PathBuf};
use std::slice;

use common::{fixture, open, open_error, ramp, raw, read_all, read_to_end};
use nap_io::sigmf::{Annotation, Extension, Metadata, SigmfWriter, annotate};
use nap_io::{Error, OpenOptions, SampleFormat, SampleSink, StreamInfo};
use num_complex::Complex32;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A recording in a folder of its own: 1000 bytes of ci16_le, 250 samples, unless changed.
struct Recording {
    folder: TempDir,
    meta: Value,
    data: Vec<u8>,
}

impl Recording {
    fn new() -> Self {
        let meta = json!({
            "global": {
                "core:datatype": "ci16_le", "core:sample_rate": 250000, "core:version": "1.2.0"
            },
            "captures": [{"core:sample_start": 0, "core:frequency": 868130000.0}],
            "annotations": [],
        });
        let data = (0..250_u16).flat_map(|i| [i.to_le_bytes(), (i + 1).to_le_bytes()]).flatten();
        Self { folder: tempfile::tempdir().unwrap(), meta, data: data.collect() }
    }

    fn global(mut self, name: &str, value: Value) -> Self {
        self.meta["global"][name] = value;
        self
    }

    fn captures(mut self, captures: Value) -> Self {
        self.meta["captures"] = captures;
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self) -> PathBuf {
        std::fs::write(self.path("r.sigmf-data"), &self.data).unwrap();
        std::fs::write(self.path("r.sigmf-meta"), self.meta.to_string()).unwrap();
        self.path("r.sigmf-meta")
    }

    fn error(&self) -> Error {
        open_error(&self.write(), &OpenOptions::default())
    }
}

fn assert_malformed(error: &Error, expected_place: &str) {
    match error {
        Error::Malformed { place, .. } => assert_eq!(place, expected_place, "{error}"),
        other => panic!("{other:?} instead of a malformed {expected_place}"),
    }
}

#[test]
fn fields_without_which_samples_cannot_be_read_are_named() {
    let cases = [
        ("core:datatype", json!(null)),
        ("core:datatype", json!(16)),
        ("core:datatype", json!("xi16_le")),
        ("core:sample_rate", json!("250k")),
        ("core:trailing_bytes", json!("x")),
        ("core:dataset", json!("../other.bin")),
        ("core:dataset", json!("")),
    ];
    for (name, value) in cases {
        let error = Recording::new().global(name, value).error();
        assert_malformed(&error, &format!("global.{name}"));
    }
    let captures = json!([{"core:sample_start": 0, "core:header_bytes": "x"}]);
    let error = Recording::new().captures(captures).error();
    assert_malformed(&error, "captures[0].core:header_bytes");
    let mut recording = Recording::new();
    recording.meta = json!([]);
    assert_malformed(&recording.error(), "the document");
    recording.meta = json!({"captures": []});
    assert_malformed(&recording.error(), "global");
}

/// The samples can be read without: whatever is in these fields, all of them come.
#[test]
fn what_is_wrong_in_side_fields_is_left_out_with_a_warning() {
    let recordings = [
        ("core:description", json!(["a", "b"])),
        ("core:version", json!(1.2)),
        ("core:num_channels", json!(-1)),
        ("core:num_channels", json!(0)),
        ("core:offset", json!(1.5)),
        ("core:offset", json!(1e30)),
        ("core:metadata_only", json!(1)),
        ("core:extensions", json!(7)),
        ("core:extensions", json!([{"name": 1, "optional": "no"}])),
    ]
    .map(|(name, value)| (name, Recording::new().global(name, value)));
    let captures = [
        ("core:sample_start", json!([{}])),
        ("core:sample_start", json!([{"core:sample_start": 0}, {"core:sample_start": -1}])),
        ("captures[1]", json!([{"core:sample_start": 0}, 5])),
        ("core:datetime", json!([{"core:sample_start": 0, "core:datetime": "today"}])),
        ("core:datetime", json!([{"core:sample_start": 0, "core:datetime": 1768815000.5}])),
        ("core:frequency", json!([{"core:sample_start": 0, "core:frequency": []}])),
        ("core:frequency", json!([{"core:sample_start": 0, "core:frequency": 1e13}])),
        ("core:global_index", json!([{"core:sample_start": 0, "core:global_index": "x"}])),
        ("order", json!([{"core:sample_start": 5}, {"core:sample_start": 1}])),
        ("captures", json!(null)),
        ("captures", json!({})),
    ]
    .map(|(word, captures)| (word, Recording::new().captures(captures)));
    let annotations = [
        ("core:sample_start", json!([{"core:sample_start": 0}, {"core:sample_count": 1}])),
        ("core:sample_count", json!([{"core:sample_start": 5, "core:sample_count": -1}])),
        ("core:label", json!([{"core:sample_start": 5, "core:label": 17}])),
        ("core:freq_lower_edge", json!([{"core:sample_start": 5, "core:freq_lower_edge": {}}])),
        ("annotations[0]", json!([17, {"core:sample_start": 5}])),
        ("annotations", json!("none")),
    ]
    .map(|(word, annotations)| {
        let mut recording = Recording::new();
        recording.meta["annotations"] = annotations;
        (word, recording)
    });
    for (word, recording) in recordings.into_iter().chain(captures).chain(annotations) {
        let mut source = open(&recording.write()).unwrap();
        let warnings = source.info().warnings.join("\n");
        assert!(warnings.contains(word), "{word}: {warnings}");
        assert_eq!(read_all(&mut source).len(), 250, "{word}");
    }
}

#[test]
fn a_field_that_is_wrong_a_thousand_times_is_not_told_a_thousand_times() {
    let mut recording = Recording::new();
    recording.meta["annotations"] =
        vec![json!({"core:sample_start": 1, "core:label": 1}); 1000].into();
    let source = open(&recording.write()).unwrap();
    assert_eq!(source.info().annotations.len(), 1000);
    let [told @ .., last] = source.info().warnings.as_slice() else { panic!() };
    assert_eq!((told.len(), last.as_str()), (20, "980 more fields of the metadata are wrong"));
}

#[test]
fn annotating_keeps_fields_that_are_wrong() {
    let mut recording = Recording::new().global("core:description", json!(["a"]));
    recording.meta["annotations"] = json!([{"core:sample_start": 5, "core:label": 17}]);
    let meta = recording.write();
    annotate(&meta, &[burst()], &[lpwan()], &meta).unwrap();
    let written: Value = serde_json::from_slice(&std::fs::read(&meta).unwrap()).unwrap();
    assert_eq!(written["global"]["core:description"], json!(["a"]));
    assert_eq!(written["annotations"][0], recording.meta["annotations"][0]);
}

#[test]
fn data_types_without_byte_order_are_little_endian() {
    for name in ["ci16", "cs16", "CI16_LE", "ci16_le "] {
        let recording = Recording::new().global("core:datatype", json!(name));
        let mut source = open(&recording.write()).unwrap();
        assert_eq!(source.info().format, SampleFormat::Cs16Le, "{name}");
        let [warning] = source.info().warnings.as_slice() else { panic!("{:?}", source.info()) };
        assert!(warning.contains(name) && warning.contains("ci16_le"), "{warning}");
        assert_eq!(read_all(&mut source).len(), 250);
    }
}

#[test]
fn numbers_in_quotation_marks_are_numbers() {
    let captures = json!([{"core:sample_start": 0, "core:frequency": "868.13e6"}]);
    let recording = Recording::new().captures(captures).global("core:sample_rate", json!("250000"));
    let source = open(&recording.write()).unwrap();
    assert_eq!(source.info().sample_rate_hz, 250e3);
    assert_eq!(source.info().center_hz, Some(868.13e6));
}

#[test]
fn times_as_programs_write_them() {
    let start = |text: &str| {
        let captures = json!([{"core:sample_start": 0, "core:datetime": text}]);
        let source = open(&Recording::new().captures(captures).write()).unwrap();
        (source.info().start, source.info().warnings.len())
    };
    let expected = "2026-01-19T09:30:00.125Z".parse().ok();
    assert_eq!(start("2026-01-19T09:30:00.125Z"), (expected, 0));
    assert_eq!(start("2026-01-19T10:30:00.125+01:00"), (expected, 0));
    assert_eq!(start("2026-01-19T09:30:00.12500000000000Z"), (expected, 0));
    assert_eq!(start("2026-01-19T09:30:00.125"), (expected, 1));
    assert_eq!(start("half past nine"), (None, 1));
}

#[test]
fn a_text_that_is_no_json_says_where() {
    let error = Metadata::parse(b"{\"global\": {,}}", Path::new("x.sigmf-meta")).unwrap_err();
    assert!(error.to_string().contains("line 1 column 13"), "{error}");
    assert!(error.to_string().starts_with("x.sigmf-meta: "), "{error}");
}

#[test]
fn rates_out_of_range() {
    for rate in [json!(0), json!(-250000), json!(1e300), json!(0.5)] {
        let error = Recording::new().global("core:sample_rate", rate).error();
        assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
    }
}

#[test]
fn kinds_that_are_not_supported_say_so() {
    let cases = [
        ("core:num_channels", json!(2)),
        ("core:metadata_only", json!(true)),
        ("core:datatype", json!("rf32_le")),
    ];
    for (name, value) in cases {
        let error = Recording::new().global(name, value).error();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }
    let recording = Recording::new();
    for (name, word) in [("r.sigmf", "as tar"), ("r.sigmf-collection", "one by one")] {
        std::fs::write(recording.path(name), [0]).unwrap();
        let error = open_error(&recording.path(name), &OpenOptions::default());
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn both_files_are_needed() {
    let recording = Recording::new();
    let meta = recording.write();
    std::fs::remove_file(recording.path("r.sigmf-data")).unwrap();
    let error = open_error(&meta, &OpenOptions::default());
    assert!(
        matches!(&error, Error::MissingPart { missing, .. } if missing.ends_with("r.sigmf-data")),
        "{error:?}"
    );
    recording.write();
    std::fs::remove_file(&meta).unwrap();
    let error = open_error(&recording.path("r.sigmf-data"), &OpenOptions::default());
    assert!(
        matches!(&error, Error::MissingPart { missing, .. } if missing.ends_with("r.sigmf-meta")),
        "{error:?}"
    );
    let error = open_error(&meta, &OpenOptions::default());
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
}

/// Written by hand, or lost on the way.
#[test]
fn without_metadata_the_samples_are_what_the_user_says() {
    let recording = Recording::new();
    let meta = recording.write();
    let data = recording.path("r.sigmf-data");
    let given = raw(SampleFormat::Cs8);
    let broken = std::fs::read_to_string(&meta).unwrap() + ",";
    std::fs::write(&meta, broken).unwrap();
    for path in [&meta, &data] {
        assert!(matches!(open_error(path, &OpenOptions::default()), Error::Malformed { .. }));
        let mut source = nap_io::open(path, &given).unwrap();
        assert_eq!(source.info().sample_rate_hz, 250e3);
        assert!(source.info().warnings[0].contains("is no JSON"), "{:?}", source.info().warnings);
        assert_eq!(read_all(&mut source).len(), recording.data.len() / 2);
    }
    std::fs::remove_file(&meta).unwrap();
    let source = nap_io::open(&data, &given).unwrap();
    assert!(source.info().warnings[0].contains("r.sigmf-meta is missing"), "{:?}", source.info());
    let rate_only = OpenOptions { format: None, ..given };
    assert!(matches!(open_error(&data, &rate_only), Error::MissingPart { .. }));
}

#[test]
fn names_in_large_letters() {
    let recording = Recording::new();
    let meta = recording.write();
    for (path, large) in
        [(&meta, "R.SIGMF-META"), (&recording.path("r.sigmf-data"), "R.SIGMF-DATA")]
    {
        std::fs::rename(path, recording.path(large)).unwrap();
    }
    for name in ["R.SIGMF-META", "R.SIGMF-DATA"] {
        let mut source = open(&recording.path(name)).unwrap();
        assert_eq!(read_all(&mut source).len(), recording.data.len() / 4, "{name}");
    }
}

#[test]
fn no_samples_at_all() {
    let mut recording = Recording::new();
    recording.data.clear();
    assert!(matches!(recording.error(), Error::Empty { .. }));
    let all_trailing = Recording::new().global("core:trailing_bytes", json!(u64::MAX));
    assert!(matches!(all_trailing.error(), Error::Empty { .. }));
}

#[test]
fn the_sample_rate_may_come_from_the_options() {
    let recording = Recording::new().global("core:sample_rate", json!(null));
    assert!(matches!(recording.error(), Error::Missing { parameter: "sample rate", .. }));
    let source = nap_io::open(&recording.write(), &raw(SampleFormat::Cs16Le)).unwrap();
    assert_eq!(source.info().sample_rate_hz, 250e3);
}

#[test]
fn options_win_over_metadata_with_a_warning() {
    let captures = json!([{"core:sample_start": 0, "core:frequency": 868130000,
        "core:datetime": "2026-01-18T09:30:00Z"}]);
    let recording = Recording::new().captures(captures);
    let options = OpenOptions {
        format: Some(SampleFormat::Cu8),
        sample_rate_hz: Some(240e3),
        center_hz: Some(902e6),
        start: "2026-01-19T09:30:00Z".parse().ok(),
        swap_iq: false,
    };
    let mut source = nap_io::open(&recording.write(), &options).unwrap();
    let info = source.info().clone();
    assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cu8, 240e3));
    assert_eq!((info.center_hz, info.start), (Some(902e6), options.start));
    let warnings = info.warnings.join("\n");
    for said in ["is cs16; ", "is 250000; ", "is 868130000; ", "is 2026-01-18T09:30:00Z; "] {
        assert!(warnings.contains(said), "{said}: {warnings}");
    }
    assert_eq!(read_all(&mut source).len(), 500);
    let agreeing = OpenOptions { center_hz: Some(868.13e6), ..raw(SampleFormat::Cs16Le) };
    let source = nap_io::open(&recording.write(), &agreeing).unwrap();
    assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
}

#[test]
fn who_gives_format_and_rate_needs_none_in_the_file() {
    for (name, value) in [
        ("core:datatype", json!("rf32_le")),
        ("core:datatype", json!("unknown")),
        ("core:datatype", json!(null)),
        ("core:sample_rate", json!("fast")),
        ("core:sample_rate", json!(-1)),
    ] {
        let meta = Recording::new().global(name, value);
        let source = nap_io::open(&meta.write(), &raw(SampleFormat::Cs8)).unwrap();
        let info = source.info();
        assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cs8, 250e3));
        assert!(info.warnings.iter().any(|warning| warning.contains(name)), "{:?}", info.warnings);
    }
}

#[test]
fn a_prefix_is_as_good_as_options() {
    let recording = Recording::new();
    let meta = recording.write();
    let prefixed = format!("cs8:100k:{}", meta.display());
    let source = open(Path::new(&prefixed)).unwrap();
    assert_eq!((source.info().format, source.info().sample_rate_hz), (SampleFormat::Cs8, 100e3));
}

#[test]
fn floats_of_32_bits_that_are_said_to_have_64_are_noticed() {
    let mut recording = Recording::new().global("core:datatype", json!("cf64_le"));
    let part = |i: u32| 0.01 * (0.3 * i as f32).sin() * (1.7 * i as f32).cos();
    recording.data = (0..2000).flat_map(|i| part(i).to_le_bytes()).collect();
    let meta = recording.write();
    let mut source = open(&meta).unwrap();
    assert_eq!(source.info().format, SampleFormat::Cf32Le);
    let [warning] = source.info().warnings.as_slice() else { panic!("{:?}", source.info()) };
    assert!(warning.contains("make no sense"), "{warning}");
    assert_eq!(read_all(&mut source)[1], Complex32::new(part(2), part(3)));
    let insists = OpenOptions { format: Some(SampleFormat::Cf64Le), ..Default::default() };
    let source = nap_io::open(&meta, &insists).unwrap();
    assert_eq!(source.info().format, SampleFormat::Cf64Le);
}

#[test]
fn a_data_file_cut_inside_a_sample() {
    let mut recording = Recording::new();
    recording.data.truncate(501);
    let (samples, error) = read_to_end(open(&recording.write()).unwrap().as_mut());
    assert_eq!(samples.len(), 125);
    assert_eq!(samples[124], Complex32::new(124.0, 125.0) / 32768.0);
    let error = error.unwrap();
    assert!(
        matches!(error, Error::Truncated { samples: 125, declared: None, leftover_bytes: 1, .. }),
        "{error:?}"
    );
}

#[test]
fn a_capture_beyond_the_end_means_that_samples_are_missing() {
    let captures = json!([
        {"core:sample_start": 0, "core:frequency": 868e6},
        {"core:sample_start": 4000, "core:frequency": 902e6},
    ]);
    let mut source = open(&Recording::new().captures(captures).write()).unwrap();
    assert_eq!(source.info().center_hz, Some(868e6));
    assert_eq!(source.info().total_samples, Some(250));
    let (samples, error) = read_to_end(source.as_mut());
    assert_eq!(samples.len(), 250);
    assert!(
        matches!(error, Some(Error::Truncated { samples: 250, declared: Some(4001), .. })),
        "{error:?}"
    );
    let huge = json!([{"core:sample_start": u64::MAX}]);
    let (samples, error) =
        read_to_end(open(&Recording::new().captures(huge).write()).unwrap().as_mut());
    assert_eq!(samples.len(), 250);
    assert!(matches!(error, Some(Error::Truncated { declared: Some(u64::MAX), .. })), "{error:?}");
}

#[test]
fn captures_of_one_frequency_are_one_stream() {
    let captures = json!([
        {"core:sample_start": 0, "core:frequency": 868e6, "core:datetime": "2026-01-19T09:30:00Z"},
        {"core:sample_start": 125},
        {"core:sample_start": 200, "core:frequency": 868e6,
            "core:datetime": "2026-01-19T09:30:00.0008Z"},
    ]);
    let mut source = open(&Recording::new().captures(captures).write()).unwrap();
    assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
    assert_eq!(source.info().time_at(250), "2026-01-19T09:30:00.001Z".parse().ok());
    assert_eq!(read_all(&mut source).len(), 250);
}

#[test]
fn each_frequency_is_a_stretch_of_its_own() {
    let captures = json!([
        {"core:sample_start": 0},
        {"core:sample_start": 10, "core:frequency": 868e6, "core:datetime": "2026-01-19T09:30:00Z"},
        {"core:sample_start": 100, "core:frequency": 868000000.4},
        {"core:sample_start": 125, "core:frequency": 868.2e6},
    ]);
    let recording = Recording::new().captures(captures);
    let mut source = open(&recording.write()).unwrap();
    let info = source.info().clone();
    let [warning] = info.warnings.as_slice() else { panic!("{:?}", info.warnings) };
    assert!(
        warning.contains("from 868000000 Hz to 868200000 Hz at sample 125 (captures[3])"),
        "{warning}"
    );
    let [first, second] = info.stretches().try_into().unwrap();
    assert_eq!((first.position, first.length, first.center_hz), (0, Some(125), Some(868e6)));
    assert_eq!(first.start, "2026-01-19T09:29:59.99996Z".parse().ok());
    assert_eq!((second.first_sample, second.position, second.length), (125, 125, None));
    assert_eq!(second.center_hz, Some(868.2e6));
    assert_eq!(second.start, "2026-01-19T09:30:00.00046Z".parse().ok());
    assert_eq!(read_all(&mut source).len(), 250);
    assert_eq!(info.stretches_in(0..100).len(), 1);
    let [part] = info.stretches_in(150..200).try_into().unwrap();
    assert_eq!((part.first_sample, part.position, part.length), (150, 150, Some(50)));
    assert_eq!(part.start, "2026-01-19T09:30:00.00056Z".parse().ok());

    let options = OpenOptions { center_hz: Some(868.1e6), ..Default::default() };
    let source = nap_io::open(&recording.write(), &options).unwrap();
    let [all] = source.info().stretches().try_into().unwrap();
    assert_eq!(all.center_hz, Some(868.1e6));
}

#[test]
fn a_count_that_goes_back_begins_anew() {
    let captures = json!([
        {"core:sample_start": 0, "core:global_index": 5000},
        {"core:sample_start": 100, "core:global_index": 5050},
        {"core:sample_start": 200, "core:global_index": 5150},
    ]);
    let source = open(&Recording::new().captures(captures).write()).unwrap();
    let [warning] = source.info().warnings.as_slice() else { panic!("{:?}", source.info()) };
    assert!(
        warning.starts_with("core:global_index counts back at sample 100 (captures[1])"),
        "{warning}"
    );
    assert_eq!(source.info().time_line_samples(), source.info().total_samples);
}

#[test]
fn a_count_that_jumps_out_of_sight_is_told() {
    let captures = json!([
        {"core:sample_start": 0, "core:global_index": 0},
        {"core:sample_start": 100, "core:global_index": 1_u64 << 62},
    ]);
    let source = open(&Recording::new().captures(captures).write()).unwrap();
    let [warning] = source.info().warnings.as_slice() else { panic!("{:?}", source.info()) };
    assert!(warning.starts_with("core:global_index goes further at sample 100"), "{warning}");
    assert_eq!(source.info().time_line_samples(), source.info().total_samples);
}

#[test]
fn times_count_on_over_samples_that_are_missing() {
    let by_index = json!([
        {"core:sample_start": 0, "core:global_index": 5000,
            "core:datetime": "2026-01-19T09:30:00.0Z"},
        {"core:sample_start": 100, "core:global_index": 505_100},
        {"core:sample_start": 200, "core:global_index": 505_200},
    ]);
    let by_time = json!([
        {"core:sample_start": 0, "core:datetime": "2026-01-19T09:30:00.0Z"},
        {"core:sample_start": 100, "core:datetime": "2026-01-19T09:30:02.0004Z"},
        // Jitter is no gap.
        {"core:sample_start": 200, "core:datetime": "2026-01-19T09:30:02.0018Z"},
    ]);
    for captures in [by_index, by_time] {
        let mut source = open(&Recording::new().captures(captures).write()).unwrap();
        let info = source.info().clone();
        let [warning] = info.warnings.as_slice() else { panic!("{:?}", info.warnings) };
        assert!(warning.contains("missing in one place, 2.000 s in all"), "{warning}");
        let [stretch] = info.stretches().try_into().unwrap();
        assert_eq!(stretch.gaps, slice::from_ref(&(100..500_100)));
        assert_eq!(info.time_line_samples(), Some(500_250));
        assert_eq!(info.time_at(500_100), "2026-01-19T09:30:02.0004Z".parse().ok());
        for (position, sample) in [(0, 0), (100, 100), (3000, 100), (500_100, 100), (500_101, 101)]
        {
            assert_eq!(info.sample_at(position), sample, "{position}");
        }
        let [part] = info.stretches_in(50..500_150).try_into().unwrap();
        assert_eq!((part.first_sample, part.length), (50, Some(500_100)));
        assert_eq!(
            (part.gaps.as_slice(), part.samples_in(500_100)),
            (slice::from_ref(&(50..500_050)), 100)
        );
        let [part] = info.stretches_in(300..500_200).try_into().unwrap();
        assert_eq!((part.first_sample, part.position, part.gaps.len()), (100, 500_100, 0));
        assert!(info.stretches_in(200..300).is_empty());
        assert_eq!(read_all(&mut source).len(), 250);
    }
}

#[test]
fn a_clock_that_was_set_back_begins_a_stretch() {
    let captures = json!([
        {"core:sample_start": 0, "core:datetime": "2026-01-19T09:30:00.5Z"},
        {"core:sample_start": 100, "core:datetime": "2026-01-19T09:29:00.5Z"},
    ]);
    let source = open(&Recording::new().captures(captures).write()).unwrap();
    let [first, second] = source.info().stretches().try_into().unwrap();
    assert_eq!((first.length, second.position), (Some(100), 100));
    assert_eq!(second.start, "2026-01-19T09:29:00.5Z".parse().ok());
    assert!(source.info().warnings[0].contains("the clock was set"));
}

#[test]
fn times_in_whole_seconds_are_rounded() {
    let captures = json!([
        {"core:sample_start": 0, "core:datetime": "2026-01-19T09:30:00Z"},
        {"core:sample_start": 100, "core:datetime": "2026-01-19T09:30:01Z"},
    ]);
    let source = open(&Recording::new().captures(captures).write()).unwrap();
    assert!(source.info().breaks.is_empty(), "{:?}", source.info().breaks);
}

#[test]
fn the_offset_is_taken_off_every_index() {
    let mut recording = Recording::new().global("core:offset", json!(10_000)).captures(json!([
        {"core:sample_start": 10_000, "core:frequency": 868e6,
            "core:datetime": "2026-01-19T09:30:00Z"},
        {"core:sample_start": 10_100, "core:frequency": 868e6},
    ]));
    recording.meta["annotations"] =
        json!([{"core:sample_start": 10_020.0, "core:sample_count": 7}]);
    let mut source = open(&recording.write()).unwrap();
    assert_eq!(source.info().start, "2026-01-19T09:30:00Z".parse().ok());
    assert_eq!(source.info().annotations[0].sample_start, 20);
    assert_eq!(read_all(&mut source).len(), 250);
}

#[test]
fn captures_below_the_offset_count_from_the_file() {
    let mut recording = Recording::new().global("core:offset", json!(10_000)).captures(json!([
        {"core:sample_start": 0, "core:datetime": "2026-01-19T09:30:00Z"},
        {"core:sample_start": 100, "core:datetime": "2026-01-19T09:30:00.0004Z"},
    ]));
    recording.meta["annotations"] = json!([{"core:sample_start": 20}]);
    let meta = recording.write();
    assert_eq!(open(&meta).unwrap().info().annotations[0].sample_start, 20);
    annotate(&meta, &[Annotation { sample_start: 30, ..Default::default() }], &[], &meta).unwrap();
    let source = open(&meta).unwrap();
    assert_eq!(source.info().annotations[1].sample_start, 30);
    assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
}

#[test]
fn what_is_odd_but_harmless_is_a_warning() {
    let extension = json!([{"name": "antenna", "version": "1.0.0", "optional": false}]);
    let recording = Recording::new()
        .global("core:version", json!(null))
        .global("core:extensions", extension)
        .global("core:offset", json!(5))
        .captures(json!([]));
    let source = open(&recording.write()).unwrap();
    let [version, extension] = source.info().warnings.as_slice() else {
        panic!("{:?}", source.info().warnings)
    };
    assert!(version.contains("core:version"), "{version}");
    assert!(extension.contains("antenna is marked as required"), "{extension}");
    assert_eq!(source.info().center_hz, None);
    let old_form = Recording::new().global("core:extensions", json!({"antenna": "v0.9.0"}));
    assert!(open(&old_form.write()).unwrap().info().warnings.is_empty());
}

#[test]
fn a_foreign_data_file_with_header_and_trailer() {
    let recording = Recording::new()
        .global("core:dataset", json!("r.bin"))
        .global("core:trailing_bytes", json!(12))
        .captures(json!([{"core:sample_start": 0, "core:header_bytes": 8}]));
    let meta = recording.write();
    std::fs::rename(recording.path("r.sigmf-data"), recording.path("r.bin")).unwrap();
    let samples = read_all(&mut open(&meta).unwrap());
    assert_eq!(samples.len(), 245);
    assert_eq!(samples[0], Complex32::new(2.0, 3.0) / 32768.0);
}

#[test]
fn metadata_comes_in_any_unicode() {
    let recording = Recording::new();
    let meta = recording.write();
    let text = std::fs::read_to_string(&meta).unwrap();
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [[&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(), little, big] {
        std::fs::write(&meta, bytes).unwrap();
        assert_eq!(read_all(&mut open(&meta).unwrap()).len(), 250);
    }
}

/// Python's `json` writes numbers so that are none.
#[test]
fn numbers_that_are_none_do_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let meta = folder.path().join("x.sigmf-meta");
    std::fs::write(folder.path().join("x.sigmf-data"), [0; 1000]).unwrap();
    let text = r#"{"global": {"core:datatype": "ci16_le", "core:sample_rate": 250000, "core:version": "1.0.0",
        "core:description": "a \\\"NaN\" stays", "x:gain_db": -Infinity}, "captures": [{"core:sample_start": 0}],
        "annotations": [{"core:sample_start": 0, "core:sample_count": 1, "core:freq_lower_edge": NaN}]}"#;
    std::fs::write(&meta, text).unwrap();
    let mut source = open(&meta).unwrap();
    assert_eq!(source.info().description.as_deref(), Some("a \\\"NaN\" stays"));
    assert_eq!(read_all(&mut source).len(), 250);
    std::fs::write(&meta, text.replace("NaN}", "NaN")).unwrap();
    assert!(matches!(open_error(&meta, &OpenOptions::default()), Error::Malformed { .. }));
}

#[test]
fn headers_between_captures_are_no_samples() {
    let recording = Recording::new().global("core:trailing_bytes", json!(4)).captures(json!([
        {"core:sample_start": 0, "core:header_bytes": 4},
        {"core:sample_start": 100, "core:header_bytes": 8},
        {"core:sample_start": 140},
        {"core:sample_start": 9999, "core:header_bytes": 8},
    ]));
    let meta = recording.write();
    let sample = |k: usize| Complex32::new(k as f32, k as f32 + 1.0) / 32768.0;
    let expected: Vec<Complex32> = (1..101).chain(103..249).map(sample).collect();
    let read = |source: &mut dyn nap_io::SampleSource| {
        let mut block = vec![Complex32::ZERO; 300];
        let count = source.read(&mut block).unwrap();
        block.truncate(count);
        block
    };
    let mut source = open(&meta).unwrap();
    assert_eq!(source.info().total_samples, Some(246));
    assert_eq!(read(source.as_mut()), expected);
    for skipped in [1, 99, 100, 101, 245] {
        let mut source = open(&meta).unwrap();
        assert_eq!(source.skip(skipped).unwrap(), skipped);
        assert_eq!(read(source.as_mut()), expected[skipped as usize..], "{skipped}");
    }
    assert_eq!(open(&meta).unwrap().skip(9999).unwrap(), 246);
}

#[test]
fn byte_order_follows_the_data_type() {
    let mut recording = Recording::new().global("core:datatype", json!("ci16_be"));
    recording.data = vec![0x40, 0x00, 0xff, 0xff];
    let samples = read_all(&mut open(&recording.write()).unwrap());
    assert_eq!(samples, [Complex32::new(0.5, -1.0 / 32768.0)]);
}

fn burst() -> Annotation {
    let extra = json!({"lpwan:device_id": "004D33DB", "core:generator": "test"});
    Annotation {
        sample_start: 20,
        sample_count: Some(7),
        freq_lower_edge_hz: Some(868_130_050.25),
        freq_upper_edge_hz: Some(868_130_150.75),
        label: Some("uplink".into()),
        comment: Some("two\nlines".into()),
        extra: extra.as_object().unwrap().clone(),
    }
}

fn lpwan() -> Extension {
    Extension { name: "lpwan".into(), version: "1.0.0".into() }
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("g001_868.13M");
    let mut info = StreamInfo::new(192_307.692_307_692_3, SampleFormat::Cs8);
    info.center_hz = Some(868_130_000.1);
    info.start = "2026-01-19T09:30:00.123456789Z".parse().ok();
    info.description = Some("a \"scene\"".into());
    let mut writer = SigmfWriter::create(&base, &info).unwrap();
    writer.annotate(&[burst()], &[lpwan()]).unwrap();
    writer.write(&ramp(300)).unwrap();
    writer.write(&[Complex32::new(2.0, 0.0)]).unwrap();
    assert!(!writer.meta_path().exists(), "metadata before the data is complete");
    writer.finish().unwrap();
    assert_eq!((writer.samples_written(), writer.clipped_components()), (301, 1));
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["g001_868.13M.sigmf-data", "g001_868.13M.sigmf-meta"]);

    let mut source = open(&base).unwrap();
    info.total_samples = Some(301);
    info.annotations = vec![burst()];
    assert_eq!(*source.info(), info);
    assert_eq!(read_all(&mut source).len(), 301);
}

#[test]
fn writing_over_a_recording_takes_its_metadata_away_first() {
    let recording = Recording::new();
    let meta = recording.write();
    let info = StreamInfo::new(250e3, SampleFormat::Cf32Le);
    let writer = SigmfWriter::create(&meta, &info).unwrap();
    drop(writer);
    assert!(!meta.exists());
}

#[test]
fn annotations_are_added_and_all_else_stays() {
    let mut recording = Recording::new()
        .global("core:offset", json!(1000))
        .global("antenna:gain", json!(3.1))
        .global(
            "core:extensions",
            json!([{"name": "antenna", "version": "1.0.0", "optional": true}]),
        )
        .captures(json!([{"core:sample_start": 1000, "my:note": [1, null]}]));
    recording.meta["unknown"] = json!({"a": u64::MAX});
    recording.meta["annotations"] = json!([{"core:sample_start": 1500, "other:x": 0.1}]);
    let meta = recording.write();
    let out = recording.path("decoded.sigmf-meta");
    annotate(&meta, &[burst()], &[lpwan()], &out).unwrap();

    let mut expected = recording.meta.clone();
    expected["global"]["core:dataset"] = json!("r.sigmf-data");
    let extension = json!({"name": "lpwan", "version": "1.0.0", "optional": true});
    expected["global"]["core:extensions"].as_array_mut().unwrap().push(extension);
    expected["annotations"] = json!([
        {
            "core:sample_start": 1020, "core:sample_count": 7, "core:label": "uplink",
            "core:comment": "two\nlines", "core:generator": "test",
            "core:freq_lower_edge": 868_130_050.25, "core:freq_upper_edge": 868_130_150.75,
            "lpwan:device_id": "004D33DB",
        },
        {"core:sample_start": 1500, "other:x": 0.1},
    ]);
    let written: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(written, expected);
    let source = open(&out).unwrap();
    assert_eq!(source.info().annotations[0], burst());

    // In place, and a second time: the extension is declared once.
    annotate(&out, &[burst()], &[lpwan()], &out).unwrap();
    let written: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(written["annotations"].as_array().unwrap().len(), 3);
    assert_eq!(written["global"]["core:extensions"].as_array().unwrap().len(), 2);
}

#[test]
fn annotating_the_foreign_recording_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rc2_minus112dbm.sigmf-meta");
    annotate(&fixture("rc2_minus112dbm.sigmf-meta"), &[], &[], &out).unwrap();
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    assert_eq!(read(&out), read(&fixture("rc2_minus112dbm.sigmf-meta")));
}

#[test]
fn annotations_against_the_rules_are_refused() {
    let recording = Recording::new();
    let meta = recording.write();
    let extra = |key: &str| {
        let mut annotation = burst();
        annotation.extra.insert(key.into(), json!(1));
        annotation
    };
    let cases = [
        (extra("device_id"), "has no name space"),
        (extra("other:x"), "name space other of other:x is not declared"),
        (extra("core:label"), "use the field"),
        (Annotation { freq_upper_edge_hz: None, ..burst() }, "give both or none"),
        (Annotation { freq_upper_edge_hz: Some(1.0), ..burst() }, "above its upper edge"),
        (Annotation { freq_upper_edge_hz: Some(f64::INFINITY), ..burst() }, "is inf"),
    ];
    for (annotation, word) in cases {
        let error = annotate(&meta, &[burst(), annotation], &[lpwan()], &meta).unwrap_err();
        assert!(matches!(error, Error::Annotation { index: 1, .. }), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(open(&meta).unwrap().info().annotations.is_empty(), "nothing was written");
}

#[test]
fn errors_of_writing_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let info = StreamInfo::new(250e3, SampleFormat::Cs16Le);
    let Err(error) = SigmfWriter::create(&folder.path().join("no/such/x"), &info) else { panic!() };
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
    let wav_only = StreamInfo::new(250e3, SampleFormat::Cs24Le);
    let result = SigmfWriter::create(&folder.path().join("x"), &wav_only);
    assert!(matches!(result.err(), Some(Error::Unsupported { .. })));
    let no_rate = StreamInfo::new(f64::NAN, SampleFormat::Cs8);
    let result = SigmfWriter::create(&folder.path().join("x"), &no_rate);
    assert!(matches!(result.err(), Some(Error::OutOfRange { .. })));
}
