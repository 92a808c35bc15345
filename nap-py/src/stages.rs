//! The stages of the receiver one by one. Frequencies count from the samples' 0 Hz.

use nap_dsp::baseband::Baseband;
use nap_dsp::carrier::Carrier;
use nap_dsp::channelizer::Channelizer;
use nap_dsp::demodulator::{Demodulator, SoftFrame};
use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::noise_floor::NoiseFloor;
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use nap_dsp::synchronizer::Synchronizer;
use nap_phy::receiver::Tuning;
use nap_phy::receiver::stages::{
    SoftSymbols, decode, preamble, symbol_count, symbol_signs, sync_words,
};
use nap_phy::{BitRate, Frame, FrameType, LengthClass};
use num_complex::{Complex32, Complex64};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error;
use crate::samples::{Samples, for_each_block};

/// The most subband samples that are kept: 11 minutes of a channel, 2 GB.
const MAX_SAMPLES: usize = 1 << 28;
/// Searches between two looks at Python's signals: a second or so of the signal.
const SEARCHES: usize = 16;
/// The most samples that a down-converted stretch may have.
const MAX_BASEBAND_SAMPLES: f64 = 1e8;
/// The largest time in seconds or frequency in hertz that is taken for real.
const MAX_ABSOLUTE: f64 = 1e9;

/// Time, frequency, strength, power, noise density.
type CandidateRow = (f64, f64, f64, f64, f64);
/// Frame type, rank, length class, start, time of the carrier, its frequency and drift, correlation, power.
type HypothesisRow = (u16, u8, String, f64, f64, f64, f64, f64, f64);
/// Frame type, symbols, amplitude, noise variance, and the burst that knows the notches of its envelope.
type SoftRow<'py> = (u16, PyReadonlyArray1<'py, Complex64>, f64, f64, Option<Py<Burst>>);
type Array<'py, T> = Bound<'py, PyArray1<T>>;

/// The detection statistic from which the receiver looks at a region, and the correlation that it asks for.
#[pyfunction]
pub fn thresholds() -> (f64, f64) {
    let Tuning { min_detection_statistic, min_correlation, .. } = Tuning::default();
    (min_detection_statistic, min_correlation)
}

/// A channel split into subbands, all of it kept.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Subbands")]
pub struct Subbands {
    grid: SubbandGrid,
    history: SubbandHistory,
    half_width_hz: f64,
    offset_hz: f64,
}

#[pymethods]
impl Subbands {
    #[new]
    fn new(
        py: Python<'_>,
        iq: &Bound<'_, PyAny>,
        sample_rate_hz: f64,
        offset_hz: f64,
        width_hz: f64,
    ) -> PyResult<Self> {
        let array = Samples::of(iq)?;
        let half_width_hz = width_hz / 2.0;
        let mut channelizer =
            Channelizer::new(sample_rate_hz, offset_hz, half_width_hz).map_err(error::dsp)?;
        let grid = channelizer.grid();
        let duration_s = array.view()?.len() as f64 / sample_rate_hz;
        let columns = (duration_s * grid.rate_hz()) as usize + 1;
        if columns.saturating_mul(grid.subbands) > MAX_SAMPLES {
            return Err(error::samples(format!(
                "{duration_s:.0} s are too long to be kept as subbands; pass a part of the array"
            )));
        }
        let mut history = SubbandHistory::new(grid.subbands, columns);
        for_each_block(py, &array, |block| {
            channelizer.push(block, |column| history.push(column));
        })?;
        Ok(Self { grid, history, half_width_hz, offset_hz })
    }

    /// One row of subbands for each column of time.
    fn samples<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<Complex32>> {
        py.detach(|| self.history.to_array()).into_pyarray(py)
    }

    fn time_s<'py>(&self, py: Python<'py>) -> Array<'py, f64> {
        let times = (0..self.history.columns()).map(|column| self.grid.time_s(column));
        PyArray1::from_iter(py, times)
    }

    fn frequency_hz<'py>(&self, py: Python<'py>) -> Array<'py, f64> {
        PyArray1::from_iter(py, (0..self.grid.subbands).map(|b| self.grid.center_hz(b)))
    }

    #[getter]
    fn rate_hz(&self) -> f64 {
        self.grid.rate_hz()
    }

    fn detect(&self, py: Python<'_>, bit_rate: u16, threshold: f64) -> PyResult<Vec<CandidateRow>> {
        let bit_rate = BitRate::try_from(bit_rate).map_err(error::phy)?;
        if threshold.is_nan() {
            return Err(error::configuration("threshold is not a number"));
        }
        self.candidates(py, bit_rate, threshold)
    }

    fn synchronize(
        &self,
        py: Python<'_>,
        candidate: CandidateRow,
        bit_rate: u16,
        threshold: f64,
        max_drift_hz_per_s: f64,
    ) -> PyResult<Vec<HypothesisRow>> {
        let bursts = (symbol_rate_hz(bit_rate)?, preamble());
        let (time_s, frequency_hz, line_snr, power, noise_density) = candidate;
        check_finite(&[time_s, frequency_hz, threshold, noise_density])?;
        check_drift(max_drift_hz_per_s)?;
        let candidate = Candidate { time_s, frequency_hz, line_snr, power };
        Ok(py.detach(|| {
            let mut synchronizer =
                Synchronizer::new(bursts, &sync_words(), max_drift_hz_per_s, threshold);
            let found = synchronizer.search(&self.history, &self.grid, &candidate, noise_density);
            found
                .iter()
                .map(|hypothesis| {
                    let frame_type = FrameType::ALL[hypothesis.sync_word];
                    let carrier = hypothesis.carrier;
                    (
                        frame_type.bits(),
                        frame_type.rank.number(),
                        class_name(frame_type.class),
                        hypothesis.start_s,
                        carrier.time_s,
                        carrier.frequency_hz,
                        carrier.drift_hz_per_s,
                        hypothesis.correlation,
                        hypothesis.power,
                    )
                })
                .collect()
        }))
    }

    /// A stretch mixed to 0 Hz, as means over even steps: the times of their middles, and they.
    #[pyo3(signature = (start_s, duration_s, *, time_s, frequency_hz, drift_hz_per_s,
        symbol_rate_hz, rate_hz))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn down_convert<'py>(
        &self,
        py: Python<'py>,
        start_s: f64,
        duration_s: f64,
        time_s: f64,
        frequency_hz: f64,
        drift_hz_per_s: f64,
        symbol_rate_hz: f64,
        rate_hz: f64,
    ) -> PyResult<(Array<'py, f64>, Array<'py, Complex64>)> {
        let numbers =
            [start_s, duration_s, time_s, frequency_hz, drift_hz_per_s, symbol_rate_hz, rate_hz];
        check_finite(&numbers)?;
        let count = duration_s * rate_hz;
        if !(symbol_rate_hz > 0.0 && rate_hz > 0.0 && (0.0..MAX_BASEBAND_SAMPLES).contains(&count))
        {
            return Err(error::configuration(format!(
                "{duration_s} s at {rate_hz} S/s cannot be; rates are above 0, and a stretch has \
                 at most {MAX_BASEBAND_SAMPLES:e} samples"
            )));
        }
        let carrier = Carrier { time_s, frequency_hz, drift_hz_per_s };
        let step_s = rate_hz.recip();
        let (times, samples) = py.detach(|| {
            let mut baseband = Baseband::default();
            let stretch = (start_s, start_s + duration_s);
            baseband.extract(&self.history, &self.grid, &carrier, symbol_rate_hz, stretch);
            let middle_s = |n: usize| start_s + (n as f64 + 0.5) * step_s;
            let times: Vec<f64> = (0..count as usize).map(middle_s).collect();
            let samples = baseband.means(start_s, step_s, count as usize);
            let samples: Vec<Complex64> =
                samples.map(|z| Complex64::new(z.re.into(), z.im.into())).collect();
            (times, samples)
        });
        Ok((PyArray1::from_vec(py, times), PyArray1::from_vec(py, samples)))
    }

    fn demodulate(
        &self,
        py: Python<'_>,
        frame_type: u16,
        start_s: f64,
        carrier: (f64, f64, f64),
        bit_rate: u16,
        max_drift_hz_per_s: f64,
    ) -> PyResult<Burst> {
        let symbol_rate_hz = symbol_rate_hz(bit_rate)?;
        let frame_type = checked_frame_type(frame_type)?;
        let (time_s, frequency_hz, drift_hz_per_s) = carrier;
        check_finite(&[start_s, time_s, frequency_hz, drift_hz_per_s])?;
        check_drift(max_drift_hz_per_s)?;
        let carrier = Carrier { time_s, frequency_hz, drift_hz_per_s };
        let known = symbol_signs(&frame_type.sync_word().to_be_bytes());
        let count = symbol_count(frame_type);
        let frame = py.detach(|| {
            Demodulator::new(symbol_rate_hz, max_drift_hz_per_s).demodulate(
                &self.history,
                &self.grid,
                (start_s, carrier),
                &known,
                count,
            )
        });
        let frame = frame
            .ok_or_else(|| PyValueError::new_err("there is nothing but noise at this place"))?;
        Ok(Burst { frame, count, symbol_s: symbol_rate_hz.recip() })
    }
}

impl Subbands {
    fn candidates(
        &self,
        py: Python<'_>,
        bit_rate: BitRate,
        threshold: f64,
    ) -> PyResult<Vec<CandidateRow>> {
        let grid = self.grid;
        let channel_hz = self.offset_hz - self.half_width_hz..=self.offset_hz + self.half_width_hz;
        let bursts = (bit_rate.bits_per_s().into(), preamble());
        let mut detector = PreambleDetector::new(grid, channel_hz, bursts, threshold);
        let mut noise = NoiseFloor::new(grid.subbands, detector.interval_s());
        let (mut found, mut rows) = (Vec::new(), Vec::new());
        // Once for every hop of the detector, as far as there are samples.
        let mut search = || {
            if !detector.search(&self.history, &mut found) {
                return false;
            }
            noise.update(detector.densities());
            rows.extend(found.drain(..).map(|candidate| {
                let density = noise.density(grid.nearest(candidate.frequency_hz));
                let Candidate { time_s, frequency_hz, line_snr, power } = candidate;
                (time_s, frequency_hz, line_snr, power, density)
            }));
            true
        };
        while py.detach(|| (0..SEARCHES).all(|_| search())) {
            py.check_signals()?;
        }
        Ok(rows)
    }
}

/// The soft symbols of a burst, and what it takes to measure it.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Burst")]
pub struct Burst {
    frame: SoftFrame,
    count: usize,
    symbol_s: f64,
}

#[pymethods]
impl Burst {
    fn symbols<'py>(&self, py: Python<'py>) -> Array<'py, Complex64> {
        PyArray1::from_slice(py, &self.frame.symbols)
    }

    fn weights<'py>(&self, py: Python<'py>) -> Array<'py, f32> {
        PyArray1::from_slice(py, &self.frame.weights)
    }

    #[getter]
    fn start_s(&self) -> f64 {
        self.frame.start_s
    }

    #[getter]
    fn symbol_s(&self) -> f64 {
        self.symbol_s
    }

    /// Time, frequency and drift.
    #[getter]
    fn carrier(&self) -> (f64, f64, f64) {
        let carrier = self.frame.carrier;
        (carrier.time_s, carrier.frequency_hz, carrier.drift_hz_per_s)
    }

    #[getter]
    fn amplitude(&self) -> f64 {
        self.frame.amplitude
    }

    #[getter]
    fn noise_variance(&self) -> f64 {
        self.frame.noise_variance
    }

    #[getter]
    fn es_over_n0(&self) -> f64 {
        self.frame.es_over_n0()
    }

    /// Measures the burst whose bits are known: start, frequency, drift, power, and the frequency in
    /// the middle of every symbol.
    fn measure<'py>(
        &self,
        py: Python<'py>,
        bitstream: &[u8],
    ) -> PyResult<(f64, f64, f64, f64, Array<'py, f64>)> {
        let signs = symbol_signs(bitstream);
        if signs.len() != self.count {
            return Err(error::configuration(format!(
                "the burst has {} bits, the bitstream {}; give the burst's own frame",
                self.count - 1,
                signs.len() - 1
            )));
        }
        let measured = self.frame.measure(&signs);
        let track = measured.track;
        let middle_s = |n: usize| track.start_s + (n as f64 + 0.5) * self.symbol_s;
        let frequencies = (0..self.count).map(|n| track.frequency_at(middle_s(n)));
        Ok((
            track.start_s,
            measured.carrier.frequency_hz,
            measured.carrier.drift_hz_per_s,
            measured.power,
            PyArray1::from_iter(py, frequencies),
        ))
    }
}

/// The signs (±1) of the symbols that send these bytes, the reference symbol first.
#[pyfunction]
pub fn signs<'py>(py: Python<'py>, bitstream: &[u8]) -> Array<'py, f64> {
    PyArray1::from_vec(py, symbol_signs(bitstream))
}

/// The frame, as a bitstream of the first one's rank, that was sent in all of these soft symbols,
/// and its place in the list of likely decisions.
#[pyfunction]
pub fn decode_soft<'py>(
    py: Python<'py>,
    frames: Vec<SoftRow<'py>>,
    max_decisions: usize,
) -> PyResult<Option<(Bound<'py, PyBytes>, usize)>> {
    let mut soft = Vec::new();
    for (frame_type, symbols, amplitude, noise_variance, burst) in &frames {
        let frame_type = checked_frame_type(*frame_type)?;
        let symbols = symbols
            .as_slice()
            .map_err(|_| error::samples("symbols are not contiguous and aligned in memory"))?;
        let usable = symbols.iter().all(|z| z.is_finite())
            && amplitude.is_finite()
            && noise_variance.is_finite();
        if symbols.len() != symbol_count(frame_type) || !usable {
            return Err(error::samples(format!(
                "a frame of this type has {} symbols, all finite; these are {}",
                symbol_count(frame_type),
                symbols.len()
            )));
        }
        let (amplitude, noise_variance) = (*amplitude, *noise_variance);
        let notches = burst.as_ref().map(|burst| &burst.get().frame.notches);
        soft.push(SoftSymbols { frame_type, symbols, amplitude, noise_variance, notches });
    }
    let found = py.detach(|| decode(&soft, max_decisions));
    Ok(found.and_then(|found| {
        let rank = soft.first()?.frame_type.rank;
        Some((PyBytes::new(py, &found.container.bitstream(rank)), found.index))
    }))
}

/// The type of a frame, as in [`decode_soft`].
#[pyfunction]
pub fn frame_type(bitstream: &[u8]) -> PyResult<u16> {
    Ok(Frame::parse(bitstream).map_err(error::frame)?.frame_type().bits())
}

/// The class's name in records.
fn class_name(class: LengthClass) -> String {
    serde_json::json!(class).as_str().unwrap_or_default().to_owned()
}

fn checked_frame_type(bits: u16) -> PyResult<FrameType> {
    FrameType::from_bits(bits)
        .ok_or_else(|| error::configuration(format!("{bits:#06x} is not a frame type")))
}

fn symbol_rate_hz(bit_rate: u16) -> PyResult<f64> {
    Ok(BitRate::try_from(bit_rate).map_err(error::phy)?.bits_per_s().into())
}

/// Checks times, frequencies and the like: finite, and not absurdly large.
fn check_finite(values: &[f64]) -> PyResult<()> {
    if values.iter().all(|value| value.abs() <= MAX_ABSOLUTE) {
        return Ok(());
    }
    Err(error::configuration(format!(
        "times, frequencies and thresholds have to be finite and below {MAX_ABSOLUTE:e}: \
         {values:?}"
    )))
}

/// More drifts than these would be tried for hours.
fn check_drift(max_drift_hz_per_s: f64) -> PyResult<()> {
    if (0.0..=1000.0).contains(&max_drift_hz_per_s) {
        return Ok(());
    }
    Err(error::configuration(format!(
        "max_drift_hz_per_s is {max_drift_hz_per_s}, but must lie between 0 and 1000"
    )))
}
