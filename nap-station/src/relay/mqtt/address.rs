//! Where a broker is.

use std::sync::Arc;

use reqwest::Url;
use rustls::ClientConfig;

use crate::error::Error;
use crate::relay::loopback::is_loopback;
use crate::relay::options::MqttOptions;

/// Where a broker is.
#[derive(Debug, Clone)]
pub struct Address {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With TLS.
    pub tls: Option<Arc<ClientConfig>>,
}

/// An address as it was said, before certificates are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With TLS.
    pub is_tls: bool,
}

impl Broker {
    /// Reads `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
    ///
    /// # Errors
    /// If it is something else, or a password would go over a plain connection.
    pub fn parse(options: &MqttOptions) -> Result<Self, Error> {
        let bad = |problem: &str| Error::Relay { key: "url", problem: problem.into() };
        let form = "is mqtts://HOST[:PORT], or mqtt://HOST[:PORT] without TLS";
        let url = Url::parse(&options.url).map_err(|_| bad(form))?;
        let (is_tls, port) = match url.scheme() {
            "mqtts" => (true, 8883),
            "mqtt" => (false, 1883),
            _ => return Err(bad(form)),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("has a user in it; say user = \"...\" and password_file = \"...\""));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(bad(form));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad(form))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_secret = options.password_file.is_some() && !is_tls && !is_loopback(&host);
        if is_secret && !options.insecure {
            return Err(bad(
                "is without TLS, and the password would be read by anybody on the way; use mqtts://, or say insecure = true",
            ));
        }
        Ok(Self { host, port: url.port().unwrap_or(port), is_tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, more: &str) -> Result<Broker, Error> {
        Broker::parse(&toml::from_str(&format!("url = \"{url}\"\n{more}")).unwrap())
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        let broker = |host: &str, port, is_tls| Broker { host: host.into(), port, is_tls };
        assert_eq!(
            parse("mqtts://broker.example.org", "").unwrap(),
            broker("broker.example.org", 8883, true)
        );
        assert_eq!(parse("mqtt://10.0.0.1:1884/", "").unwrap(), broker("10.0.0.1", 1884, false));
        assert_eq!(parse("mqtt://[::1]", "").unwrap(), broker("::1", 1883, false));
        for wrong in
            ["broker", "http://broker", "mqtt://", "mqtt://u:p@broker", "mqtt://broker/topic"]
        {
            assert!(parse(wrong, "").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_goes_over_tls_or_to_this_machine_only() {
        let secret = "user = \"u\"\npassword_file = \"p\"";
        assert!(parse("mqtt://broker", secret).is_err());
        assert!(parse("mqtt://localhost", secret).is_err());
        for right in ["mqtts://broker", "mqtt://127.0.0.1", "mqtt://[::1]"] {
            assert!(parse(right, secret).is_ok(), "{right}");
        }
        assert!(parse("mqtt://broker", &format!("{secret}\ninsecure = true")).is_ok());
    }
}
