//! Whole recordings on several threads.

use std::thread;

use jiff::Timestamp;
use nap_phy::DeviceTable;
use nap_phy::receiver::pieces::Ending;
use nap_phy::receiver::pieces::parts::{self, PartMessage, PartsDecoding};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error;
use crate::recording::PyRecording;
use crate::settings::PySettings;
use crate::tuned::{Tuned, record, tuned};
use crate::watching::Work;

/// The messages' records, how many samples were decoded and how many of them were unusable, and what should
/// be known about it: what was not listened to, and why reading stopped before the end.
type Decoded = (Vec<String>, u64, u64, Vec<String>);

/// What comes of the pieces: the records, and how reading ended.
type Merged = (Vec<String>, Result<Ending<nap_io::Error>, nap_phy::Error>);

/// Decodes a recording from where it stands, `first` samples after its start, for `count` samples or to
/// its end; samples that are missing count. Each part of a recording that was tuned elsewhere is decoded at
/// its own frequency. `progress` is called with the number of samples since the last call.
#[pyfunction]
#[pyo3(signature = (recording, first, count, settings, *, threads, progress))]
pub fn decode_recording(
    py: Python<'_>,
    recording: &PyRecording,
    first: u64,
    count: Option<u64>,
    settings: &PySettings,
    threads: Option<usize>,
    progress: &Bound<'_, PyAny>,
) -> PyResult<Decoded> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let end = count.map_or(u64::MAX, |count| first.saturating_add(count));
    let stretches = recording.info().stretches_in(first..end);
    let (stretches, mut notes) = tuned(py, recording, stretches, settings)?;
    let threads = threads.unwrap_or_else(processors).max(1);
    let wanted = Wanted { recording, devices: settings.devices(), stretches, threads };
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
        let work = Work::default();
        let parts = self.stretches.iter().map(|tuned| tuned.part(recording)).collect();
        let starts: Vec<_> = self.stretches.iter().map(|tuned| tuned.stretch.start).collect();
        let (jobs, decoding) = parts::split_parts(parts, self.threads, |index| {
            let Tuned { stretch, index, .. } = &self.stretches[index];
            // The recording stands at the start of what is wanted.
            let open = move |place| recording.reader(stretch, *index == 0, place);
            (open, |count| work.add(count))
        })
        .map_err(error::phy)?;
        pool.in_place_scope_fifo(|scope| {
            for job in jobs {
                let stop = &work.stop;
                scope.spawn_fifo(move |_| job.run(stop));
            }
            work.run(py, Some(progress), || merge(decoding, &starts, devices))
        })
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
        let record = record(&message, starts[part], time_in_part_s, devices);
        records.push(serde_json::json!(record).to_string());
    });
    (records, ending)
}
