//! The words of a name, by the rules of rtl_433.

use crate::file_name::told::FileName;
use crate::format::{AliasUse, SampleFormat};

/// What is written with the unit `M` is a frequency, as is what has `Hz` in its unit; but of two such words the
/// second is a sample rate if it is below this: `868M_2M`, `868.13MHz_250kHz`. No channel is so low, and no receiver
/// so fast.
const MAX_RATE_HZ: f64 = 20e6;

/// A number without a unit behind `fs` or `fc` is in hertz if it is no less; less counts something else.
const MIN_RATE_HZ: f64 = 1e3;
const MIN_CENTER_HZ: f64 = 1e6;

/// Stands for the unit of a number with an exponent and no unit: `868.13e6`.
const EXPONENT: &str = "e";
/// In names that say that I and Q are in the file, a number of nine digits without a unit is the centre.
const NINE_DIGITS: std::ops::Range<f64> = 1e8..1e9;

/// Takes in the words of a name or a prefix, from left to right.
#[derive(Default)]
pub(super) struct Reader {
    told: FileName,
    /// A format that a word means which is no complex one by itself (`u8`).
    plain: Option<SampleFormat>,
    /// Whether the last word says that the numbers are demodulated (`am`, `fm`).
    demodulated: bool,
    /// Whether a frequency was there.
    has_frequency: bool,
    /// A second such word that can only be a rate.
    second_hz: Option<f64>,
    /// What the last word says that the next one is.
    label: Option<Label>,
    /// What numbers without a unit may tell if nothing else does.
    bare: FileName,
    nine_digits: Option<f64>,
    /// Whether a word says that this is a recording of I and Q.
    is_baseband: bool,
}

/// What a word says that the number behind it is.
#[derive(Clone, Copy)]
enum Label {
    Center,
    Rate,
    /// Nobody needs it.
    Bandwidth,
}

impl Label {
    fn of(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "fc" | "cf" | "freq" | "frequency" | "center" | "centre" => Some(Self::Center),
            "fs" | "sr" | "rate" | "samplerate" => Some(Self::Rate),
            "bw" | "bandwidth" => Some(Self::Bandwidth),
            _ => None,
        }
    }
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
        let nine_digits = self.nine_digits.filter(|_| self.is_baseband);
        FileName {
            format: self.told.format.or(extension).or(self.plain),
            sample_rate_hz: self
                .told
                .sample_rate_hz
                .or(self.second_hz)
                .or(self.bare.sample_rate_hz),
            center_hz: self.told.center_hz.or(self.bare.center_hz).or(nine_digits),
            ..self.told
        }
    }

    fn take(&mut self, word: Word<'_>) -> bool {
        let label = self.label.take();
        match word {
            Word::Text(text) => self.take_text(text),
            Word::Quantity(value, unit) => self.take_quantity(value, unit, label),
        }
    }

    fn take_text(&mut self, text: &str) -> bool {
        let demodulated = std::mem::replace(&mut self.demodulated, is_demodulated(text));
        self.is_baseband |= ["iq", "baseband"].iter().any(|word| text.eq_ignore_ascii_case(word));
        match SampleFormat::from_word(text) {
            Some((format, AliasUse::Anywhere)) => self.told.format = Some(format),
            Some((format, AliasUse::LastResort)) if !demodulated => self.plain = Some(format),
            _ => {
                self.label = Label::of(text);
                return self.label.is_some();
            }
        }
        true
    }

    fn take_quantity(&mut self, value: f64, unit: &str, label: Option<Label>) -> bool {
        match (label, quantity(value, unit)) {
            (Some(Label::Bandwidth), _) => {}
            (Some(Label::Center), Some(quantity)) => self.told.center_hz = Some(quantity.hz()),
            (Some(Label::Rate), Some(quantity)) => self.told.sample_rate_hz = Some(quantity.hz()),
            (Some(Label::Center), None) if has_no_unit(unit) && value >= MIN_CENTER_HZ => {
                self.told.center_hz = Some(value);
            }
            (Some(Label::Rate), None) if has_no_unit(unit) && value >= MIN_RATE_HZ => {
                self.told.sample_rate_hz = Some(value);
            }
            (None, Some(Quantity::Rate(rate_hz))) => self.told.sample_rate_hz = Some(rate_hz),
            (None, Some(Quantity::Frequency(hz))) if self.has_frequency && hz < MAX_RATE_HZ => {
                self.second_hz = Some(hz);
            }
            (None, Some(Quantity::Frequency(hz))) => {
                self.has_frequency = true;
                self.told.center_hz = Some(hz);
            }
            (_, None) => {
                self.take_bare(value, unit);
                return false;
            }
        }
        true
    }

    /// A number without a unit is a help only: it may as well be anything else.
    fn take_bare(&mut self, value: f64, unit: &str) {
        match unit {
            EXPONENT if value >= MAX_RATE_HZ => self.bare.center_hz = Some(value),
            EXPONENT if value >= MIN_RATE_HZ => self.bare.sample_rate_hz = Some(value),
            "" if NINE_DIGITS.contains(&value) => self.nine_digits = Some(value),
            _ => {}
        }
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
            return Some(Word::Text(self.text()));
        }
        let number = self.number();
        let power = self.exponent();
        match (self.unit(), power) {
            ("", Some(power)) => Some(Word::Quantity(number * power, EXPONENT)),
            (unit, power) => Some(Word::Quantity(number * power.unwrap_or(1.0), unit)),
        }
    }

    /// The letters behind a number, at once or, as in `868.13 MHz`, after a blank or a `_`.
    fn unit(&mut self) -> &'a str {
        if let Some(rest) = self.0.strip_prefix([' ', '_']) {
            let mut apart = Words(rest);
            let unit = apart.cut(|c| c.is_ascii_alphanumeric());
            if is_whole_unit(unit) {
                self.0 = apart.0;
                return unit;
            }
        }
        self.cut(|c| c.is_ascii_alphabetic())
    }

    /// Letters and digits; of `fs250k` the letters, since they say what the number is, but not of `fc32`.
    fn text(&mut self) -> &'a str {
        let mut label = Words(self.0);
        let mut word = Words(self.0);
        let (label, word) =
            (label.cut(|c| c.is_ascii_alphabetic()), word.cut(|c| c.is_ascii_alphanumeric()));
        let is_labelled = Label::of(label).is_some() && SampleFormat::from_word(word).is_none();
        let text = if is_labelled { label } else { word };
        self.0 = &self.0[text.len()..];
        text
    }

    fn number(&mut self) -> f64 {
        let mut number = self.cut(|c| c.is_ascii_digit()).to_owned();
        let thousands = thousands(self.0);
        if thousands > 0 {
            number.extend(self.0[..thousands].chars().filter(char::is_ascii_digit));
            self.0 = &self.0[thousands..];
        } else if self.0.starts_with(['.', ','])
            && self.0[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            // In half of the world the decimal point is a comma.
            self.0 = &self.0[1..];
            number.push('.');
            number.push_str(self.cut(|c| c.is_ascii_digit()));
        }
        // Digits with one point are always a number; a very long one is infinite and refused later.
        number.parse().unwrap_or(f64::NAN)
    }

    /// The power of ten behind a number, as programs write it: `868.13e6`, `2.5e+05`. Longer ones are no exponents.
    fn exponent(&mut self) -> Option<f64> {
        let mut rest = Words(self.0.strip_prefix(['e', 'E'])?);
        rest.0 = rest.0.strip_prefix('+').unwrap_or(rest.0);
        let digits = rest.cut(|c| c.is_ascii_digit());
        let power = digits.parse().ok().filter(|&power: &i32| power < 12 && digits.len() <= 2)?;
        self.0 = rest.0;
        Some(10_f64.powi(power))
    }

    fn cut(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (head, tail) = self.0.split_at(end);
        self.0 = tail;
        head
    }
}

/// How long the rest of a number is in which a point or a comma stands before each three digits:
/// `868.130.000Hz`. 0 if it is none, as where the unit counts thousands itself.
fn thousands(rest: &str) -> usize {
    let (groups, _) = rest.as_bytes().as_chunks::<4>();
    let is_group = |group: &&[u8; 4]| {
        let [separator, digits @ ..] = group;
        b".,".contains(separator) && digits.iter().all(u8::is_ascii_digit)
    };
    let length = 4 * groups.iter().take_while(is_group).count();
    let unit = rest[length..].to_ascii_lowercase();
    if length >= 8 && (unit.starts_with("hz") || unit.starts_with("sps")) { length } else { 0 }
}

enum Quantity {
    /// The unit `M` counts as one.
    Frequency(f64),
    Rate(f64),
}

impl Quantity {
    fn hz(self) -> f64 {
        match self {
            Self::Frequency(hz) | Self::Rate(hz) => hz,
        }
    }
}

fn has_no_unit(unit: &str) -> bool {
    unit.is_empty() || unit == EXPONENT
}

/// Whether a word is a unit that means nothing else.
fn is_whole_unit(word: &str) -> bool {
    let is_letter = word.eq_ignore_ascii_case("m") || word.eq_ignore_ascii_case("k");
    !is_letter && quantity(1.0, word).is_some()
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
