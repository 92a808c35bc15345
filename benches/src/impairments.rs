//! What real transmitters, channels and receivers do to a signal, as flags.

use anyhow::{Result, bail};
use clap::Args;
use nap_dsp::simulator::{
    FrequencyStep, GainStep, Gap, MaskPoint, Rotation, Settling, Wander, Way, Wobble,
};
use nap_phy::scene::{Interferer, InterfererSignal, Scene, SceneDevice, Traffic};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// The stream of a scene's generator from which impairments are drawn: none of the scene's own.
const STREAM: u64 = 100;

/// Impairments of transmitters, channel and receiver, the same in each scene; the default is none.
/// What has a side (or a sign) lies on one side in all frames of a device, drawn by lot.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Impairments")]
pub struct Impairments {
    /// Carriers swing to and fro by so many hertz, so many times a second.
    #[arg(long, value_name = "HZ@PER_S", value_parser = numbers::<2>)]
    pub wobble: Option<[f64; 2]>,
    /// Carriers start so many hertz off and settle with a time constant in seconds.
    #[arg(long, value_name = "HZ@S", value_parser = numbers::<2>)]
    pub settle: Option<[f64; 2]>,
    /// Frequencies walk at random, in hertz per root second.
    #[arg(long, default_value_t, value_name = "HZ")]
    pub walk: f64,
    /// Carriers bend in a parabola, in Hz/s^2: so many hertz a second before and after the middle.
    #[arg(long, default_value_t, value_name = "HZ_PER_S2")]
    pub curvature: f64,
    /// Full width of the carriers' Lorentzian lines in hertz.
    #[arg(long, default_value_t, value_name = "HZ")]
    pub line_width: f64,
    /// Points of a mask of phase noise: hertz from the carrier, dBc/Hz.
    #[arg(long, value_delimiter = ',', value_name = "HZ@DBC_PER_HZ", value_parser = numbers::<2>)]
    pub phase_noise: Vec<[f64; 2]>,
    /// Carriers jump by so many hertz, so many seconds after a frame's start.
    #[arg(long, value_delimiter = ',', value_name = "HZ@S", value_parser = numbers::<2>)]
    pub frequency_step: Vec<[f64; 2]>,
    /// Symbol clocks are fast or slow by this share.
    #[arg(long, default_value_t, value_name = "SHARE", conflicts_with = "bit_rate_error_up_to")]
    pub bit_rate_error: f64,
    /// Symbol clocks are fast or slow by up to this share.
    #[arg(long, default_value_t, value_name = "SHARE")]
    pub bit_rate_error_up_to: f64,
    /// Phase reversals are rotations over this part of a symbol, always the same way round; either way
    /// with `@either`.
    #[arg(long, value_name = "SYMBOLS[@either]", value_parser = parse_rotation)]
    pub rotation: Option<Rotation>,
    /// Largest Doppler shift of fading in hertz; each frame fades for itself.
    #[arg(long, value_name = "HZ")]
    pub doppler: Option<f64>,
    /// A steady path so many decibels stronger than all that fade: Rician in place of Rayleigh fading.
    #[arg(long, value_name = "DB", allow_hyphen_values = true, requires = "doppler")]
    pub rician_k_db: Option<f64>,
    /// One fading runs on through all frames of a message.
    #[arg(long, requires = "doppler")]
    pub fading_runs_on: bool,
    /// Impulses that fill the whole band: so many a second, their length in seconds, their level over the
    /// noise in decibels.
    #[arg(long, value_name = "PER_S@S@DB", value_parser = numbers::<3>, num_args = 0..=1,
        default_missing_value = "40@0.0002@30")]
    pub impulses: Option<[f64; 3]>,
    /// FSK over the whole channel: part of the time, length of a burst in seconds, dBm.
    #[arg(long, value_name = "DUTY@S@DBM", value_parser = numbers::<3>)]
    pub fsk: Option<[f64; 3]>,
    /// The receiver's gain steps by so many decibels, so many seconds after the start.
    #[arg(long, value_delimiter = ',', value_name = "DB@S", value_parser = numbers::<2>,
        allow_hyphen_values = true)]
    pub gain_step: Vec<[f64; 2]>,
    /// The receiver loses samples and does not know: seconds after the start, length in seconds.
    #[arg(long, value_delimiter = ',', value_name = "S@S", value_parser = numbers::<2>)]
    pub lost: Vec<[f64; 2]>,
    /// The same, and it knows.
    #[arg(long, value_delimiter = ',', value_name = "S@S", value_parser = numbers::<2>)]
    pub lost_marked: Vec<[f64; 2]>,
}

impl Impairments {
    /// Impairs a scene: its devices, its traffic, its channel and its receiver.
    ///
    /// # Errors
    /// Names the flag that random traffic does not know.
    pub(crate) fn apply(&self, scene: &mut Scene) -> Result<()> {
        let mut rng = ChaCha12Rng::seed_from_u64(scene.seed);
        rng.set_stream(STREAM);
        for device in &mut scene.devices {
            self.impair(device, &mut rng);
        }
        if let Some(traffic) = &mut scene.traffic {
            self.impair_all(traffic)?;
        }
        self.disturb(scene);
        let step = |&[step_db, time_s]: &[f64; 2]| GainStep { time_s, step_db };
        scene.gain_steps.extend(self.gain_step.iter().map(step));
        for (gaps, is_marked) in [(&self.lost, false), (&self.lost_marked, true)] {
            let gap = |&[time_s, duration_s]: &[f64; 2]| Gap { time_s, duration_s, is_marked };
            scene.lost_samples.extend(gaps.iter().map(gap));
        }
        Ok(())
    }

    fn impair(&self, device: &mut SceneDevice, rng: &mut ChaCha12Rng) {
        let wander = self.wander();
        device.wander = if rng.random() { wander.mirrored() } else { wander };
        let sign = if rng.random() { 1.0 } else { -1.0 };
        let share = self.bit_rate_error + self.bit_rate_error_up_to * rng.random::<f64>();
        device.bit_rate_error_ppm = 1e6 * sign * share;
        device.rotation = self.rotation;
        device.doppler_hz = self.doppler;
        device.rician_k_db = self.rician_k_db;
        device.fading_runs_on = self.fading_runs_on;
    }

    fn impair_all(&self, traffic: &mut Traffic) -> Result<()> {
        if self.rotation.is_some() || self.rician_k_db.is_some() || self.fading_runs_on {
            bail!("random traffic knows no --rotation, --rician-k-db and --fading-runs-on");
        }
        if self.bit_rate_error != 0.0 {
            bail!("random traffic knows no --bit-rate-error; take --bit-rate-error-up-to");
        }
        let max_ppm = 1e6 * self.bit_rate_error_up_to;
        traffic.wander = self.wander();
        traffic.bit_rate_error_ppm = [-max_ppm, max_ppm];
        traffic.doppler_hz = self.doppler;
        Ok(())
    }

    /// How the carriers stray.
    fn wander(&self) -> Wander {
        let point = |&[offset_hz, dbc_per_hz]: &[f64; 2]| MaskPoint { offset_hz, dbc_per_hz };
        let step = |&[step_hz, time_s]: &[f64; 2]| FrequencyStep { time_s, step_hz };
        let wobble = |[amplitude_hz, rate_hz]: [f64; 2]| Wobble { amplitude_hz, rate_hz };
        let settle =
            |[offset_hz, time_constant_s]: [f64; 2]| Settling { offset_hz, time_constant_s };
        Wander {
            wobble: self.wobble.map(wobble),
            settle: self.settle.map(settle),
            walk_hz_per_root_s: self.walk,
            curvature_hz_per_s2: self.curvature,
            line_width_hz: self.line_width,
            phase_noise: self.phase_noise.iter().map(point).collect(),
            steps: self.frequency_step.iter().map(step).collect(),
        }
    }

    /// Adds what else is on the air.
    fn disturb(&self, scene: &mut Scene) {
        let interferer = |signal, duration_s| Interferer {
            signal,
            time_s: 0.0,
            duration_s,
            frequency_hz: scene.center_hz(),
            level_dbm: None,
            level_over_noise_db: None,
            burst_s: None,
            duty: None,
        };
        let impulses = self.impulses.map(|[rate_hz, width_s, level_db]| Interferer {
            level_over_noise_db: Some(level_db),
            ..interferer(
                InterfererSignal::Impulses {
                    width_s,
                    rate_hz,
                    bandwidth_hz: Some(scene.sample_rate_hz),
                },
                scene.duration_s,
            )
        });
        let fsk = self.fsk.map(|[duty, burst_s, level_dbm]| {
            let signal = InterfererSignal::Fsk { bit_rate_hz: 100_000.0, deviation_hz: 50_000.0 };
            Interferer {
                level_dbm: Some(level_dbm),
                burst_s: Some(burst_s),
                duty: Some(duty),
                ..interferer(signal, scene.duration_s)
            }
        });
        scene.interferers.extend(impulses.into_iter().chain(fsk));
    }
}

/// Numbers with `@` between them.
fn numbers<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let parts: Result<Vec<f64>, _> = text.split('@').map(str::parse).collect();
    let parts = parts.map_err(|error| error.to_string())?;
    parts.try_into().map_err(|_| format!("{N} numbers with @ between them are needed"))
}

fn parse_rotation(text: &str) -> Result<Rotation, String> {
    let (width, way) = match text.strip_suffix("@either") {
        Some(width) => (width, Way::Either),
        None => (text, Way::Same),
    };
    let width_symbols = width.parse().map_err(|error| format!("{width:?}: {error}"))?;
    Ok(Rotation { width_symbols, way })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        impairments: Impairments,
    }

    fn parse(flags: &str) -> Result<Impairments, clap::Error> {
        let words = std::iter::once("loss").chain(flags.split_whitespace());
        Command::try_parse_from(words).map(|command| command.impairments)
    }

    #[test]
    fn flags_become_what_they_say() {
        assert_eq!(parse("").unwrap(), Impairments::default());
        assert!(Impairments::default().wander().is_none());
        let wander =
            parse("--wobble 5@1 --settle 10@0.15 --phase-noise 10@-60,100@-80").unwrap().wander();
        assert_eq!(wander.wobble, Some(Wobble { amplitude_hz: 5.0, rate_hz: 1.0 }));
        assert_eq!(wander.settle, Some(Settling { offset_hz: 10.0, time_constant_s: 0.15 }));
        assert_eq!(wander.phase_noise[1], MaskPoint { offset_hz: 100.0, dbc_per_hz: -80.0 });
        assert_eq!(parse("--impulses").unwrap().impulses, Some([40.0, 0.0002, 30.0]));
        let rotation = parse("--rotation 0.6@either").unwrap().rotation.unwrap();
        assert_eq!((rotation.width_symbols, rotation.way), (0.6, Way::Either));
        assert!(parse("--wobble 5").is_err());
        assert!(parse("--rician-k-db 3").is_err());
    }
}
