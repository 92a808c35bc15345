//! Messages to an MQTT broker.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use anyhow::Result;
use nap_station::relay::options::{Acknowledgement, MqttOptions, MqttVersion};
use nap_station::relay::outbox::Beginning;
use nap_station::relay::publisher::Publisher;

use crate::outcome::misuse;

/// Where messages are published.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Outputs")]
pub struct MqttArgs {
    /// Publish messages at an MQTT broker too: mqtts://HOST or mqtts://HOST:PORT, or mqtt:// without TLS.
    #[arg(long, value_name = "URL")]
    mqtt: Option<String>,

    /// The user at the broker.
    #[arg(long, value_name = "USER", requires = "mqtt")]
    mqtt_user: Option<String>,

    /// A file with the user's password, which nobody else may read.
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    mqtt_password_file: Option<PathBuf>,

    /// The certificate authority of the broker, if it is not one of the system's.
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    mqtt_ca: Option<PathBuf>,

    /// The station in the topics nap/v1/STATION/...; if left out, 16 digits that are this machine's.
    #[arg(long, value_name = "STATION", requires = "mqtt", value_parser = station)]
    mqtt_station: Option<String>,
}

impl MqttArgs {
    /// Sets the output up, if there is one.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn publisher(&self) -> Result<Option<Publisher>> {
        let Some(url) = self.mqtt.clone() else { return Ok(None) };
        let options = MqttOptions {
            url,
            version: MqttVersion::default(),
            user: self.mqtt_user.clone(),
            password_file: self.mqtt_password_file.clone(),
            insecure: false,
            ack: Acknowledgement::Broker,
            updates: true,
            home_assistant: false,
            custom_payload: String::new(),
            from: Beginning::Now,
            ca: self.mqtt_ca.clone(),
            certificate: None,
            key: None,
        };
        let station = self.mqtt_station.clone().unwrap_or_else(machine);
        let publisher = Publisher::start(options, &station).map_err(misuse)?;
        tracing::info!("messages are published on nap/v1/{station}/...");
        Ok(Some(publisher))
    }
}

fn station(text: &str) -> Result<String, String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !text.is_empty() && text.len() <= 32 && text.bytes().all(is_word) {
        true => Ok(text.into()),
        false => Err("1 to 32 letters, digits, - and _".into()),
    }
}

/// The machine's own ID is not for others to know, a hash of it is.
fn machine() -> String {
    let mut hasher = DefaultHasher::new();
    let id = fs::read_to_string("/etc/machine-id").or_else(|_| fs::read_to_string("/etc/hostname"));
    ("nap listen", id.unwrap_or_default()).hash(&mut hasher);
    format!("{:016X}", hasher.finish())
}
