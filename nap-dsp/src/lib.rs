//! Signal processing for receivers of ultra-narrow-band DBPSK.
//!
//! Samples in, soft bits out, for bursts that begin with symbols that are known. The samples of this example
//! come from the crate's own simulator:
//!
//! ```
//! use nap_dsp::channelizer::Channelizer;
//! use nap_dsp::demodulator::Demodulator;
//! use nap_dsp::detector::{Preamble, PreambleDetector};
//! use nap_dsp::modulator::{PulseShape, Waveform};
//! use nap_dsp::simulator::{FrontEnd, Simulator, Transmission};
//! use nap_dsp::subbands::SubbandHistory;
//! use nap_dsp::synchronizer::Synchronizer;
//! use num_complex::Complex32;
//! use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
//!
//! // A burst of 100 Bd at an Es/N0 of 10 dB: a preamble, 13 bits that are known too, and 80 of data.
//! let bits: Vec<bool> = (0..112u32)
//!     .map(|n| if n < 19 { n % 2 == 0 } else { n.wrapping_mul(2_654_435_761) >> 31 == 1 })
//!     .collect();
//! let waveform = Waveform::new(bits.iter().copied(), 100.0, PulseShape::Rectangular)?;
//! let mut simulator = Simulator::new(FrontEnd::new(25_000.0), ChaCha12Rng::seed_from_u64(1))?;
//! simulator.add(Transmission::new(waveform, 0.5, 1_234.5, -138.0))?;
//! let mut samples = vec![Complex32::ZERO; 62_500];
//! simulator.render(&mut samples);
//! // The signs of its symbols: a 0 reverses the phase.
//! let signs: Vec<f64> = std::iter::once(true)
//!     .chain(bits)
//!     .scan(1.0, |sign, bit| {
//!         *sign = if bit { *sign } else { -*sign };
//!         Some(*sign)
//!     })
//!     .collect();
//! let sync_word = signs[..33].to_vec();
//!
//! // Subbands, and in them candidates.
//! let mut channelizer = Channelizer::new(25_000.0, 0.0, 5_000.0)?;
//! let grid = channelizer.grid();
//! let mut history = SubbandHistory::new(grid.subbands, 1 << 15);
//! let preamble = Preamble { symbols: 20, following: 93 };
//! let mut detector = PreambleDetector::new(grid, -5e3..=5e3, (100.0, preamble), 26.0);
//! let mut candidates = Vec::new();
//! channelizer.push(&samples, |column| {
//!     history.push(column);
//!     detector.search(&history, &mut candidates);
//! });
//! let noise_density = detector.densities().iter().map(|&density| f64::from(density)).fold(f64::MAX, f64::min);
//!
//! // The candidate that the sync word fits best, and the soft bits there.
//! let mut synchronizer = Synchronizer::new((100.0, preamble), &[sync_word.clone()], 60.0, 0.4);
//! let found = candidates
//!     .iter()
//!     .flat_map(|candidate| synchronizer.search(&history, &grid, candidate, noise_density).to_vec())
//!     .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
//!     .ok_or("nothing there")?;
//! assert!((found.carrier.frequency_hz - 1_234.5).abs() < 2.0 && (found.start_s - 0.5).abs() < 0.005);
//! let mut demodulator = Demodulator::new(100.0, 60.0);
//! let start = (found.start_s, found.carrier);
//! let frame = demodulator.demodulate(&history, &grid, start, &sync_word, signs.len()).ok_or("noise")?;
//! let right = frame.soft_signs.iter().zip(&signs).filter(|(soft, sign)| f64::from(**soft) * **sign > 0.0);
//! assert_eq!(right.count(), signs.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No protocol, no input or output, no clock: samples go in, estimates come out. The stages can be
//! used one by one; `nap-phy` strings them together to a receiver of the Sigfox uplink.
//!
//! | stage | module |
//! | --- | --- |
//! | impulses blanked | [`blanker`] |
//! | samples to subbands, and their last seconds | [`channelizer`], [`subbands`] |
//! | where might a burst begin? | [`detector`], [`noise_floor`] |
//! | which sync word, when, on which carrier? | [`synchronizer`] |
//! | soft bits, and the burst measured | [`demodulator`] |
//! | a known burst subtracted | [`canceller`] |
//! | the other side: waveforms, and a channel with noise, fading and interference | [`modulator`], [`simulator`] |
//!
//! # Features
//!
//! - `ndarray`: spectrograms and the history of subbands as arrays of the crate [ndarray]. Without it
//!   they are handed out row by row, and the crate is not linked.
//! - `simulation`: the other side, `modulator` and `simulator`, which receivers do not need.
//! - `serde`: what the simulator's devices and receivers do, read from files. Brings `simulation`.
//!
//! [ndarray]: https://docs.rs/ndarray

#![warn(missing_debug_implementations)]

pub mod baseband;
pub mod blanker;
mod boxcar;
pub mod canceller;
pub mod carrier;
pub mod channelizer;
pub mod decimator;
pub mod demodulator;
pub mod detector;
mod error;
mod filter;
mod kernels;
#[cfg(feature = "simulation")]
pub mod modulator;
pub mod noise_floor;
mod oscillator;
#[cfg(feature = "simulation")]
pub mod simulator;
pub mod spectrogram;
pub mod subbands;
pub mod synchronizer;

pub use error::Error;
/// The crate that samples are from: `num_complex::Complex32`.
pub use num_complex;
