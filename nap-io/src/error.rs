//! The one error type of the crate.

use std::io;
use std::path::{Path, PathBuf};

use crate::counted::counted;

/// What can go wrong with a recording. Every message names the file, says what is wrong with which
/// number or field, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused. [`Error::io_kind`] tells a closed pipe or a full disk apart.
    #[error("{}: cannot {action}: {}{}", path.display(), io_words(source), io_advice(path, source.kind()))]
    Io {
        /// The file or stream.
        path: PathBuf,
        /// What was attempted, for instance "open" or "write samples to".
        action: &'static str,
        /// The reason given by the operating system.
        source: io::Error,
    },

    /// Nothing tells how the samples are stored.
    #[error(
        "{}: unknown sample format{}; name the file like `g001_868.13M_250k.cu8` or give the format ({})",
        path.display(), hint, crate::format::SampleFormat::COMMON_NAMES
    )]
    UnknownFormat {
        /// The file or stream.
        path: PathBuf,
        /// What the name does say, in parentheses; empty if nothing.
        hint: String,
    },

    /// A value that the file does not tell is needed.
    #[error("{}: the {parameter} is not known; {advice}", path.display())]
    Missing {
        /// The file or stream.
        path: PathBuf,
        /// What is missing, for instance "sample rate".
        parameter: &'static str,
        /// How to give it.
        advice: &'static str,
    },

    /// One half of a SigMF recording is not there.
    #[error(
        "{}: {} is missing; a SigMF recording is a pair of files, put both in one folder, or tell \
         sample format and rate of samples alone",
        path.display(), missing.display()
    )]
    MissingPart {
        /// The file that was asked for.
        path: PathBuf,
        /// The file that is not there.
        missing: PathBuf,
    },

    /// The file breaks the rules of its format.
    #[error("{}: {place}: {problem}; correct the file or write it again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The field, chunk or offset.
        place: String,
        /// What is wrong there.
        problem: String,
    },

    /// The file is legal, but of a kind that is not read or written.
    #[error("{}: {what} is not supported; {advice}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported, with its value.
        what: String,
        /// What to do instead.
        advice: &'static str,
    },

    /// A value is outside its range.
    #[error("{}: the {parameter} is {value}, outside {range}; give a correct one", path.display())]
    OutOfRange {
        /// The file or stream.
        path: PathBuf,
        /// What is wrong.
        parameter: &'static str,
        /// The value.
        value: f64,
        /// The values allowed.
        range: &'static str,
    },

    /// The file holds no samples, or nothing came through the pipe.
    #[error("{}: {}", path.display(), emptiness(path))]
    Empty {
        /// The file, or `-`.
        path: PathBuf,
    },

    /// The recording ends too early. All whole samples were delivered before this error.
    #[error("{}: the recording is cut short: it ends after {samples} samples{}{}; those are good, copy or record the file again for the rest",
        path.display(),
        declared.map(|n| format!(", {n} or more are described")).unwrap_or_default(),
        if *leftover_bytes > 0 { format!(", with {} of an incomplete sample", counted(*leftover_bytes, "byte")) } else { String::new() })]
    Truncated {
        /// The file or stream.
        path: PathBuf,
        /// How many whole samples there are.
        samples: u64,
        /// How many samples header or metadata describe (at least), where they do.
        declared: Option<u64>,
        /// The bytes of the last, incomplete sample.
        leftover_bytes: usize,
    },

    /// A live source cannot be what is asked of it: trying again is of no use.
    #[error("{radio}: {problem}")]
    Refused {
        /// Which one.
        radio: String,
        /// What it cannot do, and what it can.
        problem: String,
    },

    /// A radio, or what drives it, failed.
    #[error("{radio}: {problem}")]
    Radio {
        /// The radio, as it was named.
        radio: String,
        /// What was attempted, what the driver says about it, and what to do.
        problem: String,
    },

    /// An annotation cannot be written as SigMF.
    #[error("{}: annotation {index} cannot be written: {problem}", path.display())]
    Annotation {
        /// The metadata file.
        path: PathBuf,
        /// Which of the annotations handed over, from 0.
        index: usize,
        /// What is wrong with it and what is right.
        problem: String,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), action, source }
    }

    pub(crate) fn radio(radio: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Radio { radio: radio.into(), problem: problem.into() }
    }

    pub(crate) fn refused(radio: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Refused { radio: radio.into(), problem: problem.into() }
    }

    pub(crate) fn malformed(
        path: &Path,
        place: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::Malformed { path: path.into(), place: place.into(), problem: problem.into() }
    }

    pub(crate) fn unsupported(path: &Path, what: impl Into<String>, advice: &'static str) -> Self {
        Self::Unsupported { path: path.into(), what: what.into(), advice }
    }

    /// The file, stream or radio concerned; `-` is standard input.
    pub fn path(&self) -> &Path {
        match self {
            Self::Radio { radio, .. } | Self::Refused { radio, .. } => Path::new(radio),
            Self::Io { path, .. }
            | Self::UnknownFormat { path, .. }
            | Self::Missing { path, .. }
            | Self::MissingPart { path, .. }
            | Self::Malformed { path, .. }
            | Self::Unsupported { path, .. }
            | Self::OutOfRange { path, .. }
            | Self::Empty { path }
            | Self::Truncated { path, .. }
            | Self::Annotation { path, .. } => path,
        }
    }

    /// The text without the name of the file, stream or device, for those who know it.
    pub(crate) fn nameless(&self) -> String {
        let text = self.to_string();
        let name = format!("{}: ", self.path().display());
        text.strip_prefix(&name).map(str::to_owned).unwrap_or(text)
    }

    /// The operating system's kind of error, for instance [`io::ErrorKind::BrokenPipe`];
    /// [`io::ErrorKind::UnexpectedEof`] for a recording that is cut short, `None` for all errors
    /// that are about the content.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Truncated { .. } => Some(io::ErrorKind::UnexpectedEof),
            _ => None,
        }
    }
}

/// What the operating system says, without the number that it has for that.
pub fn io_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) if text.ends_with(')') => text[..end].to_owned(),
        _ => text,
    }
}

fn emptiness(path: &Path) -> &'static str {
    if path.as_os_str() == "-" {
        "no samples came; did the program before the pipe start?"
    } else {
        "the recording is empty; record or copy it again"
    }
}

fn io_advice(path: &Path, kind: io::ErrorKind) -> &'static str {
    let is_on_the_web = ["http://", "https://", "ftp://"]
        .iter()
        .any(|web| path.as_os_str().as_encoded_bytes().starts_with(web.as_bytes()));
    match kind {
        io::ErrorKind::NotFound if is_on_the_web => "; download it first",
        io::ErrorKind::ConnectionRefused => "; does the server run, and is the port right?",
        io::ErrorKind::TimedOut => "; is the host there, and does its firewall let you in?",
        io::ErrorKind::AddrInUse => "; another program listens there, choose another port",
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; check the permissions",
        io::ErrorKind::StorageFull => "; free some space or write elsewhere",
        io::ErrorKind::IsADirectory => "; give a file",
        _ => "",
    }
}
