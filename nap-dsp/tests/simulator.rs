//! The simulator against theory.

// A helper of a test may panic like the test itself.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use nap_dsp::Error;
use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{
    Converter, Fading, FrontEnd, FskBurst, GainStep, Gap, Impulses, LoraBurst, Piece, Settling,
    Simulator, Tone, Transmission, Wander,
};
use num_complex::{Complex32, Complex64};
use proptest::prelude::*;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use rustfft::FftPlanner;

const RATE_HZ: f64 = 250_000.0;

fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

fn quiet() -> FrontEnd {
    FrontEnd { full_scale_dbm: -60.0, noise_figure_db: None, ..FrontEnd::new(RATE_HZ) }
}

fn render(
    front_end: FrontEnd,
    transmissions: impl IntoIterator<Item = Transmission>,
    samples: usize,
) -> Vec<Complex32> {
    let mut simulator = Simulator::new(front_end, rng(1)).unwrap();
    for transmission in transmissions {
        simulator.add(transmission).unwrap();
    }
    let mut block = vec![Complex32::ZERO; samples];
    simulator.render(&mut block);
    block
}

fn frame(shape: PulseShape) -> Waveform {
    let bits = (0..208).map(|i| (i * i + i / 3) % 5 < 2);
    Waveform::new(bits, 600.0, shape).unwrap()
}

fn power_db(samples: &[Complex32]) -> f64 {
    let sum: f64 = samples.iter().map(|s| f64::from(s.norm_sqr())).sum();
    10.0 * (sum / samples.len() as f64).log10()
}

/// Power in each bin, which add up to the mean power.
fn spectrum(samples: &[Complex32]) -> Vec<f64> {
    let mut bins = samples.to_vec();
    FftPlanner::new().plan_fft_forward(bins.len()).process(&mut bins);
    let scale = (bins.len() as f64).powi(-2);
    bins.iter().map(|b| f64::from(b.norm_sqr()) * scale).collect()
}

/// Frequency in hertz between samples `from` and `to` of a signal without modulation.
fn frequency_hz(samples: &[Complex32], from: usize, to: usize) -> f64 {
    let turned: Complex64 = samples[from..to]
        .windows(2)
        .map(|w| w[1] * w[0].conj())
        .map(|z| Complex64::new(z.re.into(), z.im.into()))
        .sum();
    turned.arg() * RATE_HZ / TAU
}

#[test]
fn a_frame_has_the_level_that_was_asked_for() {
    for shape in [PulseShape::Rectangular, PulseShape::SMOOTHED, PulseShape::StPolar] {
        let waveform = frame(shape);
        let (start, count) = (2500, (waveform.duration_s() * RATE_HZ) as usize);
        let transmission = Transmission::new(waveform, 0.01, -30_123.4, -97.0);
        let samples = render(quiet(), [transmission], 100_000);
        let level_dbm = power_db(&samples[start..start + count]) - 60.0;
        assert!((level_dbm + 97.0).abs() < 0.1, "{shape:?}: {level_dbm}");
        assert_eq!(power_db(&samples[..start - 400]), f64::NEG_INFINITY);
    }
}

#[test]
fn noise_has_the_density_of_theory_everywhere() {
    for rate_hz in [250_000.0, 201_613.7, 1_024_000.0] {
        let front_end = FrontEnd { noise_figure_db: Some(8.0), ..FrontEnd::new(rate_hz) };
        let bins = spectrum(&render(front_end, [], 1 << 18));
        for part in bins.chunks(bins.len() / 4) {
            let width_hz = rate_hz * part.len() as f64 / bins.len() as f64;
            let density_dbm = 10.0 * (part.iter().sum::<f64>() / width_hz).log10() - 80.0;
            assert!((density_dbm + 166.0).abs() < 0.1, "{rate_hz}: {density_dbm}");
        }
    }
}

#[test]
fn the_noise_is_gaussian() {
    let samples = render(FrontEnd::new(RATE_HZ), [], 200_000);
    let deviation = 10f64.powf((power_db(&samples) - 10.0 * 2f64.log10()) / 20.0);
    for (sigmas, expected) in [(1.0, 0.3173), (2.0, 0.0455), (3.0, 0.0027)] {
        let beyond = |x: f32| f64::from(x.abs()) > sigmas * deviation;
        let count = samples.iter().map(|s| u32::from(beyond(s.re)) + u32::from(beyond(s.im)));
        let share = f64::from(count.sum::<u32>()) / 400_000.0;
        assert!((share - expected).abs() < 4.0 * (expected / 400_000.0).sqrt(), "{share}");
    }
}

#[test]
fn the_carrier_is_right_in_the_middle_and_drifts_around_it() {
    let mut transmission = Transmission::new(Tone::new(1.0).unwrap(), 0.0, 40_000.0, -80.0);
    transmission.drift_hz_per_s = -300.0;
    let samples = render(quiet(), [transmission], 250_000);
    for (at_s, expected_hz) in [(0.1, 40_120.0), (0.5, 40_000.0), (0.9, 39_880.0)] {
        let middle = (at_s * RATE_HZ) as usize;
        let measured_hz = frequency_hz(&samples, middle - 2500, middle + 2500);
        assert!((measured_hz - expected_hz).abs() < 0.01, "{at_s}: {measured_hz}");
    }
}

#[test]
fn the_phase_is_that_of_a_closed_formula_across_chunks() {
    let mut transmission = Transmission::new(Tone::new(2.0).unwrap(), 0.25, -61_234.5, -60.0);
    transmission.drift_hz_per_s = 17.0;
    transmission.phase_rad = 1.0;
    let samples = render(quiet(), [transmission], 550_000);
    for n in (62_600..560_000).step_by(9_973).take_while(|&n| n < 550_000) {
        let t_s = n as f64 / RATE_HZ - 0.25;
        let cycles = -61_234.5 * t_s + 0.5 * 17.0 * t_s * (t_s - 2.0);
        let expected = Complex64::cis(1.0 + TAU * cycles);
        let heard = Complex64::new(samples[n].re.into(), samples[n].im.into());
        assert!((heard - expected).norm() < 1e-5, "{n}");
    }
}

#[test]
fn a_fast_clock_shortens_the_frame() {
    let waveform = Waveform::new([false; 208], 100.0, PulseShape::Rectangular).unwrap();
    let mut transmission = Transmission::new(waveform, 0.0, 0.0, -60.0);
    transmission.clock_error_ppm = 100.0;
    assert!((transmission.span_s().end - 2.1 / 1.0001).abs() < 1e-12);
    let samples = render(quiet(), [transmission], 526_000);
    // The last turn: 208 symbols after the start.
    let sign = samples[519_000].re.signum();
    let turn = samples[519_000..].iter().position(|s| s.re.signum() != sign).unwrap();
    let expected = 2.08 / 1.0001 * RATE_HZ;
    assert!((519_000.0 + turn as f64 - expected).abs() <= 1.0);
    let end = samples.iter().rposition(|s| s.norm() > 0.5).unwrap();
    assert!((end as f64 - 2.1 / 1.0001 * RATE_HZ).abs() <= 1.0);
}

#[test]
fn the_image_and_the_offset_are_as_weak_as_theory_says() {
    let front_end =
        FrontEnd { iq_gain_db: 0.5, iq_phase_deg: 3.0, dc_offset_dbfs: Some(-35.0), ..quiet() };
    // 16 384 samples are 32 * 512: the tones fall on bins.
    let bin_hz = RATE_HZ / 16_384.0;
    let tone = Transmission::new(Tone::new(1.0).unwrap(), 0.0, 1000.0 * bin_hz, -70.0);
    let bins = spectrum(&render(front_end, [tone], 16_384));
    let (gain, phase) = (10f64.powf(0.5 / 20.0), 3f64.to_radians());
    let cross = 2.0 * gain * phase.cos();
    let expected = (1.0 + cross + gain * gain) / (1.0 - cross + gain * gain);
    let measured = bins[1000] / bins[16_384 - 1000];
    assert!((10.0 * (measured / expected).log10()).abs() < 0.01);
    assert!((10.0 * bins[0].log10() + 35.0).abs() < 0.01);
}

#[test]
fn quantising_rounds_limits_and_adds_the_noise_of_theory() {
    // Noise at -20 dBFS, the same in both runs.
    let noisy = |converter| {
        let front_end = FrontEnd { noise_figure_db: Some(40.0), converter, ..quiet() };
        render(front_end, [], 100_000)
    };
    let exact = noisy(Converter::Ideal);
    let rounded = noisy(Converter::Quantising { bits: 8 });
    assert!(rounded.iter().all(|s| (s.re * 128.0).fract() == 0.0 && s.re.abs() <= 1.0));
    let error: Vec<Complex32> = exact.iter().zip(&rounded).map(|(a, b)| a - b).collect();
    // A step is 1/128; a step squared over 12 in I and in Q.
    let expected_db = 10.0 * (2.0 / 12.0 / 128f64.powi(2)).log10();
    assert!((power_db(&error) - expected_db).abs() < 0.1);

    let tone = Transmission::new(Tone::new(1.0).unwrap(), 0.0, 12_345.6, -50.0);
    let coarse = FrontEnd { converter: Converter::Quantising { bits: 4 }, ..quiet() };
    let limited = render(coarse, [tone], 10_000);
    let extremes = limited.iter().fold((0f32, 0f32), |(l, h), s| (l.min(s.re), h.max(s.re)));
    assert_eq!(extremes, (-1.0, 0.875));
}

#[test]
fn clipping_limits_and_an_ideal_converter_does_not() {
    let peak = |converter| {
        let front_end = FrontEnd { converter, ..quiet() };
        let tone = Transmission::new(Tone::new(1.0).unwrap(), 0.0, 1000.0, -54.0);
        render(front_end, [tone], 10_000).iter().fold(0f32, |peak, s| peak.max(s.re))
    };
    assert_eq!(peak(Converter::Clipping), 1.0);
    assert!((peak(Converter::Ideal) - 1.995).abs() < 0.01);
}

#[test]
fn a_lora_chirp_collapses_to_one_bin_when_it_is_dechirped() {
    let (chips, offset_hz) = (128usize, 20_000.0);
    let burst = LoraBurst::new(7, 125_000.0, vec![0, 77, 5]).unwrap();
    let samples = render(quiet(), [Transmission::new(burst, 0.0, offset_hz, -60.0)], 8192);
    // 250 kS/s are two samples a chip.
    for (symbol, expected) in [(0.0, 0), (8.0, 24), (9.0, 32), (12.25, 0), (13.25, 77), (14.25, 5)]
    {
        let first = (symbol * 256.0) as usize;
        let mut bins: Vec<Complex32> = (0..256)
            .map(|i| {
                let x = i as f64 / 256.0;
                let chirp = chips as f64 * (0.5 * x * x - 0.5 * x);
                let t_s = (first + i) as f64 / RATE_HZ;
                let phase = -TAU * (chirp + offset_hz * t_s);
                samples[first + i] * Complex32::cis((phase % TAU) as f32)
            })
            .collect();
        FftPlanner::new().plan_fft_forward(256).process(&mut bins);
        // The two parts of a chirp fall on bins one bandwidth apart.
        let power = |k: usize| (bins[k].norm() + bins[(k + 128) % 256].norm()) / 256.0;
        let peak = (0..128).max_by(|&a, &b| power(a).total_cmp(&power(b))).unwrap();
        assert_eq!(peak, expected);
        assert!(power(peak) > 0.99, "{}", power(peak));
    }
}

#[test]
fn an_fsk_burst_stays_at_its_two_frequencies() {
    let burst = FskBurst::new(vec![true, true, false, true], 1000.0, 5000.0).unwrap();
    let samples = render(quiet(), [Transmission::new(burst, 0.0, 10_000.0, -60.0)], 1100);
    for (bit, expected_hz) in [(0, 15_000.0), (1, 15_000.0), (2, 5_000.0), (3, 15_000.0)] {
        let measured_hz = frequency_hz(&samples, bit * 250 + 1, bit * 250 + 249);
        assert!((measured_hz - expected_hz).abs() < 0.1, "{measured_hz}");
    }
    // The phase goes on: no step is longer than the higher frequency's.
    let largest = (TAU * 15_000.0 / RATE_HZ) as f32;
    assert!(samples[..1000].windows(2).all(|w| (w[1] * w[0].conj()).arg() < largest * 1.001));
}

#[test]
fn impulses_are_as_many_as_long_and_as_strong_as_asked_for() {
    let impulses = Impulses::random(100e-6, 200.0, 4.0, &mut rng(5)).unwrap();
    let samples = render(quiet(), [Transmission::new(impulses, 0.0, 0.0, -66.02)], 1_000_100);
    let on = samples.iter().filter(|s| s.norm() > 0.0).count() as f64;
    // 800 pulses of 25 samples are expected, with a deviation of 28 pulses; 2 % overlap.
    assert!((on / 25.0 - 800.0 * 0.99).abs() < 100.0, "{on}");
    let single = samples.iter().filter(|s| (s.norm() - 0.5).abs() < 1e-3).count() as f64;
    assert!(single / on > 0.95);
}

#[test]
fn fading_has_the_mean_level_and_a_changing_one() {
    let mut sum = 0.0;
    for seed in 0..40 {
        let mut tone = Transmission::new(Tone::new(2.0).unwrap(), 0.0, 1000.0, -70.0);
        tone.fading = Some(Fading::rayleigh(20.0, &mut rng(seed)));
        let samples = render(FrontEnd { sample_rate_hz: 50_000.0, ..quiet() }, [tone], 100_000);
        sum += 10f64.powf(power_db(&samples) / 10.0);
        let weakest = samples.iter().map(|s| s.norm()).fold(f32::MAX, f32::min);
        assert!(weakest < 0.05, "no fade in 40 coherence times: {weakest}");
    }
    assert!((10.0 * (sum / 40.0).log10() + 10.0).abs() < 0.5);
}

#[test]
fn a_carrier_wanders_on_top_of_offset_and_drift() {
    let settle = Some(Settling { offset_hz: 40.0, time_constant_s: 0.15 });
    let wander = Wander { settle, ..Wander::default() };
    let mut tone = Transmission::new(Tone::new(1.0).unwrap(), 0.1, 5_000.0, -60.0);
    tone.drift_hz_per_s = 10.0;
    let straight = render(quiet(), [tone.clone()], 280_000);
    tone.wander = Some(wander.realize(0.0..1.0, &mut rng(1)).unwrap());
    let samples = render(quiet(), [tone.clone()], 280_000);
    for t_s in [0.05, 0.3, 0.9] {
        let middle = ((0.1 + t_s) * RATE_HZ) as usize;
        let measured_hz = frequency_hz(&samples, middle - 250, middle + 250);
        let expected_hz = 5_000.0 + 10.0 * (t_s - 0.5) + 40.0 * f64::exp(-t_s / 0.15);
        assert!((measured_hz - expected_hz).abs() < 0.05, "{t_s}: {measured_hz}");
    }
    // Nothing of it changes nothing, to the last bit.
    tone.wander = Some(Wander::default().realize(0.0..1.0, &mut rng(1)).unwrap());
    assert_eq!(render(quiet(), [tone.clone()], 280_000), straight);
    // What it adds counts where the band ends.
    let to_c64 = Settling { offset_hz: 500.0, time_constant_s: 0.15 };
    let wander = Wander { settle: Some(to_c64), ..Wander::default() };
    tone.wander = Some(wander.realize(0.0..1.0, &mut rng(1)).unwrap());
    tone.carrier_offset_hz = 124_600.0;
    assert!(Simulator::new(quiet(), rng(1)).unwrap().add(tone).is_err());
}

#[test]
fn the_gain_steps_when_it_should_and_takes_the_noise_along() {
    let front_end = FrontEnd { noise_figure_db: Some(40.0), ..FrontEnd::new(RATE_HZ) };
    let mut simulator = Simulator::new(front_end, rng(1)).unwrap();
    let steps = [(0.2, 10.0), (0.1, -20.0)].map(|(time_s, step_db)| GainStep { time_s, step_db });
    simulator.set_gain_steps(&steps).unwrap();
    let mut samples = vec![Complex32::ZERO; 75_000];
    simulator.render(&mut samples);
    let steady = render(front_end, [], 75_000);
    for (range, gain_db) in [(0..25_000, 0.0), (25_000..50_000, -20.0), (50_000..75_000, -10.0)] {
        let ratio = 10f32.powf(gain_db / 20.0);
        let mut pairs = samples[range.clone()].iter().zip(&steady[range]);
        assert!(pairs.all(|(a, b)| (a - b * ratio).norm() <= 1e-6 * b.norm()), "{gain_db}");
    }
    let wrong = GainStep { time_s: -1.0, step_db: 3.0 };
    let error = simulator.set_gain_steps(&[wrong]).unwrap_err().to_string();
    assert!(error.starts_with("gain_steps.time_s is -1"), "{error}");
}

/// A tone and two gaps, of which the second is marked; each of 5000 samples.
fn with_gaps() -> Simulator<ChaCha12Rng> {
    let mut simulator = Simulator::new(quiet(), rng(1)).unwrap();
    simulator.add(Transmission::new(Tone::new(1.0).unwrap(), 0.0, 12_345.6, -60.0)).unwrap();
    for (time_s, is_marked) in [(0.12, true), (0.03, false)] {
        simulator.lose(Gap { time_s, duration_s: 0.02, is_marked }).unwrap();
    }
    simulator
}

#[test]
fn lost_samples_are_missing_and_only_marked_ones_are_told() {
    let tone = Transmission::new(Tone::new(1.0).unwrap(), 0.0, 12_345.6, -60.0);
    let whole = render(quiet(), [tone], 60_000);
    let mut samples = vec![Complex32::ZERO; 55_000];
    with_gaps().render(&mut samples);
    assert_eq!(samples[..7_500], whole[..7_500]);
    assert_eq!(samples[7_500..25_000], whole[12_500..30_000]);
    assert!(samples[25_000..30_000].iter().all(|sample| *sample == Complex32::ZERO));
    assert_eq!(samples[30_000..], whole[35_000..]);

    let mut simulator = with_gaps();
    let mut block = [Complex32::ZERO; 4_000];
    let (mut pieces, mut told) = (Vec::new(), Vec::new());
    while told.len() + 4_000 <= 50_000 {
        let piece = simulator.render_piece(&mut block);
        told.extend_from_slice(&block[..piece.samples]);
        pieces.push(piece);
    }
    let piece = |lost_before, samples| Piece { lost_before, samples };
    assert_eq!(pieces[..3], [piece(0, 4_000), piece(0, 3_500), piece(0, 4_000)]);
    assert_eq!(pieces[6..8], [piece(0, 1_500), piece(5_000, 4_000)]);
    assert_eq!(told[7_500..25_000], whole[12_500..30_000]);
    assert_eq!(told[25_000..40_000], whole[35_000..50_000]);

    let late = Gap { time_s: 0.1, duration_s: 0.1, is_marked: true };
    let error = simulator.lose(late).unwrap_err().to_string();
    assert!(error.starts_with("lost_samples.time_s is 0.1, but must lie between 0.2"), "{error}");
    let mut simulator = with_gaps();
    let inside = Gap { time_s: 0.13, duration_s: 0.1, is_marked: true };
    assert!(simulator.lose(inside).is_err());
    let error = simulator.lose(Gap { time_s: 0.1, ..inside }).unwrap_err().to_string();
    assert!(error.starts_with("lost_samples.duration_s is 0.1, but must lie between 0 and 0.0"));
}

#[test]
fn a_recording_may_begin_inside_a_frame() {
    let early = Transmission::new(Tone::new(1.0).unwrap(), -0.5, 1000.0, -60.0);
    let samples = render(quiet(), [early], 130_000);
    assert!(samples.iter().filter(|s| s.norm() > 0.5).count().abs_diff(125_000) <= 1);
}

#[test]
fn nothing_can_be_added_to_the_past() {
    let mut simulator = Simulator::new(quiet(), rng(1)).unwrap();
    simulator.render(&mut [Complex32::ZERO; 100]);
    let tone = |time_s| Transmission::new(Tone::new(1.0).unwrap(), time_s, 0.0, -60.0);
    let error = simulator.add(tone(0.004)).unwrap_err();
    assert!(matches!(error, Error::StartsInThePast { reached_s: 0.004096, .. }), "{error}");
    simulator.add(tone(0.0041)).unwrap();
}

#[test]
fn parameters_out_of_range_are_named() {
    let add = |transmission| Simulator::new(quiet(), rng(1)).unwrap().add(transmission);
    let tone = || Transmission::new(Tone::new(1.0).unwrap(), 0.0, 0.0, -60.0);
    let outside = Transmission { carrier_offset_hz: 125_001.0, ..tone() };
    let message = add(outside).unwrap_err().to_string();
    assert!(message.starts_with("carrier_offset_hz is 125001, but must"), "{message}");
    let drifting = Transmission { carrier_offset_hz: 124_990.0, drift_hz_per_s: 30.0, ..tone() };
    assert!(add(drifting).is_err());
    let to_c64 = LoraBurst::new(7, 250_001.0, vec![]).unwrap();
    assert!(add(Transmission::new(to_c64, 0.0, 0.0, -60.0)).is_err());
    assert!(add(Transmission { level_dbm: f64::NAN, ..tone() }).is_err());
    assert!(add(Transmission { time_s: f64::INFINITY, ..tone() }).is_err());
    let fading = Some(Fading::rayleigh(1e4, &mut rng(1)));
    assert!(add(Transmission { fading, ..tone() }).is_err());

    let new = |front_end| Simulator::new(front_end, rng(1)).map(|_| ());
    assert!(new(FrontEnd { sample_rate_hz: 0.0, ..quiet() }).is_err());
    assert!(new(FrontEnd { noise_figure_db: Some(f64::NAN), ..quiet() }).is_err());
    assert!(new(FrontEnd { converter: Converter::Quantising { bits: 25 }, ..quiet() }).is_err());

    assert!(LoraBurst::new(6, 125e3, vec![]).is_err());
    assert!(FskBurst::new(vec![true], 0.0, 1.0).is_err());
    assert!(Impulses::random(1e-5, 1e6, 100.0, &mut rng(1)).is_err());
    assert!(Tone::new(f64::NAN).is_err());
}

/// Everything at once, in blocks of the given sizes.
fn crowded(seed: u64, sizes: impl Iterator<Item = usize>, samples: usize) -> Vec<Complex32> {
    let front_end = FrontEnd {
        iq_gain_db: 0.3,
        dc_offset_dbfs: Some(-40.0),
        converter: Converter::Quantising { bits: 12 },
        ..FrontEnd::new(RATE_HZ)
    };
    let mut simulator = Simulator::new(front_end, rng(seed)).unwrap();
    let mut draw = rng(seed + 1000);
    let lora = LoraBurst::random(7, 125_000.0, 0.03, &mut draw).unwrap();
    let fsk = FskBurst::random(4800.0, 5000.0, 0.02, &mut draw).unwrap();
    let impulses = Impulses::random(2e-5, 500.0, 0.05, &mut draw).unwrap();
    let mut faded = Transmission::new(frame(PulseShape::StPolar), 0.0123, 33_333.3, -95.0);
    faded.fading = Some(Fading::rayleigh(50.0, &mut draw));
    faded.drift_hz_per_s = 12.0;
    for transmission in [
        faded,
        Transmission::new(frame(PulseShape::Rectangular), 0.002, -1000.0, -100.0),
        Transmission::new(lora, 0.01, 5000.0, -90.0),
        Transmission::new(fsk, 0.03, -50_000.0, -99.0),
        Transmission::new(impulses, 0.0, 0.0, -85.0),
    ] {
        simulator.add(transmission).unwrap();
    }
    let mut out = Vec::new();
    for size in sizes {
        let mut block = vec![Complex32::ZERO; size.min(samples - out.len())];
        simulator.render(&mut block);
        out.extend(block);
        if out.len() == samples {
            break;
        }
    }
    out
}

#[test]
fn the_same_seed_gives_the_same_samples() {
    let once = |seed| crowded(seed, [20_000].into_iter(), 20_000);
    assert_eq!(once(7), once(7));
    assert_ne!(once(7), once(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn samples_do_not_depend_on_the_blocks(sizes in prop::collection::vec(1usize..5000, 1..20)) {
        let whole = crowded(3, [20_000].into_iter(), 20_000);
        prop_assert_eq!(whole, crowded(3, sizes.into_iter().cycle(), 20_000));
    }
}
