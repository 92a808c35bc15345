//! Relays against real servers and brokers, over ways that are bad.

#![allow(missing_docs)]

mod file;
mod https;
mod outbox;
mod proxy;
mod relay;
mod server;
mod with_mosquitto;
