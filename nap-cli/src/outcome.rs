//! How a run ends: exit codes, and which error leads to which.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// How a run ended, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All is done.
    Done,
    /// Something failed on the way.
    Failed,
    /// The command line, a configuration or a file given is wrong; trying again is of no use.
    Misused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome as u8)
    }
}

/// An error that is the fault of how the command was called or configured.
#[derive(Debug)]
struct Misuse(anyhow::Error);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&self.0))
    }
}

impl std::error::Error for Misuse {}

/// Marks an error as the caller's fault.
pub fn misuse(error: impl Into<anyhow::Error>) -> anyhow::Error {
    anyhow::Error::new(Misuse(error.into()))
}

/// Tells the user about an error and says how to end. A reader of the results who has had enough,
/// as in `nap decode … | head -1`, is no error.
pub fn report(error: &anyhow::Error) -> Outcome {
    if is_closed_pipe(error) {
        return Outcome::Done;
    }
    tracing::error!("{}", text(error));
    outcome_of(error)
}

/// The error with its causes, without those that it repeats itself.
pub fn text(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(cause_text) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn cause_text(cause: &(dyn std::error::Error + 'static)) -> String {
    cause.downcast_ref::<io::Error>().map_or_else(|| cause.to_string(), nap_io::io_words)
}

/// Whether the reader of the results has gone.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    kinds.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
}

fn outcome_of(error: &anyhow::Error) -> Outcome {
    if let Some(error) = error.downcast_ref::<nap_io::Error>() {
        return outcome_of_recording(error);
    }
    if let Some(error) = error.downcast_ref::<nap_station::Error>() {
        return outcome_of_station(error);
    }
    // All that nap-phy refuses was given by the caller.
    let is_misuse = error.is::<Misuse>()
        || error.is::<nap_phy::Error>()
        || error.is::<nap_phy::scene::SceneError>();
    if is_misuse { Outcome::Misused } else { Outcome::Failed }
}

fn outcome_of_station(error: &nap_station::Error) -> Outcome {
    match error {
        nap_station::Error::Samples(error) => outcome_of_recording(error),
        nap_station::Error::Receiver { .. }
        | nap_station::Error::Refused { .. }
        | nap_station::Error::Config { .. }
        | nap_station::Error::Relay { .. }
        | nap_station::Error::Tls { .. }
        | nap_station::Error::BadFile { .. }
        | nap_station::Error::InUse { .. }
        | nap_station::Error::NewerLedger { .. } => Outcome::Misused,
        nap_station::Error::Io { source, .. } if is_missing(source) => Outcome::Misused,
        _ => Outcome::Failed,
    }
}

/// Missing, unreadable and misdescribed files are configuration; what goes wrong with the samples
/// themselves is not.
fn outcome_of_recording(error: &nap_io::Error) -> Outcome {
    match error {
        nap_io::Error::Io { source, .. } if is_missing(source) => Outcome::Misused,
        nap_io::Error::Io { .. } => Outcome::Failed,
        nap_io::Error::Empty { .. } | nap_io::Error::Truncated { .. } => Outcome::Failed,
        _ => Outcome::Misused,
    }
}

/// Whether a file is not there, or not for this program.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | PermissionDenied | IsADirectory | NotADirectory)
}
