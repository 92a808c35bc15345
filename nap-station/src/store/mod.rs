//! The ledger: every message with its verdict, on disk before anybody else sees it.
//!
//! One thread writes: `Ledger` holds the only connection that does. What is to be written comes as
//! `Change`s, all of one commit together, so that a message, its verdict and its device's counter are
//! there after a loss of power, or none of them. Others read beside it.

pub mod backup;
pub mod change;
mod epoch;
pub mod export;
pub mod folder;
pub mod hardware;
pub mod identity;
mod kind_name;
pub mod ledger;
pub mod lock;
pub mod outbox;
pub mod queue;
pub mod relay_end;
mod remembered;
pub mod retention;
mod schema;
pub mod settlement;
pub mod upkeep;
pub mod views;
pub mod wire;
