//! How samples are stored, and what these formats are called.

use std::fmt;
use std::str::FromStr;

/// How one complex sample is stored: I, then Q, both in the same encoding.
///
/// Full scale is 1.0 (0 dBFS), so that the same signal has the same level in every format:
///
/// | format | sample value of the stored number `x` | why |
/// | --- | --- | --- |
/// | signed, `n` bits | `x / 2^(n-1)` | as SoapySDR, SigMF and audio do |
/// | unsigned, `n` bits | `(x - m) / m`, `m = (2^n - 1) / 2` | the converters of RTL-SDR have no code for zero: its middle is 127.5 |
/// | [`WavU8`](Self::WavU8) | `(x - 128) / 128` | the WAV standard sets the middle to 128 |
/// | float | `x`, not limited to ±1.0 | |
///
/// Not-a-number and infinity in float files are passed on as they are; who uses the samples has to
/// expect them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SampleFormat {
    /// Unsigned 8 bit, as RTL-SDR delivers it.
    Cu8,
    /// Signed 8 bit.
    Cs8,
    /// Unsigned 16 bit, little-endian.
    Cu16Le,
    /// Unsigned 16 bit, big-endian.
    Cu16Be,
    /// Signed 16 bit, little-endian.
    Cs16Le,
    /// Signed 16 bit, big-endian.
    Cs16Be,
    /// Unsigned 32 bit, little-endian.
    Cu32Le,
    /// Unsigned 32 bit, big-endian.
    Cu32Be,
    /// Signed 32 bit, little-endian.
    Cs32Le,
    /// Signed 32 bit, big-endian.
    Cs32Be,
    /// Float 32 bit, little-endian.
    Cf32Le,
    /// Float 32 bit, big-endian.
    Cf32Be,
    /// Float 64 bit, little-endian.
    Cf64Le,
    /// Float 64 bit, big-endian.
    Cf64Be,
    /// Unsigned 8 bit with the middle at 128, only in WAV files.
    WavU8,
    /// Signed 24 bit, little-endian, only in WAV files.
    Cs24Le,
    /// Signed 24 bit in the lower part of 32, little-endian, only in SDRangel's files.
    Cs24In32Le,
}

/// Every format with its name and, where SigMF has it, its SigMF data type.
/// <https://sigmf.org>, "Dataset Format"; the short names are those of rtl_433 and SoapySDR.
const NAMES: [(SampleFormat, &str, Option<&str>); 17] = [
    (SampleFormat::Cu8, "cu8", Some("cu8")),
    (SampleFormat::Cs8, "cs8", Some("ci8")),
    (SampleFormat::Cu16Le, "cu16", Some("cu16_le")),
    (SampleFormat::Cu16Be, "cu16_be", Some("cu16_be")),
    (SampleFormat::Cs16Le, "cs16", Some("ci16_le")),
    (SampleFormat::Cs16Be, "cs16_be", Some("ci16_be")),
    (SampleFormat::Cu32Le, "cu32", Some("cu32_le")),
    (SampleFormat::Cu32Be, "cu32_be", Some("cu32_be")),
    (SampleFormat::Cs32Le, "cs32", Some("ci32_le")),
    (SampleFormat::Cs32Be, "cs32_be", Some("ci32_be")),
    (SampleFormat::Cf32Le, "cf32", Some("cf32_le")),
    (SampleFormat::Cf32Be, "cf32_be", Some("cf32_be")),
    (SampleFormat::Cf64Le, "cf64", Some("cf64_le")),
    (SampleFormat::Cf64Be, "cf64_be", Some("cf64_be")),
    (SampleFormat::WavU8, "wav-u8", None),
    (SampleFormat::Cs24Le, "cs24", None),
    (SampleFormat::Cs24In32Le, "cs24-in-32", None),
];

/// Where a name of another program stands for a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AliasUse {
    /// As any word of a file name.
    Anywhere,
    /// As any word of a file name, if no other names a format: it may also stand for real samples.
    LastResort,
    /// As the extension of a file name only.
    Extension,
}

/// What other programs call the formats; the byte order is little-endian. GNU Radio and UHD (`sc16`),
/// bladeRF (`sc16q11`), SatDump (`s16`), URH (`complex16u`), PortaPack (`C16`), baudline (`32cf`), NumPy (`complex64`).
const ALIASES: [(&str, SampleFormat, AliasUse); 33] = [
    ("uc8", SampleFormat::Cu8, AliasUse::Anywhere),
    ("sc8", SampleFormat::Cs8, AliasUse::Anywhere),
    ("uc16", SampleFormat::Cu16Le, AliasUse::Anywhere),
    ("sc16", SampleFormat::Cs16Le, AliasUse::Anywhere),
    // Of bladeRF: twelve bits in sixteen.
    ("sc16q11", SampleFormat::Cs16Le, AliasUse::Anywhere),
    ("sc32", SampleFormat::Cs32Le, AliasUse::Anywhere),
    ("fc32", SampleFormat::Cf32Le, AliasUse::Anywhere),
    ("fc64", SampleFormat::Cf64Le, AliasUse::Anywhere),
    ("complex64", SampleFormat::Cf32Le, AliasUse::Anywhere),
    ("complex128", SampleFormat::Cf64Le, AliasUse::Anywhere),
    ("u8", SampleFormat::Cu8, AliasUse::LastResort),
    ("s8", SampleFormat::Cs8, AliasUse::LastResort),
    ("i8", SampleFormat::Cs8, AliasUse::LastResort),
    ("u16", SampleFormat::Cu16Le, AliasUse::LastResort),
    ("s16", SampleFormat::Cs16Le, AliasUse::LastResort),
    ("i16", SampleFormat::Cs16Le, AliasUse::LastResort),
    ("u32", SampleFormat::Cu32Le, AliasUse::LastResort),
    ("s32", SampleFormat::Cs32Le, AliasUse::LastResort),
    ("i32", SampleFormat::Cs32Le, AliasUse::LastResort),
    ("f32", SampleFormat::Cf32Le, AliasUse::LastResort),
    ("f64", SampleFormat::Cf64Le, AliasUse::LastResort),
    ("data", SampleFormat::Cu8, AliasUse::Extension),
    ("complex16u", SampleFormat::Cu8, AliasUse::Extension),
    ("complex16s", SampleFormat::Cs8, AliasUse::Extension),
    ("complex32u", SampleFormat::Cu16Le, AliasUse::Extension),
    ("complex32s", SampleFormat::Cs16Le, AliasUse::Extension),
    ("c8", SampleFormat::Cs8, AliasUse::Extension),
    ("c16", SampleFormat::Cs16Le, AliasUse::Extension),
    ("cfile", SampleFormat::Cf32Le, AliasUse::Extension),
    ("complex", SampleFormat::Cf32Le, AliasUse::Extension),
    ("32cf", SampleFormat::Cf32Le, AliasUse::Extension),
    ("64cf", SampleFormat::Cf64Le, AliasUse::Extension),
    ("16sc", SampleFormat::Cs16Le, AliasUse::Extension),
];

impl SampleFormat {
    /// The names worth telling a user who gave none.
    pub(crate) const COMMON_NAMES: &'static str = "cu8, cs8, cs16, cf32";

    /// The bytes of one complex sample.
    pub fn bytes_per_sample(self) -> usize {
        match self {
            Self::Cu8 | Self::Cs8 | Self::WavU8 => 2,
            Self::Cu16Le | Self::Cu16Be | Self::Cs16Le | Self::Cs16Be => 4,
            Self::Cs24Le => 6,
            Self::Cu32Le | Self::Cu32Be | Self::Cs32Le | Self::Cs32Be => 8,
            Self::Cf32Le | Self::Cf32Be | Self::Cs24In32Le => 8,
            Self::Cf64Le | Self::Cf64Be => 16,
        }
    }

    /// The short name, as rtl_433 and SoapySDR use it (`cs16`); little-endian is understood.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(format, ..)| *format == self).map_or("", |(_, name, _)| name)
    }

    /// The SigMF data type (`ci16_le`), `None` for the formats that only other containers have.
    pub fn sigmf_datatype(self) -> Option<&'static str> {
        NAMES.iter().find(|(format, ..)| *format == self).and_then(|(.., datatype)| *datatype)
    }

    /// The format that a word of a file name means, and how sure that is. The byte order is never told by
    /// one word.
    pub(crate) fn from_word(word: &str) -> Option<(Self, AliasUse)> {
        let lower = word.to_ascii_lowercase();
        let is_format = lower.len() <= 4 && lower.starts_with('c');
        let named = is_format.then(|| by_name(&lower)).flatten();
        named.map(|format| (format, AliasUse::Anywhere)).or_else(|| by_alias(&lower))
    }

    /// The format that the extension of a file name means where no word tells one.
    pub(crate) fn from_extension(extension: &str) -> Option<Self> {
        let alias = by_alias(&extension.to_ascii_lowercase());
        alias.filter(|(_, alias_use)| *alias_use == AliasUse::Extension).map(|(format, _)| format)
    }

    /// The format of a SigMF data type. The byte order must be there where SigMF demands it;
    /// `None` for real data and for anything that is not a data type.
    pub fn from_sigmf_datatype(datatype: &str) -> Option<Self> {
        NAMES.iter().find(|(.., name)| *name == Some(datatype)).map(|(format, ..)| *format)
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a sample format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a sample format; use cu8, cs8, cs16, cf32 or a SigMF data type such as ci16_be"
)]
pub struct UnknownFormatName(
    /// What was given.
    pub String,
);

impl FromStr for SampleFormat {
    type Err = UnknownFormatName;

    /// Takes short names, SigMF data types, `ci16` (little-endian understood), and what other programs call
    /// them: `sc16`, `fc32`, `u8`, `complex64`, `c16` and the like; in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        by_name(&lower)
            .or_else(|| by_alias(&lower).map(|(format, _)| format))
            .ok_or_else(|| UnknownFormatName(text.into()))
    }
}

fn by_name(lower: &str) -> Option<SampleFormat> {
    let is_it = |name: &str, datatype: Option<&str>| {
        name == lower
            || datatype.is_some_and(|d| d == lower || d.strip_suffix("_le") == Some(lower))
    };
    NAMES.iter().find(|(_, name, datatype)| is_it(name, *datatype)).map(|(format, ..)| *format)
}

fn by_alias(lower: &str) -> Option<(SampleFormat, AliasUse)> {
    let alias = ALIASES.iter().find(|(alias, ..)| *alias == lower);
    alias.map(|&(_, format, alias_use)| (format, alias_use))
}
