//! Writing a WAV file.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use num_complex::Complex32;

use super::auxi::SYSTEM_TIME_BYTES;
use crate::error::Error;
use crate::format::SampleFormat;
use crate::raw::RawWriter;
use crate::sink::SampleSink;
use crate::stream_info::{StreamInfo, check_sample_rate};

/// What HDSDR writes: start, stop, centre frequency, and eight fields more that nobody fills here.
const AUXI_BYTES: usize = 2 * SYSTEM_TIME_BYTES + 9 * 4;
/// The header without an `auxi` chunk, and that.
const MAX_HEADER_BYTES: u32 = 44 + 8 + AUXI_BYTES as u32;
/// What fits into the 32-bit sizes of a WAV file, after the part of the header they include.
const MAX_DATA_BYTES: u64 = (u32::MAX - MAX_HEADER_BYTES) as u64;

/// Writes a WAV file with two channels, I left and Q right.
///
/// Centre frequency and start are written as HDSDR does, in an `auxi` chunk, if one of them is known. That
/// has room for whole hertz up to 4.29 GHz; a centre beyond belongs into the file name (see
/// [`FileName`](crate::FileName)).
pub struct WavWriter {
    samples: RawWriter,
    sample_rate_hz: u32,
    /// 0 for unknown.
    center_hz: u32,
    start: Option<Timestamp>,
}

impl WavWriter {
    /// Creates the file, or replaces it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a sample rate that is no whole number and for formats that WAV
    /// does not have, [`Error::Io`] if the file cannot be created.
    pub fn create(path: &Path, info: &StreamInfo) -> Result<Self, Error> {
        if encoding(info.format).is_none() {
            let what = format!("the sample format {} in WAV", info.format);
            return Err(Error::unsupported(path, what, "use wav-u8, cs16, cs24, cs32 or cf32"));
        }
        let rate_hz = check_sample_rate(path, info.sample_rate_hz)?;
        if rate_hz.fract() != 0.0 || rate_hz > u32::MAX.into() {
            let what = format!("a sample rate of {rate_hz} Hz in WAV");
            return Err(Error::unsupported(path, what, "use a whole number or write SigMF"));
        }
        let samples = RawWriter::create(path, info.format)?;
        let mut writer = Self {
            samples,
            sample_rate_hz: rate_hz as u32,
            // Saturates: below 0 is unknown, and what is beyond is filtered.
            center_hz: info.center_hz.filter(|&hz| hz <= u32::MAX.into()).unwrap_or(0.0).round()
                as u32,
            start: info.start,
        };
        writer.samples.write_bytes(&writer.header(0))?;
        Ok(writer)
    }

    fn data_bytes(&self) -> u64 {
        self.samples.samples_written() * self.frame_bytes() as u64
    }

    fn frame_bytes(&self) -> usize {
        self.samples.format().bytes_per_sample()
    }

    fn header(&self, data_bytes: u32) -> Vec<u8> {
        let frame_bytes = self.frame_bytes() as u16;
        let auxi = self.auxi();
        let mut header = Vec::with_capacity(MAX_HEADER_BYTES as usize);
        header.extend(b"RIFF");
        header.extend((36 + auxi.len() as u32 + data_bytes).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(16_u32.to_le_bytes());
        header.extend(encoding(self.samples.format()).unwrap_or_default().to_le_bytes());
        header.extend(2_u16.to_le_bytes());
        header.extend(self.sample_rate_hz.to_le_bytes());
        header.extend(self.sample_rate_hz.saturating_mul(frame_bytes.into()).to_le_bytes());
        header.extend(frame_bytes.to_le_bytes());
        header.extend((frame_bytes * 4).to_le_bytes());
        header.extend(auxi);
        header.extend(b"data");
        header.extend(data_bytes.to_le_bytes());
        header
    }
}

impl WavWriter {
    /// The `auxi` chunk; empty if there is nothing to tell.
    fn auxi(&self) -> Vec<u8> {
        if self.center_hz == 0 && self.start.is_none() {
            return Vec::new();
        }
        let mut chunk = b"auxi".to_vec();
        chunk.extend((AUXI_BYTES as u32).to_le_bytes());
        chunk.extend(system_time(self.start));
        chunk.extend(system_time(self.stop()));
        chunk.extend(self.center_hz.to_le_bytes());
        chunk.resize(8 + AUXI_BYTES, 0);
        chunk
    }

    fn stop(&self) -> Option<Timestamp> {
        let seconds = self.samples.samples_written() as f64 / f64::from(self.sample_rate_hz);
        self.start?.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
    }
}

/// Year, month, day of the week from Sunday, day, hour, minute, second, millisecond; zeros for unknown.
fn system_time(time: Option<Timestamp>) -> [u8; SYSTEM_TIME_BYTES] {
    let mut bytes = [0; SYSTEM_TIME_BYTES];
    let Some(time) = time else { return bytes };
    let time = TimeZone::UTC.to_datetime(time);
    let weekday = time.weekday().to_sunday_zero_offset();
    let numbers = [
        time.year(),
        time.month().into(),
        weekday.into(),
        time.day().into(),
        time.hour().into(),
        time.minute().into(),
        time.second().into(),
        time.millisecond(),
    ];
    for (place, number) in bytes.chunks_exact_mut(2).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

impl SampleSink for WavWriter {
    fn write(&mut self, samples: &[Complex32]) -> Result<(), Error> {
        let more = (samples.len() * self.frame_bytes()) as u64;
        if self.data_bytes() + more > MAX_DATA_BYTES {
            return Err(Error::unsupported(
                self.samples.path(),
                "a WAV file over 4 GiB",
                "write SigMF, which has no limit",
            ));
        }
        self.samples.write(samples)
    }

    fn samples_written(&self) -> u64 {
        self.samples.samples_written()
    }

    fn clipped_components(&self) -> u64 {
        self.samples.clipped_components()
    }

    fn finish(&mut self) -> Result<(), Error> {
        // `write` keeps the size below the limit.
        let header = self.header(self.data_bytes() as u32);
        let path = self.samples.path().to_path_buf();
        let file = self.samples.flushed_file()?;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&header))
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map(|_| ())
            .map_err(Error::io(&path, "write the header of"))
    }
}

/// The format tag of a WAV file, for the formats that have one.
fn encoding(format: SampleFormat) -> Option<u16> {
    match format {
        SampleFormat::WavU8
        | SampleFormat::Cs16Le
        | SampleFormat::Cs24Le
        | SampleFormat::Cs32Le => Some(super::header::TAG_PCM),
        SampleFormat::Cf32Le | SampleFormat::Cf64Le => Some(super::header::TAG_FLOAT),
        _ => None,
    }
}
