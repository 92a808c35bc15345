//! Follows the three frames of a message at 1 dB through the stages and prints what each stage makes of them, as the table
//! of docs/receiver.md.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::{Context, Result};
use nap_benches::{Recording, Subbands};
use nap_dsp::demodulator::{Demodulator, SoftFrame};
use nap_dsp::detector::Candidate;
use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{FrontEnd, Simulator, Transmission};
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};
use nap_phy::receiver::Tuning;
use nap_phy::receiver::stages::{SoftSymbols, decode, preamble, symbol_signs, sync_words};
use nap_phy::{
    Content, DeviceId, FrameType, Key, LengthClass, MessageCounter, Payload, Rank, Uplink,
};
use num_complex::Complex32;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const SYMBOL_RATE_HZ: f64 = 100.0;
const SAMPLE_RATE_HZ: f64 = 250_000.0;
/// At 100 bit/s and a noise figure of 6 dB, an Eb/N0 of 1 dB.
const LEVEL_DBM: f64 = -147.0;
/// When and where the frames are sent.
const STARTS_S: [f64; 3] = [0.5, 3.0, 5.5];
const CARRIERS_HZ: [f64; 3] = [1_234.5, -23_456.7, 45_678.9];
const DURATION_S: f64 = 8.0;
const MAX_DRIFT_HZ_PER_S: f64 = 60.0;
/// Symbols that are known beforehand.
const KNOWN: usize = 33;
const MAX_DECISIONS: usize = 256;

/// A frame on its way.
struct Frame {
    frame_type: FrameType,
    candidate: Candidate,
    hypothesis: Hypothesis,
    soft: SoftFrame,
    wrong_bits: usize,
}

fn main() -> Result<()> {
    let content = Content::Bytes(Payload::new(b"Hello, burst")?);
    let uplink = Uplink::new(DeviceId(0xFEDC_BA98), MessageCounter::new(291)?, content);
    let signs = Rank::ALL.map(|rank| symbol_signs(&uplink.encode(rank, &Key::PUBLIC)));
    let subbands = Subbands::of(&send(&signs)?);
    let frames: Result<Vec<Frame>> =
        Rank::ALL.iter().zip(&signs).map(|(&rank, signs)| follow(rank, signs, &subbands)).collect();
    print(&frames?);
    Ok(())
}

/// The frames with these signs in noise.
fn send(signs: &[Vec<f64>; 3]) -> Result<Recording> {
    let rng = ChaCha12Rng::seed_from_u64(1);
    let mut simulator = Simulator::new(FrontEnd::new(SAMPLE_RATE_HZ), rng)?;
    for (signs, (start_s, carrier_hz)) in signs.iter().zip(STARTS_S.into_iter().zip(CARRIERS_HZ)) {
        let bits = signs.windows(2).map(|pair| pair[0] == pair[1]);
        let waveform = Waveform::new(bits, SYMBOL_RATE_HZ, PulseShape::Rectangular)?;
        simulator.add(Transmission::new(waveform, start_s, carrier_hz, LEVEL_DBM))?;
    }
    let mut samples = vec![Complex32::ZERO; (DURATION_S * SAMPLE_RATE_HZ) as usize];
    simulator.render(&mut samples);
    Ok(Recording { samples, sample_rate_hz: SAMPLE_RATE_HZ, center_hz: 0.0 })
}

/// What the stages make of a frame, which we know where to look for.
fn follow(rank: Rank, signs: &[f64], subbands: &Subbands) -> Result<Frame> {
    let frame_type = FrameType { class: LengthClass::NineToTwelveBytes, rank };
    let (start_s, carrier_hz) = (STARTS_S[rank.index()], CARRIERS_HZ[rank.index()]);
    let middle_s = start_s + 10.0 / SYMBOL_RATE_HZ;
    let (candidates, mut noise) = subbands.search(SYMBOL_RATE_HZ);
    let candidate = candidates
        .into_iter()
        .filter(|found| (found.time_s - middle_s).abs() < 0.15)
        .filter(|found| (found.frequency_hz - carrier_hz).abs() < 15.0)
        .max_by(|a, b| a.line_snr.total_cmp(&b.line_snr))
        .context("its preamble was not detected")?;
    let (history, grid) = (&subbands.history, &subbands.grid);
    let density = noise.density(grid.nearest(candidate.frequency_hz));
    let least = Tuning::default().min_correlation;
    let mut synchronizer =
        Synchronizer::new((SYMBOL_RATE_HZ, preamble()), &sync_words(), MAX_DRIFT_HZ_PER_S, least);
    let hypotheses = synchronizer.search(history, grid, &candidate, density);
    let is_right = |found: &&Hypothesis| FrameType::ALL[found.sync_word] == frame_type;
    let hypothesis = *hypotheses.iter().find(is_right).context("its sync word was not found")?;
    let mut demodulator = Demodulator::new(SYMBOL_RATE_HZ, MAX_DRIFT_HZ_PER_S);
    let start = (hypothesis.start_s, hypothesis.carrier);
    let known = &sync_words()[hypothesis.sync_word];
    let soft = demodulator
        .demodulate(history, grid, start, known, signs.len())
        .context("its carrier could not be followed")?;
    let is_wrong = |(soft, sign): &(&f32, &f64)| f64::from(**soft) * **sign <= 0.0;
    let wrong_bits = soft.soft_signs.iter().zip(signs).skip(KNOWN).filter(is_wrong).count();
    Ok(Frame { frame_type, candidate, hypothesis, soft, wrong_bits })
}

/// Whether these frames decode together, and with which of the decisions in the order of likelihood.
fn decoded(frames: &[Frame]) -> String {
    let soft: Vec<SoftSymbols<'_>> = frames
        .iter()
        .map(|Frame { frame_type, soft, .. }| SoftSymbols {
            frame_type: *frame_type,
            symbols: &soft.symbols,
            amplitude: soft.amplitude,
            noise_variance: soft.noise_variance,
            notches: Some(&soft.notches),
        })
        .collect();
    decode(&soft, MAX_DECISIONS)
        .map_or_else(|| "no".to_owned(), |found| format!("decision {}", found.index + 1))
}

fn print(frames: &[Frame]) {
    let Tuning { min_detection_statistic, min_correlation, .. } = Tuning::default();
    let row = |name: &str, value: &dyn Fn(&Frame) -> String, asked: &str| {
        let values: Vec<String> = frames.iter().map(value).collect();
        println!("| {name} | {} | {asked} |", values.join(" | "));
    };
    println!("| | frame 1 | frame 2 | frame 3 | asked |\n| --- | ---: | ---: | ---: | --- |");
    row(
        "line SNR",
        &|frame| format!("{:.1}", frame.candidate.line_snr),
        &format!(
            "{min_detection_statistic}, together with the energy after it, which counts 25 at most"
        ),
    );
    row(
        "carrier after the detector, Hz off",
        &|frame| format!("{:.1}", frame.candidate.frequency_hz - sent_hz(frame)),
        "",
    );
    row(
        "normalized correlation",
        &|frame| format!("{:.2}", frame.hypothesis.correlation),
        &format!("{min_correlation}"),
    );
    row(
        "carrier after the synchronizer, Hz off",
        &|frame| format!("{:.2}", frame.hypothesis.carrier.frequency_hz - sent_hz(frame)),
        "",
    );
    row(
        "Es/N0 by the frame itself, dB",
        &|frame| format!("{:.1}", 10.0 * frame.soft.es_over_n0().log10()),
        "",
    );
    row("symbols with the wrong sign of 176", &|frame| frame.wrong_bits.to_string(), "");
    row("decodes alone", &|frame| decoded(std::slice::from_ref(frame)), "a right check sum");
    let [first_two, all] = [&frames[..2], frames].map(decoded);
    println!("\nFrames 1 and 2 together: {first_two}. All three together: {all}.");
}

fn sent_hz(frame: &Frame) -> f64 {
    CARRIERS_HZ[frame.frame_type.rank.index()]
}
