//! What an operator says about relays: the keys of `[relay.NAME]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::relay::outbox::{Beginning, WantedEvents, Wishes};
use crate::relay::tls::TlsFiles;

/// One relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Options {
    /// Messages as requests to a web server.
    Https(HttpsOptions),
    /// Messages to an MQTT broker.
    Mqtt(MqttOptions),
    /// Messages as lines of a file.
    File(FileOptions),
}

/// `type = "https"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpsOptions {
    /// Where requests go; may have variables in path and query. `http://` to literal loopback addresses only.
    pub url: String,
    /// The request's method.
    #[serde(default = "post")]
    pub method: String,
    /// What the body is, which says how variables are escaped.
    #[serde(default)]
    pub content: Content,
    /// Headers of each request; values may have variables.
    #[serde(default)]
    pub headers: Headers,
    /// The body of a message's request, with variables.
    #[serde(default = "default_body")]
    pub body: String,
    /// Keep-alive messages and confirmations of downlinks too.
    #[serde(default)]
    pub control: bool,
    /// What payloads mean, for `{customData#NAME}`.
    #[serde(default)]
    pub custom_payload: String,
    /// So many messages may share a request; their bodies are joined by `;`.
    #[serde(default = "one")]
    pub batch: usize,
    /// So many tries has a message that the server refuses.
    #[serde(default = "twenty")]
    pub give_up_after: u32,
    /// Types of events to send too.
    #[serde(default)]
    pub events: Vec<String>,
    /// The body of an event's request, with variables.
    #[serde(default = "default_event_body")]
    pub event_body: String,
    /// Where a new relay begins.
    #[serde(default)]
    pub from: Beginning,
    /// A file with a token for `Authorization: Bearer`.
    pub bearer_file: Option<PathBuf>,
    /// A user, for basic authentication.
    pub user: Option<String>,
    /// A file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Whom to trust, in place of the system's certificate authorities.
    pub ca: Option<PathBuf>,
    /// The station's own certificate, with its chain.
    pub certificate: Option<PathBuf>,
    /// The certificate's key.
    pub key: Option<PathBuf>,
}

/// `type = "mqtt"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttOptions {
    /// `mqtts://HOST[:8883]`, or `mqtt://HOST[:1883]` for plain text.
    pub url: String,
    /// 5, or 3 for MQTT 3.1.1.
    #[serde(default)]
    pub version: MqttVersion,
    /// The user.
    pub user: Option<String>,
    /// A file with the user's password.
    pub password_file: Option<PathBuf>,
    /// A password over a plain connection is allowed.
    #[serde(default)]
    pub insecure: bool,
    /// When a message counts as delivered.
    #[serde(default)]
    pub ack: Acknowledgement,
    /// Further frames of messages too.
    #[serde(default = "yes")]
    pub updates: bool,
    /// Devices announce themselves to Home Assistant.
    #[serde(default)]
    pub home_assistant: bool,
    /// What payloads mean: messages get the object `custom`.
    #[serde(default)]
    pub custom_payload: String,
    /// Where a new relay begins.
    #[serde(default)]
    pub from: Beginning,
    /// Whom to trust, in place of the system's certificate authorities.
    pub ca: Option<PathBuf>,
    /// The station's own certificate, with its chain.
    pub certificate: Option<PathBuf>,
    /// The certificate's key.
    pub key: Option<PathBuf>,
}

/// `type = "file"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOptions {
    /// The file.
    pub path: PathBuf,
    /// Further frames of messages too, each as a line of its own.
    #[serde(default)]
    pub updates: bool,
    /// A file of so many megabytes (of 1 000 000 bytes) is renamed to `PATH.1`; 0: never.
    #[serde(default = "hundred")]
    pub rotate_megabytes: u64,
    /// Where a new relay begins.
    #[serde(default)]
    pub from: Beginning,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `text/plain`.
    Text,
}

/// Which MQTT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum MqttVersion {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.
    #[default]
    V5,
}

/// When a message counts as delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Acknowledgement {
    /// When the broker has it.
    #[default]
    Broker,
    /// When an application says that it has stored it.
    Application,
}

/// Headers of a request. They may hold secrets and are not shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub BTreeMap<String, String>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, "***"))).finish()
    }
}

impl TryFrom<u8> for MqttVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            3 => Ok(Self::V3),
            5 => Ok(Self::V5),
            _ => Err("the version of MQTT is 5, or 3 for MQTT 3.1.1"),
        }
    }
}

impl From<MqttVersion> for u8 {
    fn from(version: MqttVersion) -> Self {
        match version {
            MqttVersion::V3 => 3,
            MqttVersion::V5 => 5,
        }
    }
}

impl Options {
    /// What the ledger has to put into the relay's outbox.
    #[must_use]
    pub fn wishes(&self) -> Wishes {
        match self {
            Self::Https(https) => Wishes {
                control: https.control,
                updates: false,
                events: WantedEvents::Types(https.events.clone()),
                from: https.from,
            },
            Self::Mqtt(mqtt) => Wishes {
                control: true,
                updates: mqtt.updates,
                events: WantedEvents::All,
                from: mqtt.from,
            },
            Self::File(file) => Wishes {
                control: true,
                updates: file.updates,
                events: WantedEvents::Types(Vec::new()),
                from: file.from,
            },
        }
    }

    /// The `type` of the relay.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Https(_) => "https",
            Self::Mqtt(_) => "mqtt",
            Self::File(_) => "file",
        }
    }
}

impl HttpsOptions {
    pub(super) fn tls_files(&self, folder: &Path) -> TlsFiles {
        TlsFiles::new(folder, self.ca.as_deref(), self.certificate.as_deref(), self.key.as_deref())
    }
}

impl MqttOptions {
    pub(super) fn tls_files(&self, folder: &Path) -> TlsFiles {
        TlsFiles::new(folder, self.ca.as_deref(), self.certificate.as_deref(), self.key.as_deref())
    }
}

fn post() -> String {
    "POST".into()
}

fn default_body() -> String {
    r#"{"id":"{id}","device":"{device}","time":{time},"data":"{data}","seqNumber":{seqNumber},"late":{late}}"#.into()
}

fn default_event_body() -> String {
    r#"{"type":"{type}","time":{time},"level":"{level}","detail":{json}}"#.into()
}

fn one() -> usize {
    1
}

fn twenty() -> u32 {
    20
}

fn hundred() -> u64 {
    100
}

fn yes() -> bool {
    true
}
