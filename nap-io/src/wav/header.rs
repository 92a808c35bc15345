//! The chunks before the samples.

use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::auxi::{self, Tuning};
use crate::counted::counted;
use crate::error::Error;
use crate::format::SampleFormat;

/// A size that a program writes if it does not know the size yet, or if RF64's `ds64` tells it.
const UNKNOWN_SIZE: u32 = u32::MAX;
pub(super) const TAG_PCM: u16 = 1;
pub(super) const TAG_FLOAT: u16 = 3;
const TAG_EXTENSIBLE: u16 = 0xfffe;
/// The chunks that are looked into are short; this much of them is enough.
pub(super) const MAX_CHUNK_BYTES: u64 = 8192;

/// What a WAV file says before its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// How the samples are stored.
    pub format: SampleFormat,
    /// Samples per second, as written: it may be 0.
    pub sample_rate_hz: u32,
    /// Where the samples start, in bytes from the start of the file.
    pub data_offset: u64,
    /// How many bytes of samples there should be, as written: programs that are stopped, write into a
    /// pipe or go on past 4 GiB leave a wrong number. `None` if it says that it is not known.
    pub data_bytes: Option<u64>,
    /// The centre frequency in Hz, from the `auxi` chunk.
    pub center_hz: Option<f64>,
    /// The time of the first sample, from the `auxi` chunk.
    pub start: Option<Timestamp>,
}

impl Header {
    /// Reads the header, up to the first sample; `path` is used in messages only. The reader should be
    /// buffered.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no WAV file, [`Error::Unsupported`] for encodings other
    /// than plain numbers and for other than two channels, [`Error::Io`] if reading fails.
    pub fn read<R: Read>(reader: &mut R, path: &Path) -> Result<Self, Error> {
        Self::read_given(reader, path, None)
    }

    /// The same for a file whose encoding somebody knows better.
    pub(super) fn read_given<R: Read>(
        reader: &mut R,
        path: &Path,
        given: Option<SampleFormat>,
    ) -> Result<Self, Error> {
        let mut chunks = Chunks { reader, path, position: 0, first: None };
        chunks.riff()?;
        let mut found = Found::default();
        loop {
            let chunk = chunks.next()?;
            let content = match &chunk.id {
                b"data" => return found.into_header(&chunk, path),
                b"fmt " | b"ds64" | b"auxi" => chunks.content(&chunk)?,
                _ => Vec::new(),
            };
            match &chunk.id {
                b"fmt " => found.format = Some(parse_format(&content, path, given)?),
                b"ds64" => found.data_bytes_64 = parse_data_size(&content),
                b"auxi" => found.tuning = auxi::parse(&content),
                _ => {}
            }
            chunks.pass(&chunk)?;
        }
    }
}

/// What the chunks before the samples have told.
#[derive(Default)]
struct Found {
    format: Option<(SampleFormat, u32)>,
    data_bytes_64: Option<u64>,
    tuning: Tuning,
}

impl Found {
    fn into_header(self, data: &Chunk, path: &Path) -> Result<Header, Error> {
        let (format, sample_rate_hz) = self.format.ok_or_else(|| {
            Error::malformed(path, "the chunk `fmt `", "is missing before `data`")
        })?;
        Ok(Header {
            format,
            sample_rate_hz,
            data_offset: data.start,
            data_bytes: match (data.size, self.data_bytes_64) {
                // What does not fit here is told elsewhere; 0 is left by who was stopped.
                (UNKNOWN_SIZE | 0, Some(size)) => Some(size),
                (UNKNOWN_SIZE, None) => None,
                (size, _) => Some(size.into()),
            },
            center_hz: self.tuning.center_hz,
            start: self.tuning.start,
        })
    }
}

/// The head of a chunk.
struct Chunk {
    id: [u8; 4],
    size: u32,
    /// Where its content starts, in bytes from the start of the file.
    start: u64,
}

/// Walks from chunk to chunk, forwards only: a pipe will do.
struct Chunks<'a, R> {
    reader: &'a mut R,
    path: &'a Path,
    /// How many bytes have been read.
    position: u64,
    /// A byte that was taken for a filling one and is not.
    first: Option<u8>,
}

impl<R: Read> Chunks<'_, R> {
    /// The outermost chunk, which holds all others.
    fn riff(&mut self) -> Result<(), Error> {
        let mut head = [0; 12];
        self.read_exact(&mut head, "the first 12 bytes")?;
        let (id, kind) = (&head[..4], &head[8..]);
        if !matches!(id, b"RIFF" | b"RF64" | b"BW64") || kind != b"WAVE" {
            let problem = "are not those of a WAV file (RIFF, RF64 or BW64, then WAVE)";
            return Err(Error::malformed(self.path, "the first 12 bytes", problem));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Chunk, Error> {
        let mut head = [0; 8];
        let begun = match self.first.take() {
            Some(first) => {
                head[0] = first;
                1
            }
            None => 0,
        };
        self.read_exact(&mut head[begun..], "the chunk `data`")?;
        let [a, b, c, d, size @ ..] = head;
        // Some programs write names in capital letters.
        let id = [a, b, c, d].map(|letter| letter.to_ascii_lowercase());
        Ok(Chunk { id, size: u32::from_le_bytes(size), start: self.position })
    }

    /// The content of a short chunk.
    fn content(&mut self, chunk: &Chunk) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        let limit = u64::from(chunk.size).min(MAX_CHUNK_BYTES);
        let mut limited = self.reader.by_ref().take(limit);
        limited.read_to_end(&mut content).map_err(Error::io(self.path, "read"))?;
        self.position += content.len() as u64;
        Ok(content)
    }

    /// Goes to the next chunk; chunks of odd size are followed by a filling byte, which some programs leave
    /// out.
    fn pass(&mut self, chunk: &Chunk) -> Result<(), Error> {
        let end = chunk.start + u64::from(chunk.size);
        let mut rest = self.reader.by_ref().take(end.saturating_sub(self.position));
        self.position +=
            io::copy(&mut rest, &mut io::sink()).map_err(Error::io(self.path, "read"))?;
        if chunk.size % 2 == 1 {
            let mut filling = [0];
            self.read_exact(&mut filling, "the chunk `data`")?;
            self.first = Some(filling[0]).filter(u8::is_ascii_alphanumeric);
        }
        Ok(())
    }

    fn read_exact(&mut self, bytes: &mut [u8], what: &str) -> Result<(), Error> {
        self.reader.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::malformed(self.path, what, "is missing: the file ends before it")
            }
            _ => Error::io(self.path, "read")(error),
        })?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

/// The `fmt ` chunk: encoding and sample rate. A format that is given wins.
fn parse_format(
    content: &[u8],
    path: &Path,
    given: Option<SampleFormat>,
) -> Result<(SampleFormat, u32), Error> {
    let Some((head, rest)) = content.split_first_chunk::<16>() else {
        let problem = format!("has {}, but at least 16 are needed", counted(content.len(), "byte"));
        return Err(Error::malformed(path, "the chunk `fmt `", problem));
    };
    let field = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let sample_rate_hz = u32::from(field(4)) | u32::from(field(6)) << 16;
    let tag = match field(0) {
        // The extension has 8 bytes of channel layout, then the tag as the start of a GUID.
        TAG_EXTENSIBLE => {
            rest.get(8..10).map_or(TAG_EXTENSIBLE, |t| u16::from_le_bytes([t[0], t[1]]))
        }
        tag => tag,
    };
    match (encoding(path, tag, [field(2), field(12), field(14)]), given) {
        (Err(_), Some(given)) => Ok((given, sample_rate_hz)),
        (format, _) => Ok((format?, sample_rate_hz)),
    }
}

/// The sample format of an encoding with so many channels, bytes for a sample of all channels, and bits
/// for a number.
fn encoding(
    path: &Path,
    tag: u16,
    [channels, frame_bytes, bits]: [u16; 3],
) -> Result<SampleFormat, Error> {
    if channels != 2 {
        let what = format!("a WAV file with {channels} channel(s)");
        return Err(Error::unsupported(path, what, "record IQ: two channels, I left and Q right"));
    }
    let format = match (tag, bits) {
        (TAG_PCM, 8) => SampleFormat::WavU8,
        (TAG_PCM, 16) => SampleFormat::Cs16Le,
        (TAG_PCM, 24) => SampleFormat::Cs24Le,
        (TAG_PCM, 32) => SampleFormat::Cs32Le,
        (TAG_FLOAT, 32) => SampleFormat::Cf32Le,
        (TAG_FLOAT, 64) => SampleFormat::Cf64Le,
        _ => {
            let what = format!("WAV encoding {tag} with {bits} bits");
            let advice = "use integers of 8, 16, 24 or 32 bits or floats of 32 or 64";
            return Err(Error::unsupported(path, what, advice));
        }
    };
    // 0 is left by programs that do not care, and some count one channel.
    let whole_bytes = format.bytes_per_sample();
    if ![0, whole_bytes / 2, whole_bytes].contains(&usize::from(frame_bytes)) {
        let what = format!("a WAV file with {frame_bytes} bytes for a sample of 2 x {bits} bits");
        return Err(Error::unsupported(path, what, "convert it to packed samples"));
    }
    Ok(format)
}

/// The `ds64` chunk of RF64: the size of the file, then that of the samples (EBU Tech 3306).
fn parse_data_size(content: &[u8]) -> Option<u64> {
    content.get(8..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
