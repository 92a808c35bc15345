//! Carriers that stray: what oscillators do beyond a steady offset and drift.

use std::f64::consts::TAU;
use std::ops::Range;

use num_complex::{Complex32, Complex64};
use rand::{Rng, RngExt};

use super::phase_noise::{Density, MaskPoint, PhaseNoise};
use crate::error::Error;

/// Samples over which the stray phase is taken as a straight line, at most.
const LONGEST_STEP: usize = 32;
/// The largest frequency of any part of a wander that is accepted, in hertz.
const MAX_HZ: f64 = 1e4;
/// The latest instant of a step that is accepted, in seconds.
const LATEST_S: f64 = 1e7;

/// How a carrier strays from the straight line of offset and drift. Its parts add up; the default is
/// none at all.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Wander {
    /// A sinusoid, as from a ripple of the supply or from shaking.
    pub wobble: Option<Wobble>,
    /// An exponential from the start on, as of a synthesiser that is pulled when the amplifier
    /// starts.
    pub settle: Option<Settling>,
    /// A random walk of the frequency that is 0 at the start: its variance grows by the square of
    /// this a second.
    pub walk_hz_per_root_s: f64,
    /// A parabola: so many hertz one second before and after the middle of the transmission, and
    /// four times as many after two.
    pub curvature_hz_per_s2: f64,
    /// A random walk of the phase: it makes a Lorentzian line of this full width at half maximum.
    pub line_width_hz: f64,
    /// Stationary noise of the phase, in the order of offsets; see [`MaskPoint`].
    pub phase_noise: Vec<MaskPoint>,
    /// Jumps of the frequency.
    pub steps: Vec<FrequencyStep>,
}

/// A carrier that swings to and fro: `amplitude_hz * sin(2 pi rate_hz t + phase)`, of random phase.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Wobble {
    /// Largest deviation of the frequency.
    pub amplitude_hz: f64,
    /// Swings a second.
    pub rate_hz: f64,
}

/// A carrier that starts off its place: `offset_hz * exp(-t / time_constant_s)`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Settling {
    /// Deviation of the frequency at the start.
    pub offset_hz: f64,
    /// Time after which 1/e of it is left.
    pub time_constant_s: f64,
}

/// A carrier that jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct FrequencyStep {
    /// When, from the start of the transmission.
    pub time_s: f64,
    /// By how much.
    pub step_hz: f64,
}

impl Wander {
    /// Whether there is nothing to it.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The same on the other side of the carrier.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        if let Some(settling) = &mut self.settle {
            settling.offset_hz = -settling.offset_hz;
        }
        for step in &mut self.steps {
            step.step_hz = -step.step_hz;
        }
        self.curvature_hz_per_s2 = -self.curvature_hz_per_s2;
        self
    }

    /// Draws a realisation for a transmission that lasts from `span_s.start` to `span_s.end`, in
    /// seconds after its time 0, which is the start that the parts speak of.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a parameter is, or if the transmission is so long that its noise
    /// would need more than two million values.
    pub fn realize<R: Rng>(
        &self,
        span_s: Range<f64>,
        rng: &mut R,
    ) -> Result<WanderingPhase, Error> {
        self.check()?;
        let wobble_phase = rng.random();
        let noise = PhaseNoise::draw(&self.density(), span_s.clone(), rng)?;
        let middle_s = 0.5 * (span_s.start + span_s.end);
        let half_s = 0.5 * (span_s.end - span_s.start);
        let reach_hz = self.wobble.map_or(0.0, |wobble| wobble.amplitude_hz.abs())
            + self.settle.map_or(0.0, |settling| settling.offset_hz.abs())
            + self.curvature_hz_per_s2.abs() * half_s * half_s
            + self.steps.iter().map(|step| step.step_hz.abs()).sum::<f64>()
            + noise.as_ref().map_or(0.0, PhaseNoise::reach_hz);
        Ok(WanderingPhase { wander: self.clone(), wobble_phase, middle_s, noise, reach_hz })
    }

    fn density(&self) -> Density<'_> {
        Density {
            walk_hz_per_root_s: self.walk_hz_per_root_s,
            line_width_hz: self.line_width_hz,
            mask: &self.phase_noise,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let check = Error::check_range;
        if let Some(Wobble { amplitude_hz, rate_hz }) = self.wobble {
            check("wobble.amplitude_hz", amplitude_hz, -MAX_HZ, MAX_HZ)?;
            check("wobble.rate_hz", rate_hz, 1e-3, 1e3)?;
        }
        if let Some(Settling { offset_hz, time_constant_s }) = self.settle {
            check("settle.offset_hz", offset_hz, -MAX_HZ, MAX_HZ)?;
            check("settle.time_constant_s", time_constant_s, 1e-4, 1e4)?;
        }
        check("walk_hz_per_root_s", self.walk_hz_per_root_s, 0.0, 1e3)?;
        check("curvature_hz_per_s2", self.curvature_hz_per_s2, -MAX_HZ, MAX_HZ)?;
        check("line_width_hz", self.line_width_hz, 0.0, 1e3)?;
        for step in &self.steps {
            check("steps.time_s", step.time_s, -LATEST_S, LATEST_S)?;
            check("steps.step_hz", step.step_hz, -MAX_HZ, MAX_HZ)?;
        }
        MaskPoint::check(&self.phase_noise)
    }
}

/// A realisation of a [`Wander`].
#[derive(Debug, Clone, PartialEq)]
pub struct WanderingPhase {
    wander: Wander,
    /// In cycles.
    wobble_phase: f64,
    middle_s: f64,
    noise: Option<PhaseNoise>,
    reach_hz: f64,
}

impl WanderingPhase {
    /// The phase that comes on top of the carrier's, in cycles, `t_s` seconds after the
    /// transmission's time 0.
    pub fn cycles(&self, t_s: f64) -> f64 {
        let Wander { wobble, settle, curvature_hz_per_s2, steps, .. } = &self.wander;
        let wobble = wobble.map_or(0.0, |Wobble { amplitude_hz, rate_hz }| {
            -amplitude_hz / (TAU * rate_hz) * (TAU * (rate_hz * t_s + self.wobble_phase)).cos()
        });
        let settling = settle.map_or(0.0, |Settling { offset_hz, time_constant_s }| {
            // Before the start the frequency stands still.
            let late_s = t_s.max(0.0);
            offset_hz * (t_s.min(0.0) - time_constant_s * (-late_s / time_constant_s).exp_m1())
        });
        let curved = curvature_hz_per_s2 * (t_s - self.middle_s).powi(3) / 3.0;
        let stepped: f64 = steps.iter().map(|s| s.step_hz * (t_s - s.time_s).max(0.0)).sum();
        let noise = self.noise.as_ref().map_or(0.0, |noise| noise.cycles(t_s));
        wobble + settling + curved + stepped + noise
    }

    /// No farther than this the frequency strays, but for the noise of the phase.
    pub(super) fn reach_hz(&self) -> f64 {
        self.reach_hz
    }

    /// Turns samples taken at `start_s`, `start_s + period_s`, ... by the phase.
    pub(super) fn turn(&self, start_s: f64, period_s: f64, samples: &mut [Complex32]) {
        let step = self.noise.as_ref().map_or(LONGEST_STEP, |noise| noise.samples(period_s));
        let mut cycles = self.cycles(start_s);
        let mut time_s = start_s;
        for block in samples.chunks_mut(step.clamp(1, LONGEST_STEP)) {
            time_s += block.len() as f64 * period_s;
            let next = self.cycles(time_s);
            let advance = Complex64::cis(TAU * (next - cycles) / block.len() as f64);
            let mut phasor = Complex64::cis(TAU * cycles.fract());
            for sample in block {
                *sample *= Complex32::new(phasor.re as f32, phasor.im as f32);
                phasor *= advance;
            }
            cycles = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    fn phase(wander: &Wander, seed: u64) -> WanderingPhase {
        wander.realize(0.0..2.0, &mut ChaCha12Rng::seed_from_u64(seed)).unwrap()
    }

    /// Mean frequency over a tenth of a millisecond.
    fn frequency_hz(phase: &WanderingPhase, t_s: f64) -> f64 {
        (phase.cycles(t_s + 0.5e-4) - phase.cycles(t_s - 0.5e-4)) / 1e-4
    }

    fn assert_near(found: f64, expected: f64, most: f64) {
        assert!((found - expected).abs() < most, "{found} for {expected}");
    }

    #[test]
    fn a_wobble_is_a_sinusoid_of_random_phase() {
        let wobble = Some(Wobble { amplitude_hz: 5.0, rate_hz: 3.0 });
        let wander = Wander { wobble, ..Wander::default() };
        let (one, other) = (phase(&wander, 1), phase(&wander, 2));
        assert!((frequency_hz(&one, 0.3) - frequency_hz(&other, 0.3)).abs() > 0.1);
        for t_s in [0.1, 0.7, 1.3] {
            let quarter_s = 0.25 / 3.0;
            let (now, later) = (frequency_hz(&one, t_s), frequency_hz(&one, t_s + quarter_s));
            // Sine and cosine.
            assert_near(now.hypot(later), 5.0, 1e-4);
            assert_near(frequency_hz(&one, t_s + 4.0 * quarter_s), now, 1e-4);
        }
    }

    #[test]
    fn a_carrier_settles_exponentially() {
        let settle = Some(Settling { offset_hz: -40.0, time_constant_s: 0.15 });
        let phase = phase(&Wander { settle, ..Wander::default() }, 1);
        assert_near(frequency_hz(&phase, -0.01), -40.0, 1e-6);
        for t_s in [0.01, 0.15, 1.0] {
            assert_near(frequency_hz(&phase, t_s), -40.0 * (-t_s / 0.15f64).exp(), 1e-4);
        }
    }

    #[test]
    fn a_parabola_bends_around_the_middle_and_steps_come_in_time() {
        let curved = phase(&Wander { curvature_hz_per_s2: 20.0, ..Wander::default() }, 1);
        for t_s in [0.2, 1.0, 1.9] {
            let from_middle_s: f64 = t_s - 1.0;
            assert_near(frequency_hz(&curved, t_s), 20.0 * from_middle_s.powi(2), 1e-4);
        }
        let steps = vec![
            FrequencyStep { time_s: 0.5, step_hz: 3.0 },
            FrequencyStep { time_s: 1.5, step_hz: -10.0 },
        ];
        let stepped = phase(&Wander { steps, ..Wander::default() }, 1);
        for (t_s, expected_hz) in [(0.4999, 0.0), (0.5001, 3.0), (1.4, 3.0), (1.6, -7.0)] {
            assert_near(frequency_hz(&stepped, t_s), expected_hz, 1e-6);
        }
    }

    #[test]
    fn the_mirror_image_strays_to_the_other_side() {
        let wander = Wander {
            settle: Some(Settling { offset_hz: 40.0, time_constant_s: 0.15 }),
            curvature_hz_per_s2: 20.0,
            steps: vec![FrequencyStep { time_s: 0.5, step_hz: 3.0 }],
            ..Wander::default()
        };
        let (one, other) = (phase(&wander, 1), phase(&wander.clone().mirrored(), 1));
        for t_s in [0.1, 0.4, 0.8, 1.9] {
            assert_near(one.cycles(t_s), -other.cycles(t_s), 1e-9);
        }
    }

    #[test]
    fn the_parts_add_up_and_turn_the_samples() {
        let wander = Wander {
            wobble: Some(Wobble { amplitude_hz: 10.0, rate_hz: 3.0 }),
            settle: Some(Settling { offset_hz: 60.0, time_constant_s: 0.1 }),
            walk_hz_per_root_s: 5.0,
            curvature_hz_per_s2: 20.0,
            line_width_hz: 0.5,
            steps: vec![FrequencyStep { time_s: 0.01, step_hz: 2.0 }],
            ..Wander::default()
        };
        let phase = phase(&wander, 3);
        for rate_hz in [20_000.0, 250_000.0] {
            let mut samples = vec![Complex32::ONE; 3000];
            phase.turn(-0.001, 1.0 / rate_hz, &mut samples);
            for (n, sample) in samples.iter().enumerate() {
                let cycles = phase.cycles(-0.001 + n as f64 / rate_hz);
                let expected = Complex32::cis((TAU * cycles) as f32);
                // The phase's noise is straight over a knot or a step, whatever is shorter.
                assert!((sample - expected).norm() < 0.02, "{n}: {sample} for {expected}");
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let error = |wander: Wander| {
            let mut rng = ChaCha12Rng::seed_from_u64(1);
            wander.realize(0.0..2.0, &mut rng).unwrap_err().to_string()
        };
        let none = Wander::default;
        let wobble = |amplitude_hz, rate_hz| Wander {
            wobble: Some(Wobble { amplitude_hz, rate_hz }),
            ..none()
        };
        let settling = |offset_hz, time_constant_s| Wander {
            settle: Some(Settling { offset_hz, time_constant_s }),
            ..none()
        };
        let point = |offset_hz, dbc_per_hz| MaskPoint { offset_hz, dbc_per_hz };
        let step =
            |time_s, step_hz| Wander { steps: vec![FrequencyStep { time_s, step_hz }], ..none() };
        let mask = |phase_noise| Wander { phase_noise, ..none() };
        for (wander, expected) in [
            (wobble(f64::NAN, 1.0), "wobble.amplitude_hz is NaN"),
            (wobble(1.0, 0.0), "wobble.rate_hz is 0"),
            (settling(2e4, 1.0), "settle.offset_hz is 20000"),
            (settling(1.0, 0.0), "settle.time_constant_s is 0"),
            (Wander { walk_hz_per_root_s: -1.0, ..none() }, "walk_hz_per_root_s is -1"),
            (Wander { curvature_hz_per_s2: 1e5, ..none() }, "curvature_hz_per_s2 is 100000"),
            (Wander { line_width_hz: -1.0, ..none() }, "line_width_hz is -1"),
            (step(f64::INFINITY, 1.0), "steps.time_s is inf"),
            (step(1.0, 1e5), "steps.step_hz is 100000"),
            (mask(vec![point(0.0, -60.0)]), "phase_noise.offset_hz is 0"),
            (mask(vec![point(10.0, 1.0)]), "phase_noise.dbc_per_hz is 1"),
            (
                mask(vec![point(10.0, -60.0), point(5.0, -70.0)]),
                "phase_noise.offset_hz is 5, but must lie between 10",
            ),
        ] {
            let found = error(wander);
            assert!(found.starts_with(expected), "{found}");
        }
        let walk = Wander { walk_hz_per_root_s: 1.0, ..none() };
        assert!(walk.realize(0.0..1e6, &mut ChaCha12Rng::seed_from_u64(1)).is_err());
    }
}
