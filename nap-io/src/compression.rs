//! Recordings that are compressed: unpacked on the way, as they are read.

use std::error::Error as _;
use std::io::{self, BufRead, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The memory that an xz file may ask for, in KiB: more than any preset of xz does.
const MAX_XZ_MEMORY_KIB: u32 = 1 << 18;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// The endings that the programs give to names.
const SUFFIXES: [&str; 4] = ["gz", "bz2", "xz", "zst"];

impl Compression {
    /// Recognizes a compressed file by its first bytes, as far as they cannot be samples by chance.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            // Deflate is the only method, and three of the flags' bits are reserved (RFC 1952).
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Some(Self::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A frame to be skipped, as pzstd writes before each of the others, and how long it is.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, 0, 0, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What was compressed, byte by byte; files made of several compressed parts are read to the end.
    pub(crate) fn unpack(self, packed: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        match self {
            Self::Gzip => Box::new(GzipMembers::new(packed)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
            Self::Xz => {
                let packed = BufReader::new(packed);
                Box::new(XzReader::new_mem_limit(packed, true, MAX_XZ_MEMORY_KIB))
            }
            Self::Zstd => Box::new(ZstdFrames::new(packed)),
        }
    }
}

/// Endings of what is compressed in ways that its first bytes do not tell.
const OTHER_SUFFIXES: [&str; 5] = ["lzma", "br", "z", "lzo", "sz"];

/// How a file is compressed that cannot be unpacked here, by its name: `.lzma`.
pub(crate) fn other_suffix(name: &str) -> Option<&'static str> {
    let (_, suffix) = name.rsplit_once('.')?;
    OTHER_SUFFIXES.into_iter().find(|other| suffix.eq_ignore_ascii_case(other))
}

/// The name that a file had before it was compressed.
pub(crate) fn unpacked_name(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((unpacked, suffix)) if SUFFIXES.iter().any(|s| suffix.eq_ignore_ascii_case(s)) => {
            unpacked
        }
        _ => name,
    }
}

/// The names that a file may have once it is compressed.
pub(crate) fn packed_names(name: &str) -> impl Iterator<Item = String> {
    SUFFIXES.iter().map(move |suffix| format!("{name}.{suffix}"))
}

/// gzip: member after member, as parallel compressors and `cat` leave them. Zeros behind the last one fill up a
/// block of a tape or disk.
struct GzipMembers<R> {
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> GzipMembers<R> {
    fn new(packed: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::new(packed))) }
    }
}

impl<R: Read> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(buffer) {
                Ok(0) if !buffer.is_empty() => {}
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    self.member = None;
                    return Err(error);
                }
                result => return result,
            }
            let rest = self.member.take().map(GzDecoder::into_inner);
            self.member = rest.map(without_zeros).transpose()?.flatten().map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// What follows after zeros, if anything does.
fn without_zeros<R: Read>(mut packed: BufReader<R>) -> io::Result<Option<BufReader<R>>> {
    loop {
        let bytes = packed.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        if bytes.is_empty() {
            return Ok(None);
        }
        if zeros < bytes.len() {
            packed.consume(zeros);
            return Ok(Some(packed));
        }
        packed.consume(zeros);
    }
}

/// Zstandard: frame after frame, since parallel compressors write many.
struct ZstdFrames<R> {
    packed: BufReader<R>,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: Read> ZstdFrames<R> {
    fn new(packed: R) -> Self {
        Self { packed: BufReader::new(packed), decoder: FrameDecoder::new(), is_in_frame: false }
    }

    /// Begins the next frame that holds data; returns whether there is one.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.packed.by_ref().take(length.into());
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(io_error(error)),
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_in_frame {
                self.is_in_frame = self.next_frame()?;
                if !self.is_in_frame {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one_block = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.packed, one_block).map_err(io_error)?;
            }
            match self.decoder.read(buffer)? {
                0 => self.is_in_frame = !self.decoder.is_finished(),
                count => return Ok(count),
            }
        }
    }
}

/// Tells a file that ends too early from one that is damaged.
fn io_error(error: FrameDecoderError) -> io::Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), error.to_string());
        }
        cause = inner.source();
    }
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
