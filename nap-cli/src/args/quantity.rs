//! Numbers and times as people write them on a command line.

use jiff::Timestamp;

/// Reads hertz, or samples a second: `868130000`, `868.13M`, `250k`, `2.4e6`, `868.13MHz`,
/// `250ksps`.
pub fn hertz(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a number such as 868130000, 868.13M or 250k");
    let lower = text.trim().to_ascii_lowercase();
    let number = ["hz", "sps"].iter().find_map(|unit| lower.strip_suffix(unit)).unwrap_or(&lower);
    let (digits, exponent) = match number.trim_end().char_indices().next_back() {
        Some((end, 'k')) => (&number[..end], "e3"),
        Some((end, 'm')) => (&number[..end], "e6"),
        Some((end, 'g')) => (&number[..end], "e9"),
        _ => (number, ""),
    };
    // Scaled as text: a product of two floats would not always be the nearest to what was written.
    let value = finite(&format!("{}{exponent}", digits.trim_end())).ok_or_else(wrong)?;
    Ok(value)
}

/// Reads a time in seconds that is not negative.
pub fn seconds(text: &str) -> Result<f64, String> {
    finite(text)
        .filter(|&value| value >= 0.0)
        .ok_or_else(|| format!("{text:?} is not a time in seconds such as 12.5"))
}

/// Reads the error of a crystal in millionths.
pub fn ppm(text: &str) -> Result<f64, String> {
    finite(text).filter(|value| value.abs() <= 1000.0).ok_or_else(|| {
        format!("{text:?} is not the error of a crystal in millionths, such as -1.5")
    })
}

/// Reads a point in time.
pub fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is not a time with its zone, such as 2026-01-19T09:30:00Z or ...+01:00")
    })
}

/// Thirty years and more: what is longer does not end, and is more than clocks reckon with.
const LONGEST_S: f64 = 1e9;

/// Reads a time in seconds that is above 0.
pub fn duration(text: &str) -> Result<f64, String> {
    let value = seconds(text)?;
    let is_possible = value > 0.0 && value <= LONGEST_S;
    is_possible.then_some(value).ok_or_else(|| "a duration is above 0 and 1e9 at most".into())
}

/// Reads a number that is above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if value > 0.0 { Ok(value) } else { Err(format!("{text:?} is not above 0")) }
}

/// Reads any number that is finite.
pub fn number(text: &str) -> Result<f64, String> {
    finite(text).ok_or_else(|| format!("{text:?} is not a number"))
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for text in ["868130000", "868.13M", "868.13 MHz", "868130k", "0.86813G", "8.6813e8"] {
            assert_eq!(hertz(text), Ok(868_130_000.0), "{text}");
        }
        assert_eq!(hertz("250k"), Ok(250_000.0));
        assert_eq!(hertz("2.4Msps"), Ok(2_400_000.0));
        assert_eq!(hertz("-1.5k"), Ok(-1500.0));
        assert_eq!(seconds("0.25"), Ok(0.25));
        assert_eq!(number("-60"), Ok(-60.0));
        assert_eq!(time("2026-01-19T10:30:00+01:00"), time("2026-01-19 09:30:00Z"));
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "M", "k", "868,13M", "868.13MM", "inf", "nan", "1e999", "868.13 Mega"] {
            assert!(hertz(text).is_err(), "{text}");
        }
        assert!(seconds("-1").is_err());
        assert!(number("NaN").is_err());
        for text in ["yesterday", "2026-01-19", "2026-01-19T09:30:00"] {
            assert!(time(text).unwrap_err().contains("with its zone"), "{text}");
        }
        assert_eq!(ppm("-1.5"), Ok(-1.5));
        assert!(ppm("2000").is_err());
        for text in ["0", "-1", "inf", "x"] {
            assert!(duration(text).is_err(), "{text}");
            assert!(positive(text).is_err(), "{text}");
        }
        assert!(duration("1e300").is_err());
    }
}
