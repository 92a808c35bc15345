//! Whether an address is this machine's.

use std::net::IpAddr;

/// Whether a host is a literal loopback address: names can be pointed elsewhere.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
