//! Files of GNU Radio's file meta sink: headers between the samples, or in a file of their own beside them.
//!
//! A header is a dictionary of polymorphic types, as `pmt::serialize` writes it, big-endian, and behind it another one
//! with what the flow graph has added (`gr-blocks/lib/file_meta_sink_impl.cc`, `gnuradio-runtime/lib/pmt`).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use jiff::Timestamp;

use crate::content::GNU_RADIO_MARK;
use crate::error::Error;
use crate::file_name::file_name;
use crate::file_name::told::FileName;
use crate::format::SampleFormat;
use crate::input::Input;
use crate::open_options::{OpenOptions, doubt_rate};
use crate::sample_reader::SampleReader;
use crate::sigmf::metadata::Capture;
use crate::sigmf::recording::with_captures;
use crate::source::SampleSource;
use crate::stream_info::{StreamInfo, check_center};

/// A header with more than that beside it is none.
const MAX_HEADER_BYTES: u64 = 1 << 16;
/// Earlier times count from the start of a program and not of a calendar: the year 2000.
const FIRST_SECOND: u64 = 946_684_800;

/// What a header says of the samples behind it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Header {
    header_bytes: u64,
    /// 0 where the program ended before it could tell.
    sample_bytes: u64,
    is_complex: bool,
    kind: Option<u64>,
    sample_rate_hz: f64,
    center_hz: Option<f64>,
    start: Option<Timestamp>,
}

/// A header and where its samples are.
struct Segment {
    header: Header,
    place: Range<u64>,
}

/// Reads a file with headers between the samples.
pub(crate) fn open(
    path: &Path,
    input: Input,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let Input::File { mut file, .. } = input else {
        let what =
            "a file of GNU Radio with headers between its samples, through a pipe or compressed,";
        return Err(Error::unsupported(path, what, "give the file itself"));
    };
    let mut warnings = Vec::new();
    let segments = segments(path, &mut file, &mut warnings)?;
    let Some(first) = segments.first() else { return Err(Error::Empty { path: path.into() }) };
    let rate_hz = first.header.sample_rate_hz;
    let is_given = options.sample_rate_hz.is_some();
    if !is_given && segments.iter().skip(1).any(|segment| segment.header.sample_rate_hz != rate_hz)
    {
        let what = "a file in which the sample rate changes";
        return Err(Error::unsupported(path, what, "record each rate to a file of its own"));
    }
    let format = options.format.or_else(|| first.header.format()).ok_or_else(|| {
        let what = "a file of GNU Radio with real samples";
        Error::unsupported(path, what, "tell the sample format if they are I and Q in turn")
    })?;
    let mut info = StreamInfo::new(rate_hz, format);
    info.warnings = warnings;
    doubt_rate(&file_name(path), &mut info, options);
    let rate_and_format = OpenOptions { center_hz: None, start: None, ..*options };
    let info = rate_and_format.apply(path, info)?;
    let info = with_captures(path, info, &captures(path, &segments, format), options)?;
    let regions: VecDeque<Range<u64>> = segments.into_iter().map(|segment| segment.place).collect();
    let input = Input::regions(file, regions).map_err(Error::io(path, "read"))?;
    Ok(Box::new(SampleReader::new(path.into(), info, input)?))
}

/// What a file of headers tells of the samples that lie beside it.
pub(crate) fn beside(bytes: &[u8]) -> Option<FileName> {
    let header = Header::parse(bytes)?;
    Some(FileName {
        format: header.format(),
        sample_rate_hz: Some(header.sample_rate_hz).filter(|&hz| hz > 0.0),
        center_hz: header.center_hz,
        start: header.start,
    })
}

/// Goes from header to header. What comes behind the last one without a header is told.
fn segments(
    path: &Path,
    file: &mut File,
    warnings: &mut Vec<String>,
) -> Result<Vec<Segment>, Error> {
    let length = file.seek(SeekFrom::End(0)).map_err(Error::io(path, "read"))?;
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    while at < length {
        let Some(header) = header_at(file, at).map_err(Error::io(path, "read"))? else {
            if segments.is_empty() {
                return Err(Error::malformed(path, "the header", "is none of GNU Radio"));
            }
            warnings.push(format!("{} bytes without a header are not read", length - at));
            break;
        };
        let first = at.saturating_add(header.header_bytes).min(length);
        let is_told = header.sample_bytes > 0;
        let end = if is_told { first.saturating_add(header.sample_bytes) } else { length };
        if !is_told && first < length {
            warnings
                .push("the last header does not tell how many samples follow; reading all".into());
        }
        at = end.min(length);
        segments.push(Segment { header, place: first..at });
    }
    // Headers and nothing else: the samples are in the file without `.hdr`.
    if segments.first().is_some_and(|segment| starts_with_mark(file, segment.place.start)) {
        let what = "a file of GNU Radio with headers alone";
        return Err(Error::unsupported(path, what, "give the file without .hdr beside it"));
    }
    Ok(segments)
}

fn starts_with_mark(file: &mut File, at: u64) -> bool {
    matches!(header_at(file, at), Ok(Some(_)))
}

fn header_at(file: &mut File, at: u64) -> io::Result<Option<Header>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.by_ref().take(GNU_RADIO_MARK.len() as u64 + 8).read_to_end(&mut bytes)?;
    let Some(told) = header_bytes(&bytes).filter(|&told| told <= MAX_HEADER_BYTES) else {
        return Ok(None);
    };
    file.by_ref().take(told.saturating_sub(bytes.len() as u64)).read_to_end(&mut bytes)?;
    Ok(Header::parse(&bytes))
}

/// How long the header is that begins here.
fn header_bytes(bytes: &[u8]) -> Option<u64> {
    bytes.strip_prefix(GNU_RADIO_MARK)?.first_chunk().map(|&bytes| u64::from_be_bytes(bytes))
}

/// The headers as SigMF has them; a centre that cannot be one is not known.
fn captures(path: &Path, segments: &[Segment], format: SampleFormat) -> Vec<Capture> {
    let bytes_per_sample = format.bytes_per_sample() as u64;
    let mut bytes = 0;
    let mut capture = |Segment { header, place }: &Segment| {
        let sample_start = bytes / bytes_per_sample;
        bytes += place.end - place.start;
        Capture {
            sample_start,
            global_index: None,
            center_hz: header.center_hz.filter(|&hz| check_center(path, hz).is_ok()),
            time: header.start,
            is_whole_seconds: false,
            header_bytes: header.header_bytes,
        }
    };
    segments.iter().map(&mut capture).collect()
}

impl Header {
    /// Reads a header; `None` if it is none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header_bytes = header_bytes(bytes)?;
        let mut header = Self { header_bytes, ..Self::default() };
        let mut rest = bytes;
        header.read(&mut rest)?;
        // What a flow graph adds may be anything; of that, what can be understood is.
        header.read(&mut rest);
        Some(header)
    }

    /// Takes in a dictionary, entry by entry.
    fn read(&mut self, rest: &mut &[u8]) -> Option<()> {
        loop {
            match byte(rest)? {
                NULL => return Some(()),
                DICTIONARY if byte(rest)? == PAIR && byte(rest)? == SYMBOL => {}
                _ => return None,
            }
            let name = symbol(rest)?;
            let value = Value::read(rest, 0)?;
            match (name, value) {
                (b"bytes", Value::Count(count)) => self.sample_bytes = count,
                (b"cplx", Value::Flag(flag)) => self.is_complex = flag,
                (b"type", Value::Count(kind)) => self.kind = Some(kind),
                (b"rx_rate", Value::Number(hz)) => self.sample_rate_hz = hz,
                (b"rx_freq" | b"freq", Value::Number(hz)) => self.center_hz = Some(hz),
                (b"rx_time", Value::Time(seconds, fraction)) => {
                    self.start = start(seconds, fraction)
                }
                _ => {}
            }
        }
    }

    /// `gr_file_types` of `file_meta_sink.h`.
    fn format(&self) -> Option<SampleFormat> {
        let kind = self.kind.filter(|_| self.is_complex)?;
        Some(match kind {
            0 => SampleFormat::Cs8,
            1 => SampleFormat::Cs16Le,
            2 => SampleFormat::Cs32Le,
            5 => SampleFormat::Cf32Le,
            6 => SampleFormat::Cf64Le,
            _ => return None,
        })
    }
}

fn start(seconds: u64, fraction: f64) -> Option<Timestamp> {
    let nanoseconds = (fraction.clamp(0.0, 1.0) * 1e9) as i64;
    let start = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    let start = start.checked_add(jiff::SignedDuration::from_nanos(nanoseconds)).ok()?;
    Some(start).filter(|_| seconds >= FIRST_SECOND)
}

const SYMBOL: u8 = 2;
const NULL: u8 = 6;
const PAIR: u8 = 7;
const DICTIONARY: u8 = 9;

/// A value of an entry, as far as it is of use.
enum Value {
    Flag(bool),
    Count(u64),
    Number(f64),
    Time(u64, f64),
    Other,
}

impl Value {
    /// Tuples hold nothing that has parts, at this depth.
    fn read(rest: &mut &[u8], depth: u32) -> Option<Self> {
        Some(match byte(rest)? {
            0 => Self::Flag(true),
            1 => Self::Flag(false),
            SYMBOL => {
                symbol(rest)?;
                Self::Other
            }
            3 => Self::Count(u32::from_be_bytes(take(rest)?).into()),
            4 => Self::Number(f64::from_be_bytes(take(rest)?)),
            5 => {
                take::<16>(rest)?;
                Self::Other
            }
            NULL => Self::Other,
            11 => Self::Count(u64::from_be_bytes(take(rest)?)),
            12 if depth == 0 => {
                let count = u32::from_be_bytes(take(rest)?);
                let parts = (0..count).map(|_| Self::read(rest, 1));
                match *parts.collect::<Option<Vec<_>>>()? {
                    [Self::Count(seconds), Self::Number(fraction)] => Self::Time(seconds, fraction),
                    _ => Self::Other,
                }
            }
            _ => return None,
        })
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    take::<1>(rest).map(|[byte]| byte)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (&taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

fn symbol<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(take(rest)?);
    let (symbol, after) = rest.split_at_checked(length.into())?;
    *rest = after;
    Some(symbol)
}
