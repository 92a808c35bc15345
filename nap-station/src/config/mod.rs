//! The station's configuration file.
//!
//! [`Config::load`] reads TOML, refuses what it does not know with key and line, and makes paths relative to
//! the file. What a key means stands in [`DEFAULT`], which `nap station config` prints.

pub(crate) mod http;
mod later;
pub(crate) mod parse;
pub(crate) mod places;
pub(crate) mod position;
pub(crate) mod radio;
mod range;
pub(crate) mod retention;
mod rules;
pub(crate) mod station;

pub use http::HttpConfig;
pub use parse::{Config, QUICK};
pub use position::PositionConfig;
pub use radio::{RadioConfig, Replay, SourceChoice};
pub use retention::RetentionConfig;
pub use rules::{DevicesConfig, RulesSection, SequenceRule};
pub use station::{Model, Profile, StationConfig, StationOption};

/// A configuration with all defaults, each key with its meaning.
pub const DEFAULT: &str = include_str!("default.toml");
