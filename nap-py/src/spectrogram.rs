//! Power over time and frequency as an array.

use nap_dsp::spectrogram::{Pooling, Spectrogram, SpectrogramConfig};
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::error;
use crate::samples::{Samples, for_each_block};

/// Power, time axis, frequency axis, and the steps of both.
type Axes<'py> =
    (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, f64, f64);

/// The largest array, which is reserved at once: 256 MB.
const MAX_CELLS: usize = 1 << 26;

/// The spectrogram of an array of samples.
#[pyfunction]
#[pyo3(signature = (iq, sample_rate_hz, *, offset_hz, width_hz, resolution_hz, time_step_s,
    max_rows, max_columns, peak, full_scale_dbm))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub fn spectrogram<'py>(
    py: Python<'py>,
    iq: &Bound<'py, PyAny>,
    sample_rate_hz: f64,
    offset_hz: f64,
    width_hz: f64,
    resolution_hz: f64,
    time_step_s: f64,
    max_rows: usize,
    max_columns: usize,
    peak: bool,
    full_scale_dbm: Option<f64>,
) -> PyResult<Axes<'py>> {
    let samples = Samples::of(iq)?;
    let cells = max_rows.saturating_mul(max_columns);
    if cells > MAX_CELLS {
        return Err(error::configuration(format!(
            "max_rows times max_columns is {cells}, but may be {MAX_CELLS} at most"
        )));
    }
    let mut config = SpectrogramConfig::new(sample_rate_hz);
    config.offset_hz = offset_hz;
    config.half_width_hz = width_hz / 2.0;
    config.resolution_hz = resolution_hz;
    config.time_step_s = time_step_s;
    config.max_rows = max_rows;
    config.max_columns = max_columns;
    config.pooling = if peak { Pooling::Max } else { Pooling::Mean };
    config.full_scale_dbm = full_scale_dbm;
    let mut spectrogram = Spectrogram::new(config).map_err(error::dsp)?;
    for_each_block(py, &samples, |block| spectrogram.push(block))?;
    let array = spectrogram.array();
    Ok((
        array.power_db.into_pyarray(py),
        array.time_s.into_pyarray(py),
        array.frequency_hz.into_pyarray(py),
        array.time_step_s,
        array.frequency_step_hz,
    ))
}
