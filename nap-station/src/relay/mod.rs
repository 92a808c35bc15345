//! Relays: messages out of the station's ledger, to where they are wanted.

mod backoff;
pub mod custom_payload;
mod lanes;
pub mod outbox;
mod template;
