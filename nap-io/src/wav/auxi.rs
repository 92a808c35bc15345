//! The `auxi` chunk: where the radio was tuned, and when the recording started.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Windows' SYSTEMTIME, eight numbers of 16 bits.
pub(super) const SYSTEM_TIME_BYTES: usize = 16;
/// How SDR Console writes times.
const TIME_FORMAT: &str = "%d-%m-%Y %H:%M:%S";

/// What the chunk tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tuning {
    /// The centre frequency in Hz, never 0: that stands for one that is not known.
    pub(super) center_hz: Option<f64>,
    /// The time of the first sample.
    pub(super) start: Option<Timestamp>,
}

/// Reads the chunk: numbers, as SpectraVue began it, or the text that SDR Console puts there.
pub(super) fn parse(content: &[u8]) -> Tuning {
    match content {
        [b'<', 0, ..] => {
            let pairs = content.as_chunks::<2>().0;
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            parse_text(&String::from_utf16_lossy(&units))
        }
        [b'<', ..] => parse_text(&String::from_utf8_lossy(content)),
        _ => parse_numbers(content).unwrap_or_default(),
    }
}

/// Start and stop as Windows' SYSTEMTIME (eight 16-bit numbers), then the centre frequency in Hz. Zeros stand
/// for a start that is not known; where there is another time that cannot be, it is another chunk altogether.
fn parse_numbers(content: &[u8]) -> Option<Tuning> {
    let center_hz = f64::from(u32::from_le_bytes(*content.get(32..)?.first_chunk()?));
    let center_hz = Some(center_hz).filter(|&center_hz| center_hz > 0.0);
    if content.iter().take(SYSTEM_TIME_BYTES).all(|&byte| byte == 0) {
        return Some(Tuning { center_hz, start: None });
    }
    let field = |index: usize| {
        let bytes = content.get(2 * index..)?.first_chunk()?;
        i16::try_from(u16::from_le_bytes(*bytes)).ok()
    };
    let short = |index: usize| i8::try_from(field(index)?).ok();
    // Year, month, day of the week, day, hour, minute, second, millisecond.
    let nanosecond = i32::from(field(7)?).checked_mul(1_000_000)?;
    let time =
        DateTime::new(field(0)?, short(1)?, short(3)?, short(4)?, short(5)?, short(6)?, nanosecond);
    Some(Tuning { center_hz, start: Some(TimeZone::UTC.to_timestamp(time.ok()?).ok()?) })
}

/// `<SDR-XML-Root ...><Definition CurrentTimeUTC="19-01-2026 09:30:05" ... RadioCenterFreq="868130000" ...`.
fn parse_text(text: &str) -> Tuning {
    let attribute = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let center_hz = attribute("RadioCenterFreq").and_then(|value| value.parse().ok());
    let time =
        attribute("CurrentTimeUTC").and_then(|value| DateTime::strptime(TIME_FORMAT, value).ok());
    Tuning {
        center_hz: center_hz.filter(|hz: &f64| hz.is_finite() && *hz > 0.0),
        start: time.and_then(|time| TimeZone::UTC.to_timestamp(time).ok()),
    }
}
