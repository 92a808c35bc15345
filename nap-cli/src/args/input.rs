//! Opening recordings: what the user says about them and which part is wanted.

use std::io;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use jiff::Timestamp;
use nap_io::live::SourceAddress;
use nap_io::{
    CrystalCorrected, JoinRule, OpenOptions, SampleFormat, SampleSource, StreamInfo, Stretch,
    StretchReader,
};
use num_complex::Complex32;

use crate::args::quantity;
use crate::outcome::misuse;
use crate::terminal::sample_bar;

/// Samples read at once.
const BLOCK: usize = 1 << 16;

/// Missing samples are silence in pictures, unless so many seconds are missing that nothing else would be
/// seen.
const LONGEST_SILENCE_S: f64 = 3600.0;

/// A recording as the user says that it is.
type Source = CrystalCorrected<Box<dyn SampleSource>>;

/// A stretch of a recording that is open for reading.
pub type Reader = StretchReader<Source>;

/// How to read recordings, and how much of them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recordings")]
pub struct InputArgs {
    /// How the samples are stored: cu8, cs8, cs16, cf32 or a SigMF data type; replaces what the file says.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    /// Samples a second, such as 250k; replaces what the file says.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    sample_rate: Option<f64>,

    /// Frequency of the recording's centre, such as 868.13M; replaces what the file says.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    center_frequency: Option<f64>,

    /// Swap I and Q, of a recording whose spectrum is mirrored.
    #[arg(long)]
    swap_iq: bool,

    /// When the recording started, such as 2026-01-19T09:30:00Z; replaces what the file says.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    start_time: Option<Timestamp>,

    /// By how many millionths the crystal of the radio that made the recording was too fast: corrects
    /// frequencies and sample rate.
    #[arg(long, value_name = "PPM", value_parser = quantity::ppm, default_value = "0",
        allow_negative_numbers = true)]
    ppm: f64,

    /// Leave out the first seconds.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, default_value = "0")]
    start: f64,

    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration)]
    duration: Option<f64>,
}

impl InputArgs {
    /// Opens a recording, which may be in several files; `-` is standard input.
    ///
    /// # Errors
    /// Those of [`nap_io::open_joined`], and a start that is after the end.
    pub fn open(&self, paths: &[PathBuf]) -> Result<Recording> {
        let name = name(paths);
        let source = self.source(paths).map_err(|error| explain(paths, error))?;
        let mut info = source.info().clone();
        for warning in &info.warnings {
            tracing::warn!("{name}: {warning}");
        }
        for note in &info.notes {
            tracing::debug!("{name}: {note}");
        }
        let start = samples(self.start, info.sample_rate_hz);
        let stretches = info.stretches_in(start..self.end(info.sample_rate_hz));
        let total = info.time_line_samples();
        // What holds less than a sample is read, which says so.
        let is_before_end = total.is_none_or(|total| start < total.max(1));
        let Some(first) = stretches.first().filter(|_| is_before_end) else {
            return Err(self.starts_too_late(&name, total, info.sample_rate_hz));
        };
        let reader = StretchReader::at(source, first, 0)?;
        let reached = reader.next_sample();
        if reached < first.first_sample {
            return Err(self.starts_too_late(&name, Some(reached), info.sample_rate_hz));
        }
        (info.center_hz, info.start) = (first.center_hz, first.start);
        Ok(Recording { name, info, reader, stretches })
    }

    /// Opens a recording that has been opened before once more, at a place of one of its stretches.
    ///
    /// # Errors
    /// Those of [`nap_io::open_joined`].
    pub fn open_at(
        &self,
        paths: &[PathBuf],
        stretch: &Stretch,
        place: u64,
    ) -> Result<Reader, nap_io::Error> {
        StretchReader::at(self.source(paths)?, stretch, place)
    }

    /// The recording as the user says that it is.
    fn source(&self, paths: &[PathBuf]) -> Result<Source, nap_io::Error> {
        let source = nap_io::open_joined(paths, &self.options())?;
        Ok(CrystalCorrected::new(source, self.ppm))
    }

    /// Which recordings are parts of a longer one.
    pub fn group(&self, paths: &[PathBuf], rule: JoinRule) -> Vec<Vec<PathBuf>> {
        nap_io::group(paths, &self.options(), rule)
    }

    fn starts_too_late(&self, name: &str, end: Option<u64>, rate_hz: f64) -> anyhow::Error {
        misuse(anyhow!(
            "{name}: --start {} s is not before the end of the recording at {} s",
            self.start,
            end.unwrap_or(0) as f64 / rate_hz
        ))
    }

    /// Where what is wanted ends; the recording may end before.
    fn end(&self, sample_rate_hz: f64) -> u64 {
        self.duration
            .map_or(u64::MAX, |duration_s| samples(self.start + duration_s, sample_rate_hz))
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            format: self.sample_format,
            sample_rate_hz: self.sample_rate,
            center_hz: self.center_frequency,
            start: self.start_time,
            swap_iq: self.swap_iq,
        }
    }
}

/// What a recording is called: by its first file, and how many more there are.
fn name(paths: &[PathBuf]) -> String {
    let first = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
    match paths.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

/// Saturates: a start or end later than any recording.
fn samples(time_s: f64, sample_rate_hz: f64) -> u64 {
    (time_s * sample_rate_hz).round() as u64
}

/// Says what to do about a recording that cannot be opened.
fn explain(paths: &[PathBuf], error: nap_io::Error) -> anyhow::Error {
    let is_address = |path: &PathBuf| {
        let address = SourceAddress::parse(&path.to_string_lossy());
        address.kind().is_live() || address.meant().is_some()
    };
    if paths.iter().any(is_address) && error.io_kind() == Some(io::ErrorKind::NotFound) {
        return misuse(anyhow!("{error}; `nap listen` takes sources that are no recordings"));
    }
    with_flags(error)
}

/// Names the flags where something is missing.
pub fn with_flags(error: nap_io::Error) -> anyhow::Error {
    match error {
        nap_io::Error::UnknownFormat { .. } | nap_io::Error::Missing { .. } => {
            misuse(anyhow!("{error}; the flags are --sample-format and --sample-rate"))
        }
        nap_io::Error::OutOfRange { parameter: "sample rate in Hz", .. } => {
            misuse(anyhow!("{error}; the flag is --sample-rate"))
        }
        error => error.into(),
    }
}

/// The wanted part of a recording.
pub struct Recording {
    name: String,
    /// Of the whole recording, but with centre and start of the wanted part.
    info: StreamInfo,
    /// Of the first stretch.
    reader: Reader,
    stretches: Vec<Stretch>,
}

impl Recording {
    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is known about the whole recording; centre and start are those of the wanted part.
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// The parts of what is wanted in which centre and clock stay.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Where the wanted part starts, in seconds from the start of the recording.
    pub fn start_s(&self) -> f64 {
        let first = self.stretches.first().map_or(0, |stretch| stretch.position);
        first as f64 / self.info.sample_rate_hz
    }

    /// How long what is wanted is, missing samples included; `None` for a pipe without a given duration.
    pub fn length(&self) -> Option<u64> {
        let (first, last) = (self.stretches.first()?, self.stretches.last()?);
        Some(last.position - first.position + self.info.length_of(last)?)
    }

    /// Hands the samples of all stretches out block by block, each with the stretch that it is of, to the end
    /// and with a progress bar. Samples that are missing in a stretch are silence; a long pause is the end.
    /// Returns how many there were of each stretch, and what kept the rest from being read.
    pub fn read_all(
        self,
        mut take: impl FnMut(usize, &[Complex32]),
    ) -> (Vec<u64>, Result<(), nap_io::Error>) {
        let bar = self.bar();
        let longest = (LONGEST_SILENCE_S * self.info.sample_rate_hz) as u64;
        let (mut reader, mut counts, mut end) = (self.reader, Vec::new(), 0);
        let mut result = Ok(());
        for (index, stretch) in self.stretches.iter().enumerate() {
            if index > 0 {
                // It stands where the one before ended.
                reader = StretchReader::new(reader.into_source(), stretch);
            }
            let pause = index > 0 && stretch.position.saturating_sub(end) > longest;
            let (count, read) = match pause {
                true => (0, Ok(Some(0))),
                false => read_stretch(stretch, &mut reader, longest, |block| {
                    bar.inc(block.len() as u64);
                    take(index, block);
                }),
            };
            counts.push(count);
            end = stretch.position + count;
            match read {
                Ok(None) => continue,
                Ok(Some(place)) => {
                    let next_s = (stretch.position + place) as f64 / self.info.sample_rate_hz;
                    tell_what_follows(&self.name, next_s);
                }
                Err(error) => result = Err(error),
            }
            break;
        }
        bar.finish_and_clear();
        (counts, result)
    }

    /// A progress bar for what is still to come.
    pub fn bar(&self) -> ProgressBar {
        let lengths = self.stretches.iter().map(|stretch| self.info.length_of(stretch));
        let total = lengths.sum::<Option<u64>>();
        sample_bar(self.name.clone(), total, self.info.sample_rate_hz)
    }

    /// The first stretch, where it begins.
    pub fn into_reader(self) -> Reader {
        self.reader
    }
}

/// Hands out a stretch to its end, or to a gap of more than `longest`; returns how much that was, and the place
/// after such a gap.
fn read_stretch(
    stretch: &Stretch,
    reader: &mut Reader,
    longest: u64,
    mut take: impl FnMut(&[Complex32]),
) -> (u64, Result<Option<u64>, nap_io::Error>) {
    let mut block = vec![Complex32::ZERO; BLOCK];
    let (mut position, mut gaps) = (0, stretch.gaps.iter().peekable());
    loop {
        let bound = gaps.peek().map_or(u64::MAX, |gap| gap.start);
        let read = match gaps.next_if(|gap| gap.start <= position) {
            Some(gap) if gap.end - gap.start > longest => return (position, Ok(Some(gap.end))),
            Some(gap) => Ok(silence(gap.end - gap.start, &mut block, &mut take)),
            None => reader.read(up_to(&mut block, bound - position)).map(|count| {
                take(&block[..count]);
                count as u64
            }),
        };
        match read {
            Ok(0) => return (position, Ok(None)),
            Ok(count) => position += count,
            Err(error) => return (position, Err(error)),
        }
    }
}

/// Says that what is read ends before the recording does.
fn tell_what_follows(name: &str, next_s: f64) {
    tracing::warn!(
        "{name}: only the part before {next_s:.3} s, where a long pause ends; --start {next_s:.3} goes on there"
    );
}

/// A block with room for so many samples at most.
fn up_to(block: &mut [Complex32], most: u64) -> &mut [Complex32] {
    let count = block.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    &mut block[..count]
}

/// Hands out so much silence.
fn silence(count: u64, block: &mut [Complex32], take: &mut impl FnMut(&[Complex32])) -> u64 {
    block.fill(Complex32::ZERO);
    let mut left = count;
    while left > 0 {
        let silence = up_to(block, left);
        take(silence);
        left -= silence.len() as u64;
    }
    count
}
