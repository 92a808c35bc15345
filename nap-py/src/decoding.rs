//! Whole recordings on several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nap_io::Stretch;
use nap_phy::receiver::pieces::Ending;
use nap_phy::receiver::pieces::parts::{self, Part, PartMessage, PartsDecoding};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, ReceiverConfig};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::devices::PyDeviceTable;
use crate::error;
use crate::recording::PyRecording;
use crate::settings::Settings;

/// From one look at Python's signals to the next.
const INTERVAL: Duration = Duration::from_millis(50);

/// The messages' records, how many samples were decoded and how many of them were unusable, and what should
/// be known about it: what was not listened to, and why reading stopped before the end.
type Decoded = (Vec<String>, u64, u64, Vec<String>);

/// What comes of the pieces: the records, and how reading ended.
type Merged = (Vec<String>, Result<Ending<nap_io::Error>, nap_phy::Error>);

/// Decodes a recording from where it stands, `first` samples after its start, for `count` samples or to
/// its end; samples that are missing count. Each part of a recording that was tuned elsewhere is decoded at
/// its own frequency. `progress` is called with the number of samples since the last call.
#[pyfunction]
#[pyo3(signature = (recording, first, count, *, radio_configurations, channel_centers_hz, bit_rate,
    devices, full_scale_dbm, false_messages_per_day, max_drift_hz_per_s, threads, progress))]
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
    max_drift_hz_per_s: f64,
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
        max_drift_hz_per_s,
    };
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let end = count.map_or(u64::MAX, |count| first.saturating_add(count));
    let stretches = recording.info().stretches_in(first..end);
    let (stretches, mut notes) = tuned(py, stretches, &settings)?;
    let threads = threads.unwrap_or_else(processors).max(1);
    let wanted = Wanted { recording, devices: devices.table(), stretches, threads };
    let (records, ending) = wanted.decode(py, progress)?;
    let Ending { read, statistics, .. } = ending.map_err(error::phy)?;
    match read {
        Err(error @ nap_io::Error::Truncated { .. }) => notes.push(error.to_string()),
        Err(error) => return Err(error::recording(error)),
        Ok(()) => {}
    }
    py.detach(|| recording.pass_over_the_rest());
    Ok((records, statistics.samples, statistics.unusable_samples, notes))
}

/// The stretches that hold a channel, with what is listened to in them, and what is not listened to.
fn tuned(
    py: Python<'_>,
    stretches: Vec<Stretch>,
    settings: &Settings<'_>,
) -> PyResult<(Vec<Tuned>, Vec<String>)> {
    let (mut tuned, mut notes, mut problem) = (Vec::new(), Vec::new(), None);
    for (index, stretch) in stretches.into_iter().enumerate() {
        let settings = Settings { center_hz: stretch.center_hz, ..settings.clone() };
        match settings.chosen() {
            Ok(chosen) => {
                let unheard = chosen.unheard().join("; ");
                if !unheard.is_empty() && !notes.contains(&unheard) {
                    notes.push(unheard);
                }
                tuned.push(Tuned { stretch, configs: chosen.configs, is_open: index == 0 });
            }
            Err(error) => {
                let start_s = stretch.position as f64 / settings.sample_rate_hz;
                let why = error.value(py);
                notes.push(format!("the part from {start_s:.3} s on is left out: {why}"));
                problem = problem.or(Some(error));
            }
        }
    }
    match problem {
        Some(error) if tuned.is_empty() => Err(error),
        _ => Ok((tuned, notes)),
    }
}

/// A stretch of a recording and what is listened to in it.
struct Tuned {
    stretch: Stretch,
    configs: Vec<ReceiverConfig>,
    /// Whether the recording stands at its start.
    is_open: bool,
}

/// What is to be decoded of a recording.
struct Wanted<'a> {
    recording: &'a PyRecording,
    devices: &'a DeviceTable,
    stretches: Vec<Tuned>,
    threads: usize,
}

impl Wanted<'_> {
    /// Decodes it on its threads, while this one looks for interrupts.
    fn decode(self, py: Python<'_>, progress: &Bound<'_, PyAny>) -> PyResult<Merged> {
        let (recording, devices) = (self.recording, self.devices);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool = pool.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let (work, stop) = (Work::default(), AtomicBool::new(false));
        let parts = self.stretches.iter().map(|tuned| part(recording, tuned)).collect();
        let starts: Vec<_> = self.stretches.iter().map(|tuned| tuned.stretch.start).collect();
        let (jobs, decoding) = parts::split_parts(parts, self.threads, |index| {
            let Tuned { stretch, is_open, .. } = &self.stretches[index];
            let open = move |place| recording.reader(stretch, *is_open, place);
            let samples = &work.samples;
            (open, move |count| {
                samples.fetch_add(count, Ordering::Relaxed);
            })
        })
        .map_err(error::phy)?;
        pool.in_place_scope_fifo(|scope| {
            for job in jobs {
                let stop = &stop;
                scope.spawn_fifo(move |_| job.run(stop));
            }
            thread::scope(|scope| {
                let (watcher, ended) = (thread::current(), &work.ended);
                let merging = scope.spawn(move || {
                    let merged = merge(decoding, &starts, devices);
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
        })
    }
}

/// A stretch as a part to decode.
fn part(recording: &PyRecording, tuned: &Tuned) -> Part {
    let Tuned { stretch, configs, .. } = tuned;
    let info = recording.info();
    Part {
        position: stretch.position,
        // A pipe cannot be cut, whatever part of it is wanted.
        length: info.total_samples.and_then(|_| info.length_of(stretch)),
        gaps: stretch.gaps.clone(),
        configs: configs.clone(),
    }
}

/// Makes records of the messages, in the order of the recording.
fn merge(
    decoding: PartsDecoding<nap_io::Error>,
    starts: &[Option<Timestamp>],
    devices: &DeviceTable,
) -> Merged {
    let mut records = Vec::new();
    let ending = decoding.finish(|PartMessage { message, part, time_in_part_s, .. }| {
        let time = starts[part].and_then(|start| nap_io::utc_text(start, time_in_part_s));
        let record = MessageRecord::new(MessageRecordType::Message, &message, time, devices);
        records.push(serde_json::json!(record).to_string());
    });
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
