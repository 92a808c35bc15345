//! Relays against real servers and brokers, over ways that are bad.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]
#![allow(missing_docs, reason = "helpers of tests")]

mod examples;
mod file;
mod https;
mod outbox;
mod relay;
mod with_mosquitto;
