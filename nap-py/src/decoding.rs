//! Whole recordings on several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nap_io::Stretch;
use nap_phy::receiver::pieces::{self, Decoding, plan};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{Message, MessageId, ReceiverConfig};
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

/// What comes of the pieces: the records, how many samples were unusable, and how reading ended.
type Merged = (Vec<String>, Result<(u64, Result<(), nap_io::Error>), nap_phy::Error>);

/// Decodes a recording from where it stands, `first` samples after its start, for `count` samples or to
/// its end; samples that are missing count. Each part of a recording that was tuned elsewhere is decoded at
/// its own frequency. `progress` is called with the number of samples since the last call.
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
    let end = count.map_or(u64::MAX, |count| first.saturating_add(count));
    let (stretches, mut notes) = tuned(recording.info().stretches_in(first..end), &settings)?;
    let wanted =
        Wanted { recording, stretches, threads: threads.unwrap_or_else(processors).max(1) };
    let (records, unusable, problem) = wanted.decode(py, progress)?;
    notes.extend(problem);
    Ok((records, unusable, notes))
}

/// The stretches that hold a channel, with what is listened to in them, and what is not listened to.
fn tuned(stretches: Vec<Stretch>, settings: &Settings<'_>) -> PyResult<(Vec<Tuned>, Vec<String>)> {
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
            Err(error) => problem = problem.or(Some(error)),
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
    stretches: Vec<Tuned>,
    threads: usize,
}

/// A stretch that is being decoded: where it begins, in seconds, and the time there.
struct Part {
    decoding: Decoding<nap_io::Error>,
    start_s: f64,
    start: Option<Timestamp>,
}

impl Wanted<'_> {
    /// The messages' records, how many samples were unusable, and why reading stopped before the end.
    fn decode(
        self,
        py: Python<'_>,
        progress: &Bound<'_, PyAny>,
    ) -> PyResult<(Vec<String>, u64, Option<String>)> {
        let recording = self.recording;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool = pool.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let (work, stop) = (Work::default(), AtomicBool::new(false));
        let (mut jobs, mut parts) = (Vec::new(), Vec::new());
        for Tuned { stretch, configs, is_open } in self.stretches {
            let pieces = pieces_of(recording, &stretch, self.threads, &configs);
            let start_s = stretch.position as f64 / recording.sample_rate_hz;
            let (start, gaps) = (stretch.start, stretch.gaps.clone());
            let (more, decoding) = pieces::split(pieces::Recording {
                pieces: pieces.map_err(error::phy)?,
                gaps,
                configs,
                open: move |place| recording.reader(&stretch, is_open, place),
                progress: |samples| {
                    work.samples.fetch_add(samples, Ordering::Relaxed);
                },
            });
            jobs.extend(more);
            parts.push(Part { decoding, start_s, start });
        }
        let (records, ending) = pool.in_place_scope_fifo(|scope| {
            for job in jobs {
                let stop = &stop;
                scope.spawn_fifo(move |_| job.run(stop));
            }
            thread::scope(|scope| {
                let (watcher, ended) = (thread::current(), &work.ended);
                let merging = scope.spawn(move || {
                    let merged = merge(parts);
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
        let (unusable_samples, read) = ending.map_err(error::phy)?;
        let problem = match read {
            Err(error @ nap_io::Error::Truncated { .. }) => Some(error.to_string()),
            Err(error) => return Err(error::recording(error)),
            Ok(()) => None,
        };
        Ok((records, unusable_samples, problem))
    }
}

/// A stretch is cut where there are threads for the pieces; a pipe cannot be.
fn pieces_of(
    recording: &PyRecording,
    stretch: &Stretch,
    threads: usize,
    configs: &[ReceiverConfig],
) -> Result<Vec<plan::Piece>, nap_phy::Error> {
    let Some(total) = recording.info().time_line_samples() else {
        return Ok(plan::whole());
    };
    let left = total.saturating_sub(stretch.position);
    let length = stretch.length.map_or(left, |length| length.min(left));
    let duration_s = stretch.samples_in(length) as f64 / recording.sample_rate_hz;
    match plan::count(duration_s, threads) {
        1 => Ok(plan::whole()),
        count => plan::plan_over(length, &stretch.gaps, count, configs),
    }
}

/// Puts the messages together, in the order of the recording.
fn merge(parts: Vec<Part>) -> Merged {
    let (mut records, mut unusable_samples, mut newest) = (Vec::new(), 0, 0);
    for Part { decoding, start_s, start } in parts {
        let before = newest;
        let ending = decoding.finish(|message| {
            newest = before + message.id.0;
            let time = start.and_then(|start| nap_io::utc_text(start, message.signal.time_s));
            let message = Message { id: MessageId(newest), ..message }.moved_by(start_s);
            let record = MessageRecord::new(MessageRecordType::Message, &message, time);
            records.push(serde_json::json!(record).to_string());
        });
        match ending {
            Ok(ending) => {
                unusable_samples += ending.statistics.unusable_samples;
                if ending.read.is_err() {
                    return (records, Ok((unusable_samples, ending.read)));
                }
            }
            Err(error) => return (records, Err(error)),
        }
    }
    (records, Ok((unusable_samples, Ok(()))))
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
