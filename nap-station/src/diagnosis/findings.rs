//! What measurements mean.

use nap_io::counted;
use nap_io::live::{Fault, FaultKind, SourceKind};
use serde::Serialize;

use crate::diagnosis::examination::Report;
use crate::diagnosis::room::too_short;
use crate::diagnosis::spectrum::Spectrum;

/// The Eb/N0 at which one message in ten is lost, dB: a single frame at 100 bit/s, and three.
const SINGLE_FRAME_DB: f64 = 5.0;
const THREE_FRAMES_DB: f64 = 0.6;
/// Of a resistor at 290 K, dBm/Hz.
const THERMAL_DBM_PER_HZ: f64 = -174.0;
/// A crystal that is off by less costs hardly a frame: some 5 of 192 kHz at each end of the channel.
const TOLERABLE_PPM: f64 = 6.0;
/// Beside 0 Hz, where the spectrum is compared.
const DC_SPAN_HZ: f64 = 10_000.0;
const DC_WIDTH_HZ: f64 = 1_000.0;
const PARTS: u32 = 8;
/// Floors that differ by less are level.
const LEVEL_DB: f64 = 1.5;
/// A line stands out of what is so near by as much, where FSK does not.
const LINE_SPAN_HZ: f64 = 4_000.0;
const STRONG_LINE_DB: f64 = 15.0;
/// What is broad raises so many of four times as many parts by so much on average, dB.
const BROAD_PARTS: usize = 3;
const BROAD_DB: f64 = 3.0;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// To be repaired.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub subject: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// With numbers.
    pub text: String,
    /// What to do; may be empty.
    pub advice: &'static str,
}

/// A finding whose advice is needed only if it is not good.
fn finding(subject: &'static str, verdict: Verdict, text: String, advice: &'static str) -> Finding {
    let advice = if verdict == Verdict::Good { "" } else { advice };
    Finding { subject, verdict, text, advice }
}

/// The first limit that is passed decides.
fn judge(is_bad: bool, is_notable: bool) -> Verdict {
    match (is_bad, is_notable) {
        (true, _) => Verdict::Bad,
        (false, true) => Verdict::Note,
        _ => Verdict::Good,
    }
}

/// What a fault of the source means.
pub(crate) fn of_fault(fault: &Fault, kind: SourceKind) -> Finding {
    let advice = match (kind, fault.kind) {
        (SourceKind::Recording | SourceKind::Pipe, _) => "",
        (SourceKind::Network, _) => "look at the program that sends, and at the network",
        (SourceKind::Radio, FaultKind::Open) => "is it plugged in, and free?",
        _ => "try another cable, port or lower sample rate",
    };
    finding("source", Verdict::Bad, fault.text.clone(), advice)
}

/// What was measured means.
pub(crate) fn of(report: &Report) -> Vec<Finding> {
    if report.look.stillness().is_some_and(|stillness| stillness.is_all()) {
        // Of nothing there is no spectrum.
        let some = [length(report), sample_rate(report), lost_samples(report), stillness(report)];
        return some.into_iter().flatten().collect();
    }
    let all = [
        length(report),
        format(report),
        sample_rate(report),
        lost_samples(report),
        channel(report),
        clipping(report),
        Some(impulses(report)),
        stillness(report),
        level(report),
        dc_spike(report),
        Some(images(report)),
        noise_floor(report),
        shape(report),
        interference(report),
        sensitivity(report),
        Some(messages(report)),
        spectrum_direction(report),
        other_rate(report),
        crystal(report),
    ];
    all.into_iter().flatten().collect()
}

fn length(report: &Report) -> Option<Finding> {
    let duration_s = report.samples as f64 / report.config.sample_rate_hz;
    let text = format!("{duration_s:.2} s, {}", too_short(&report.config, duration_s)?);
    Some(finding("length", Verdict::Note, text, ""))
}

/// Whether the samples are in the format that was assumed.
fn format(report: &Report) -> Option<Finding> {
    let doubt = report.look.doubt()?;
    Some(finding("sample format", Verdict::Bad, doubt.to_string(), ""))
}

fn sample_rate(report: &Report) -> Option<Finding> {
    let (found_hz, elapsed_s) = report.measured_rate?;
    let told_hz = report.config.sample_rate_hz;
    let off = found_hz / told_hz - 1.0;
    // Blocks arrive unevenly by some hundredths of a second.
    let uncertainty = 0.05 / elapsed_s;
    let text = format!(
        "{found_hz:.0} samples a second by the clock, {:+.2} % ± {:.2} % off the {told_hz:.0} told",
        100.0 * off,
        100.0 * uncertainty
    );
    let verdict = judge(off.abs() > 0.01 + uncertainty, false);
    Some(finding("sample rate", verdict, text, "the radio or the link does not keep up"))
}

/// Of a recording nobody knows.
fn lost_samples(report: &Report) -> Option<Finding> {
    if matches!(report.kind, SourceKind::Recording | SourceKind::Pipe) {
        return None;
    }
    let share = report.lost as f64 / (report.lost + report.samples).max(1) as f64;
    let text = format!("{} lost, {:.3} %", report.lost, 100.0 * share);
    let advice = "lower the sample rate, use another USB port or cable, or a faster computer";
    Some(finding("lost samples", judge(share > 1e-3, report.lost > 0), text, advice))
}

/// How much of the channel is in the band, if not all.
fn channel(report: &Report) -> Option<Finding> {
    let coverage = report.config.coverage();
    let advice = "take a higher sample rate to hear all of it";
    (!coverage.is_whole()).then(|| finding("channel", Verdict::Note, coverage.to_string(), advice))
}

/// Samples that are read in a wrong format are no clipped ones.
fn clipping(report: &Report) -> Option<Finding> {
    if report.look.doubt().is_some() {
        return None;
    }
    let text = format!("{:.4} % of the samples", 100.0 * report.clipped);
    let advice = "lower the gain, or put a filter for the band before the radio";
    let verdict = judge(report.clipped > 1e-3, report.clipped > 1e-6);
    Some(finding("clipping", verdict, text, advice))
}

fn impulses(report: &Report) -> Finding {
    let statistics = &report.statistics;
    let count = statistics.samples.max(1) as f64;
    let share = statistics.blanked_samples as f64 / count;
    let per_s = statistics.impulses as f64 / count * report.config.sample_rate_hz;
    let text = format!("{per_s:.1} a second, blanked with {:.3} % of the samples", 100.0 * share);
    let advice = "something sparks or switches near the antenna: motors, dimmers, power supplies; move the antenna away \
                  from them";
    finding("impulses", judge(share > 0.1, share > 0.01), text, advice)
}

/// Samples that are all the same, which no radio gives that works.
fn stillness(report: &Report) -> Option<Finding> {
    let stillness = report.look.stillness()?;
    let advice = match report.kind {
        SourceKind::Recording => {
            "nothing was recorded there: was the file laid out and not filled, or a squelch closed?"
        }
        SourceKind::Pipe | SourceKind::Network => {
            "look at the program that sends: does its radio run?"
        }
        _ => "the radio gives nothing of its own: plug it in again",
    };
    let verdict = judge(stillness.is_all(), true);
    Some(finding("stillness", verdict, stillness.to_string(), advice))
}

fn level(report: &Report) -> Option<Finding> {
    let level_db = (report.power > 0.0).then(|| decibel(report.power))?;
    let text = format!("{level_db:.1} dBFS in all");
    let verdict = judge(level_db < -90.0, level_db < -65.0);
    let advice =
        "little of the converter is used: raise the gain, unless strong signals need the room";
    Some(finding("level", verdict, text, advice))
}

fn dc_spike(report: &Report) -> Option<Finding> {
    let (peak_hz, peak_db) = report.spectrum.peak(-DC_SPAN_HZ, DC_SPAN_HZ)?;
    let height_db = if peak_hz.abs() < DC_WIDTH_HZ { peak_db.max(0.0) } else { 0.0 };
    let (low_hz, high_hz) = channel_hz(report);
    let is_inside = (low_hz..=high_hz).contains(&0.0);
    let place = if is_inside { "inside the channel" } else { "outside the channel" };
    let text = format!(
        "{height_db:.1} dB above the noise, {place}, {:.1} dBFS",
        decibel(report.dc.powi(2))
    );
    let advice = "take a higher sample rate, so that the channel can lie beside it";
    let is_in_the_way = is_inside && height_db > 6.0;
    Some(finding("DC spike", judge(is_in_the_way && height_db > 30.0, is_in_the_way), text, advice))
}

fn images(report: &Report) -> Finding {
    let rejection_db = -decibel(report.image);
    // What is found in so many samples where there is nothing.
    let limit_db = decibel(report.samples as f64) + 3.0;
    let text = if rejection_db > limit_db {
        format!("more than {limit_db:.0} dB below the signal")
    } else {
        format!("{rejection_db:.0} dB below the signal")
    };
    let advice = "I and Q are not balanced: strong signals show a second time on the other side";
    finding("images", judge(rejection_db < 15.0, rejection_db < 30.0), text, advice)
}

fn noise_floor(report: &Report) -> Option<Finding> {
    let density_db = floor_db(report)?;
    let Some(full_scale_dbm) = report.config.full_scale_dbm else {
        let text = format!("{density_db:.1} dBFS/Hz");
        return Some(finding("noise floor", Verdict::Good, text, ""));
    };
    let excess_db = density_db + full_scale_dbm - THERMAL_DBM_PER_HZ;
    let text = format!(
        "{:.1} dBm/Hz, {excess_db:.1} dB above that of a resistor",
        density_db + full_scale_dbm
    );
    let advice = "the radio or its surroundings are noisy: a low-noise amplifier at the antenna, another \
                  place, away from computers and power supplies";
    Some(finding("noise floor", judge(excess_db > 20.0, excess_db > 10.0), text, advice))
}

/// How level the noise is while nobody sends, and what makes it uneven: a filter falls off towards the edges
/// of the sampled band, on both sides or one, and anything else is somebody's signal.
fn shape(report: &Report) -> Option<Finding> {
    let (low_hz, high_hz) = channel_hz(report);
    let floors_db = report.quiet_spectrum.floors_db(low_hz, high_hz, PARTS)?;
    let max_db = floors_db.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let uneven_db = max_db - floors_db.iter().copied().fold(f64::INFINITY, f64::min);
    let text = format!("level to {uneven_db:.1} dB over the channel");
    let width_hz = (high_hz - low_hz) / f64::from(PARTS);
    let distance_hz = |n: usize| (low_hz + width_hz * (n as f64 + 0.5)).abs();
    let falls = |n: usize, m: usize| {
        let (near, far) = if distance_hz(n) < distance_hz(m) { (n, m) } else { (m, n) };
        floors_db[far] <= floors_db[near] + LEVEL_DB
    };
    let is_filter = (1..floors_db.len()).all(|n| falls(n - 1, n));
    let advice = if has_strong_line(&report.quiet_spectrum, low_hz, high_hz) {
        "the sidelobes of a strong signal, which is there most of the time"
    } else if is_filter {
        "the analogue filter is too narrow (--bandwidth)"
    } else {
        "something broad sends in the channel, no filter does this: find it, or turn the antenna away"
    };
    let verdict = judge(uneven_db > 10.0, uneven_db > 3.0);
    Some(finding("noise shape", verdict, text, advice))
}

/// Whether something narrow between two frequencies is so strong that its sidelobes are broad.
fn has_strong_line(spectrum: &Spectrum, low_hz: f64, high_hz: f64) -> bool {
    let around = |hz: f64| spectrum.peak(hz - LINE_SPAN_HZ, hz + LINE_SPAN_HZ);
    let line = spectrum.peak(low_hz, high_hz).and_then(|(hz, _)| around(hz));
    line.is_some_and(|(_, height_db)| height_db > STRONG_LINE_DB)
}

/// What sends in the channel: the strongest line, and what is broad and comes and goes.
fn interference(report: &Report) -> Option<Finding> {
    let (low_hz, high_hz) = channel_hz(report);
    let (peak_hz, height_db) = report.spectrum.peak(low_hz, high_hz)?;
    let strongest = format!(
        "the strongest is at {:.4} MHz, {height_db:.1} dB above the noise on average",
        (report.config.center_hz + peak_hz) / 1e6
    );
    let parts = 4 * PARTS;
    let means_db = report.spectrum.floors_db(low_hz, high_hz, parts)?;
    let quiet_db = report.quiet_spectrum.floors_db(low_hz, high_hz, parts)?;
    let width_hz = (high_hz - low_hz) / f64::from(parts);
    let edge_hz = |n: usize| low_hz + width_hz * n as f64;
    let is_raised = |n: &usize| means_db[*n] > quiet_db[*n] + BROAD_DB;
    let raised: Vec<usize> = (0..means_db.len()).filter(is_raised).collect();
    // Beside a strong device it is its sidelobes.
    let is_another = |run: &&[usize]| {
        let (first, last) = (run[0], run[run.len() - 1]);
        !has_strong_line(&report.spectrum, edge_hz(first), edge_hz(last + 1))
    };
    let runs = raised.chunk_by(|a, b| a + 1 == *b).filter(is_another);
    let broad: Vec<usize> = runs.flatten().copied().collect();
    let (Some(first), Some(last)) = (broad.first(), broad.last()) else {
        return Some(finding("signals", Verdict::Good, strongest, ""));
    };
    if broad.len() < BROAD_PARTS {
        return Some(finding("signals", Verdict::Good, strongest, ""));
    }
    let mhz = |n: usize| (report.config.center_hz + edge_hz(n)) / 1e6;
    let text = format!(
        "{strongest}; something broad comes and goes from {:.3} to {:.3} MHz",
        mhz(*first),
        mhz(last + 1)
    );
    let advice = "another system, such as FSK: what it covers is not heard while it sends";
    Some(finding("signals", Verdict::Note, text, advice))
}

fn sensitivity(report: &Report) -> Option<Finding> {
    let density_db = floor_db(report)?;
    let (full_scale_db, unit) = match report.config.full_scale_dbm {
        Some(full_scale_dbm) => (full_scale_dbm, "dBm"),
        None => (0.0, "dBFS"),
    };
    let level_db = |needed_db: f64, bits_per_s: f64| {
        density_db + full_scale_db + 10.0 * bits_per_s.log10() + needed_db
    };
    let text = format!(
        "one message in ten is lost at {:.1} {unit} with three frames at 100 bit/s, {:.1} with one; \
         {:.1} and {:.1} at 600 bit/s",
        level_db(THREE_FRAMES_DB, 100.0),
        level_db(SINGLE_FRAME_DB, 100.0),
        level_db(THREE_FRAMES_DB, 600.0),
        level_db(SINGLE_FRAME_DB, 600.0)
    );
    Some(finding("sensitivity", Verdict::Good, text, ""))
}

fn messages(report: &Report) -> Finding {
    let statistics = &report.statistics;
    let text = format!(
        "{}, {}",
        counted(statistics.messages, "message"),
        counted(statistics.frames, "frame")
    );
    let advice = "nobody sent, or nothing is heard: are sample rate, centre and format right?";
    finding("heard", judge(false, statistics.messages == 0), text, advice)
}

/// Messages that are heard only in the mirror.
fn spectrum_direction(report: &Report) -> Option<Finding> {
    let count = report.mirrored_messages;
    (count > 0).then(|| {
        let text = format!("{} with I and Q swapped, none without", counted(count, "message"));
        finding("spectrum", Verdict::Bad, text, "the spectrum is mirrored: give --swap-iq")
    })
}

/// Messages that are heard only at another rate: bits take as long as they take.
fn other_rate(report: &Report) -> Option<Finding> {
    let (rate_hz, count) = report.other_rate?;
    let told_hz = report.config.sample_rate_hz;
    let text = format!(
        "{} if these are {rate_hz:.0} samples a second, none with the {told_hz:.0} told",
        counted(count, "message")
    );
    let advice = "the rate told is wrong: give the other one with --sample-rate";
    Some(finding("sample rate", Verdict::Bad, text, advice))
}

/// Devices spread their frames evenly over the channel, so the mean of many tells where its middle is
/// for this receiver: a frame alone is off by a 3.5th of the channel's width.
fn crystal(report: &Report) -> Option<Finding> {
    let count = report.offsets_hz.len() as f64;
    if count == 0.0 {
        return None;
    }
    let center_hz = report.config.channel_center_hz;
    let mean_hz = report.offsets_hz.iter().sum::<f64>() / count;
    let ppm = mean_hz / center_hz * 1e6;
    let spread_hz = report.config.channel_width_hz / 12_f64.sqrt();
    let uncertainty = spread_hz / count.sqrt() / center_hz * 1e6;
    let text = format!(
        "signals of known devices are {ppm:+.1} ± {uncertainty:.1} ppm off, from {}",
        counted(report.offsets_hz.len(), "frame")
    );
    if 2.0 * uncertainty > TOLERABLE_PPM && ppm.abs() < 2.0 * uncertainty {
        let needed = (2.0 * uncertainty / TOLERABLE_PPM).powi(2) * count;
        let advice = "too few to tell: listen longer";
        let text = format!("{text}, where some {:.0} are needed", needed.ceil());
        return Some(finding("crystal", Verdict::Note, text, advice));
    }
    let is_off = ppm.abs() > 2.0 * uncertainty && ppm.abs() > 1.0;
    let advice = "the radio's crystal is that much too slow; give the opposite with --ppm";
    Some(finding("crystal", judge(false, is_off), text, advice))
}

/// The edges of what of the channel is in the band, from the centre of the samples.
fn channel_hz(report: &Report) -> (f64, f64) {
    let config = &report.config;
    let coverage = config.coverage();
    (coverage.lowest_hz - config.center_hz, coverage.highest_hz - config.center_hz)
}

fn floor_db(report: &Report) -> Option<f64> {
    let (low_hz, high_hz) = channel_hz(report);
    report.quiet_spectrum.floor_db(low_hz, high_hz)
}

fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.max(f64::MIN_POSITIVE).log10()
}
