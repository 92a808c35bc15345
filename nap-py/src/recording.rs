//! Recordings of all formats, read block by block.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use nap_io::{OpenOptions, SampleFormat, SampleSource, StreamInfo, Stretch};
use num_complex::Complex32;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::error;
use crate::samples::silence;

/// Samples that are read from a pipe at once.
const MOST_OF_A_PIPE: u64 = 1 << 22;

/// Fills a buffer with the next samples and says how many there were.
pub type Reader<'a> = Box<dyn FnMut(&mut [Complex32]) -> Result<usize, nap_io::Error> + 'a>;

/// A recording that is open for reading.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Recording")]
pub struct PyRecording {
    /// Nothing once it is closed.
    source: Mutex<Option<Box<dyn SampleSource>>>,
    path: PathBuf,
    options: OpenOptions,
    info: StreamInfo,
    #[pyo3(get)]
    pub sample_rate_hz: f64,
    #[pyo3(get)]
    pub center_hz: Option<f64>,
    #[pyo3(get)]
    start: Option<String>,
    #[pyo3(get)]
    pub total_samples: Option<u64>,
    #[pyo3(get)]
    sample_format: &'static str,
    #[pyo3(get)]
    bytes_per_sample: usize,
    #[pyo3(get)]
    description: Option<String>,
    #[pyo3(get)]
    warnings: Vec<String>,
}

#[pymethods]
impl PyRecording {
    #[new]
    #[pyo3(signature = (path, *, sample_format, sample_rate_hz, center_hz, swap_iq))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        sample_format: Option<&str>,
        sample_rate_hz: Option<f64>,
        center_hz: Option<f64>,
        swap_iq: bool,
    ) -> PyResult<Self> {
        let format: Option<SampleFormat> =
            sample_format.map(str::parse).transpose().map_err(error::configuration)?;
        let options = OpenOptions { format, sample_rate_hz, center_hz, start: None, swap_iq };
        let source = py.detach(|| open(&path, &options))?;
        let info = source.info().clone();
        Ok(Self {
            source: Mutex::new(Some(source)),
            path,
            options,
            sample_rate_hz: info.sample_rate_hz,
            center_hz: info.center_hz,
            start: info.start.as_ref().map(Timestamp::to_string),
            total_samples: info.total_samples,
            sample_format: info.format.name(),
            bytes_per_sample: info.format.bytes_per_sample(),
            description: info.description.clone(),
            warnings: info.warnings.clone(),
            info,
        })
    }

    /// The next samples, at most `count`; none at the end.
    fn read<'py>(
        &self,
        py: Python<'py>,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<Complex32>>> {
        let samples = py.detach(|| {
            // Room for what there is, however much is asked for.
            let most = self.total_samples.unwrap_or(MOST_OF_A_PIPE);
            let mut samples = silence(count.min(usize::try_from(most).unwrap_or(usize::MAX)))?;
            let got = self.with_source(|source| source.read(&mut samples))?;
            samples.truncate(got);
            PyResult::Ok(samples)
        })?;
        Ok(PyArray1::from_vec(py, samples))
    }

    /// How many samples the recording is long, those that are missing in it included.
    #[getter]
    fn time_line_samples(&self) -> Option<u64> {
        self.info.time_line_samples()
    }

    /// The sample at a place of the recording, missing samples counted, or the next one that is there.
    fn sample_at(&self, position: u64) -> u64 {
        self.info.sample_at(position)
    }

    /// Leaves out samples and returns how many there were.
    fn skip(&self, py: Python<'_>, count: u64) -> PyResult<u64> {
        py.detach(|| self.with_source(|source| source.skip(count)))
    }

    /// When a sample was taken, RFC 3339 in UTC, if known.
    fn time_at(&self, sample: u64) -> Option<String> {
        nap_io::utc_text(self.info.start?, sample as f64 / self.sample_rate_hz)
    }

    /// Closes the file; closing it again does nothing.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().is_none())
    }
}

impl PyRecording {
    /// What is known about it.
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// A function that reads a stretch on from a place; from its start it reads on where the recording
    /// itself stands, if that `is_open` there.
    pub fn reader(
        &self,
        stretch: &Stretch,
        is_open: bool,
        place: u64,
    ) -> Result<Reader<'_>, nap_io::Error> {
        let length = stretch.length.map_or(u64::MAX, |length| stretch.samples_in(length));
        let mut left = length.saturating_sub(stretch.samples_in(place));
        let mut limited = move |block: &mut [Complex32], source: &mut dyn SampleSource| {
            let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let got = if most > 0 { source.read(&mut block[..most])? } else { 0 };
            left -= got as u64;
            Ok(got)
        };
        if is_open && place == 0 {
            // What is closed meanwhile has no more samples.
            return Ok(Box::new(move |block| match &mut *self.lock() {
                Some(source) => limited(block, &mut **source),
                None => Ok(0),
            }));
        }
        let mut source = nap_io::open(&self.path, &self.options)?;
        source.skip(stretch.sample_at(place))?;
        Ok(Box::new(move |block| limited(block, &mut *source)))
    }

    fn with_source<T>(
        &self,
        work: impl FnOnce(&mut dyn SampleSource) -> Result<T, nap_io::Error>,
    ) -> PyResult<T> {
        let mut source = self.lock();
        let source = source.as_mut().ok_or_else(|| error::closed("recording"))?;
        work(&mut **source).map_err(error::recording)
    }

    /// Call this detached from Python only: who holds the lock may wait to be attached.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn SampleSource>>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, options: &OpenOptions) -> PyResult<Box<dyn SampleSource>> {
    nap_io::open(path, options).map_err(error::recording)
}
