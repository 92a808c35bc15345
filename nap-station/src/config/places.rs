//! Where what is said of relays stands in the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Error;

/// Where what is said of relays stands in the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// The configuration's file, if it has one.
    pub(super) file: Option<PathBuf>,
    /// The lines of keys, by relay and key; that of a relay itself has no key.
    pub(super) lines: BTreeMap<(String, String), usize>,
}

impl Places {
    /// An error in what is said of a relay, with the line where that stands.
    pub(crate) fn told(&self, relay: &str, error: &Error) -> String {
        match self.line(relay, error) {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        }
    }

    /// An error in what is said of a relay as one of the configuration; other errors stay as they are.
    pub(crate) fn blame(&self, relay: &str, error: Error) -> Error {
        match (self.line(relay, &error), &self.file) {
            (Some(line), Some(file)) => Error::Config {
                path: file.clone(),
                problem: format!("line {line}: relay {relay:?}: {error}"),
            },
            _ => error,
        }
    }

    /// The line of the key that an error names, else that of the relay.
    fn line(&self, relay: &str, error: &Error) -> Option<usize> {
        let key = match error {
            Error::Relay { key, .. } => key,
            Error::Tls { .. } => "",
            _ => return None,
        };
        let line = |key: &str| self.lines.get(&(relay.to_owned(), key.to_owned())).copied();
        line(key).or_else(|| line(""))
    }
}
