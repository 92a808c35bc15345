//! The topics of a station.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::relay::outbox::{Kind, parse_epoch};

/// The topics of a station: `nap/v1/STATION/...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
}

/// What an application says on the topic `ack`: it has stored these numbers of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The epoch.
    pub epoch: u32,
    /// The numbers.
    pub ranges: Vec<RangeInclusive<u64>>,
}

impl Topics {
    /// The topics of a station.
    #[must_use]
    pub fn new(station: &str) -> Self {
        Self { prefix: format!("nap/v1/{station}") }
    }

    /// A topic by its last word.
    #[must_use]
    pub fn of(&self, word: &str) -> String {
        format!("{}/{word}", self.prefix)
    }

    /// The topic of a delivery.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> String {
        self.of(match kind {
            Kind::Message => "message",
            Kind::Update => "update",
            Kind::Event => "event",
        })
    }
}

impl Stored {
    /// Reads `{"epoch":"0000a1b2","ranges":[[1,7],[9,12]]}`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Wire {
            epoch: String,
            ranges: Vec<(u64, u64)>,
        }
        let wire: Wire = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let epoch = parse_epoch(&wire.epoch).ok_or("the epoch is not eight hexadecimal digits")?;
        match wire.ranges.iter().find(|(first, last)| first > last) {
            Some((first, last)) => Err(format!("the range [{first},{last}] ends before it begins")),
            None => Ok(Self {
                epoch,
                ranges: wire.ranges.into_iter().map(|(first, last)| first..=last).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_has_an_epoch_and_ranges() {
        let stored = Stored::parse(br#"{"epoch":"0000a1b2","ranges":[[1,7],[9,9]],"more":1}"#);
        assert_eq!(stored, Ok(Stored { epoch: 0xa1b2, ranges: vec![1..=7, 9..=9] }));
        let wrong: [&[u8]; 5] = [
            b"",
            b"{}",
            br#"{"epoch":"a1b2","ranges":[]}"#,
            br#"{"epoch":"0000a1b2","ranges":[[7,1]]}"#,
            br#"{"epoch":"0000a1b2","ranges":[[-1,1]]}"#,
        ];
        for payload in wrong {
            assert!(Stored::parse(payload).is_err(), "{payload:?}");
        }
    }
}
