//! What a receiving station is made of.
//!
//! [`reception`] runs a source and a receiver and hands out what happens, one event after the other;
//! whoever drives it decides what becomes of them. [`Monitor`] is what those see who watch from outside:
//! [`metrics`] and [`health`], which [`http`] tells. [`recorder`] keeps bursts for later, [`diagnosis`]
//! examines a source. The crate has no command line, reads no configuration and writes no log: options
//! come in as plain values, and what is to be said comes out as events and errors.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use nap_io::live::{SourceAddress, SourceSettings};
//! use nap_phy::{RadioConfiguration, ReceiverConfig};
//! use nap_station::Monitor;
//! use nap_station::reception::{Reception, ReceptionEvent};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address = SourceAddress::parse("rtl_tcp://radio.local");
//! let source = address.source(&SourceSettings::default())?;
//! let mut reception = Reception::new(source, None, Monitor::new()?);
//! loop {
//!     match reception.next(Duration::from_secs(1)) {
//!         Some(ReceptionEvent::Started(info)) => {
//!             let center_hz = info.center_hz.unwrap_or_default();
//!             let config = ReceiverConfig::new(info.sample_rate_hz, center_hz);
//!             reception.listen(config.with_radio_configuration(RadioConfiguration::Rc1))?;
//!         }
//!         Some(ReceptionEvent::Received(received)) => println!("{received:?}"),
//!         Some(ReceptionEvent::Ended) => break,
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "access-point")]
pub mod config;
pub mod diagnosis;
mod error;
pub mod health;
pub mod http;
pub mod metrics;
mod monitor;
pub mod reception;
pub mod recorder;
#[cfg(feature = "access-point")]
pub mod relay;
pub mod rotated_file;
#[cfg(feature = "access-point")]
pub mod rules;
#[cfg(feature = "access-point")]
mod secret;
#[cfg(feature = "access-point")]
pub mod station;
#[cfg(feature = "access-point")]
pub mod store;

pub use error::Error;
pub use monitor::Monitor;
