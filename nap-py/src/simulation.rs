//! Signals, the channel that they meet in, and whole scenes.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{
    Converter, Fading, FrontEnd, FskBurst, GainStep, Gap, Impulses, LoraBurst, NoiseImpulses,
    RotatedWaveform, Rotation, Signal, Simulator, Tone, Transmission, Wander, Way,
};
use nap_phy::scene::{Scene, Shape};
use num_complex::Complex32;
use numpy::PyArray1;
use pyo3::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::error;
use crate::samples::silence;

/// The stream of the generator from which fading is drawn; noise comes from stream 0.
const FADING_STREAM: u64 = 2;
/// The stream from which a carrier's ways are drawn.
const WANDER_STREAM: u64 = 3;

/// A baseband signal of mean power 1 as a function of time.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Signal")]
pub struct PySignal(Arc<dyn Signal>);

#[pymethods]
impl PySignal {
    /// A DBPSK burst of these bytes.
    #[staticmethod]
    fn burst(bitstream: &[u8], symbol_rate_hz: f64, shape: &str) -> PyResult<Self> {
        let waveform = Waveform::new(bits(bitstream), symbol_rate_hz, pulse_shape(shape)?);
        Ok(Self::of(waveform.map_err(error::dsp)?))
    }

    /// A DBPSK burst whose phase reversals are rotations.
    #[staticmethod]
    fn rotated_burst(
        bitstream: &[u8],
        symbol_rate_hz: f64,
        width_symbols: f64,
        either_way: bool,
        seed: u64,
    ) -> PyResult<Self> {
        let way = if either_way { Way::Either } else { Way::Same };
        let rotation = Rotation { width_symbols, way };
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let waveform = RotatedWaveform::new(bits(bitstream), symbol_rate_hz, rotation, &mut rng);
        Ok(Self::of(waveform.map_err(error::dsp)?))
    }

    #[staticmethod]
    fn tone(duration_s: f64) -> PyResult<Self> {
        Ok(Self::of(Tone::new(duration_s).map_err(error::dsp)?))
    }

    #[staticmethod]
    fn lora(
        spreading_factor: u32,
        bandwidth_hz: f64,
        duration_s: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let burst = LoraBurst::random(spreading_factor, bandwidth_hz, duration_s, &mut rng);
        Ok(Self::of(burst.map_err(error::dsp)?))
    }

    #[staticmethod]
    fn fsk(bit_rate_hz: f64, deviation_hz: f64, duration_s: f64, seed: u64) -> PyResult<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let burst = FskBurst::random(bit_rate_hz, deviation_hz, duration_s, &mut rng);
        Ok(Self::of(burst.map_err(error::dsp)?))
    }

    #[staticmethod]
    fn impulses(width_s: f64, rate_hz: f64, duration_s: f64, seed: u64) -> PyResult<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let impulses = Impulses::random(width_s, rate_hz, duration_s, &mut rng);
        Ok(Self::of(impulses.map_err(error::dsp)?))
    }

    #[staticmethod]
    fn noise_impulses(
        width_s: f64,
        rate_hz: f64,
        duration_s: f64,
        bandwidth_hz: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let impulses = NoiseImpulses::random(width_s, rate_hz, duration_s, bandwidth_hz, &mut rng);
        Ok(Self::of(impulses.map_err(error::dsp)?))
    }

    /// The instants between which the signal is not zero, in seconds on its own clock.
    #[getter]
    fn support_s(&self) -> (f64, f64) {
        let support_s = self.0.support_s();
        (support_s.start, support_s.end)
    }

    #[getter]
    fn bandwidth_hz(&self) -> f64 {
        self.0.bandwidth_hz()
    }

    /// Samples at even steps.
    fn render<'py>(
        &self,
        py: Python<'py>,
        start_s: f64,
        period_s: f64,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<Complex32>>> {
        let mut samples = silence(count)?;
        py.detach(|| self.0.render(start_s, period_s, &mut samples));
        Ok(PyArray1::from_vec(py, samples))
    }
}

impl PySignal {
    fn of(signal: impl Signal + 'static) -> Self {
        Self(Arc::new(signal))
    }
}

/// A radio channel and the receiver at its end.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Channel")]
pub struct PyChannel(Mutex<ChannelState>);

struct ChannelState {
    simulator: Simulator<ChaCha12Rng>,
    fading: ChaCha12Rng,
    wander: ChaCha12Rng,
}

#[pymethods]
impl PyChannel {
    #[new]
    #[pyo3(signature = (sample_rate_hz, *, full_scale_dbm, noise_figure_db, iq_gain_db,
        iq_phase_deg, dc_offset_dbfs, quantisation_bits, gain_steps, lost_samples, seed))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        sample_rate_hz: f64,
        full_scale_dbm: f64,
        noise_figure_db: Option<f64>,
        iq_gain_db: f64,
        iq_phase_deg: f64,
        dc_offset_dbfs: Option<f64>,
        quantisation_bits: Option<u32>,
        gain_steps: Vec<(f64, f64)>,
        lost_samples: Vec<(f64, f64, bool)>,
        seed: u64,
    ) -> PyResult<Self> {
        let front_end = FrontEnd {
            full_scale_dbm,
            noise_figure_db,
            iq_gain_db,
            iq_phase_deg,
            dc_offset_dbfs,
            converter: quantisation_bits
                .map_or(Converter::Ideal, |bits| Converter::Quantising { bits }),
            ..FrontEnd::new(sample_rate_hz)
        };
        let noise = ChaCha12Rng::seed_from_u64(seed);
        let mut fading = noise.clone();
        fading.set_stream(FADING_STREAM);
        let mut wander = noise.clone();
        wander.set_stream(WANDER_STREAM);
        let mut simulator = Simulator::new(front_end, noise).map_err(error::dsp)?;
        let gain_steps: Vec<GainStep> =
            gain_steps.into_iter().map(|(time_s, step_db)| GainStep { time_s, step_db }).collect();
        simulator.set_gain_steps(&gain_steps).map_err(error::dsp)?;
        for (time_s, duration_s, is_marked) in lost_samples {
            simulator.lose(Gap { time_s, duration_s, is_marked }).map_err(error::dsp)?;
        }
        Ok(Self(Mutex::new(ChannelState { simulator, fading, wander })))
    }

    #[pyo3(signature = (signal, *, time_s, offset_hz, level_dbm, drift_hz_per_s, clock_error_ppm,
        phase_rad, doppler_hz, rician_k_db, wander))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn add(
        &self,
        py: Python<'_>,
        signal: &PySignal,
        time_s: f64,
        offset_hz: f64,
        level_dbm: f64,
        drift_hz_per_s: f64,
        clock_error_ppm: f64,
        phase_rad: f64,
        doppler_hz: Option<f64>,
        rician_k_db: Option<f64>,
        wander: Option<&str>,
    ) -> PyResult<()> {
        let wander: Option<Wander> =
            wander.map(serde_json::from_str).transpose().map_err(error::configuration)?;
        if rician_k_db.is_some() && doppler_hz.is_none() {
            return Err(error::configuration("rician_k_db needs a doppler_hz"));
        }
        py.detach(|| {
            let mut state = self.lock();
            let rng = &mut state.fading;
            let fading = doppler_hz.map(|doppler_hz| match rician_k_db {
                None => Ok(Fading::rayleigh(doppler_hz, rng)),
                Some(k_db) => Fading::rician(doppler_hz, k_db, rng),
            });
            let mut transmission = Transmission {
                signal: Arc::clone(&signal.0),
                time_s,
                carrier_offset_hz: offset_hz,
                level_dbm,
                drift_hz_per_s,
                clock_error_ppm,
                phase_rad,
                fading: fading.transpose().map_err(error::dsp)?,
                wander: None,
            };
            if let Some(wander) = wander {
                let Range { start, end } = transmission.span_s();
                let phase = wander.realize(start - time_s..end - time_s, &mut state.wander);
                transmission.wander = Some(phase.map_err(error::dsp)?);
            }
            state.simulator.add(transmission).map_err(error::dsp)
        })
    }

    /// The samples that follow those of the last call.
    fn render<'py>(
        &self,
        py: Python<'py>,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<Complex32>>> {
        let mut samples = silence(count)?;
        py.detach(|| self.lock().simulator.render(&mut samples));
        Ok(PyArray1::from_vec(py, samples))
    }
}

impl PyChannel {
    fn lock(&self) -> MutexGuard<'_, ChannelState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scene, planned and on its way.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Scene")]
pub struct PyScene {
    simulator: Mutex<Simulator<ChaCha12Rng>>,
    #[pyo3(get)]
    sample_rate_hz: f64,
    #[pyo3(get)]
    center_hz: f64,
    #[pyo3(get)]
    total_samples: u64,
    /// What is in the recording, as JSON.
    #[pyo3(get)]
    truth: String,
}

#[pymethods]
impl PyScene {
    /// A scene from the JSON form of its TOML.
    #[new]
    fn new(py: Python<'_>, scene: &str) -> PyResult<Self> {
        let scene: serde_json::Value = serde_json::from_str(scene).map_err(error::configuration)?;
        let scene: Scene = serde_json::from_value(scene).map_err(error::configuration)?;
        let (simulator, truth) = py.detach(|| scene.build()).map_err(error::scene)?;
        Ok(Self {
            simulator: Mutex::new(simulator),
            sample_rate_hz: scene.sample_rate_hz,
            center_hz: scene.center_hz(),
            total_samples: scene.samples(),
            truth: serde_json::json!(truth).to_string(),
        })
    }

    /// The samples that follow those of the last call.
    fn render<'py>(
        &self,
        py: Python<'py>,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<Complex32>>> {
        let mut samples = silence(count)?;
        py.detach(|| {
            self.simulator.lock().unwrap_or_else(PoisonError::into_inner).render(&mut samples);
        });
        Ok(PyArray1::from_vec(py, samples))
    }
}

/// Bits in the order of sending.
fn bits(bitstream: &[u8]) -> impl Iterator<Item = bool> {
    bitstream.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1 == 1))
}

/// A pulse shape, named as in scenes.
fn pulse_shape(name: &str) -> PyResult<PulseShape> {
    let shape: Shape = serde_json::from_value(name.into())
        .map_err(|_| error::configuration(format!("{name:?} is no shape: rect, hann or s2lp")))?;
    Ok(shape.into())
}
