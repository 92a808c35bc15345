//! What a look at something shows.

use crate::error::Error;

/// What a look at something shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is well; what else there is to say of it.
    Well(String),
    /// It is not there, or does not answer: that may change by itself.
    Away(String),
    /// It cannot work as it is configured.
    Wrong(String),
}

impl Found {
    /// Well, or wrong.
    #[must_use]
    pub fn of(result: Result<String, Error>) -> Self {
        result.map_or_else(|error| Self::Wrong(error.to_string()), Self::Well)
    }
}
