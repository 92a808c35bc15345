//! Relays: messages out of the station's ledger, to where they are wanted.

pub mod outbox;
