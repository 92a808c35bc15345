//! Opening recordings: what the user says about them and which part is wanted.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use nap_io::{OpenOptions, SampleFormat, SampleSource, StreamInfo};
use num_complex::Complex32;

use crate::args::quantity;
use crate::outcome::misuse;
use crate::terminal::sample_bar;

/// Samples read at once.
const BLOCK: usize = 1 << 16;

/// How to read recordings, and how much of them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recordings")]
pub struct InputArgs {
    /// How the samples of a raw file are stored: cu8, cs8, cs16, cf32 or a SigMF data type.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    /// Samples a second, such as 250k.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    sample_rate: Option<f64>,

    /// Frequency of the recording's centre, such as 868.13M; replaces what the file says.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    center_frequency: Option<f64>,

    /// Leave out the first seconds.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, default_value = "0")]
    start: f64,

    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration)]
    duration: Option<f64>,
}

impl InputArgs {
    /// Opens a recording; `-` is standard input.
    ///
    /// # Errors
    /// Those of [`nap_io::open`], and a start that is after the end.
    pub fn open(&self, path: &Path) -> Result<Recording> {
        let mut source = nap_io::open(path, &self.options()).map_err(with_flags)?;
        let info = source.info();
        for warning in &info.warnings {
            tracing::warn!("{}: {warning}", path.display());
        }
        for note in &info.notes {
            tracing::debug!("{}: {note}", path.display());
        }
        let rate_hz = info.sample_rate_hz;
        let (first_sample, total) = (samples(self.start, rate_hz), info.total_samples);
        let skipped = source.skip(first_sample)?;
        if skipped < first_sample || Some(first_sample) == total {
            return Err(misuse(anyhow!(
                "{}: --start {} s is not before the end of the recording at {} s",
                path.display(),
                self.start,
                skipped as f64 / rate_hz
            )));
        }
        let left = self.wanted(rate_hz);
        Ok(Recording { path: path.into(), source, first_sample, left })
    }

    /// Opens a recording that has been opened before once more, at a sample of its wanted part.
    ///
    /// # Errors
    /// Those of [`nap_io::open`].
    pub fn open_at(&self, path: &Path, sample: u64) -> Result<Recording, nap_io::Error> {
        let mut source = nap_io::open(path, &self.options())?;
        let first_sample = samples(self.start, source.info().sample_rate_hz) + sample;
        source.skip(first_sample)?;
        let left = self.wanted(source.info().sample_rate_hz).saturating_sub(sample);
        Ok(Recording { path: path.into(), source, first_sample, left })
    }

    /// How many samples are wanted; there may be fewer.
    fn wanted(&self, sample_rate_hz: f64) -> u64 {
        self.duration.map_or(u64::MAX, |duration_s| samples(duration_s, sample_rate_hz))
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            format: self.sample_format,
            sample_rate_hz: self.sample_rate,
            center_hz: self.center_frequency,
            start: None,
        }
    }
}

/// Saturates: a start or end later than any recording.
fn samples(time_s: f64, sample_rate_hz: f64) -> u64 {
    (time_s * sample_rate_hz).round() as u64
}

/// Names the flags where something is missing.
pub fn with_flags(error: nap_io::Error) -> anyhow::Error {
    match error {
        nap_io::Error::UnknownFormat { .. } | nap_io::Error::Missing { .. } => {
            misuse(anyhow!("{error}; the flags are --sample-format and --sample-rate"))
        }
        error => error.into(),
    }
}

/// The wanted part of a recording.
pub struct Recording {
    path: PathBuf,
    source: Box<dyn SampleSource>,
    first_sample: u64,
    /// How many samples are still wanted; there may be fewer.
    left: u64,
}

impl Recording {
    /// What is known about the whole recording.
    pub fn info(&self) -> &StreamInfo {
        self.source.info()
    }

    /// Where the wanted part starts, in seconds from the start of the recording.
    pub fn start_s(&self) -> f64 {
        self.first_sample as f64 / self.info().sample_rate_hz
    }

    /// Whether the samples come when they come.
    pub fn is_pipe(&self) -> bool {
        self.info().total_samples.is_none()
    }

    /// How many samples are still to come; `None` for a pipe without a given duration.
    pub fn samples_left(&self) -> Option<u64> {
        let in_file = self.info().total_samples.map(|total| total - self.first_sample);
        let wanted = Some(self.left).filter(|&left| left != u64::MAX);
        [in_file, wanted].into_iter().flatten().min()
    }

    /// Hands the samples out block by block, to the end or until `stop`, with a progress bar.
    /// Returns how many there were, and what kept the rest from being read.
    pub fn read_all(
        &mut self,
        stop: &AtomicBool,
        mut take: impl FnMut(&[Complex32]),
    ) -> (u64, Result<(), nap_io::Error>) {
        let bar = self.bar();
        let mut block = vec![Complex32::ZERO; BLOCK];
        let result = loop {
            if stop.load(Ordering::Relaxed) {
                break Ok(());
            }
            match self.read(&mut block) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    take(&block[..count]);
                    bar.inc(count as u64);
                }
                Err(error) => break Err(error),
            }
        };
        bar.finish_and_clear();
        (bar.position(), result)
    }

    /// A progress bar for what is still to come.
    pub fn bar(&self) -> ProgressBar {
        let name = self.path.display().to_string();
        sample_bar(name, self.samples_left(), self.info().sample_rate_hz)
    }

    /// Reads the next samples and returns how many, 0 at the end.
    ///
    /// # Errors
    /// What keeps the rest from being read.
    pub fn read(&mut self, block: &mut [Complex32]) -> Result<usize, nap_io::Error> {
        let wanted = block.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.source.read(&mut block[..wanted])?;
        self.left -= count as u64;
        Ok(count)
    }
}
