//! A radio channel in software: transmissions, interference and noise, calibrated in dBm.
//!
//! A [`Simulator`] is fed with [`Transmission`]s and renders what the receiver described by a
//! [`FrontEnd`] would sample. Everything random comes from generators that the caller seeds, so a
//! simulation can be repeated to the last bit.
//!
//! # Levels
//!
//! A complex sinusoid of amplitude 1.0 has the power `full_scale_dbm`. The level of a transmission
//! is its mean power. Noise is -174 dBm/Hz plus the noise figure over the whole sampled bandwidth:
//! `-174 + noise_figure_db + 10 log10(sample_rate_hz)` dBm in total.
//!
//! # Real time
//!
//! Only what is on the air costs time. Memory is bounded by the number of transmissions that were
//! added and have not ended; it does not grow with the length of the simulation.
//!
//! ```
//! use nap_dsp::modulator::{PulseShape, Waveform};
//! use nap_dsp::simulator::{FrontEnd, Simulator, Transmission};
//! use num_complex::Complex32;
//! use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
//!
//! let front_end = FrontEnd { full_scale_dbm: -60.0, ..FrontEnd::new(250_000.0) };
//! let mut simulator = Simulator::new(front_end, ChaCha12Rng::seed_from_u64(1))?;
//! let waveform = Waveform::new([true, false, true], 100.0, PulseShape::Rectangular)?;
//! simulator.add(Transmission::new(waveform, 0.001, 12_345.6, -100.0))?;
//! let mut block = vec![Complex32::ZERO; 4096];
//! simulator.render(&mut block);
//! # Ok::<(), nap_dsp::Error>(())
//! ```

mod fading;
mod front_end;
mod interference;
mod level;
mod transmission;

use num_complex::Complex32;
use rand::Rng;

use crate::error::Error;
use front_end::Sampler;

pub use fading::Fading;
pub use front_end::{Converter, FrontEnd};
pub use interference::{FskBurst, Impulses, LoraBurst, Tone};
pub use transmission::{Signal, Transmission};

/// Samples that are rendered in one go, always from a multiple of this index, so that the caller's
/// block size has no influence on rounding.
const CHUNK: usize = 1024;

/// Renders transmissions and noise, block after block.
#[derive(Debug)]
pub struct Simulator<R> {
    front_end: FrontEnd,
    sampler: Sampler<R>,
    /// Not yet on the air, the next one last.
    pending: Vec<Transmission>,
    /// On the air in the current chunk.
    active: Vec<Transmission>,
    /// Index of the first sample after the current chunk.
    chunk_end: u64,
    chunk: Vec<Complex32>,
    /// Samples of the current chunk that were handed out.
    taken: usize,
    scratch: Vec<Complex32>,
}

impl<R: Rng> Simulator<R> {
    /// A channel without transmissions, heard by `front_end`; its noise comes from `rng`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a parameter of the front end is.
    pub fn new(front_end: FrontEnd, rng: R) -> Result<Self, Error> {
        Ok(Self {
            sampler: Sampler::new(&front_end, rng)?,
            front_end,
            pending: Vec::new(),
            active: Vec::new(),
            chunk_end: 0,
            chunk: vec![Complex32::ZERO; CHUNK],
            taken: CHUNK,
            scratch: vec![Complex32::ZERO; CHUNK],
        })
    }

    /// The receiver that listens.
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    /// Puts a transmission on the air. Before the first block it may start at a negative time: then
    /// its beginning is not heard.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a parameter is out of range or the signal does not fit in the
    /// sampled bandwidth; [`Error::StartsInThePast`] if samples exist already at its start. Samples
    /// are made 1024 at a time, so leave that much room.
    pub fn add(&mut self, transmission: Transmission) -> Result<(), Error> {
        transmission.check(self.front_end.sample_rate_hz)?;
        let start_s = transmission.span_s().start;
        let reached_s = self.chunk_end as f64 / self.front_end.sample_rate_hz;
        if self.chunk_end > 0 && start_s < reached_s {
            return Err(Error::StartsInThePast { start_s, reached_s });
        }
        let place = self.pending.partition_point(|other| other.span_s().start > start_s);
        self.pending.insert(place, transmission);
        Ok(())
    }

    /// Fills `block` with the samples that follow those of the last call.
    pub fn render(&mut self, mut block: &mut [Complex32]) {
        while !block.is_empty() {
            if self.taken == CHUNK {
                self.render_chunk();
            }
            let ready = &self.chunk[self.taken..];
            let (now, later) = block.split_at_mut(ready.len().min(block.len()));
            now.copy_from_slice(&ready[..now.len()]);
            self.taken += now.len();
            block = later;
        }
    }

    fn render_chunk(&mut self) {
        let first = self.chunk_end;
        self.chunk_end += CHUNK as u64;
        self.taken = 0;
        self.update_active(first);
        self.chunk.fill(Complex32::ZERO);
        for transmission in &self.active {
            transmission.add_to(&self.front_end, first, &mut self.chunk, &mut self.scratch);
        }
        self.sampler.sample(&mut self.chunk);
    }

    /// Moves to `active` what starts before the chunk's end, and forgets what has ended.
    fn update_active(&mut self, first: u64) {
        let sample_rate_hz = self.front_end.sample_rate_hz;
        // A sample averages over its interval, so half a sample on both sides counts.
        let start_s = (first as f64 - 0.5) / sample_rate_hz;
        let end_s = (self.chunk_end as f64 - 0.5) / sample_rate_hz;
        while let Some(next) = self.pending.pop_if(|t| t.span_s().start < end_s) {
            self.active.push(next);
        }
        self.active.retain(|t| t.span_s().end > start_s);
    }
}
