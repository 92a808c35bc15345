//! The access point: what is received is judged, stored, and passed on.
//!
//! [`Station::open`] takes the state folder and sets all up, [`Station::run`] receives until the source
//! ends or somebody says stop. One thread receives, and never waits for a disk or a network; one writes
//! ([`keeper`]), and nothing is sent that it has not stored; the relays have their own.

mod backlog;
pub mod check;
pub mod clock;
mod control;
mod desk;
pub mod devices;
mod ending;
pub mod event;
pub mod found;
mod gpsd;
pub mod keeper;
mod opening;
pub mod order;
mod outbox;
mod receiving;
pub mod records;
mod relays;
pub mod remark;
pub mod report;
mod run;
mod status;
mod synchronization;
mod uptime;
mod watch;
mod whereabouts;

pub use ending::Ending;
pub use opening::carry_out;
pub use run::{Station, StationOptions};
