//! What a station says while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use nap_io::live::{Fault, Outage};
use nap_io::{StreamInfo, counted};

use crate::error::Error;
use crate::reception::fault_log::Repetition;
use crate::station::event::Event;
use crate::store::queue::Left;

/// Something that people may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Remark {
    /// It is at work: said every few seconds, for a watchdog.
    Alive,
    /// Who the station is: 16 hexadecimal digits.
    Station(String),
    /// The source is open.
    Started(Box<StreamInfo>),
    /// Others may ask at this address.
    Listening(SocketAddr),
    /// Something about what is listened to.
    Note(String),
    /// Something happened of which relays are told, too.
    Event(Event),
    /// Something went wrong with the source, and whether it is worth a line.
    Fault(Fault, bool),
    /// Faults came again and again.
    Repeated(Repetition),
    /// The source works again, after an outage that was told of.
    Recovered(Outage),
    /// A line of the records is none; reading goes on.
    BadRecord(Error),
    /// The ledger cannot be written to; receiving goes on.
    NotStored(Error),
    /// The ledger can be written to again.
    StoredAgain {
        /// So many messages came meanwhile for which there was no room.
        lost: u64,
    },
    /// The table of devices cannot be read: the old one stays.
    BadDevices(Error),
    /// The table of devices was read again.
    Devices(usize),
    /// Operators cannot reach the station while it runs.
    NoOrders(Error),
    /// A relay is not in the configuration any more.
    Left(Left),
    /// The ledger goes on, on other hardware.
    OtherHardware,
    /// The oldest rows were removed that no relay had delivered.
    Dropped(u64),
    /// What became of all that was heard, as the station ends.
    Judged(Judged),
}

/// How often messages were judged in each way: by verdict and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged(pub BTreeMap<[&'static str; 2], u64>);

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no messages");
        }
        f.write_str("messages: ")?;
        for (index, ([verdict, reason], count)) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let colon = if reason.is_empty() { "" } else { " as " };
            write!(f, "{comma}{count} {verdict}{colon}{reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alive => f.write_str("at work"),
            Self::Station(id) => write!(f, "station {id}"),
            Self::Started(info) => write!(f, "{:.6} MS/s", info.sample_rate_hz / 1e6),
            Self::Listening(address) => write!(f, "http://{address}/metrics, /events and /health"),
            Self::Note(text) => f.write_str(text),
            Self::Event(event) => write!(f, "{} {}", event.event_type, event.detail),
            Self::Fault(fault, _) => fault.fmt(f),
            Self::Repeated(repetition) => repetition.fmt(f),
            Self::Recovered(outage) => {
                let down_s = outage.duration.as_secs_f64();
                write!(f, "samples again, after {down_s:.1} s and {} trials", outage.trials)
            }
            Self::BadRecord(error) => write!(f, "{error}; the line is passed over"),
            Self::NotStored(error) => write!(f, "{error}; receiving goes on, and so do trials"),
            Self::StoredAgain { lost: 0 } => f.write_str("the ledger can be written to again"),
            Self::StoredAgain { lost } => write!(
                f,
                "the ledger can be written to again; it had no room for {} that came meanwhile",
                counted(*lost, "message")
            ),
            Self::BadDevices(error) => write!(f, "{error}; the table as it was stays"),
            Self::Devices(count) => write!(f, "the table of devices was read again: {count}"),
            Self::NoOrders(error) => write!(f, "{error}; no orders while the station runs"),
            Self::Left(left) => write!(
                f,
                "the relay {:?} is not in the configuration any more; it leaves {} undelivered",
                left.name,
                counted(left.waiting, "message")
            ),
            Self::OtherHardware => f.write_str("other hardware than before: a new epoch begins"),
            Self::Judged(judged) => judged.fmt(f),
            Self::Dropped(count) => {
                write!(f, "no room: {count} of the oldest messages are gone that were not relayed")
            }
        }
    }
}

/// Who is told.
#[derive(Clone)]
pub struct Say(Arc<dyn Fn(Remark) + Send + Sync>);

impl Say {
    /// Tells by calling this.
    pub fn new(say: impl Fn(Remark) + Send + Sync + 'static) -> Self {
        Self(Arc::new(say))
    }

    /// Tells.
    pub fn say(&self, remark: Remark) {
        (self.0)(remark);
    }
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Say")
    }
}
