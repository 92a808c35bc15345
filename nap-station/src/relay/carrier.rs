//! What carries deliveries to the other side: a web server, a broker or a file.

use std::future::Future;
use std::time::Duration;

use crate::error::Error;
use crate::relay::outbox::Delivery;
use crate::relay::tls::TlsFiles;

/// The other side, or the way to it, does not work: all deliveries have to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happened, for people.
    pub reason: String,
    /// The other side has said when to come again.
    pub retry_after: Option<Duration>,
    /// This computer's own disk is to blame, not a way to somewhere else.
    pub is_local: bool,
}

impl Fault {
    /// A fault of which only the reason is known.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry_after: None, is_local: false }
    }

    /// A fault of this computer's own files or disk.
    #[must_use]
    pub fn of_disk(error: Error) -> Self {
        Self { is_local: true, ..Self::new(error.to_string()) }
    }
}

/// What happened to one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The other side has it.
    Delivered,
    /// The broker has it, the application has still to say so.
    Published,
    /// The other side does not want it, for a reason.
    Refused(String),
}

/// What happened to deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Of the first so many deliveries; nothing is known of the others.
    pub fates: Vec<Fate>,
    /// Why the others were not carried.
    pub fault: Option<Fault>,
}

impl Carried {
    /// Nothing was carried.
    #[must_use]
    pub fn none(fault: Fault) -> Self {
        Self { fates: Vec::new(), fault: Some(fault) }
    }
}

/// Carries deliveries to the other side.
pub trait Carrier: Send + 'static {
    /// How many deliveries go at once.
    fn unit(&self) -> usize;

    /// So many times is a delivery tried that the other side does not want.
    fn give_up_after(&self) -> u32 {
        20
    }

    /// The files of its TLS, where it has one.
    fn tls_files(&self) -> Option<&TlsFiles> {
        None
    }

    /// Connects, where there is something to be connected.
    fn open(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Carries deliveries, in order.
    fn carry(&mut self, deliveries: &[Delivery]) -> impl Future<Output = Carried> + Send;

    /// What has to be done before the next deliveries, and from time to time.
    fn attend(&mut self) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// Waits until there is something to [attend](Self::attend) to. May be dropped at any time.
    fn idle(&mut self) -> impl Future<Output = Result<(), Fault>> + Send {
        std::future::pending()
    }

    /// Takes leave of the other side.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
