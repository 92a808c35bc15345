//! `[http]`.

use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// Where others may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// The address that is listened at.
    #[serde(deserialize_with = "loopback")]
    pub listen: SocketAddr,
}

/// Beyond this computer only with TLS, which is not there yet.
fn loopback<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let address = SocketAddr::deserialize(deserializer)?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(de::Error::custom(
        "beyond this computer only with TLS, which is not in this version; listen at 127.0.0.1",
    ))
}
