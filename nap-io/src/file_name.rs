//! What file names tell about recordings.
//!
//! Raw files have no header, so rtl_433 puts the tuning into the name, and this module follows its
//! rules (<https://triq.org/rtl_433/IQ_FORMATS.html>, "parse_file_info" in its sources). A name is
//! read from left to right, in any case, a later word wins over an earlier one:
//!
//! - a number with the unit `M`, `Hz`, `kHz`, `MHz` or `GHz` is the centre frequency,
//! - a number with the unit `k`, `sps`, `ksps`, `Msps` or `Gsps` is the sample rate,
//! - a word such as `cu8`, `cs8`, `cs16` or `cf32` is the sample format.
//!
//! A prefix made of nothing but such words, up to the last colon, is no part of the path and wins
//! over the name: `cs16:250k:capture.bin`. Beyond rtl_433, a date and time in UTC as SDR# and HDSDR
//! write it (`_20260119_093000Z_`) is the start of the recording.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::format::SampleFormat;

/// What a file name tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FileName {
    /// The sample format.
    pub format: Option<SampleFormat>,
    /// The sample rate, as written: it may be out of range.
    pub sample_rate_hz: Option<f64>,
    /// The centre frequency, as written: it may be out of range.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub start: Option<Timestamp>,
}

impl FileName {
    /// Reads the name of a file, without its folder. Any text will do; what is not understood is
    /// passed over.
    ///
    /// ```
    /// use nap_io::{FileName, SampleFormat};
    ///
    /// let name = FileName::parse("g001_868.13M_250k.cu8");
    /// assert_eq!(name.format, Some(SampleFormat::Cu8));
    /// assert_eq!(name.sample_rate_hz, Some(250e3));
    /// assert_eq!(name.center_hz, Some(868.13e6));
    /// ```
    pub fn parse(name: &str) -> Self {
        let mut told = Self::default();
        let mut words = Words(name);
        while let Some(word) = words.next() {
            told.take(word);
        }
        told.format = told.format.or_else(|| format_of_extension(extension(name)?));
        told.start = find_start(name);
        told
    }

    /// Splits `cs16:250k:capture.bin` into what the prefix tells and `capture.bin`; `None` if
    /// there is no prefix, or if it holds anything but words known here (so that paths with colons
    /// stay whole).
    pub fn split_prefix(path: &str) -> Option<(Self, &str)> {
        let (prefix, rest) = path.rsplit_once(':')?;
        let mut told = Self::default();
        let mut words = Words(prefix);
        while let Some(word) = words.next() {
            if !told.take(word) {
                return None;
            }
        }
        (told != Self::default()).then_some((told, rest))
    }

    /// What this name tells, and what `other` tells where this one is silent.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            format: self.format.or(other.format),
            sample_rate_hz: self.sample_rate_hz.or(other.sample_rate_hz),
            center_hz: self.center_hz.or(other.center_hz),
            start: self.start.or(other.start),
        }
    }

    /// Takes in one word; returns whether it tells something.
    fn take(&mut self, word: Word<'_>) -> bool {
        match word {
            Word::Text(text) => match format_of_word(text) {
                Some(format) => self.format = Some(format),
                None => return false,
            },
            Word::Quantity(value, unit) => match quantity(value, unit) {
                Some(Quantity::Frequency(center_hz)) => self.center_hz = Some(center_hz),
                Some(Quantity::Rate(rate_hz)) => self.sample_rate_hz = Some(rate_hz),
                None => return false,
            },
        }
        true
    }
}

/// A piece of a name.
enum Word<'a> {
    /// Letters and digits, a letter first.
    Text(&'a str),
    /// A number and the letters that follow it at once.
    Quantity(f64, &'a str),
}

/// Cuts a name into words; everything but letters and digits separates them.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        self.0 = self.0.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let first = self.0.chars().next()?;
        if first.is_ascii_alphabetic() {
            return Some(Word::Text(self.cut(|c| c.is_ascii_alphanumeric())));
        }
        let whole = self.0;
        let integer = self.cut(|c| c.is_ascii_digit());
        let mut digits = integer.len();
        if self.0.starts_with('.') && self.0[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.0 = &self.0[1..];
            digits += 1 + self.cut(|c| c.is_ascii_digit()).len();
        }
        let unit = self.cut(|c| c.is_ascii_alphabetic());
        // Digits with one point are always a number; a very long one is infinite and refused later.
        Some(Word::Quantity(whole[..digits].parse().unwrap_or(f64::NAN), unit))
    }

    fn cut(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (head, tail) = self.0.split_at(end);
        self.0 = tail;
        head
    }
}

enum Quantity {
    Frequency(f64),
    Rate(f64),
}

fn quantity(value: f64, unit: &str) -> Option<Quantity> {
    let unit = unit.to_ascii_lowercase();
    match unit.as_str() {
        "m" => return Some(Quantity::Frequency(value * 1e6)),
        "k" => return Some(Quantity::Rate(value * 1e3)),
        _ => {}
    }
    if let Some(scale) = unit.strip_suffix("hz").and_then(scale) {
        return Some(Quantity::Frequency(value * scale));
    }
    unit.strip_suffix("sps").and_then(scale).map(|scale| Quantity::Rate(value * scale))
}

fn scale(prefix: &str) -> Option<f64> {
    match prefix {
        "" => Some(1.0),
        "k" => Some(1e3),
        "m" => Some(1e6),
        "g" => Some(1e9),
        _ => None,
    }
}

/// The words of rtl_433, and those of SigMF without a byte order.
fn format_of_word(word: &str) -> Option<SampleFormat> {
    let is_format = word.len() <= 4 && word.starts_with(['c', 'C']);
    is_format.then(|| word.parse().ok()).flatten()
}

/// Extensions that others use for the formats (list in rtl_433's IQ_FORMATS).
fn format_of_extension(extension: &str) -> Option<SampleFormat> {
    match extension.to_ascii_lowercase().as_str() {
        "data" | "complex16u" => Some(SampleFormat::Cu8),
        "complex16s" => Some(SampleFormat::Cs8),
        "cfile" | "complex" | "fc32" => Some(SampleFormat::Cf32Le),
        _ => None,
    }
}

/// The last part of a path as text, for looking at; characters that are not Unicode are replaced.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The extension for a message, as far as there is one.
pub(crate) fn name_hint(extension: Option<&str>) -> String {
    extension.map(|extension| format!(" (extension .{extension})")).unwrap_or_default()
}

/// What follows the last point of a name.
pub(crate) fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// Finds `YYYYMMDD_HHMMSSZ`.
fn find_start(name: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = name.split(['_', '.']).collect();
    parts.windows(2).find_map(|pair| parse_start(pair[0], pair[1].strip_suffix('Z')?))
}

fn parse_start(date: &str, time: &str) -> Option<Timestamp> {
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    let date_time = DateTime::strptime("%Y%m%d %H%M%S", format!("{date} {time}")).ok()?;
    TimeZone::UTC.to_timestamp(date_time).ok()
}
