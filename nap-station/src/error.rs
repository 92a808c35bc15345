//! The one error type of the crate.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What can go wrong in a station.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recording or a source of samples.
    #[error(transparent)]
    Samples(#[from] nap_io::Error),

    /// A source cannot be what is asked of it: trying again is of no use.
    #[error("{name}: {problem}")]
    Refused {
        /// The source.
        name: String,
        /// What it cannot do, and what it can.
        problem: String,
    },

    /// A receiver cannot be set up for this source.
    #[error("{name}: {source}")]
    Receiver {
        /// The source.
        name: String,
        /// What the receiver does not take.
        source: nap_phy::Error,
    },

    /// The spectrum of this source cannot be measured.
    #[error("{name}: {source}")]
    Spectrum {
        /// The source.
        name: String,
        /// What is wrong.
        source: nap_dsp::Error,
    },

    /// The operating system refused something with a file or folder.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The reason given by the operating system.
        source: io::Error,
    },

    /// A recording of bursts is larger than all of them together may be.
    #[error("{}: {needed} bytes are needed where {allowed} are allowed", folder.display())]
    NoRoom {
        /// The folder of the recordings.
        folder: PathBuf,
        /// What the recording takes, in bytes.
        needed: u64,
        /// What all recordings together may take, in bytes.
        allowed: u64,
    },

    /// The HTTP server cannot be started.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The reason given by the operating system.
        source: io::Error,
    },

    /// A file is not what it should be.
    #[error("{}: {problem}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },

    /// TLS cannot be set up.
    #[error("TLS: {problem}")]
    Tls {
        /// Why.
        problem: String,
    },

    /// What was said of a relay cannot be used.
    #[error("`{key}`: {problem}")]
    Relay {
        /// The key.
        key: &'static str,
        /// What is wrong with its value, and what would be right.
        problem: String,
    },

    /// The configuration cannot be used.
    #[error("{}: {problem}", path.display())]
    Config {
        /// Its file.
        path: PathBuf,
        /// Which line and key, and what is wrong with it.
        problem: String,
    },

    /// Another process works on the state folder.
    #[error("{}: in use by the process {pid}; one station a state folder", state.display())]
    InUse {
        /// The folder.
        state: PathBuf,
        /// The process.
        pid: String,
    },

    /// The ledger was written by a later version of the program.
    #[error(
        "the ledger is of version {version}, and this program knows up to {known}; install a newer one"
    )]
    NewerLedger {
        /// The ledger's version.
        version: usize,
        /// The newest that is known.
        known: usize,
    },

    /// The ledger cannot be read or written.
    #[cfg(feature = "access-point")]
    #[error("ledger: {0}")]
    Ledger(#[from] rusqlite::Error),

    /// A thread cannot be set up.
    #[error("cannot set up a thread: {source}")]
    Thread {
        /// The reason given by the operating system.
        source: io::Error,
    },

    /// What a relay has said is not on disk.
    #[error("ledger: not stored: {problem}")]
    NotStored {
        /// Why.
        problem: String,
    },

    /// Nothing came of what an operator has said.
    #[error("{problem}")]
    Order {
        /// Why.
        problem: String,
    },

    /// The operating system has no random numbers.
    #[error("no random numbers: {problem}")]
    Random {
        /// The reason given by the operating system.
        problem: String,
    },

    /// A counter cannot be set up or shown.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Error {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), action, source }
    }
}
