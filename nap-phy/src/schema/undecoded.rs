//! A burst that was seen and not decoded.

use serde::{Deserialize, Serialize};

use crate::radio::bit_rate::BitRate;
use crate::receiver::undecoded::{UndecodedBurst, UndecodedReason};
use crate::schema::content::frame_type_text;
use crate::schema::signal::{SignalFields, rounded};
use crate::schema::version::SCHEMA;
use crate::uplink::rank::Rank;

/// A burst that was seen and not decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndecodedRecord {
    /// `undecoded`.
    #[serde(rename = "type")]
    pub record_type: UndecodedRecordType,
    /// Version of the schema, 1.
    pub schema: u16,
    /// Start of the burst, RFC 3339 in UTC; `null` where the recording has no start time.
    pub time: Option<String>,
    /// Start of the burst from the start of the recording, s, to 1 µs.
    pub time_s: f64,
    /// How long it is, as far as its frame type tells; without one, what was seen of it, s, to 1 µs.
    pub duration_s: f64,
    /// 100 or 600 bit/s.
    pub bit_rate: BitRate,
    /// The 13 bits of the frame type that fits best, four lower-case hexadecimal digits; `null` if none
    /// does.
    pub frame_type: Option<String>,
    /// 1, 2 or 3, as the frame type says; `null` without one.
    pub rank: Option<Rank>,
    /// Its signal, measured over preamble and frame type.
    #[serde(flatten)]
    pub signal: SignalFields,
    /// `no_frame_type`, `no_carrier`, `faint`, `unlikely`, `check_failed` or `too_many`.
    pub reason: UndecodedReason,
}

/// Type of a record on a burst that was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndecodedRecordType {
    /// A burst that was seen and not decoded.
    Undecoded,
}

impl UndecodedRecord {
    /// The record of a burst. `time` is when it started, RFC 3339 in UTC, if known.
    #[must_use]
    pub fn new(burst: &UndecodedBurst, time: Option<String>) -> Self {
        Self {
            record_type: UndecodedRecordType::Undecoded,
            schema: SCHEMA,
            time,
            time_s: rounded(burst.signal.time_s, 6),
            duration_s: rounded(burst.extent.duration_s, 6),
            bit_rate: burst.bit_rate,
            frame_type: burst.frame_type.map(frame_type_text),
            rank: burst.frame_type.map(|frame_type| frame_type.rank),
            signal: burst.signal.into(),
            reason: burst.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Extent, Level, Signal};
    use crate::uplink::frame_type::FrameType;
    use crate::uplink::length_class::LengthClass;

    /// A faint burst, its figures finer than the record's.
    fn burst(frame_type: Option<FrameType>) -> UndecodedBurst {
        let signal = Signal {
            time_s: 1.234_567_4,
            frequency_hz: 868_131_234.52,
            level: Level::Dbm(-131.21),
            snr_db: 3.34,
            drift_hz_per_s: 0.38,
        };
        let bit_rate = BitRate::Bps100;
        let extent = Extent::new(1.450_000_2, bit_rate);
        UndecodedBurst { signal, extent, bit_rate, frame_type, reason: UndecodedReason::Faint }
    }

    /// Text, not values: the order of the fields counts.
    #[test]
    fn a_burst_is_the_documented_line() {
        let frame_type = FrameType { class: LengthClass::TwoToFourBytes, rank: Rank::First };
        let time = Some("2026-11-23T06:16:00.123456Z".to_owned());
        let record = UndecodedRecord::new(&burst(Some(frame_type)), time);
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"type":"undecoded","schema":1,"time":"2026-11-23T06:16:00.123456Z","#,
                r#""time_s":1.234567,"duration_s":1.45,"bit_rate":100,"frame_type":"035f","#,
                r#""rank":1,"frequency_hz":868131234.5,"rssi_dbm":-131.2,"snr_db":3.3,"#,
                r#""drift_hz_per_s":0.4,"reason":"faint"}"#,
            )
        );
        assert_eq!(serde_json::from_str::<UndecodedRecord>(&line).unwrap(), record);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let record = UndecodedRecord::new(&burst(None), None);
        let value = serde_json::to_value(&record).unwrap();
        for name in ["time", "frame_type", "rank"] {
            assert_eq!(value[name], serde_json::Value::Null, "{name}");
        }
        assert_eq!(serde_json::from_value::<UndecodedRecord>(value).unwrap(), record);
    }
}
