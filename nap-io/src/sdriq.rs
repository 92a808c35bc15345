//! Recordings of SDRangel (`.sdriq`): a header of 32 bytes, then samples.
//!
//! The header as in `sdrbase/dsp/filerecord.h` of its sources, little-endian: sample rate (32 bits), centre
//! frequency (64), start (64; seconds, milliseconds since version 6), bits of a sample (32), filler (32), CRC-32
//! of all before (32).

use std::io::Read;
use std::path::Path;

use crc::{CRC_32_ISO_HDLC, Crc};
use jiff::Timestamp;

use crate::counted::counted;
use crate::error::Error;
use crate::file_name::file_name;
use crate::format::SampleFormat;
use crate::input::Input;
use crate::open_options::{OpenOptions, doubt_rate};
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::{StreamInfo, check_center};

const HEADER_BYTES: usize = 32;
const CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// A start above this counts milliseconds: as seconds it is the year 5138, as milliseconds 1973.
const MAX_SECONDS: i64 = 100_000_000_000;

/// What the header says.
#[derive(Debug, Clone, PartialEq)]
struct Header {
    format: SampleFormat,
    sample_rate_hz: u32,
    center_hz: u64,
    start: Option<Timestamp>,
}

/// Reads a recording of SDRangel.
pub(crate) fn open(
    path: &Path,
    mut input: Input,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let header = Header::parse(path, &read_header(path, &mut input)?)?;
    let mut info = StreamInfo::new(header.sample_rate_hz.into(), header.format);
    info.center_hz = Some(check_center(path, header.center_hz as f64)?);
    info.start = header.start;
    doubt_rate(&file_name(path), &mut info, options);
    let info = options.apply(path, info)?;
    Ok(Box::new(SampleReader::new(path.into(), info, input)?))
}

fn read_header(path: &Path, input: &mut Input) -> Result<[u8; HEADER_BYTES], Error> {
    let mut header = [0; HEADER_BYTES];
    let mut filled = 0;
    while filled < HEADER_BYTES {
        match input.read(&mut header[filled..]).map_err(Error::io(path, "read"))? {
            0 if filled == 0 => return Err(Error::Empty { path: path.into() }),
            0 => {
                let problem =
                    format!("has {}, but {HEADER_BYTES} are needed", counted(filled, "byte"));
                return Err(Error::malformed(path, "the header", problem));
            }
            count => filled += count,
        }
    }
    Ok(header)
}

impl Header {
    fn parse(path: &Path, bytes: &[u8; HEADER_BYTES]) -> Result<Self, Error> {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| bytes[at + i]));
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if CRC32.checksum(&bytes[..HEADER_BYTES - 4]) != word(28) {
            let problem = "has a wrong checksum: it is no recording of SDRangel, or a damaged one";
            return Err(Error::malformed(path, "the header", problem));
        }
        let format = match word(20) {
            16 => SampleFormat::Cs16Le,
            24 => SampleFormat::Cs24In32Le,
            bits => {
                let what = format!("a sample size of {bits} bits in a recording of SDRangel");
                return Err(Error::unsupported(path, what, "use 16 or 24 bits"));
            }
        };
        Ok(Self { format, sample_rate_hz: word(0), center_hz: long(4), start: start(long(12)) })
    }
}

/// 0 stands for unknown.
fn start(written: u64) -> Option<Timestamp> {
    match i64::try_from(written).ok()? {
        0 => None,
        seconds @ ..=MAX_SECONDS => Timestamp::from_second(seconds).ok(),
        milliseconds => Timestamp::from_millisecond(milliseconds).ok(),
    }
}
