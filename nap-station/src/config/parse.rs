//! From the file's text to options.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::config::http::HttpConfig;
use crate::config::later;
use crate::config::places::Places;
use crate::config::position::PositionConfig;
use crate::config::radio::{RadioConfig, SourceChoice};
use crate::config::retention::RetentionConfig;
use crate::config::rules::{DevicesConfig, RulesSection};
use crate::config::station::StationConfig;
use crate::error::Error;
use crate::relay::options::{FileOptions, HttpsOptions, MqttOptions, Options};

/// The configuration of a station that got a source and nothing else: messages go to a file.
pub const QUICK: &str = include_str!("quick.toml");

/// A station's configuration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the station is.
    pub station: StationConfig,
    /// Where messages come from.
    pub radio: RadioConfig,
    /// Which devices are known.
    pub devices: DevicesConfig,
    /// How messages are judged.
    pub rules: RulesSection,
    /// How long messages are kept.
    pub retention: RetentionConfig,
    /// Where the station is.
    pub position: PositionConfig,
    /// Where others may ask.
    pub http: Option<HttpConfig>,
    /// Where messages go, by name.
    pub relays: Vec<(String, Options)>,
    /// The folder of the file, which relative paths start from.
    pub folder: PathBuf,
    /// Where what is said of relays stands.
    pub(crate) places: Places,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    station: StationConfig,
    radio: RadioConfig,
    #[serde(default)]
    devices: DevicesConfig,
    #[serde(default)]
    rules: RulesSection,
    #[serde(default)]
    retention: RetentionConfig,
    #[serde(default)]
    position: PositionConfig,
    #[serde(default)]
    http: Option<HttpConfig>,
}

/// What is wrong with a configuration, and where.
struct Problem {
    offset: Option<usize>,
    text: String,
}

impl Config {
    /// Reads the configuration in a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Config`] for what is wrong with it, by line and key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Config { path: path.into(), problem };
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => wrong("is no text in UTF-8".into()),
            _ => Error::io(path, "read")(error),
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut config = Self::parse(&text, &folder).map_err(wrong)?;
        config.places.file = Some(path.into());
        Ok(config)
    }

    /// The configuration of a station that gets a source and perhaps a table of devices, and nothing else
    /// ([`QUICK`]); paths start from the working directory. Without a table all devices
    /// are heard.
    ///
    /// # Errors
    /// What is wrong with the source.
    pub fn quick(source: &str, devices: Option<PathBuf>) -> Result<Self, String> {
        let mut config = Self::parse(QUICK, Path::new(""))?;
        config.radio.source = SourceChoice::parse(source)?;
        config.rules.white_list = devices.is_some();
        config.devices.file = devices;
        Ok(config)
    }

    /// Reads a configuration; relative paths start from `folder`.
    ///
    /// # Errors
    /// What is wrong with it, by line and key.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        parse(text, folder).map_err(|problem| match problem.offset {
            Some(offset) => format!("line {}: {}", line(text, offset), problem.text),
            None => problem.text,
        })
    }
}

fn parse(text: &str, folder: &Path) -> Result<Config, Problem> {
    let spanned = DeTable::parse(text)?;
    let span = spanned.span();
    let mut table = spanned.into_inner();
    if let Some(later) = later::find(&table) {
        let text = format!("`{}` is not in this version; leave it out", later.name);
        return Err(Problem { offset: Some(later.offset), text });
    }
    later::drop_idle(&mut table);
    let relays = table.remove("relay");
    let places = relays.as_ref().map(|relays| places_of(relays, text)).unwrap_or_default();
    let relays = relays.map(relays_of).transpose()?.unwrap_or_default();
    let rest = Spanned::new(span, DeValue::Table(table));
    let sections: Sections = deserialize(rest)?;
    Ok(finish(sections, relays, places, folder))
}

/// Makes paths relative to the folder.
fn finish(
    sections: Sections,
    relays: Vec<(String, Options)>,
    places: Places,
    folder: &Path,
) -> Config {
    let Sections { mut station, mut radio, mut devices, rules, retention, position, http } =
        sections;
    station.state = folder.join(&station.state);
    devices.file = devices.file.map(|file| folder.join(file));
    radio.source.start_from(folder);
    let folder = folder.to_owned();
    Config { station, radio, devices, rules, retention, position, http, relays, folder, places }
}

/// The lines of relays and of their keys.
fn places_of(relays: &Spanned<DeValue<'_>>, text: &str) -> Places {
    let mut places = Places::default();
    let DeValue::Table(relays) = relays.get_ref() else { return places };
    for (name, relay) in relays {
        let mut place = |key: &str, offset| {
            let place = (name.get_ref().to_string(), key.to_owned());
            places.lines.insert(place, line(text, offset));
        };
        place("", relay.span().start.max(name.span().start));
        let DeValue::Table(keys) = relay.get_ref() else { continue };
        for (key, _) in keys {
            place(key.get_ref(), key.span().start);
        }
    }
    places
}

fn relays_of(relays: Spanned<DeValue<'_>>) -> Result<Vec<(String, Options)>, Problem> {
    let at = relays.span().start;
    let DeValue::Table(table) = relays.into_inner() else {
        return Err(Problem { offset: Some(at), text: "relays are tables, `[relay.NAME]`".into() });
    };
    let mut all = Vec::new();
    for (name, relay) in table {
        let at = relay.span().start.max(name.span().start);
        let name = name.into_inner().into_owned();
        let options = relay_of(relay).map_err(|problem| Problem {
            offset: problem.offset.or(Some(at)),
            text: format!("relay {name:?}: {}", problem.text),
        })?;
        all.push((name, options));
    }
    Ok(all)
}

/// The options of a relay: which they are says its `type`.
fn relay_of(relay: Spanned<DeValue<'_>>) -> Result<Options, Problem> {
    let span = relay.span();
    let at = |text: &str| Problem { offset: Some(span.start), text: text.into() };
    let DeValue::Table(mut table) = relay.into_inner() else {
        return Err(at("a relay is a table, `[relay.NAME]`"));
    };
    let kind = table.remove("type").ok_or_else(|| at("`type` is missing: https, mqtt or file"))?;
    let kind_at = kind.span().start;
    let rest = Spanned::new(span.clone(), DeValue::Table(table));
    let DeValue::String(kind) = kind.into_inner() else {
        return Err(Problem { offset: Some(kind_at), text: "`type` is a text".into() });
    };
    match kind.as_ref() {
        "https" => deserialize::<HttpsOptions>(rest).map(Options::Https),
        "mqtt" => deserialize::<MqttOptions>(rest).map(Options::Mqtt),
        "file" => deserialize::<FileOptions>(rest).map(Options::File),
        _ => Err(Problem { offset: Some(kind_at), text: "`type` is https, mqtt or file".into() }),
    }
}

fn deserialize<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<T, Problem> {
    Ok(T::deserialize(ValueDeserializer::from(value))?)
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        let offset = error.span().map(|span| span.start);
        let message = error.message();
        // Of fields that are not known, or missing, this is told already.
        let key = key_of(&error).filter(|_| !message.contains(" field `"));
        let text = key.map_or_else(|| message.to_owned(), |key| format!("`{key}`: {message}"));
        Self { offset, text }
    }
}

/// The key that has a wrong value, with its section. It has no other way out than the last line of the error's text.
fn key_of(error: &toml::de::Error) -> Option<String> {
    let text = error.to_string();
    let key = text.lines().last()?.strip_prefix("in `")?.strip_suffix('`')?;
    Some(key.to_owned())
}

/// The line of a place in a text, counted from 1.
fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
