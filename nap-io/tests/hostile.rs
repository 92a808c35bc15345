//! Arbitrary input to every parser: an error or a value, never a panic.

mod common;

use std::io::Cursor;
use std::path::Path;

use common::{fixture, read_to_end};
use nap_io::sigmf::Metadata;
use nap_io::wav::Header;
use nap_io::{FileName, OpenOptions, SampleFormat};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON value, deep enough to take the place of any field.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("ci16_le")),
        Just(json!("2026-01-19T09:30:00Z")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field(), inner), 0..4)
                .prop_map(|fields| { Value::Object(fields.into_iter().collect()) }),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "global",
        "captures",
        "annotations",
        "core:datatype",
        "core:sample_rate",
        "core:version",
        "core:sample_start",
        "core:sample_count",
        "core:frequency",
        "core:datetime",
        "core:offset",
        "core:header_bytes",
        "core:trailing_bytes",
        "core:dataset",
        "core:label",
    ])
    .prop_map(String::from)
}

fn any_index() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0_u64..1000).prop_map(Some), any::<u64>().prop_map(Some)]
}

/// Seconds since 1970: near each other, or anywhere before the year 10000.
fn any_time() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        (1_768_815_000_i64..1_768_815_020).prop_map(Some),
        (-377_705_023_201_i64..253_402_207_200).prop_map(Some),
    ]
}

fn name() -> &'static Path {
    Path::new("fuzz")
}

proptest! {
    #![proptest_config(common::fixed_seed(1024))]

    #[test]
    fn metadata_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Metadata::parse(&bytes, name());
    }

    #[test]
    fn metadata_of_any_json(
        global in any_json(),
        fields in prop::collection::vec((field(), any_json()), 0..6),
        captures in any_json(),
        annotations in any_json(),
    ) {
        let mut full = json!({"core:datatype": "ci8", "core:sample_rate": 1e6});
        for (field, value) in fields {
            full[field] = value;
        }
        for global in [global, full] {
            let root = json!({
                "global": global, "captures": captures, "annotations": annotations
            });
            if let Err(error) = Metadata::parse(root.to_string().as_bytes(), name()) {
                prop_assert!(error.to_string().starts_with("fuzz: "));
            }
        }
    }

    #[test]
    fn a_recording_with_any_metadata(captures in any_json(), trailing: u64, offset: u64) {
        let folder = tempfile::tempdir().unwrap();
        let root = json!({
            "global": {
                "core:datatype": "ci8", "core:sample_rate": 1e6,
                "core:trailing_bytes": trailing, "core:offset": offset,
            },
            "captures": [captures],
        });
        std::fs::write(folder.path().join("x.sigmf-data"), [0; 99]).unwrap();
        let meta = folder.path().join("x.sigmf-meta");
        std::fs::write(&meta, root.to_string()).unwrap();
        if let Ok(mut source) = common::open(&meta) {
            prop_assert!(read_to_end(source.as_mut()).0.len() <= 49);
        }
    }

    /// Whatever captures say of time and frequency, the stretches hold every sample once and in order.
    #[test]
    fn stretches_of_any_captures(
        captures in prop::collection::vec((0_u64..60, any_index(), any_time(), 0_u64..3), 0..8),
        wanted in (0_u64..200, 0_u64..200),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let capture = |(start, index, time, mhz): (u64, Option<u64>, Option<i64>, u64)| {
            let time = time.and_then(|s| jiff::Timestamp::from_second(s).ok());
            json!({"core:sample_start": start, "core:global_index": index,
                "core:datetime": time.map(|time| time.to_string()), "core:frequency": 868e6 + mhz as f64})
        };
        let captures: Vec<Value> = captures.into_iter().map(capture).collect();
        let global = json!({"core:datatype": "ci8", "core:sample_rate": 10});
        std::fs::write(folder.path().join("x.sigmf-data"), [0; 100]).unwrap();
        let meta = folder.path().join("x.sigmf-meta");
        std::fs::write(&meta, json!({"global": global, "captures": captures}).to_string()).unwrap();
        let source = common::open(&meta).unwrap();
        let info = source.info();
        let (mut sample, mut position) = (0, 0);
        for stretch in info.stretches() {
            prop_assert_eq!(stretch.first_sample, sample);
            prop_assert!(stretch.position >= position);
            let rest = info.time_line_samples().unwrap() - stretch.position;
            let length = stretch.length.unwrap_or(rest);
            sample += stretch.samples_in(length);
            position = stretch.position + length;
        }
        prop_assert_eq!(sample, 50);
        let all = info.stretches_in(0..u64::MAX);
        prop_assert_eq!(all.iter().map(|s| s.length.is_none()).filter(|&is_last| is_last).count(), 1);
        for stretch in info.stretches_in(wanted.0..wanted.0 + wanted.1) {
            let length = stretch.length.unwrap();
            prop_assert!(stretch.position >= wanted.0);
            prop_assert!(stretch.position + length <= wanted.0 + wanted.1);
            prop_assert!(stretch.gaps.iter().all(|gap| gap.end > gap.start));
            prop_assert!(stretch.samples_in(length) <= length);
        }
    }

    #[test]
    fn a_wav_header_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Header::read(&mut Cursor::new(&bytes), name());
        let with_magic = [b"RIFF\xff\xff\xff\xffWAVEfmt ", &bytes[..]].concat();
        let _ = Header::read(&mut Cursor::new(&with_magic), name());
    }

    #[test]
    fn a_wav_file_with_a_few_wrong_bytes(
        changes in prop::collection::vec((0_usize..120, any::<u8>()), 1..6),
        length in 0_usize..150,
    ) {
        let mut bytes = b"RIFF\x8e\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
        bytes.extend([0x90, 0xd0, 3, 0, 0x40, 0x42, 0x0f, 0, 4, 0, 16, 0]);
        bytes.extend(b"auxi\x24\0\0\0");
        bytes.extend([0xea, 7, 1, 0, 1, 0, 19, 0, 9, 0, 30, 0, 5, 0, 250, 0].repeat(2));
        bytes.extend(868_130_000_u32.to_le_bytes());
        bytes.extend(b"data\x20\0\0\0");
        bytes.resize(150, 7);
        for (index, value) in changes {
            bytes[index] = value;
        }
        bytes.truncate(length);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(mut source) = common::open(&path) {
            prop_assert!(read_to_end(source.as_mut()).0.len() <= 75);
        }
    }

    #[test]
    fn a_name_of_any_text(text in ".*", tokens in "([0-9.:_]{0,8}[kMGHzspcuif1-8]{0,4}[_:.é]?){0,6}") {
        for text in [text, tokens] {
            let _ = FileName::parse(&text);
            if let Some((_, rest)) = FileName::split_prefix(&text) {
                prop_assert!(text.ends_with(rest));
            }
            let _ = text.parse::<SampleFormat>();
        }
    }

    #[test]
    fn a_raw_file_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 1..100)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, &bytes).unwrap();
        for (format, _) in common::FORMATS {
            let mut source = nap_io::open(&path, &common::raw(format)).unwrap();
            let (samples, error) = read_to_end(source.as_mut());
            prop_assert_eq!(samples.len(), bytes.len() / format.bytes_per_sample());
            prop_assert_eq!(error.is_some(), bytes.len() % format.bytes_per_sample() != 0);
        }
    }
}

/// Deep nesting must not exhaust the stack.
#[test]
fn metadata_nested_beyond_reason() {
    let text = "[".repeat(1_000_000);
    assert!(Metadata::parse(text.as_bytes(), name()).is_err());
}

/// A recording opened under the name of another kind.
#[test]
fn a_recording_under_a_wrong_name() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["x.wav", "x.sigmf-meta", "x.txt"] {
        let path = folder.path().join(wrong);
        std::fs::copy(fixture("rc2_minus112dbm.sigmf-data"), &path).unwrap();
        assert!(nap_io::open(&path, &OpenOptions::default()).is_err(), "{wrong}");
    }
}
