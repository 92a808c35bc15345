//! Draws the pictures of docs/receiver.md: what the stages see of frames that we know.

use std::f64::consts::TAU;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use nap_dsp::carrier::Carrier;
use nap_dsp::channelizer::Channelizer;
use nap_dsp::demodulator::{Demodulator, SoftFrame};
use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{
    Fading, FrontEnd, Simulator, Transmission, Wander, WanderingPhase, Wobble,
};
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use nap_phy::receiver::stages::{symbol_count, symbol_signs, sync_words};
use nap_phy::{
    Content, DeviceId, FrameType, Key, LengthClass, MessageCounter, Payload, Rank, Uplink,
};
use nap_plot::line_chart::{Chart, Line, Plot};
use num_complex::Complex32;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rustfft::FftPlanner;

const SYMBOL_RATE_HZ: f64 = 100.0;
const SYMBOL_S: f64 = 1.0 / SYMBOL_RATE_HZ;
const SAMPLE_RATE_HZ: f64 = 25_000.0;
const HALF_WIDTH_HZ: f64 = 5_000.0;
/// Where the frames start and their carriers lie.
const START_S: f64 = 0.5;
const OFFSET_HZ: f64 = 1_234.5;
const DURATION_S: f64 = 3.2;
/// At 100 bit/s and a noise figure of 6 dB, an Eb/N0 of 0 dB.
const ZERO_DB_DBM: f64 = -148.0;
const MAX_DRIFT_HZ_PER_S: f64 = 60.0;

const SENT: &str = "#d62728";
const FOUND: &str = "#1f77b4";
const GREY: &str = "#7f7f7f";

/// Draws the pictures of docs/receiver.md.
#[derive(Parser)]
struct Args {
    /// The folder for them.
    #[arg(default_value = "docs/receiver")]
    folder: PathBuf,
}

fn main() -> Result<()> {
    let Args { folder } = Args::parse();
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (name, chart) in [("detection", detection()?), ("wobble", wobble()?), ("fade", fade()?)] {
        let path = folder.join(name).with_extension("png");
        std::fs::write(&path, chart.png()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The signs of the symbols of a frame of 12 bytes.
fn signs() -> Result<Vec<f64>> {
    let content = Content::Bytes(Payload::new(b"Hello, burst")?);
    let uplink = Uplink::new(DeviceId(0xFEDC_BA98), MessageCounter::new(291)?, content);
    Ok(symbol_signs(&uplink.encode(Rank::First, &Key::PUBLIC)))
}

/// Samples with a frame of some level in them, as its path and its oscillator have it.
fn samples(
    eb_over_n0_db: f64,
    fading: Option<Fading>,
    wander: Option<WanderingPhase>,
) -> Result<Vec<Complex32>> {
    let signs = signs()?;
    let bits = signs.windows(2).map(|pair| pair[0] == pair[1]);
    let waveform = Waveform::new(bits, SYMBOL_RATE_HZ, PulseShape::Rectangular)?;
    let level_dbm = ZERO_DB_DBM + eb_over_n0_db;
    let frame = Transmission::new(waveform, START_S, OFFSET_HZ, level_dbm);
    let rng = ChaCha12Rng::seed_from_u64(1);
    let mut simulator = Simulator::new(FrontEnd::new(SAMPLE_RATE_HZ), rng)?;
    simulator.add(Transmission { fading, wander, ..frame })?;
    let mut samples = vec![Complex32::ZERO; (DURATION_S * SAMPLE_RATE_HZ) as usize];
    simulator.render(&mut samples);
    Ok(samples)
}

/// The samples behind the filter bank.
fn subbands(samples: &[Complex32]) -> Result<(SubbandGrid, SubbandHistory)> {
    let mut channelizer = Channelizer::new(SAMPLE_RATE_HZ, 0.0, HALF_WIDTH_HZ)?;
    let grid = channelizer.grid();
    let mut history = SubbandHistory::new(grid.subbands, (DURATION_S * grid.rate_hz()) as usize);
    channelizer.push(samples, |column| history.push(column));
    Ok((grid, history))
}

/// The frame as the demodulator has it, before its bits are known.
fn soft_frame(samples: &[Complex32], carrier_hz: f64) -> Result<SoftFrame> {
    let frame_type = FrameType { class: LengthClass::NineToTwelveBytes, rank: Rank::First };
    let index = FrameType::ALL.iter().position(|&other| other == frame_type).unwrap_or_default();
    let (grid, history) = subbands(samples)?;
    let mut demodulator = Demodulator::new(SYMBOL_RATE_HZ, MAX_DRIFT_HZ_PER_S);
    let carrier = Carrier { time_s: START_S, frequency_hz: carrier_hz, drift_hz_per_s: 0.0 };
    let (known, count) = (&sync_words()[index], symbol_count(frame_type));
    let frame = demodulator.demodulate(&history, &grid, (START_S, carrier), known, count);
    frame.context("the frame is not to be seen in its noise")
}

/// The spectrum of a preamble, and of as much noise before it.
fn detection() -> Result<Chart> {
    let samples = samples(6.0, None, None)?;
    let length = (20.0 * SYMBOL_S * SAMPLE_RATE_HZ) as usize;
    let first = (START_S * SAMPLE_RATE_HZ) as usize;
    let noise_db = decibel(mean_noise(&samples[..first], length));
    let line = |label: &str, color, first: usize| Line {
        label: label.to_owned(),
        color,
        dashes: "",
        points: spectrum(&samples[first..first + length])
            .map(|(hz, power)| (hz - OFFSET_HZ, decibel(power) - noise_db))
            .collect(),
    };
    let plot = Plot {
        x_title: "distance from the carrier / Hz".to_owned(),
        y_title: "power over noise / dB".to_owned(),
        x: (-150.0, 150.0),
        y: (-20.0, 25.0),
        lines: vec![line("noise alone", GREY, first - length), line("a preamble", FOUND, first)],
    };
    let title = "20 symbols at 6 dB: the two lines of a preamble".to_owned();
    Ok(Chart { title, plots: vec![plot] })
}

/// The power in the bins of a windowed spectrum, from the lowest frequency on.
fn spectrum(samples: &[Complex32]) -> impl Iterator<Item = (f64, f64)> {
    let count = samples.len();
    let window = |n: usize| 1.0 - (TAU * n as f64 / count as f64).cos() as f32;
    let mut bins: Vec<Complex32> =
        samples.iter().enumerate().map(|(n, sample)| sample * window(n)).collect();
    FftPlanner::new().plan_fft_forward(count).process(&mut bins);
    bins.rotate_right(count / 2);
    let lowest_hz = -((count / 2) as f64) * SAMPLE_RATE_HZ / count as f64;
    bins.into_iter().enumerate().map(move |(n, bin)| {
        (lowest_hz + n as f64 * SAMPLE_RATE_HZ / count as f64, f64::from(bin.norm_sqr()))
    })
}

/// The mean power of a bin in noise.
fn mean_noise(noise: &[Complex32], length: usize) -> f64 {
    let energy: f64 = noise.iter().map(|sample| f64::from(sample.norm_sqr())).sum();
    // The energy of the window over its length is 1.5.
    energy / noise.len() as f64 * 1.5 * length as f64
}

fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.max(1e-30).log10()
}

/// A carrier that swings, and what is made of it.
fn wobble() -> Result<Chart> {
    let wobble = Some(Wobble { amplitude_hz: 5.0, rate_hz: 1.0 });
    let wander = Wander { wobble, ..Wander::default() };
    let span_s = 0.0..208.0 * SYMBOL_S;
    let phase = wander.realize(span_s, &mut ChaCha12Rng::seed_from_u64(3))?;
    let samples = samples(4.0, None, Some(phase.clone()))?;
    let soft = soft_frame(&samples, OFFSET_HZ + frequency_hz(|t| phase.cycles(t), 0.1))?;
    let track = soft.measure(&signs()?).track;
    let followed = |t_s: f64| track.frequency_at(START_S + t_s) - OFFSET_HZ;
    let plot = Plot {
        x_title: String::new(),
        y_title: "frequency / Hz".to_owned(),
        x: (0.0, 2.1),
        y: (-8.0, 8.0),
        lines: vec![
            line("sent", SENT, "6 4", |t_s| frequency_hz(|t| phase.cycles(t), t_s)),
            line("followed", FOUND, "", followed),
        ],
    };
    let title = "A carrier that swings by 5 Hz once a second, at 4 dB".to_owned();
    Ok(Chart { title, plots: vec![plot, soft_plot(&soft)?] })
}

/// A frame that fades, and what is made of it.
fn fade() -> Result<Chart> {
    let fading = Fading::rayleigh(1.0, &mut ChaCha12Rng::seed_from_u64(FADING_SEED));
    let samples = samples(12.0, Some(fading.clone()), None)?;
    let soft = soft_frame(&samples, OFFSET_HZ)?;
    let gain_db = |t_s: f64| decibel(fading.gain(t_s).norm_sqr());
    let plot = Plot {
        x_title: String::new(),
        y_title: "level of the path / dB".to_owned(),
        x: (0.0, 2.1),
        y: (-25.0, 10.0),
        lines: vec![line("over its mean", SENT, "", gain_db)],
    };
    let title = "A path that fades (Rayleigh, 1 Hz), at 12 dB in the mean".to_owned();
    Ok(Chart { title, plots: vec![plot, soft_plot(&soft)?] })
}

/// A realisation with a deep fade in the frame.
const FADING_SEED: u64 = 4;

/// A curve over the time of a frame.
fn line(
    label: &str,
    color: &'static str,
    dashes: &'static str,
    value: impl Fn(f64) -> f64,
) -> Line {
    let instants = (0..418).map(|n| f64::from(n) * SYMBOL_S / 2.0);
    let points = instants.map(|t_s| (t_s, value(t_s))).collect();
    Line { label: label.to_owned(), color, dashes, points }
}

/// The derivative of a phase in cycles.
fn frequency_hz(cycles: impl Fn(f64) -> f64, t_s: f64) -> f64 {
    (cycles(t_s + 1e-3) - cycles(t_s - 1e-3)) / 2e-3
}

/// The soft signs of a frame's symbols, each times the sign that was sent: below 0 they are wrong.
fn soft_plot(soft: &SoftFrame) -> Result<Plot> {
    let signs = signs()?;
    let product = |(k, (soft, sign)): (usize, (&f32, &f64))| {
        ((k as f64 + 0.5) * SYMBOL_S, f64::from(*soft) * sign)
    };
    let points: Vec<(f64, f64)> =
        soft.soft_signs.iter().zip(&signs).enumerate().map(product).collect();
    // A carrier is followed but for its sign.
    let sum: f64 = points.iter().map(|&(_, value)| value).sum();
    let points = points.into_iter().map(|(t_s, value)| (t_s, value * sum.signum())).collect();
    let label = "half the log-likelihood ratio of each symbol, above 0 if it is right".to_owned();
    Ok(Plot {
        x_title: "time in the frame / s".to_owned(),
        y_title: "soft bit".to_owned(),
        x: (0.0, 2.1),
        y: (-9.0, 9.0),
        lines: vec![
            line("", GREY, "2 4", |_| 0.0),
            Line { label, color: FOUND, dashes: "", points },
        ],
    })
}
