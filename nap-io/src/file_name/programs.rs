//! Names that programs make by rules of their own, which the words of rtl_433 would misread.

use crate::file_name::told::FileName;
use crate::file_name::words::scale;
use crate::format::SampleFormat;

/// What the name tells if one of these programs has made it; what it leaves open, words may tell.
pub(super) fn recognize(name: &str) -> Option<FileName> {
    gqrx(name).or_else(|| sigdigger(name)).or_else(|| urh(name)).or_else(|| osmocom_fft(name))
}

/// gqrx: `gqrx_20240115_123045_868130000_250000_fc.raw`, centre and rate without units, always floats.
fn gqrx(name: &str) -> Option<FileName> {
    let parts: Vec<&str> = name.split(['_', '.']).collect();
    let [program, _, _, center, rate, "fc", ..] = parts.as_slice() else { return None };
    program.eq_ignore_ascii_case("gqrx").then_some(())?;
    let told = tuning(whole_number(center)?, whole_number(rate)?)?;
    Some(FileName { format: Some(SampleFormat::Cf32Le), ..told })
}

/// SigDigger: `sigdigger_20240115_123045Z_250000_868130000_float32_iq.raw`, rate and centre.
fn sigdigger(name: &str) -> Option<FileName> {
    let parts: Vec<&str> = name.split(['_', '.']).collect();
    let [program, _, _, rate, center, "float32", ..] = parts.as_slice() else { return None };
    program.eq_ignore_ascii_case("sigdigger").then_some(())?;
    let told = tuning(whole_number(center)?, whole_number(rate)?)?;
    Some(FileName { format: Some(SampleFormat::Cf32Le), ..told })
}

/// URH: `RTL-SDR-20240115_123045-868_13MHz-1MSps-1MHz.complex16u`, a `_` for the decimal point, the bandwidth
/// at the end.
fn urh(name: &str) -> Option<FileName> {
    let parts: Vec<&str> = name.split('-').collect();
    parts.windows(2).find_map(|pair| {
        let rate = pair[1].split_once('.').map_or(pair[1], |(rate, _)| rate);
        tuning(with_unit(pair[0], "hz")?, with_unit(rate, "sps")?)
    })
}

/// A number as URH writes it: `868_13MHz`.
fn with_unit(text: &str, unit: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_suffix(unit)?;
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = scale(&number[digits.len()..])?;
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
    Some(digits.replacen('_', ".", 1).parse::<f64>().ok().filter(|_| is_number)? * scale)
}

/// osmocom_fft: `name-f8.681300e+08-s2.500000e+05-t20240115123045.cfile`.
fn osmocom_fft(name: &str) -> Option<FileName> {
    let field = |letter: &str| {
        let mut places = name.match_indices(letter);
        places.find_map(|(at, _)| leading_number(&name[at + letter.len()..]))
    };
    tuning(field("-f")?, field("-s")?)
}

/// The number that a text begins with, if it is large enough for a frequency or a rate.
fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "e+.".contains(c)));
    let number = &text[..end.unwrap_or(text.len())];
    // The point before an extension is no part of the number.
    number.trim_end_matches('.').parse().ok().filter(|&number: &f64| number >= 1e3)
}

fn whole_number(text: &str) -> Option<f64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn tuning(center_hz: f64, sample_rate_hz: f64) -> Option<FileName> {
    Some(FileName {
        center_hz: Some(center_hz),
        sample_rate_hz: Some(sample_rate_hz),
        ..FileName::default()
    })
}
