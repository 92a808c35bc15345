//! What a station says of itself.

use serde_json::{Value, json};

use crate::config::parse::Config;
use crate::error::Error;
use crate::store::identity::random_hex;
use crate::store::wire::position;

/// The station's status as it starts, without what relays add.
///
/// # Errors
/// [`Error::Random`].
pub fn status(config: &Config, clock: &str) -> Result<Value, Error> {
    let radio_configurations: Vec<_> =
        config.radio.radio_configurations.iter().map(|one| one.name()).collect();
    Ok(json!({
        "state": "active",
        "boot_id": random_hex::<8>()?,
        "version": env!("CARGO_PKG_VERSION"),
        "model": config.station.model.name(),
        "radio_configurations": radio_configurations,
        "position": position(&config.position),
        "backhauls": [],
        "lag": {},
        "clock": clock,
    }))
}
