//! Recordings on a disk of which they may fill a part.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use nap_io::sigmf::{Annotation, SigmfWriter};
use nap_io::{SampleFormat, SampleSink, StreamInfo};
use num_complex::Complex32;

use super::super::metrics::Metrics;
use super::cut::Burst;
use crate::outcome;

/// All recordings begin with this; nothing else in the folder is touched.
const PREFIX: &str = "nap-burst-";
/// Recordings that may wait to be written.
const QUEUE: usize = 4;
/// Room for the metadata of a recording, in bytes, beside what each burst in it takes.
const METADATA: u64 = 4096;
const ANNOTATION: u64 = 512;
const FORMAT: SampleFormat = SampleFormat::Cs16Le;

/// A recording to be written.
pub struct Job {
    pub samples: Vec<Complex32>,
    pub rate_hz: f64,
    pub center_hz: Option<f64>,
    /// Where in the stream it starts, in seconds.
    pub start_s: f64,
    /// When that was.
    pub time: Option<String>,
    pub bursts: Vec<Burst>,
}

/// Writes recordings in a thread of its own: a slow disk does not hold up the receiver.
pub struct Store {
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    metrics: Arc<Metrics>,
}

impl Store {
    /// A store in a folder, which is made if need be; what earlier runs have left there counts.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open(folder: &Path, most_bytes: u64, metrics: Arc<Metrics>) -> Result<Self> {
        let name = || folder.display().to_string();
        fs::create_dir_all(folder).with_context(name)?;
        let mut shelf = Shelf::open(folder, most_bytes).with_context(name)?;
        shelf.make_room(0).with_context(name)?;
        let (jobs, waiting) = sync_channel::<Job>(QUEUE);
        let counters = Arc::clone(&metrics);
        let writer = thread::spawn(move || {
            let mut is_failing = false;
            for job in waiting {
                let result = shelf.write(&job);
                counters.recordings_size.set(i64::try_from(shelf.bytes).unwrap_or(i64::MAX));
                match result {
                    Ok(()) => {
                        counters.recorded_bursts.inc_by(job.bursts.len() as u64);
                        is_failing = false;
                    }
                    Err(error) => {
                        counters.dropped_recordings.inc_by(job.bursts.len() as u64);
                        if !std::mem::replace(&mut is_failing, true) {
                            let why = outcome::text(&error);
                            tracing::error!("a burst is not recorded: {why}; decoding goes on");
                        }
                    }
                }
            }
        });
        Ok(Self { jobs: Some(jobs), writer: Some(writer), metrics })
    }

    /// Writes a recording when there is time; if too many wait, it is dropped and counted.
    pub fn keep(&self, job: Job) {
        let bursts = job.bursts.len() as u64;
        let sent = self.jobs.as_ref().map(|jobs| jobs.try_send(job));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            self.metrics.dropped_recordings.inc_by(bursts);
        }
    }

    /// Waits until all is written.
    pub fn finish(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A panic in the thread has been reported.
            drop(writer.join());
        }
    }
}

/// The recordings in the folder, the oldest first, with their sizes.
struct Shelf {
    folder: PathBuf,
    most_bytes: u64,
    recordings: Vec<(PathBuf, u64)>,
    bytes: u64,
}

impl Shelf {
    fn open(folder: &Path, most_bytes: u64) -> Result<Self> {
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_ours = path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(PREFIX) && name.contains(".sigmf-"));
            if is_ours {
                names.push(path.with_extension(""));
            }
        }
        // The names hold the time.
        names.sort();
        names.dedup();
        let recordings: Vec<_> =
            names.into_iter().map(|base| (base.clone(), size(&base))).collect();
        let bytes = recordings.iter().map(|(_, bytes)| bytes).sum();
        Ok(Self { folder: folder.into(), most_bytes, recordings, bytes })
    }

    fn write(&mut self, job: &Job) -> Result<()> {
        let data = (job.samples.len() * FORMAT.bytes_per_sample()) as u64;
        let needed = data + METADATA + ANNOTATION * job.bursts.len() as u64;
        anyhow::ensure!(
            needed <= self.most_bytes,
            "it takes {needed} bytes where {} are allowed",
            self.most_bytes
        );
        self.make_room(needed)?;
        let base = self.folder.join(name(job));
        let written = write(&base, job);
        if written.is_err() {
            remove(&base)?;
        } else {
            let bytes = size(&base);
            self.bytes += bytes;
            self.recordings.push((base, bytes));
        }
        written
    }

    /// Removes the oldest recordings until there is room.
    fn make_room(&mut self, needed: u64) -> Result<()> {
        while self.bytes + needed > self.most_bytes && !self.recordings.is_empty() {
            let (base, bytes) = self.recordings.remove(0);
            remove(&base)?;
            self.bytes -= bytes;
        }
        Ok(())
    }
}

fn files(base: &Path) -> [PathBuf; 2] {
    // The name has points of its own.
    ["sigmf-data", "sigmf-meta"].map(|extension| {
        let mut name = base.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        name.into()
    })
}

fn size(base: &Path) -> u64 {
    files(base).iter().filter_map(|file| fs::metadata(file).ok()).map(|m| m.len()).sum()
}

fn remove(base: &Path) -> Result<()> {
    for file in files(base) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context(file.display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

/// By the time, so that the oldest sorts first: `nap-burst-20261123T061600.123456Z`.
fn name(job: &Job) -> String {
    let time = job.time.clone().unwrap_or_else(|| format!("{:017.6}", job.start_s));
    format!("{PREFIX}{}", time.replace(['-', ':'], ""))
}

fn write(base: &Path, job: &Job) -> Result<()> {
    let mut info = StreamInfo::new(job.rate_hz, FORMAT);
    info.center_hz = job.center_hz;
    info.start = job.time.as_ref().and_then(|time| time.parse().ok());
    let labels: Vec<&str> = job.bursts.iter().map(|burst| burst.label.as_str()).collect();
    info.description = Some(format!("Bursts kept by nap: {}", labels.join(", ")));
    let [data, _] = files(base);
    let mut writer = SigmfWriter::create(&data, &info)?;
    let annotations: Vec<Annotation> =
        job.bursts.iter().map(|burst| annotation(burst, job)).collect();
    writer.annotate(&annotations, &[])?;
    writer.write(&job.samples)?;
    writer.finish()?;
    Ok(())
}

fn annotation(burst: &Burst, job: &Job) -> Annotation {
    let index = |time_s: f64| ((time_s - job.start_s).max(0.0) * job.rate_hz).round() as u64;
    let start = index(burst.start_s);
    let end = index(burst.end_s).min(job.samples.len() as u64);
    Annotation {
        sample_start: start,
        sample_count: Some(end.saturating_sub(start)),
        freq_lower_edge_hz: Some(burst.lower_hz),
        freq_upper_edge_hz: Some(burst.upper_hz),
        label: Some(burst.label.clone()),
        ..Annotation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(start_s: f64, samples: usize) -> Job {
        Job {
            samples: vec![Complex32::new(0.1, 0.2); samples],
            rate_hz: 250e3,
            center_hz: Some(868.13e6),
            start_s,
            time: None,
            bursts: vec![Burst {
                start_s: start_s + 0.01,
                end_s: start_s + 0.03,
                lower_hz: 868.1e6,
                upper_hz: 868.11e6,
                label: "not decoded".into(),
                is_known: false,
            }],
        }
    }

    fn used(folder: &Path) -> u64 {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum()
    }

    #[test]
    fn the_oldest_go_before_the_bound_is_passed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "not ours").unwrap();
        let mut shelf = Shelf::open(folder.path(), 200_000).unwrap();
        for number in 0..20 {
            shelf.write(&job(f64::from(number), 10_000)).unwrap();
            assert!(used(folder.path()) - 8 <= 200_000);
            assert_eq!(used(folder.path()) - 8, shelf.bytes);
        }
        assert_eq!(shelf.recordings.len(), 4);
        let newest = folder.path().join("nap-burst-0000000019.000000.sigmf-meta");
        let source = nap_io::open(&newest, &nap_io::OpenOptions::default()).unwrap();
        assert_eq!(source.info().total_samples, Some(10_000));
        assert_eq!(source.info().annotations[0].sample_start, 2500);
        // A run with a smaller bound begins by clearing up.
        let mut shelf = Shelf::open(folder.path(), 100_000).unwrap();
        assert_eq!(shelf.recordings.len(), 4);
        shelf.make_room(0).unwrap();
        assert_eq!(shelf.recordings.len(), 2);
        assert!(newest.exists() && folder.path().join("letter.txt").exists());
        // What could never fit is refused.
        assert!(shelf.write(&job(30.0, 30_000)).unwrap_err().to_string().contains("allowed"));
        assert!(newest.exists());
    }
}
