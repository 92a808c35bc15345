//! WAV files, checked against the independent reader and writer of the crate hound.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

mod common;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use common::{open, open_error, ramp, raw, read_all, read_to_end};
use nap_io::wav::{Header, WavWriter};
use nap_io::{Error, OpenOptions, SampleFormat, SampleSink, StreamInfo};
use num_complex::Complex32;
use tempfile::TempDir;

fn spec(bits_per_sample: u16, sample_format: hound::SampleFormat) -> hound::WavSpec {
    hound::WavSpec { channels: 2, sample_rate: 250_000, bits_per_sample, sample_format }
}

const NUMBERS: [i32; 8] = [0, 1, -1, 100, -128, 127, -77, 64];

#[test]
fn integers_that_hound_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    for bits in [8_u16, 16, 24, 32] {
        let up = bits.saturating_sub(8).min(23);
        let spec = spec(bits, hound::SampleFormat::Int);
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for number in NUMBERS {
            writer.write_sample(number << up).unwrap();
        }
        writer.finalize().unwrap();
        let mut source = open(&path).unwrap();
        assert_eq!(source.info().sample_rate_hz, 250e3);
        assert_eq!(source.info().total_samples, Some(4));
        let scale = f64::from(1 << up) / 2_f64.powi(i32::from(bits) - 1);
        let expected: Vec<_> = NUMBERS
            .chunks(2)
            .map(|n| {
                Complex32::new((f64::from(n[0]) * scale) as f32, (f64::from(n[1]) * scale) as f32)
            })
            .collect();
        assert_eq!(read_all(&mut source), expected, "{bits} bits");
    }
}

#[test]
fn floats_that_hound_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let spec = spec(32, hound::SampleFormat::Float);
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for sample in ramp(300) {
        writer.write_sample(sample.re).unwrap();
        writer.write_sample(sample.im).unwrap();
    }
    writer.finalize().unwrap();
    assert_eq!(read_all(&mut open(&path).unwrap()), ramp(300));
}

#[test]
fn hound_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let formats = [
        (SampleFormat::WavU8, 8),
        (SampleFormat::Cs16Le, 16),
        (SampleFormat::Cs24Le, 24),
        (SampleFormat::Cs32Le, 32),
    ];
    for (format, bits) in formats {
        write(&path, format, &ramp(501));
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.spec(), spec(bits, hound::SampleFormat::Int));
        let numbers: Vec<i32> = reader.samples().map(Result::unwrap).collect();
        let samples = read_all(&mut open(&path).unwrap());
        let scale = 2_f64.powi(i32::from(bits) - 1);
        let ours: Vec<i32> = samples
            .iter()
            .flat_map(|s| [s.re, s.im])
            .map(|part| (f64::from(part) * scale) as i32)
            .collect();
        if bits == 32 {
            // An f32 keeps 24 of the 32 bits.
            assert!(ours.iter().zip(&numbers).all(|(a, b)| a.abs_diff(*b) <= 128));
        } else {
            assert_eq!(ours, numbers, "{bits} bits");
        }
    }
    write(&path, SampleFormat::Cf32Le, &ramp(501));
    let mut reader = hound::WavReader::open(&path).unwrap();
    let parts: Vec<f32> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(parts, ramp(501).iter().flat_map(|s| [s.re, s.im]).collect::<Vec<_>>());
}

fn write(path: &Path, format: SampleFormat, samples: &[Complex32]) {
    let mut writer = WavWriter::create(path, &StreamInfo::new(250e3, format)).unwrap();
    writer.write(samples).unwrap();
    writer.finish().unwrap();
}

/// The chunk that HDSDR writes, to the millisecond.
#[test]
fn center_and_start_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, center_hz, start, found) in [
        ("both.wav", Some(868.13e6), Some("2026-11-23T06:16:00.123456Z"), Some(868.13e6)),
        ("centre.wav", Some(868_130_000.4), None, Some(868.13e6)),
        ("start.wav", None, Some("2026-02-28T23:59:59.999Z"), None),
        ("neither.wav", None, None, None),
        ("beyond.wav", Some(5.8e9), None, None),
        ("below.wav", Some(-1000.0), None, None),
    ] {
        let path = folder.path().join(name);
        let mut info = StreamInfo::new(250e3, SampleFormat::Cs16Le);
        info.center_hz = center_hz;
        info.start = start.map(|start| start.parse().unwrap());
        let mut sink = nap_io::create(&path, &info).unwrap();
        sink.write(&[Complex32::new(0.5, -0.5); 1000]).unwrap();
        sink.finish().unwrap();
        let mut source = nap_io::open(&path, &OpenOptions::default()).unwrap();
        let read = source.info().clone();
        assert_eq!((read.center_hz, read.total_samples), (found, Some(1000)), "{name}");
        let milliseconds = |time: jiff::Timestamp| time.as_millisecond();
        assert_eq!(read.start.map(milliseconds), info.start.map(milliseconds), "{name}");
        assert_eq!(read_all(source.as_mut()).len(), 1000);
        // Other readers pass over the chunk.
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 1000, "{name}");
    }
}

/// Builds WAV files byte by byte.
struct Builder {
    riff: [u8; 4],
    riff_size: Option<u32>,
    chunks: Vec<u8>,
}

impl Builder {
    fn new() -> Self {
        Self { riff: *b"RIFF", riff_size: None, chunks: Vec::new() }
    }

    fn chunk(mut self, id: &[u8; 4], content: &[u8]) -> Self {
        self.chunks.extend(id);
        self.chunks.extend((content.len() as u32).to_le_bytes());
        self.chunks.extend(content);
        if content.len() % 2 == 1 {
            self.chunks.push(0);
        }
        self
    }

    fn format(self, tag: u16, channels: u16, rate: u32, bits: u16) -> Self {
        let frame = channels * (bits / 8);
        let mut content = Vec::new();
        content.extend([tag, channels].map(u16::to_le_bytes).concat());
        content.extend([rate, rate.wrapping_mul(frame.into())].map(u32::to_le_bytes).concat());
        content.extend([frame, bits].map(u16::to_le_bytes).concat());
        self.chunk(b"fmt ", &content)
    }

    /// The last chunk; its size may be a lie.
    fn data(mut self, size: u32, samples: &[u8]) -> Vec<u8> {
        self.chunks.extend(b"data");
        self.chunks.extend(size.to_le_bytes());
        self.chunks.extend(samples);
        let riff_size = self.riff_size.unwrap_or(self.chunks.len() as u32 + 4);
        [&self.riff[..], &riff_size.to_le_bytes(), b"WAVE", &self.chunks].concat()
    }
}

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn auxi(center_hz: u32) -> Vec<u8> {
    let start: [u16; 8] = [2026, 1, 1, 19, 9, 30, 5, 250];
    let mut content =
        [start, start].concat().iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    content.extend(center_hz.to_le_bytes());
    content.extend([0; 32]);
    content
}

#[test]
fn the_auxi_chunk_has_center_and_start() {
    let bytes = Builder::new()
        .chunk(b"junk", b"odd")
        .format(1, 2, 250_000, 16)
        .chunk(b"auxi", &auxi(868_130_000))
        .data(8, &[0, 0x40, 0, 0xc0, 0, 0, 0, 0]);
    let (_folder, path) = file(&bytes);
    let mut source = open(&path).unwrap();
    assert_eq!(source.info().center_hz, Some(868.13e6));
    assert_eq!(source.info().start, "2026-01-19T09:30:05.25Z".parse().ok());
    assert_eq!(read_all(&mut source)[0], Complex32::new(0.5, -0.5));
    let options = OpenOptions { center_hz: Some(1.0), ..raw(SampleFormat::Cs16Le) };
    assert_eq!(nap_io::open(&path, &options).unwrap().info().center_hz, Some(1.0));
}

/// As SDR Console writes it, and whoever does the same in plain bytes.
#[test]
fn an_auxi_chunk_of_text_has_center_and_start() {
    let text = format!(
        "<?xml version=\"1.0\"?>\r\n<SDR-XML-Root xml:lang=\"EN\"><Definition \
         CurrentTimeUTC=\"19-01-2026 09:30:05\" TimeZoneInfo=\"{}\" RadioCenterFreq=\"868130000\" \
         SampleRate=\"250000\"/></SDR-XML-Root>",
        "A".repeat(300)
    );
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [wide.as_slice(), text.as_bytes()] {
        let bytes =
            Builder::new().format(1, 2, 250_000, 16).chunk(b"auxi", content).data(4, &[0; 4]);
        let (_folder, path) = file(&bytes);
        let source = open(&path).unwrap();
        assert_eq!(source.info().center_hz, Some(868.13e6));
        assert_eq!(source.info().start, "2026-01-19T09:30:05Z".parse().ok());
    }
    let nothing = "<?xml version=\"1.0\"?><SDR-XML-Root RadioCenterFreq=\"\" CurrentTimeUTC=\"soon";
    let bytes = Builder::new().format(1, 2, 250_000, 16).chunk(b"auxi", nothing.as_bytes());
    let (_folder, path) = file(&bytes.data(4, &[0; 4]));
    let source = open(&path).unwrap();
    assert_eq!((source.info().center_hz, source.info().start), (None, None));
}

#[test]
fn what_stands_behind_the_samples_is_heeded() {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        [name as &[u8], &(content.len() as u32).to_le_bytes(), content].concat()
    };
    let behind = [chunk(b"LIST", b"abc\0"), chunk(b"auxi", &auxi(868_130_000))].concat();
    let with = |behind: &[u8]| {
        Builder::new().format(1, 2, 250_000, 16).data(400, &[&loud(400), behind].concat())
    };
    let (_folder, path) = file(&with(&behind));
    let mut source = open(&path).unwrap();
    assert_eq!(source.info().center_hz, Some(868.13e6));
    assert_eq!(source.info().start, "2026-01-19T09:30:05.25Z".parse().ok());
    assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
    assert_eq!(read_all(&mut source).len(), 100);

    let (_folder, path) = file(&with(&chunk(b"data", &loud(80))));
    let source = open(&path).unwrap();
    let [warning] = source.info().warnings.as_slice() else { panic!("{:?}", source.info()) };
    assert!(warning.starts_with("80 bytes of samples in a second `data` chunk"), "{warning}");
}

#[test]
fn a_header_that_counts_one_channel_is_understood() {
    for (frame_bytes, is_read) in [(0_u16, true), (2, true), (4, true), (8, false)] {
        let mut bytes = Builder::new().format(1, 2, 250_000, 16).data(4, &[0, 0x40, 0, 0xc0]);
        bytes[32..34].copy_from_slice(&frame_bytes.to_le_bytes());
        let (_folder, path) = file(&bytes);
        assert_eq!(open(&path).is_ok(), is_read, "{frame_bytes}");
    }
}

/// Found by a property test: the milliseconds are a 16-bit number, too.
#[test]
fn an_auxi_chunk_with_an_impossible_time_is_passed_over() {
    for (field, value) in [(0, 10_000_u16), (1, 13), (3, 0), (4, 24), (5, 60), (6, 61), (7, 32_000)]
    {
        let mut content = auxi(868_130_000);
        content[2 * field..2 * field + 2].copy_from_slice(&value.to_le_bytes());
        let bytes =
            Builder::new().format(1, 2, 250_000, 16).chunk(b"auxi", &content).data(4, &[0; 4]);
        let (_folder, path) = file(&bytes);
        assert_eq!(open(&path).unwrap().info().start, None, "{field}");
    }
}

#[test]
fn the_name_tells_what_the_header_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SDRSharp_20260119_093005Z_868130000Hz_IQ.wav");
    std::fs::write(&path, Builder::new().format(1, 2, 250_000, 8).data(2, &[128, 0])).unwrap();
    let source = open(&path).unwrap();
    assert_eq!(source.info().center_hz, Some(868.13e6));
    assert_eq!(source.info().start, "2026-01-19T09:30:05Z".parse().ok());
}

#[test]
fn options_win_over_the_header_with_a_warning() {
    let (_folder, path) = file(&Builder::new().format(1, 2, 240_000, 16).data(8, &[0; 8]));
    let mut source = nap_io::open(&path, &raw(SampleFormat::Cs8)).unwrap();
    let info = source.info();
    assert_eq!((info.sample_rate_hz, info.format), (250e3, SampleFormat::Cs8));
    assert!(info.warnings[0].contains("sample format is cs16; "), "{:?}", info.warnings);
    assert!(info.warnings[1].contains("sample rate is 240000; "), "{:?}", info.warnings);
    assert_eq!(read_all(&mut source).len(), 4);
    let unknown = Builder::new().format(17, 1, 0, 16).data(8, &[0; 8]);
    let (_folder, path) = file(&unknown);
    assert_eq!(
        nap_io::open(&path, &raw(SampleFormat::Cs16Le)).unwrap().info().total_samples,
        Some(2)
    );
}

/// Chunks as some programs write them: of odd size without a filling byte or with, in capital letters, with no
/// size of a sample.
#[test]
fn careless_headers_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let format = |sample_bytes: u8| {
        let fields = [1, 0, 2, 0, 0x90, 0xd0, 3, 0, 0x40, 0x42, 0xf, 0, sample_bytes, 0, 16, 0];
        [&b"fmt \x10\0\0\0"[..], &fields].concat()
    };
    let capital = format(4).to_ascii_uppercase();
    let list = b"LIST\x05\0\0\0INFOx";
    let data = b"data\x08\0\0\0\0\x40\0\xc0\0\x20\0\0";
    for chunks in [
        [&list[..], &format(4), data].concat(),
        [&list[..], b"\0", &format(4), data].concat(),
        [&format(4)[..], &list[..], data].concat(),
        [&format(4)[..], &list[..], b"\0", data].concat(),
        [&format(0)[..], data].concat(),
        [&capital[..4], &format(4)[4..], data].concat(),
    ] {
        let size = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
        std::fs::write(&path, [&b"RIFF"[..], &size, b"WAVE", &chunks].concat()).unwrap();
        let mut source = open(&path).unwrap();
        assert_eq!(source.info().sample_rate_hz, 250e3);
        let expected = [Complex32::new(0.5, -0.5), Complex32::new(0.25, 0.0)];
        assert_eq!(read_all(&mut source), expected, "{chunks:?}");
    }
}

#[test]
fn a_name_that_contradicts_the_header_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let warnings = |name: &str, options: &OpenOptions| {
        let path = folder.path().join(name);
        let mut writer =
            hound::WavWriter::create(&path, spec(16, hound::SampleFormat::Int)).unwrap();
        (0..200).for_each(|number| writer.write_sample(number).unwrap());
        writer.finalize().unwrap();
        let source = nap_io::open(&path, options).unwrap();
        (source.info().sample_rate_hz, source.info().warnings.clone())
    };
    let (rate_hz, told) = warnings("x_868.13M_62.5k.wav", &OpenOptions::default());
    assert_eq!(rate_hz, 250e3);
    assert!(told[0].contains("the name tells 62500 samples a second, the file itself 250000"));
    assert_eq!(warnings("x_868.13M_250k.wav", &OpenOptions::default()).1, [""; 0]);
    let given = OpenOptions { sample_rate_hz: Some(250e3), ..OpenOptions::default() };
    assert_eq!(warnings("x_868.13M_62.5k.wav", &given).1, [""; 0]);
}

#[test]
fn samples_under_the_name_of_a_wav_file_are_read_by_who_knows_their_format() {
    let (_folder, path) = file(&[0x80; 40]);
    assert!(matches!(open_error(&path, &OpenOptions::default()), Error::Malformed { .. }));
    let source = nap_io::open(&path, &raw(SampleFormat::Cu8)).unwrap();
    assert_eq!(source.info().total_samples, Some(20));
}

#[test]
fn a_header_that_promises_more() {
    let bytes = Builder::new().format(1, 2, 250_000, 16).data(4000, &[0; 43]);
    let (_folder, path) = file(&bytes);
    let mut source = open(&path).unwrap();
    assert_eq!(source.info().total_samples, Some(10));
    let (samples, error) = read_to_end(source.as_mut());
    assert_eq!(samples.len(), 10);
    assert!(
        matches!(
            error,
            Some(Error::Truncated { samples: 10, declared: Some(1000), leftover_bytes: 3, .. })
        ),
        "{error:?}"
    );
}

/// Samples that are no name of a chunk anywhere.
fn loud(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| 0x80 | (i * 7) as u8).collect()
}

/// Every file of these bytes is read whole, through a pipe too, with a warning.
fn assert_read_to_the_end(bytes: &[u8], samples: usize, what: &str) {
    let (_folder, path) = file(bytes);
    let mut source = open(&path).unwrap();
    assert_eq!(source.info().warnings.len(), 1, "{what}: {:?}", source.info().warnings);
    assert_eq!(read_all(&mut source).len(), samples, "{what}");
}

fn read_through_a_pipe(bytes: &[u8]) -> (Vec<Complex32>, Option<Error>) {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let mut source = nap_io::open_stream(stream, Path::new("-"), &OpenOptions::default()).unwrap();
    assert_eq!(source.info().total_samples, None);
    read_to_end(source.as_mut())
}

#[test]
fn sizes_that_are_not_known_mean_up_to_the_end() {
    let unknown = [0, u32::MAX, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_f000, u32::MAX - 44];
    for riff_size in [0, u32::MAX, 36, 36 + 400, 0x7fff_f024] {
        for data_size in unknown {
            let mut builder = Builder::new().format(1, 2, 250_000, 16);
            builder.riff_size = Some(riff_size);
            // The last sample is not whole: the program was stopped while it wrote it.
            let bytes = builder.data(data_size, &loud(402));
            assert_read_to_the_end(&bytes, 100, &format!("{riff_size:#x} {data_size:#x}"));
            let (samples, _) = read_through_a_pipe(&bytes);
            assert_eq!(samples.len(), 100, "{riff_size:#x} {data_size:#x}");
        }
    }
    let empty = Builder::new().format(1, 2, 250_000, 16).data(0, b"LIST\x04\0\0\0abcd");
    let (_folder, path) = file(&empty);
    assert!(matches!(open_error(&path, &OpenOptions::default()), Error::Empty { .. }));
}

#[test]
fn what_follows_the_described_samples_and_is_no_chunk_is_samples() {
    for data_size in [4, 100, 396] {
        for riff_size in [36, 36 + data_size, 36 + 400] {
            let mut builder = Builder::new().format(1, 2, 250_000, 16);
            builder.riff_size = Some(riff_size);
            let bytes = builder.data(data_size, &loud(400));
            assert_read_to_the_end(&bytes, 100, &format!("{riff_size} {data_size}"));
            let (samples, error) = read_through_a_pipe(&bytes);
            assert_eq!((samples.len(), error.is_some()), (100, false), "{riff_size} {data_size}");
        }
    }
}

#[test]
fn a_few_bytes_too_many_are_a_mistake_of_counting() {
    for excess in [1, 16, 44, 128] {
        let bytes = Builder::new().format(1, 2, 250_000, 16).data(400 + excess, &loud(400));
        assert_read_to_the_end(&bytes, 100, &format!("{excess}"));
    }
}

#[test]
fn chunks_after_the_samples_are_no_samples() {
    for after in [
        b"LIST\x04\0\0\0abcd" as &[u8],
        b"LIST\x03\0\0\0abc\0auxi\0\0\0\0",
        b"LIST\x40\0\0\0cut short",
        b"\0\0\0\0",
    ] {
        let bytes =
            Builder::new().format(1, 2, 250_000, 16).data(400, &[&loud(400), after].concat());
        let (_folder, path) = file(&bytes);
        let mut source = open(&path).unwrap();
        assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
        assert_eq!(read_all(&mut source).len(), 100);
        assert_eq!(read_through_a_pipe(&bytes).0.len(), 100);
    }
}

/// The size of a file over 4 GiB, counted from 0 again. The file is sparse.
#[test]
fn sizes_that_have_wrapped_round() {
    let header = Builder::new().format(1, 2, 250_000, 8).data(104_000, &[]);
    let (_folder, path) = file(&header);
    let data_bytes = (1_u64 << 32) + 104_000;
    let sparse = std::fs::File::options().write(true).open(&path).unwrap();
    sparse.set_len(44 + data_bytes).unwrap();
    let mut source = open(&path).unwrap();
    assert_eq!(source.info().total_samples, Some(data_bytes / 2));
    assert!(source.info().warnings[0].contains("4294967296 more follow"), "{:?}", source.info());
    assert_eq!(source.skip(u64::MAX).unwrap(), data_bytes / 2);
}

#[test]
fn a_pipe_that_ends_too_early_is_cut_short() {
    let bytes = Builder::new().format(1, 2, 250_000, 16).data(4000, &loud(400));
    let (samples, error) = read_through_a_pipe(&bytes);
    assert_eq!(samples.len(), 100);
    assert!(matches!(error, Some(Error::Truncated { declared: Some(1000), .. })), "{error:?}");
}

#[test]
fn rf64_and_bw64_have_their_size_in_another_chunk() {
    let with_size = |riff: &[u8; 4], size: u64, data_size: u32, after: &[u8]| {
        let mut ds64 = [0_u8; 28];
        ds64[8..16].copy_from_slice(&size.to_le_bytes());
        let mut builder = Builder::new().chunk(b"ds64", &ds64).format(1, 2, 250_000, 16);
        (builder.riff, builder.riff_size) = (*riff, Some(u32::MAX));
        builder.data(data_size, &[&loud(8), after].concat())
    };
    for riff in [b"RF64", b"BW64"] {
        for data_size in [u32::MAX, 0] {
            let bytes = with_size(riff, 8, data_size, b"LIST\0\0\0\0");
            let (_folder, path) = file(&bytes);
            let mut source = open(&path).unwrap();
            assert!(source.info().warnings.is_empty());
            assert_eq!(read_all(&mut source).len(), 2);
            assert_eq!(read_through_a_pipe(&bytes).0.len(), 2);
            // Written over a placeholder, which did not happen.
            assert_read_to_the_end(&with_size(riff, 0, data_size, b""), 2, "never filled");
            assert_read_to_the_end(&with_size(riff, u64::MAX, data_size, b""), 2, "unknown");
        }
    }
}

#[test]
fn an_extensible_header_names_the_encoding_at_its_end() {
    let mut content = Vec::new();
    content.extend([0xfffe_u16, 2].map(u16::to_le_bytes).concat());
    content.extend([250_000_u32, 2_000_000].map(u32::to_le_bytes).concat());
    content.extend([8_u16, 32, 22, 32].map(u16::to_le_bytes).concat());
    content.extend(3_u32.to_le_bytes());
    content.extend([3, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    let samples = [0.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat();
    let (_folder, path) = file(&Builder::new().chunk(b"fmt ", &content).data(8, &samples));
    assert_eq!(read_all(&mut open(&path).unwrap()), [Complex32::new(0.5, -2.0)]);
}

#[test]
fn files_that_are_refused() {
    let error_of = |bytes: &[u8]| {
        let (_folder, path) = file(bytes);
        open_error(&path, &OpenOptions::default())
    };
    let cases: [(Vec<u8>, &str); 10] = [
        (b"RIFFxxxxAVI LIST".to_vec(), "a picture or film (RIFF) is not supported"),
        (b"RIFXxxxxWAVEfmt ".to_vec(), "big-endian"),
        (b"RIF".to_vec(), "ends before it"),
        (Vec::new(), "is empty"),
        (Builder::new().data(4, &[0; 4]), "`fmt `: is missing"),
        (Builder::new().chunk(b"fmt ", &[1, 0]).data(4, &[0; 4]), "has 2 bytes"),
        (Builder::new().format(1, 1, 250_000, 16).data(4, &[0; 4]), "1 channel(s)"),
        (Builder::new().format(2, 2, 250_000, 8).data(4, &[0; 4]), "WAV encoding 2 with 8 bits"),
        (Builder::new().format(1, 2, 0, 16).data(4, &[0; 4]), "sample rate in Hz is 0"),
        (Builder::new().format(1, 2, 250_000, 16).chunk(b"LIST", &[0; 4]).chunks, "not those"),
    ];
    for (bytes, message) in cases {
        let error = error_of(&bytes);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_chunk_size_beyond_the_file_ends_the_search() {
    let mut bytes = b"RIFF\0\0\0\0WAVEjunk".to_vec();
    bytes.extend(u32::MAX.to_le_bytes());
    let error = Header::read(&mut Cursor::new(bytes), Path::new("x.wav")).unwrap_err();
    assert!(error.to_string().contains("`data`: is missing"), "{error}");
}

#[test]
fn a_folder_is_no_wav_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    std::fs::create_dir(&path).unwrap();
    let error = open_error(&path, &OpenOptions::default());
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::IsADirectory), "{error:?}");
}

#[test]
fn what_wav_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    for (rate_hz, format) in [
        (250e3, SampleFormat::Cs8),
        (0.5e6 + 0.5, SampleFormat::Cs16Le),
        (5e9, SampleFormat::Cs16Le),
    ] {
        let result = WavWriter::create(&path, &StreamInfo::new(rate_hz, format));
        assert!(matches!(result.err(), Some(Error::Unsupported { .. })), "{rate_hz} {format}");
    }
    assert!(!path.exists());
}
