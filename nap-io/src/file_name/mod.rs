//! What file names tell about recordings.
//!
//! Raw files have no header, so rtl_433 puts the tuning into the name, and this module follows its
//! rules (<https://triq.org/rtl_433/IQ_FORMATS.html>, "parse_file_info" in its sources). A name is
//! read from left to right, in any case, a later word wins over an earlier one:
//!
//! - a number with the unit `M`, `Hz`, `kHz`, `MHz` or `GHz` is the centre frequency,
//! - a number with the unit `k`, `sps`, `ksps`, `Msps` or `Gsps` is the sample rate,
//! - a word such as `cu8`, `cs8`, `cs16` or `cf32` is the sample format.
//!
//! A prefix made of nothing but such words, up to the last colon, is no part of the path and wins
//! over the name: `cs16:250k:capture.bin`.
//!
//! Beyond rtl_433: of two frequencies, a second one below 20 MHz is the sample rate (`868M_2M`,
//! `868.13MHz_250kHz`); a unit may stand by itself (`868.13 MHz`), and words such as `fc` and `fs` say what
//! the number behind them is (`fc868130000_fs250k`). Where nothing else tells them, numbers with an exponent are the centre and
//! the sample rate (`868.13e6_250e3`), and a number of nine digits is the centre of what is called `iq` or `baseband`.
//! Formats go by the names of other programs too (`sc16`, `fc32`, `u8`; see
//! [`SampleFormat`]'s `FromStr`). Names that gqrx, SigDigger, URH and osmocom_fft make are read by their rules,
//! and a date and time that are known to be UTC are the start of the recording.

mod programs;
mod start;
pub(crate) mod told;
mod words;

use std::path::Path;

use self::told::FileName;
use self::words::Reader;
use crate::format::SampleFormat;

impl FileName {
    /// Reads the name of a file, without its folder. Any text will do; what is not understood is
    /// passed over.
    ///
    /// ```
    /// use nap_io::{FileName, SampleFormat};
    ///
    /// let name = FileName::parse("g001_868.13M_250k.cu8");
    /// assert_eq!(name.format, Some(SampleFormat::Cu8));
    /// assert_eq!(name.sample_rate_hz, Some(250e3));
    /// assert_eq!(name.center_hz, Some(868.13e6));
    /// ```
    pub fn parse(name: &str) -> Self {
        let mut reader = Reader::default();
        reader.read(name);
        let by_words = reader.told(extension(name).and_then(SampleFormat::from_extension));
        let start = start::find(name);
        programs::recognize(name).unwrap_or_default().or(Self { start, ..by_words })
    }

    /// Splits `cs16:250k:capture.bin` into what the prefix tells and `capture.bin`; `None` if
    /// there is no prefix, or if it holds anything but words known here (so that paths with colons
    /// stay whole).
    pub fn split_prefix(path: &str) -> Option<(Self, &str)> {
        let (prefix, rest) = path.rsplit_once(':')?;
        let mut reader = Reader::default();
        let is_all_known = reader.read(prefix);
        let told = reader.told(None);
        (is_all_known && told != Self::default()).then_some((told, rest))
    }
}

/// The last part of a path as text, for looking at; characters that are not Unicode are replaced.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The extension for a message, as far as there is one.
pub(crate) fn name_hint(extension: Option<&str>) -> String {
    extension.map(|extension| format!(" (extension .{extension})")).unwrap_or_default()
}

/// What follows the last point of a name.
pub(crate) fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}
