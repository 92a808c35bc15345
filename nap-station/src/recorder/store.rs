//! Recordings on a disk of which they may fill a part.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::{self, JoinHandle};

use nap_io::sigmf::{Annotation, SigmfWriter};
use nap_io::{SampleSink, StreamInfo};
use num_complex::Complex32;

use crate::error::Error;
use crate::monitor::Monitor;
use crate::recorder::cut::Burst;
use crate::recorder::memory::FORMAT;

/// All recordings begin with this; nothing else in the folder is touched.
const PREFIX: &str = "nap-burst-";
/// Recordings that may wait to be written.
const QUEUE: usize = 4;
/// Room for the metadata of a recording, in bytes, beside what each burst in it takes.
const METADATA: u64 = 4096;
const ANNOTATION: u64 = 512;

/// A recording to be written.
pub(crate) struct WriteRequest {
    pub(crate) samples: Vec<Complex32>,
    pub(crate) rate_hz: f64,
    pub(crate) center_hz: Option<f64>,
    /// Where in the stream it starts, in seconds.
    pub(crate) start_s: f64,
    /// When that was.
    pub(crate) time: Option<String>,
    pub(crate) bursts: Vec<Burst>,
}

/// Writes recordings in a thread of its own: a slow disk does not hold up the receiver.
#[derive(Debug)]
pub(crate) struct Store {
    requests: Option<SyncSender<WriteRequest>>,
    writer: Option<JoinHandle<()>>,
    problems: Receiver<Error>,
    monitor: Monitor,
}

impl Store {
    /// A store in a folder, which is made if need be; what earlier runs have left there counts.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub(crate) fn open(folder: &Path, max_bytes: u64, monitor: Monitor) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io(folder, "make the folder"))?;
        let mut quota = QuotaFolder::open(folder, max_bytes)?;
        quota.make_room(0)?;
        let (requests, waiting) = sync_channel(QUEUE);
        let (report, problems) = channel();
        let counters = monitor.clone();
        let writer = thread::spawn(move || write_all(&mut quota, waiting, &report, &counters));
        Ok(Self { requests: Some(requests), writer: Some(writer), problems, monitor })
    }

    /// Writes a recording when there is time; if too many wait, it is dropped and counted.
    pub(crate) fn keep(&self, request: WriteRequest) {
        let bursts = request.bursts.len() as u64;
        let sent = self.requests.as_ref().map(|requests| requests.try_send(request));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            self.monitor.metrics().dropped_recordings.inc_by(bursts);
        }
    }

    /// Why recordings cannot be written, once for all that follow each other.
    pub(crate) fn problem(&self) -> Option<Error> {
        self.problems.try_recv().ok()
    }

    /// Waits until all is written.
    pub(crate) fn finish(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            // A panic in the thread has been reported.
            drop(writer.join());
        }
    }
}

/// Writes what comes until no more can come.
fn write_all(
    quota: &mut QuotaFolder,
    waiting: Receiver<WriteRequest>,
    report: &Sender<Error>,
    monitor: &Monitor,
) {
    let metrics = monitor.metrics();
    let mut is_failing = false;
    for request in waiting {
        let result = quota.write(&request);
        let bursts = request.bursts.len() as u64;
        metrics.recordings_size.set(i64::try_from(quota.bytes).unwrap_or(i64::MAX));
        match result {
            Ok(()) => {
                metrics.recorded_bursts.inc_by(bursts);
                is_failing = false;
            }
            Err(error) => {
                metrics.dropped_recordings.inc_by(bursts);
                if !std::mem::replace(&mut is_failing, true) {
                    // Nobody may be there any more to be told.
                    drop(report.send(error));
                }
            }
        }
    }
}

/// The recordings in the folder, the oldest first, with their sizes.
struct QuotaFolder {
    folder: PathBuf,
    max_bytes: u64,
    recordings: Vec<(PathBuf, u64)>,
    bytes: u64,
}

impl QuotaFolder {
    fn open(folder: &Path, max_bytes: u64) -> Result<Self, Error> {
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).map_err(Error::io(folder, "list"))? {
            let path = entry.map_err(Error::io(folder, "list"))?.path();
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
        Ok(Self { folder: folder.into(), max_bytes, recordings, bytes })
    }

    fn write(&mut self, request: &WriteRequest) -> Result<(), Error> {
        let data = (request.samples.len() * FORMAT.bytes_per_sample()) as u64;
        let needed = data + METADATA + ANNOTATION * request.bursts.len() as u64;
        if needed > self.max_bytes {
            let folder = self.folder.clone();
            return Err(Error::NoRoom { folder, needed, allowed: self.max_bytes });
        }
        self.make_room(needed)?;
        let base = self.folder.join(name(request));
        let written = write(&base, request);
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
    fn make_room(&mut self, needed: u64) -> Result<(), Error> {
        while self.bytes + needed > self.max_bytes && !self.recordings.is_empty() {
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

fn remove(base: &Path) -> Result<(), Error> {
    for file in files(base) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(&file, "remove")(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// By the time, so that the oldest sorts first: `nap-burst-20261123T061600.123456Z`.
fn name(request: &WriteRequest) -> String {
    let time = request.time.clone().unwrap_or_else(|| format!("{:017.6}", request.start_s));
    format!("{PREFIX}{}", time.replace(['-', ':'], ""))
}

fn write(base: &Path, request: &WriteRequest) -> Result<(), Error> {
    let mut info = StreamInfo::new(request.rate_hz, FORMAT);
    info.center_hz = request.center_hz;
    info.start = request.time.as_ref().and_then(|time| time.parse().ok());
    let labels: Vec<&str> = request.bursts.iter().map(|burst| burst.label.as_str()).collect();
    info.description = Some(format!("Bursts kept by nap: {}", labels.join(", ")));
    let [data, _] = files(base);
    let mut writer = SigmfWriter::create(&data, &info)?;
    let annotations: Vec<Annotation> =
        request.bursts.iter().map(|burst| annotation(burst, request)).collect();
    writer.annotate(&annotations, &[])?;
    writer.write(&request.samples)?;
    writer.finish()?;
    Ok(())
}

fn annotation(burst: &Burst, request: &WriteRequest) -> Annotation {
    let index =
        |time_s: f64| ((time_s - request.start_s).max(0.0) * request.rate_hz).round() as u64;
    let start = index(burst.start_s);
    let end = index(burst.end_s).min(request.samples.len() as u64);
    Annotation {
        sample_start: start,
        sample_count: Some(end.saturating_sub(start)),
        freq_lower_edge_hz: Some(burst.lower_hz),
        freq_upper_edge_hz: Some(burst.upper_hz),
        label: Some(burst.label.clone()),
        comment: burst.comment.clone(),
        ..Annotation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(start_s: f64, samples: usize) -> WriteRequest {
        WriteRequest {
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
                comment: None,
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
        let mut quota = QuotaFolder::open(folder.path(), 200_000).unwrap();
        for number in 0..20 {
            quota.write(&request(f64::from(number), 10_000)).unwrap();
            assert!(used(folder.path()) - 8 <= 200_000);
            assert_eq!(used(folder.path()) - 8, quota.bytes);
        }
        assert_eq!(quota.recordings.len(), 4);
        let newest = folder.path().join("nap-burst-0000000019.000000.sigmf-meta");
        let source = nap_io::open(&newest, &nap_io::OpenOptions::default()).unwrap();
        assert_eq!(source.info().total_samples, Some(10_000));
        assert_eq!(source.info().annotations[0].sample_start, 2500);
        // A run with a smaller bound begins by clearing up.
        let mut quota = QuotaFolder::open(folder.path(), 100_000).unwrap();
        assert_eq!(quota.recordings.len(), 4);
        quota.make_room(0).unwrap();
        assert_eq!(quota.recordings.len(), 2);
        assert!(newest.exists() && folder.path().join("letter.txt").exists());
        // What could never fit is refused.
        assert!(quota.write(&request(30.0, 30_000)).unwrap_err().to_string().contains("allowed"));
        assert!(newest.exists());
    }
}
