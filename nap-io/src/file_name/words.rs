//! The words of a name, by the rules of rtl_433.

use crate::file_name::told::FileName;
use crate::format::{AliasUse, SampleFormat};

/// What is written with the unit `M` is a frequency; but of two such words the second is a sample rate if it
/// is below this: `868M_2M`. No channel is so low, and no receiver so fast.
const MAX_RATE_IN_M: f64 = 20.0;

/// Takes in the words of a name or a prefix, from left to right.
#[derive(Default)]
pub(super) struct Reader {
    told: FileName,
    /// A format that a word means which is no complex one by itself (`u8`).
    plain: Option<SampleFormat>,
    /// Whether the last word says that the numbers are demodulated (`am`, `fm`).
    demodulated: bool,
    /// Whether a frequency with the unit `M` was there.
    has_megahertz: bool,
    /// A second such word that can only be a rate.
    rate_in_m_hz: Option<f64>,
}

impl Reader {
    /// Takes in all words; returns whether each of them told something.
    pub(super) fn read(&mut self, text: &str) -> bool {
        let mut words = Words(text);
        let mut is_all_known = true;
        while let Some(word) = words.next() {
            is_all_known &= self.take(word);
        }
        is_all_known
    }

    /// What the words have told, and the extension of the name.
    pub(super) fn told(self, extension: Option<SampleFormat>) -> FileName {
        FileName {
            format: self.told.format.or(extension).or(self.plain),
            sample_rate_hz: self.told.sample_rate_hz.or(self.rate_in_m_hz),
            ..self.told
        }
    }

    fn take(&mut self, word: Word<'_>) -> bool {
        match word {
            Word::Text(text) => self.take_text(text),
            Word::Quantity(value, unit) => self.take_quantity(value, unit),
        }
    }

    fn take_text(&mut self, text: &str) -> bool {
        let demodulated = std::mem::replace(&mut self.demodulated, is_demodulated(text));
        match SampleFormat::from_word(text) {
            Some((format, AliasUse::Anywhere)) => self.told.format = Some(format),
            Some((format, AliasUse::LastResort)) if !demodulated => self.plain = Some(format),
            _ => return false,
        }
        true
    }

    fn take_quantity(&mut self, value: f64, unit: &str) -> bool {
        match quantity(value, unit) {
            Some(Quantity::Megahertz) if self.has_megahertz && value < MAX_RATE_IN_M => {
                self.rate_in_m_hz = Some(value * 1e6);
            }
            Some(Quantity::Megahertz) => {
                self.has_megahertz = true;
                self.told.center_hz = Some(value * 1e6);
            }
            Some(Quantity::Frequency(center_hz)) => self.told.center_hz = Some(center_hz),
            Some(Quantity::Rate(rate_hz)) => self.told.sample_rate_hz = Some(rate_hz),
            None => return false,
        }
        true
    }
}

/// rtl_433 marks files of demodulated samples, one number each, so: `capture.am.s16`.
fn is_demodulated(word: &str) -> bool {
    word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("fm")
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
        // In half of the world the decimal point is a comma.
        let has_point = self.0.starts_with(['.', ',']);
        if has_point && self.0[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.0 = &self.0[1..];
            digits += 1 + self.cut(|c| c.is_ascii_digit()).len();
        }
        let unit = self.cut(|c| c.is_ascii_alphabetic());
        // Digits with one point are always a number; a very long one is infinite and refused later.
        let number = whole[..digits].replace(',', ".");
        Some(Word::Quantity(number.parse().unwrap_or(f64::NAN), unit))
    }

    fn cut(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (head, tail) = self.0.split_at(end);
        self.0 = tail;
        head
    }
}

enum Quantity {
    /// The unit `M`, which may be either.
    Megahertz,
    Frequency(f64),
    Rate(f64),
}

fn quantity(value: f64, unit: &str) -> Option<Quantity> {
    let unit = unit.to_ascii_lowercase();
    match unit.as_str() {
        "m" => return Some(Quantity::Megahertz),
        "k" => return Some(Quantity::Rate(value * 1e3)),
        _ => {}
    }
    if let Some(scale) = unit.strip_suffix("hz").and_then(scale) {
        return Some(Quantity::Frequency(value * scale));
    }
    unit.strip_suffix("sps").and_then(scale).map(|scale| Quantity::Rate(value * scale))
}

/// What a prefix of a unit stands for.
pub(super) fn scale(prefix: &str) -> Option<f64> {
    match prefix {
        "" => Some(1.0),
        "k" => Some(1e3),
        "m" => Some(1e6),
        "g" => Some(1e9),
        _ => None,
    }
}
