//! Relays: messages out of the station's ledger, to where they are wanted.
//!
//! A relay is a task of its own. It takes [deliveries](outbox::Delivery) from its [outbox](outbox::Outbox), which the
//! ledger keeps for it, has them carried to a web server, a broker or a file, and settles what became of them. What was
//! stored before a fault is backlog, late, and paced; what comes after goes first. A message that the other side
//! refuses is set aside and tried again on its own time, and given up after so many tries: it never holds up others.

mod ask;
mod backoff;
mod carrier;
pub mod certificate_time;
pub mod context;
mod courier;
pub mod custom_payload;
mod expiry;
mod file;
mod https;
mod lanes;
mod loopback;
pub mod mqtt;
pub mod options;
pub mod outbox;
pub mod publisher;
mod secret;
pub(crate) mod spawn;
pub mod state;
pub mod template;
mod tls;
pub mod trial;
pub mod visitor;

pub use spawn::{Handle, check, spawn};
