//! What is wrong with a scene, and where.

use crate::error::Error;

/// A scene that cannot be. Places are written as in the scene, counted from 0:
/// `device[1].message[0]`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A message cannot be sent as described.
    #[error("{place}: {source}")]
    Message {
        /// Where in the scene.
        place: String,
        /// What is wrong with the message.
        source: Error,
    },
    /// A signal or the receiver cannot be simulated.
    #[error("{place}: {source}")]
    Signal {
        /// Where in the scene.
        place: String,
        /// What is wrong with the signal.
        source: nap_dsp::Error,
    },
    /// There is not one frequency for each frame.
    #[error("{place}.frequencies_hz: {expected} frames need {expected} frequencies, not {found}")]
    Frequencies {
        /// Where in the scene.
        place: String,
        /// How many frames are sent.
        expected: u8,
        /// How many frequencies are given.
        found: usize,
    },
    /// A frame is not wholly inside the recording.
    #[error(
        "{place}: lasts from {start_s} s to {end_s} s, outside the scene of {duration_s} s; \
         move the message or change `duration_s`"
    )]
    Outside {
        /// Where in the scene.
        place: String,
        /// Start of the frame in seconds.
        start_s: f64,
        /// End of the frame in seconds.
        end_s: f64,
        /// Length of the scene in seconds.
        duration_s: f64,
    },
    /// A range is not a range, or reaches too far.
    #[error("{field}: [{low}, {high}] must be in order and lie between {min} and {max}")]
    Range {
        /// The field.
        field: &'static str,
        /// The lower end that is given.
        low: f64,
        /// The upper end that is given.
        high: f64,
        /// The smallest lower end.
        min: f64,
        /// The largest upper end.
        max: f64,
    },
    /// Fields that contradict each other, or one that needs another.
    #[error("{place}: {problem}")]
    Conflict {
        /// Where in the scene.
        place: String,
        /// Which fields, and what to do.
        problem: &'static str,
    },
    /// A list from which something is drawn is empty.
    #[error("{field}: give one at least, or leave the field out")]
    EmptyList {
        /// The field.
        field: &'static str,
    },
}

impl SceneError {
    pub(super) fn signal(place: &str, source: nap_dsp::Error) -> Self {
        Self::Signal { place: place.to_owned(), source }
    }

    /// Refuses fields that cannot stand together.
    pub(super) fn check_conflict(
        place: &str,
        is_conflict: bool,
        problem: &'static str,
    ) -> Result<(), Self> {
        if is_conflict {
            return Err(Self::Conflict { place: place.to_owned(), problem });
        }
        Ok(())
    }

    /// Checks that `min <= low <= high <= max`.
    pub(super) fn check_range(
        field: &'static str,
        [low, high]: [f64; 2],
        min: f64,
        max: f64,
    ) -> Result<(), Self> {
        if min <= low && low <= high && high <= max {
            return Ok(());
        }
        Err(Self::Range { field, low, high, min, max })
    }

    /// Checks that `min <= value <= max`.
    pub(super) fn check_value(
        parameter: &'static str,
        value: f64,
        min: f64,
        max: f64,
    ) -> Result<(), Self> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        let source = nap_dsp::Error::OutOfRange { parameter, value, min, max };
        Err(Self::signal("the scene", source))
    }
}
