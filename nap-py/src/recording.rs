//! Recordings of all formats, read block by block.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use nap_io::{
    CrystalCorrected, JoinRule, OpenOptions, SampleSource, StreamInfo, Stretch, StretchReader,
};
use num_complex::Complex32;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::error;
use crate::samples::silence;
use crate::settings::{check_ppm, parse_time};

/// Samples that are read from a pipe at once.
const MAX_PIPED_SAMPLES: u64 = 1 << 22;

/// Fills a buffer with the next samples and says how many there were.
pub type Reader<'a> = Box<dyn FnMut(&mut [Complex32]) -> Result<usize, nap_io::Error> + 'a>;

/// A recording as the user says that it is.
type Source = CrystalCorrected<Box<dyn SampleSource>>;

/// A part of a recording as Python has it: its first sample, how many there are, where it begins in seconds, and
/// its centre and time.
type StretchFields = (u64, Option<u64>, f64, Option<f64>, Option<String>);

/// A recording that is open for reading.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Recording")]
pub struct PyRecording {
    /// Nothing once it is closed.
    source: Mutex<Option<Source>>,
    paths: Vec<PathBuf>,
    options: OpenOptions,
    ppm: f64,
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
    /// Opens a recording, which may be in several files.
    #[new]
    #[pyo3(signature = (paths, *, sample_format, sample_rate_hz, center_hz, start_time, ppm, swap_iq))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        sample_format: Option<&str>,
        sample_rate_hz: Option<f64>,
        center_hz: Option<f64>,
        start_time: Option<&str>,
        ppm: f64,
        swap_iq: bool,
    ) -> PyResult<Self> {
        let format = sample_format.map(str::parse).transpose().map_err(error::configuration)?;
        let start = start_time.map(parse_time).transpose()?;
        check_ppm(ppm)?;
        let options = OpenOptions { format, sample_rate_hz, center_hz, start, swap_iq };
        let source = py.detach(|| open(&paths, &options, ppm)).map_err(error::recording)?;
        let info = source.info().clone();
        Ok(Self {
            source: Mutex::new(Some(source)),
            paths,
            options,
            ppm,
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
            let most = self.total_samples.unwrap_or(MAX_PIPED_SAMPLES);
            let mut samples = silence(count.min(usize::try_from(most).unwrap_or(usize::MAX)))?;
            let got = self.with_source(|source| source.read(&mut samples))?;
            samples.truncate(got);
            PyResult::Ok(samples)
        })?;
        Ok(PyArray1::from_vec(py, samples))
    }

    /// The parts between the places where the centre changes or the clock was set.
    fn stretches(&self) -> Vec<StretchFields> {
        let fields = |stretch: &Stretch| {
            let samples = self.info.length_of(stretch).map(|length| stretch.samples_in(length));
            let start_s = stretch.position as f64 / self.sample_rate_hz;
            let start = stretch.start.as_ref().map(Timestamp::to_string);
            (stretch.first_sample, samples, start_s, stretch.center_hz, start)
        };
        self.info.stretches().iter().map(fields).collect()
    }

    /// Where a sample is in the recording, missing samples counted.
    fn position_of(&self, sample: u64) -> u64 {
        self.info.position_of(sample)
    }

    /// Whether samples are missing in it, its centre changes or its clock was set.
    #[getter]
    fn has_breaks(&self) -> bool {
        !self.info.breaks.is_empty()
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
        let stretches = self.info.stretches();
        let stretch = stretches.iter().rev().find(|stretch| stretch.first_sample <= sample)?;
        let place = self.info.position_of(sample).saturating_sub(stretch.position);
        nap_io::utc_text(stretch.start?, place as f64 / self.sample_rate_hz)
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
        if is_open && place == 0 {
            let mut reader = StretchReader::new(Shared(self), stretch);
            return Ok(Box::new(move |block| reader.read(block)));
        }
        let source = open(&self.paths, &self.options, self.ppm)?;
        let mut reader = StretchReader::at(source, stretch, place)?;
        Ok(Box::new(move |block| reader.read(block)))
    }

    /// Leaves out what has been read by others.
    pub fn pass_over_the_rest(&self) {
        if let Some(source) = &mut *self.lock() {
            // What keeps it from being read has been told.
            drop(source.skip(u64::MAX));
        }
    }

    fn with_source<T>(
        &self,
        work: impl FnOnce(&mut dyn SampleSource) -> Result<T, nap_io::Error>,
    ) -> PyResult<T> {
        let mut source = self.lock();
        let source = source.as_mut().ok_or_else(|| error::closed("recording"))?;
        work(source).map_err(error::recording)
    }

    /// Call this detached from Python only: who holds the lock may wait to be attached.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Source>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The recording itself, for a thread that reads it.
struct Shared<'a>(&'a PyRecording);

impl SampleSource for Shared<'_> {
    fn info(&self) -> &StreamInfo {
        &self.0.info
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, nap_io::Error> {
        // What is closed meanwhile has no more samples.
        self.0.lock().as_mut().map_or(Ok(0), |source| source.read(block))
    }
}

fn open(paths: &[PathBuf], options: &OpenOptions, ppm: f64) -> Result<Source, nap_io::Error> {
    Ok(CrystalCorrected::new(nap_io::open_joined(paths, options)?, ppm))
}

/// Which of these files are parts of longer recordings: those that say so, and `by_names` those whose names
/// count.
#[pyfunction]
#[pyo3(signature = (paths, by_names, *, sample_format, sample_rate_hz))]
pub fn group(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    by_names: bool,
    sample_format: Option<&str>,
    sample_rate_hz: Option<f64>,
) -> PyResult<Vec<Vec<OsString>>> {
    let format = sample_format.map(str::parse).transpose().map_err(error::configuration)?;
    let options = OpenOptions { format, sample_rate_hz, ..OpenOptions::default() };
    let rule = if by_names { JoinRule::Names } else { JoinRule::Offsets };
    let groups = py.detach(|| nap_io::group(&paths, &options, rule));
    let texts = |group: Vec<PathBuf>| group.into_iter().map(PathBuf::into_os_string).collect();
    Ok(groups.into_iter().map(texts).collect())
}
