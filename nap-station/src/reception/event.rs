//! What happens while receiving.

use nap_io::StreamInfo;
use nap_io::live::{Fault, Outage};
use nap_phy::Event;

use crate::error::Error;

/// What happens while receiving.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceptionEvent {
    /// The source is open for the first time, and says how it is set. What comes from it is dropped until
    /// the reception is told what to listen to.
    Started(Box<StreamInfo>),
    /// The receiver has something to report.
    Received(Box<Received>),
    /// Samples are missing.
    Lost(Loss),
    /// Something went wrong with the source.
    Fault(Fault),
    /// The source works again.
    Recovered(Outage),
    /// Bursts cannot be recorded any more. Told once, until one was recorded again.
    NotRecorded(Error),
    /// The recording is over, or a fault was one too many.
    Ended,
}

/// What the receiver reports, with its time of day.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// What it reports.
    pub event: Event,
    /// When the first frame of its message, or its burst, started, RFC 3339 in UTC; `None` if nobody
    /// knows.
    pub time: Option<String>,
    /// How long ago the first frame of its message, or its burst, started, in seconds, where the source goes by the
    /// clock.
    pub age_s: Option<f64>,
    /// How long ago the newest frame has ended, in seconds, where that is what is reported and the source
    /// goes by the clock.
    pub latency_s: Option<f64>,
}

/// Samples that are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Loss {
    /// How many.
    pub samples: u64,
    /// Where they are missing: the time of the first one after them, in seconds of the stream.
    pub time_s: f64,
}
