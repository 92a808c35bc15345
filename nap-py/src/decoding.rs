//! Whole recordings on several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nap_phy::receiver::pieces::{self, Decoding, Ending, plan};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{Message, ReceiverConfig};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::devices::PyDeviceTable;
use crate::error;
use crate::recording::PyRecording;
use crate::settings::Settings;

/// From one look at Python's signals to the next.
const INTERVAL: Duration = Duration::from_millis(50);

/// The messages' records, how many samples were unusable, and what should be known about it: what was
/// not listened to, and why reading stopped before the end.
type Decoded = (Vec<String>, u64, Vec<String>);

/// What comes of the pieces: the records, and how the recording ended.
type Merged = (Vec<String>, Result<Ending<nap_io::Error>, nap_phy::Error>);

/// Decodes a recording from where it stands, `first` samples after its start, for `count` samples or to
/// its end. `progress` is called with the number of samples since the last call.
#[pyfunction]
#[pyo3(signature = (recording, first, count, *, radio_configurations, channel_centers_hz, bit_rate,
    devices, full_scale_dbm, false_messages_per_day, most_drift_hz_per_s, threads, progress))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub fn decode_recording(
    py: Python<'_>,
    recording: &PyRecording,
    first: u64,
    count: Option<u64>,
    radio_configurations: Vec<String>,
    channel_centers_hz: Vec<f64>,
    bit_rate: &str,
    devices: &PyDeviceTable,
    full_scale_dbm: Option<f64>,
    false_messages_per_day: f64,
    most_drift_hz_per_s: f64,
    threads: Option<usize>,
    progress: &Bound<'_, PyAny>,
) -> PyResult<Decoded> {
    let settings = Settings {
        sample_rate_hz: recording.sample_rate_hz,
        center_hz: recording.center_hz,
        radio_configurations: radio_configurations.iter().map(String::as_str).collect(),
        channel_centers_hz,
        bit_rate,
        devices,
        full_scale_dbm,
        false_messages_per_day,
        most_drift_hz_per_s,
    };
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let chosen = settings.chosen()?;
    let unheard = chosen.unheard().join("; ");
    let mut notes: Vec<String> =
        Some(unheard).filter(|text| !text.is_empty()).into_iter().collect();
    let part = Part {
        recording,
        first,
        count,
        configs: chosen.configs,
        threads: threads.unwrap_or_else(processors).max(1),
    };
    let (records, unusable, problem) = part.decode(py, progress)?;
    notes.extend(problem);
    Ok((records, unusable, notes))
}

/// What is to be decoded of a recording.
struct Part<'a> {
    recording: &'a PyRecording,
    first: u64,
    count: Option<u64>,
    configs: Vec<ReceiverConfig>,
    threads: usize,
}

impl Part<'_> {
    /// The messages' records, how many samples were unusable, and why reading stopped before the end.
    fn decode(
        self,
        py: Python<'_>,
        progress: &Bound<'_, PyAny>,
    ) -> PyResult<(Vec<String>, u64, Option<String>)> {
        let (recording, first, count) = (self.recording, self.first, self.count);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool = pool.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let (work, stop) = (Work::default(), AtomicBool::new(false));
        let (jobs, decoding) = pieces::split(pieces::Recording {
            pieces: self.pieces().map_err(error::phy)?,
            configs: self.configs,
            open: |sample| recording.reader(first, count, sample),
            progress: |samples| {
                work.samples.fetch_add(samples, Ordering::Relaxed);
            },
        });
        let (records, ending) = pool.in_place_scope_fifo(|scope| {
            for job in jobs {
                let stop = &stop;
                scope.spawn_fifo(move |_| job.run(stop));
            }
            thread::scope(|scope| {
                let (watcher, ended) = (thread::current(), &work.ended);
                let merging = scope.spawn(move || {
                    let merged = merge(decoding, recording, first);
                    ended.store(true, Ordering::Relaxed);
                    watcher.unpark();
                    merged
                });
                let watched = watch(py, &work, progress);
                stop.store(watched.is_err(), Ordering::Relaxed);
                let merged = py.detach(|| merging.join());
                let panicked = |_| PyRuntimeError::new_err("a thread has panicked");
                watched.and_then(|()| merged.map_err(panicked))
            })
        })?;
        let Ending { read, statistics, .. } = ending.map_err(error::phy)?;
        let problem = match read {
            Err(error @ nap_io::Error::Truncated { .. }) => Some(error.to_string()),
            Err(error) => return Err(error::recording(error)),
            Ok(()) => None,
        };
        Ok((records, statistics.unusable_samples, problem))
    }

    /// A recording is cut where there are threads for the pieces; a pipe cannot be.
    fn pieces(&self) -> Result<Vec<plan::Piece>, nap_phy::Error> {
        let total = self.recording.total_samples;
        let left = total.map(|total| total.saturating_sub(self.first));
        let Some(samples) = [left, self.count].into_iter().flatten().min() else {
            return Ok(plan::whole());
        };
        let duration_s = samples as f64 / self.recording.sample_rate_hz;
        let count = left.map_or(1, |_| plan::count(duration_s, self.threads));
        plan::plan(samples, count, &self.configs)
    }
}

/// Puts the messages together, in the order of the recording.
fn merge(decoding: Decoding<nap_io::Error>, recording: &PyRecording, first: u64) -> Merged {
    let start_s = first as f64 / recording.sample_rate_hz;
    let start: Option<Timestamp> = recording.start();
    let record = |message: Message| {
        let message = message.moved_by(start_s);
        let time = start.and_then(|start| nap_io::utc_text(start, message.signal.time_s));
        let record = MessageRecord::new(MessageRecordType::Message, &message, time);
        serde_json::json!(record).to_string()
    };
    let mut records = Vec::new();
    let ending = decoding.finish(|message| records.push(record(message)));
    (records, ending)
}

/// How far the work is.
#[derive(Default)]
struct Work {
    samples: AtomicU64,
    ended: AtomicBool,
}

/// Waits for the end; tells meanwhile how far the work is, and looks for an interrupt.
fn watch(py: Python<'_>, work: &Work, progress: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut told = 0;
    loop {
        let ended = work.ended.load(Ordering::Relaxed);
        let samples = work.samples.load(Ordering::Relaxed);
        if samples > told {
            progress.call1((samples - told,))?;
            told = samples;
        }
        if ended {
            return Ok(());
        }
        py.detach(|| thread::park_timeout(INTERVAL));
        py.check_signals()?;
    }
}
