//! The receiver: arrays in, JSON records out.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use nap_io::{SampleFormat, StreamInfo, swap_iq};
use nap_phy::receiver::{Statistics, UndecodedBurst};
use nap_phy::schema::{MessageRecord, MessageRecordType, RetractedRecord, UndecodedRecord};
use nap_phy::{BitRate, DeviceTable, Event, Level, Message, RadioConfiguration, Receiver};
use num_complex::Complex32;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::devices::PyDeviceTable;
use crate::error;
use crate::samples::{Samples, for_each_block};
use crate::settings::{PySettings, check_ppm, parse_time};

/// An event: its name and the record of the message or burst.
type EventRecord = (&'static str, String);

/// Frequencies and levels.
type NoiseArrays<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// A receiver that can be used from any thread; calls wait for each other.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Receiver")]
pub struct PyReceiver {
    state: Mutex<Option<State>>,
    allow_nan: bool,
    /// The lowest and the highest frequency that are heard.
    #[pyo3(get)]
    heard_hz: (f64, f64),
    /// Share of the channel that this is.
    #[pyo3(get)]
    heard_share: f64,
    /// What is listened to.
    #[pyo3(get)]
    channel_center_hz: f64,
    #[pyo3(get)]
    radio_configuration: Option<&'static str>,
    #[pyo3(get)]
    bit_rates: Vec<u16>,
}

struct State {
    receiver: Receiver,
    /// Who is known, for the names.
    devices: DeviceTable,
    start: Option<Timestamp>,
    start_s: f64,
    /// Room for a block whose I and Q are to be swapped.
    swapped: Option<Vec<Complex32>>,
}

#[pymethods]
impl PyReceiver {
    #[new]
    #[pyo3(signature = (sample_rate_hz, center_hz, settings, *, start, start_s, allow_nan, swap_iq, ppm))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        sample_rate_hz: f64,
        center_hz: Option<f64>,
        settings: &PySettings,
        start: Option<&str>,
        start_s: f64,
        allow_nan: bool,
        swap_iq: bool,
        ppm: f64,
    ) -> PyResult<Self> {
        let (sample_rate_hz, center_hz) = corrected(sample_rate_hz, center_hz, ppm)?;
        let config = settings.one_config(sample_rate_hz, center_hz)?;
        let channel_center_hz = config.channel_center_hz;
        let radio_configuration = config.radio_configuration.map(RadioConfiguration::name);
        let bit_rates = config.bit_rates.iter().copied().map(BitRate::bits_per_s).collect();
        let coverage = config.coverage();
        let receiver = Receiver::new(config).map_err(error::phy)?;
        let start = start.map(parse_time).transpose()?;
        let swapped = swap_iq.then(Vec::new);
        let devices = settings.devices().clone();
        let state = Mutex::new(Some(State { receiver, devices, start, start_s, swapped }));
        Ok(Self {
            state,
            allow_nan,
            heard_hz: (coverage.lowest_hz, coverage.highest_hz),
            heard_share: coverage.share(),
            channel_center_hz,
            radio_configuration,
            bit_rates,
        })
    }

    /// Takes samples in. An interrupt closes the receiver, since samples are missing then.
    fn push(&self, py: Python<'_>, iq: &Bound<'_, PyAny>) -> PyResult<Vec<EventRecord>> {
        let samples = Samples::of(iq)?;
        let mut events = Vec::new();
        let mut result = Ok(());
        let taken = for_each_block(py, &samples, |block| {
            if result.is_ok() {
                result = self.push_block(block, &mut events);
            }
        });
        taken.and(result).inspect_err(|_| self.close(py))?;
        Ok(events)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<Vec<EventRecord>> {
        py.detach(|| self.with_state(|state| state.flush()))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().is_none())
    }

    fn set_devices(&self, py: Python<'_>, devices: &PyDeviceTable) -> PyResult<()> {
        let table = devices.table().clone();
        py.detach(|| {
            self.with_state(|state| {
                state.devices = table.clone();
                state.receiver.set_devices(table);
            })
        })
    }

    fn noise_density(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        let level = py.detach(|| self.with_state(|state| state.receiver.noise_density()))?;
        Ok(level.map(Level::value))
    }

    /// Middles of the parts of the channel, and the noise in each.
    fn noise_densities<'py>(&self, py: Python<'py>) -> PyResult<NoiseArrays<'py>> {
        let all = py.detach(|| self.with_state(|state| state.receiver.noise_densities()))?;
        let levels = all.iter().map(|part| part.level_per_hz.value());
        Ok((
            PyArray1::from_iter(py, all.iter().map(|part| part.frequency_hz)),
            PyArray1::from_iter(py, levels),
        ))
    }

    fn statistics(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, u64)>> {
        py.detach(|| self.with_state(|state| counters(&state.receiver.statistics())))
    }
}

impl PyReceiver {
    /// Call this detached from Python only: who holds the lock may wait to be attached.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> PyResult<T> {
        self.lock().as_mut().map(work).ok_or_else(|| error::closed("receiver"))
    }

    fn push_block(&self, block: &[Complex32], events: &mut Vec<EventRecord>) -> PyResult<()> {
        self.with_state(|state| {
            let before = state.receiver.statistics();
            events.extend(state.push(block));
            let found = state.receiver.statistics().unusable_samples - before.unusable_samples;
            if found == 0 || self.allow_nan {
                return Ok(());
            }
            Err(unusable(found, before.samples, block))
        })?
    }
}

impl State {
    fn push(&mut self, block: &[Complex32]) -> Vec<EventRecord> {
        let events = match &mut self.swapped {
            None => self.receiver.push(block),
            Some(swapped) => {
                swapped.clear();
                swapped.extend_from_slice(block);
                swap_iq(swapped);
                self.receiver.push(swapped)
            }
        };
        self.records(events)
    }

    fn flush(&mut self) -> Vec<EventRecord> {
        let events = self.receiver.flush();
        self.records(events)
    }

    fn records(&self, events: Vec<Event>) -> Vec<EventRecord> {
        events.into_iter().filter_map(|event| self.record(event)).collect()
    }

    /// `None` for a kind of event that is not known here.
    fn record(&self, event: Event) -> Option<EventRecord> {
        use MessageRecordType as Type;
        Some(match event {
            Event::Message(message) => ("message", self.message(Type::Message, message)),
            Event::Update(message) => ("update", self.message(Type::Update, message)),
            Event::Complete(message) => ("complete", self.message(Type::Message, message)),
            Event::Retracted(message) => ("retracted", retracted(&message)),
            Event::Undecoded(burst) => ("undecoded", self.undecoded(burst)),
            _ => return None,
        })
    }

    fn message(&self, record_type: MessageRecordType, message: Message) -> String {
        let time = self.time(message.signal.time_s);
        let message = message.moved_by(self.start_s);
        let record = MessageRecord::new(record_type, &message, time, &self.devices);
        serde_json::json!(record).to_string()
    }

    fn undecoded(&self, burst: UndecodedBurst) -> String {
        let time = self.time(burst.signal.time_s);
        let burst = burst.moved_by(self.start_s);
        serde_json::json!(UndecodedRecord::new(&burst, time)).to_string()
    }

    /// When something happened so long after the first sample, if that is known.
    fn time(&self, time_s: f64) -> Option<String> {
        self.start.and_then(|start| nap_io::utc_text(start, time_s))
    }
}

/// Rate and centre of a radio whose crystal is off, as they truly are.
fn corrected(rate_hz: f64, center_hz: Option<f64>, ppm: f64) -> PyResult<(f64, Option<f64>)> {
    check_ppm(ppm)?;
    let mut info = StreamInfo::new(rate_hz, SampleFormat::Cf32Le);
    info.center_hz = center_hz;
    info.correct(ppm);
    Ok((info.sample_rate_hz, info.center_hz))
}

fn retracted(message: &Message) -> String {
    serde_json::json!(RetractedRecord::new(message.id)).to_string()
}

fn unusable(found: u64, samples_before: u64, block: &[Complex32]) -> PyErr {
    let first = block.iter().position(|sample| !sample.is_finite()).unwrap_or(0) as u64;
    error::samples(format!(
        "samples are not finite or absurdly large: {found}, the first at about {}; replace them \
         (numpy.nan_to_num), or take them for silence with allow_nan=True",
        samples_before + first
    ))
}

fn counters(statistics: &Statistics) -> Vec<(&'static str, u64)> {
    statistics.counters().map(|counter| (counter.name, counter.value)).collect()
}
