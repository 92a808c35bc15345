//! What stations are tested with: a web server, an MQTT broker, a gpsd, and ways to them that are bad.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]
#![allow(missing_docs, reason = "helpers of tests")]

pub mod broker;
pub mod gpsd;
pub mod proxy;
pub mod server;
pub mod subscriber;
