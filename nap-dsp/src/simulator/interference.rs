//! What else is on the air.

use std::f64::consts::TAU;
use std::ops::Range;

use num_complex::Complex32;
use rand::{Rng, RngExt};

use super::bursts::{LONGEST_S, poisson};
use super::transmission::Signal;
use crate::error::Error;

/// The most random symbols that are drawn for one signal.
const MAX_SYMBOLS: f64 = 1e8;

fn cis(cycles: f64) -> Complex32 {
    Complex32::cis((TAU * cycles.fract()) as f32)
}

/// Calls `value` with each instant of the samples that lies in the signal's support; the others
/// become zero.
fn render(
    support_s: Range<f64>,
    start_s: f64,
    period_s: f64,
    out: &mut [Complex32],
    value: impl Fn(f64) -> Complex32,
) {
    for (i, sample) in out.iter_mut().enumerate() {
        let t_s = start_s + i as f64 * period_s;
        *sample = if support_s.contains(&t_s) { value(t_s) } else { Complex32::ZERO };
    }
}

/// An unmodulated carrier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    duration_s: f64,
}

impl Tone {
    /// A tone of `duration_s` seconds.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the duration is negative or above 10^7 s.
    pub fn new(duration_s: f64) -> Result<Self, Error> {
        Error::check_range("duration_s", duration_s, 0.0, LONGEST_S)?;
        Ok(Self { duration_s })
    }
}

impl Signal for Tone {
    fn support_s(&self) -> Range<f64> {
        0.0..self.duration_s
    }

    fn bandwidth_hz(&self) -> f64 {
        0.0
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        render(self.support_s(), start_s, period_s, out, |_| Complex32::ONE);
    }
}

/// A LoRa packet: chirp spread spectrum. Eight upchirps, the two symbols of LoRaWAN's public sync
/// word 0x34, two and a quarter downchirps, data.
///
/// Source: M. Chiani, A. Elzanaty, "On the LoRa Modulation for IoT", IEEE Internet of Things
/// Journal 6(5), 2019; Semtech AN1200.22.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraBurst {
    spreading_factor: u32,
    bandwidth_hz: f64,
    symbols: Vec<u16>,
}

impl LoraBurst {
    // Eight upchirps, the sync word of public networks (0x34, each half eight times), and two downchirps and a quarter.
    const PREAMBLE: [u16; 10] = [0, 0, 0, 0, 0, 0, 0, 0, 24, 32];
    const DOWNCHIRPS: f64 = 2.25;

    /// A packet of the given data symbols; only their `spreading_factor` low bits count.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the spreading factor is not 7 to 12 or the bandwidth not above 0.
    pub fn new(spreading_factor: u32, bandwidth_hz: f64, symbols: Vec<u16>) -> Result<Self, Error> {
        Error::check_range("spreading_factor", spreading_factor.into(), 7.0, 12.0)?;
        Error::check_range("bandwidth_hz", bandwidth_hz, f64::MIN_POSITIVE, f64::MAX)?;
        Ok(Self { spreading_factor, bandwidth_hz, symbols })
    }

    /// A packet of random symbols, as many as fit in `duration_s`; none if the preamble takes all.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the duration is negative or above 10^7 s, or holds more than 10^8
    /// symbols.
    pub fn random<R: Rng>(
        spreading_factor: u32,
        bandwidth_hz: f64,
        duration_s: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Error::check_range("duration_s", duration_s, 0.0, LONGEST_S)?;
        let mut burst = Self::new(spreading_factor, bandwidth_hz, Vec::new())?;
        let count = ((duration_s - burst.support_s().end) / burst.symbol_s()).max(0.0);
        Error::check_range("symbols of the packet", count, 0.0, MAX_SYMBOLS)?;
        burst.symbols = (0..count as usize).map(|_| rng.random()).collect();
        Ok(burst)
    }

    fn chips(&self) -> f64 {
        f64::from(1u32 << self.spreading_factor)
    }

    fn symbol_s(&self) -> f64 {
        self.chips() / self.bandwidth_hz
    }

    /// Phase in cycles, `u` symbols from the start. Each kind of symbol, and the last quarter of a
    /// downchirp, takes a whole number of cycles, so the phase is continuous.
    fn cycles(&self, u: f64) -> f64 {
        let data = Self::PREAMBLE.len() as f64;
        let downchirps_end = data + Self::DOWNCHIRPS;
        if u < data {
            return self.upchirp(Self::PREAMBLE.get(u as usize), u.fract());
        }
        if u < downchirps_end {
            return -self.upchirp(Some(&0), u.fract());
        }
        let u = u - downchirps_end;
        self.upchirp(self.symbols.get(u as usize), u.fract())
    }

    /// Phase in cycles at the part `x` of an upchirp that starts at the frequency of `symbol`.
    fn upchirp(&self, symbol: Option<&u16>, x: f64) -> f64 {
        let chips = self.chips();
        let start = symbol.map_or(0.0, |&value| f64::from(value) / chips).fract();
        let wrapped = (x - (1.0 - start)).max(0.0);
        chips * ((start - 0.5) * x + 0.5 * x * x - wrapped)
    }
}

impl Signal for LoraBurst {
    fn support_s(&self) -> Range<f64> {
        let symbols = Self::PREAMBLE.len() as f64 + Self::DOWNCHIRPS + self.symbols.len() as f64;
        0.0..symbols * self.symbol_s()
    }

    fn bandwidth_hz(&self) -> f64 {
        self.bandwidth_hz
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        let symbol_s = self.symbol_s();
        render(self.support_s(), start_s, period_s, out, |t_s| cis(self.cycles(t_s / symbol_s)));
    }
}

/// Two-level frequency shift keying with continuous phase, unshaped.
#[derive(Debug, Clone, PartialEq)]
pub struct FskBurst {
    bit_rate_hz: f64,
    deviation_hz: f64,
    bits: Vec<bool>,
    /// Ones less zeros before each bit.
    balance: Vec<i64>,
}

impl FskBurst {
    /// Sends `bits`, a 1 as the higher frequency, `deviation_hz` above the carrier.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the bit rate is not above 0 or the deviation is negative.
    pub fn new(bits: Vec<bool>, bit_rate_hz: f64, deviation_hz: f64) -> Result<Self, Error> {
        Error::check_range("bit_rate_hz", bit_rate_hz, f64::MIN_POSITIVE, f64::MAX)?;
        Error::check_range("deviation_hz", deviation_hz, 0.0, f64::MAX)?;
        let balance = bits
            .iter()
            .scan(0, |sum, &bit| {
                let before = *sum;
                *sum += if bit { 1 } else { -1 };
                Some(before)
            })
            .collect();
        Ok(Self { bit_rate_hz, deviation_hz, bits, balance })
    }

    /// Random bits for `duration_s` seconds.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the duration is negative or above 10^7 s, or holds more than 10^8
    /// symbols.
    pub fn random<R: Rng>(
        bit_rate_hz: f64,
        deviation_hz: f64,
        duration_s: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Error::check_range("duration_s", duration_s, 0.0, LONGEST_S)?;
        let count = duration_s * bit_rate_hz;
        Error::check_range("bits of the burst", count, 0.0, MAX_SYMBOLS)?;
        Self::new((0..count as usize).map(|_| rng.random()).collect(), bit_rate_hz, deviation_hz)
    }

    fn cycles(&self, u: f64) -> f64 {
        let i = u as usize;
        let (Some(&bit), Some(&balance)) = (self.bits.get(i), self.balance.get(i)) else {
            return 0.0;
        };
        let part = if bit { u.fract() } else { -u.fract() };
        self.deviation_hz / self.bit_rate_hz * (balance as f64 + part)
    }
}

impl Signal for FskBurst {
    fn support_s(&self) -> Range<f64> {
        0.0..self.bits.len() as f64 / self.bit_rate_hz
    }

    /// Carson's rule.
    fn bandwidth_hz(&self) -> f64 {
        2.0 * self.deviation_hz + self.bit_rate_hz
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        render(self.support_s(), start_s, period_s, out, |t_s| {
            cis(self.cycles(t_s * self.bit_rate_hz))
        });
    }
}

/// Short pulses at random instants with random phases, as from sparks and power converters. The
/// level of their transmission is that of a pulse while it lasts, not the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Impulses {
    width_s: f64,
    duration_s: f64,
    /// When each pulse starts, and its value.
    pulses: Vec<(f64, Complex32)>,
}

impl Impulses {
    /// Pulses of `width_s` seconds that arrive as a Poisson process, `rate_hz` a second, for
    /// `duration_s` seconds. A pulse shorter than a sample may fall between two.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a parameter is not above 0, or more than a million pulses are to be
    /// expected.
    pub fn random<R: Rng>(
        width_s: f64,
        rate_hz: f64,
        duration_s: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Error::check_range("width_s", width_s, f64::MIN_POSITIVE, LONGEST_S)?;
        let pulses = poisson(duration_s, rate_hz, rng, |rng| cis(rng.random()))?;
        Ok(Self { width_s, duration_s, pulses })
    }
}

impl Signal for Impulses {
    fn support_s(&self) -> Range<f64> {
        0.0..self.duration_s + self.width_s
    }

    /// As wide as the receiver, so the carrier must be its centre or near.
    fn bandwidth_hz(&self) -> f64 {
        0.0
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        out.fill(Complex32::ZERO);
        let first = self.pulses.partition_point(|(t_s, _)| t_s + self.width_s < start_s);
        let end_s = start_s + out.len() as f64 * period_s;
        for (t_s, value) in self.pulses[first..].iter().take_while(|(t_s, _)| *t_s < end_s) {
            let index = |t_s: f64| ((t_s - start_s) / period_s).ceil().max(0.0) as usize;
            let to = index(t_s + self.width_s).min(out.len());
            for sample in &mut out[index(*t_s).min(to)..to] {
                *sample += value;
            }
        }
    }
}
