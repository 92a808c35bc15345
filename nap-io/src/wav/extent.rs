//! How many of the bytes after a header are samples, whatever the header says about it.

use std::io::{self, Read, Seek, SeekFrom};

use super::header::Header;
use crate::counted::counted;
use crate::format::SampleFormat;

/// Sizes in a header count modulo this.
const SIZE_MODULUS: u64 = 1 << 32;
/// So many bytes too many are a mistake of counting, such as a header that counts itself.
const MISCOUNTED_BYTES: u64 = 128;
/// Chunks that may follow the samples; more is no list of chunks.
pub(super) const MAX_CHUNKS: usize = 1000;
/// Chunks that programs put behind the samples.
const KNOWN_CHUNKS: [&[u8; 4]; 8] =
    [b"LIST", b"auxi", b"id3 ", b"ID3 ", b"bext", b"cue ", b"iXML", b"_PMX"];

const UNKNOWN: &str =
    "the header does not tell how many samples there are; reading to the end of the file";

/// Where the samples end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Extent {
    /// How many bytes of samples there are.
    pub(super) bytes: u64,
    /// How many there should be, where that is more.
    pub(super) declared_bytes: Option<u64>,
    /// What a user should be told.
    pub(super) warning: Option<String>,
}

/// Whether a size stands for one that is not known: what is written by sox, arecord, ffmpeg and others
/// into a pipe lies near the largest numbers of 31 and 32 bits, or is far beyond all disks.
pub(super) fn is_placeholder(size: u64) -> bool {
    matches!(size, 0x7fff_f000..=0x8000_0100 | 0xffff_f000..=0xffff_ffff) || size >= 1 << 62
}

/// Where the samples, of this format, end in a file of `file_bytes`. Every byte is read as samples that is not in another
/// chunk.
pub(super) fn in_file(
    header: &Header,
    format: SampleFormat,
    file: &mut (impl Read + Seek),
    file_bytes: u64,
) -> io::Result<Extent> {
    let frame_bytes = format.bytes_per_sample() as u64;
    let available = file_bytes.saturating_sub(header.data_offset);
    let to_end = |warning: String| Extent {
        bytes: available - available % frame_bytes,
        warning: Some(warning),
        ..Extent::default()
    };
    let Some(described) = header.data_bytes else {
        return Ok(to_end(UNKNOWN.into()));
    };
    if described > available {
        return Ok(match described - available {
            _ if is_placeholder(described) => to_end(UNKNOWN.into()),
            excess @ ..=MISCOUNTED_BYTES => {
                to_end(format!("the header counts {} more than there are", counted(excess, "byte")))
            }
            _ => Extent { bytes: available, declared_bytes: Some(described), warning: None },
        });
    }
    // A program that goes on past 4 GiB counts from 0 again.
    for bytes in (described..=available).step_by(SIZE_MODULUS as usize) {
        if is_end_of_samples(file, header.data_offset + bytes, file_bytes)? {
            let warning = (bytes != described).then(|| beyond(described, bytes - described));
            return Ok(Extent { bytes, declared_bytes: None, warning });
        }
    }
    Ok(to_end(match described {
        0 => UNKNOWN.into(),
        _ => beyond(described, available - described),
    }))
}

fn beyond(described: u64, more: u64) -> String {
    format!(
        "the header describes {described} bytes of samples, but {more} more follow; reading them too"
    )
}

/// Whether nothing but other chunks follows.
fn is_end_of_samples(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<bool> {
    // Chunks of odd size are followed by a filling byte, of which the size of the samples tells nothing.
    Ok(are_chunks(file, at, end)? || (at % 2 == 1 && are_chunks(file, at + 1, end)?))
}

fn are_chunks(file: &mut (impl Read + Seek), mut at: u64, end: u64) -> io::Result<bool> {
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        let count = end.saturating_sub(at).min(8) as usize;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head[..count])?;
        if count < 8 {
            return Ok(head == [0; 8]);
        }
        let [a, b, c, d, size @ ..] = head;
        let size = u64::from(u32::from_le_bytes(size));
        at += 8 + size + size % 2;
        if !is_chunk_name(&[a, b, c, d]) {
            return Ok(false);
        }
        if at >= end {
            return Ok(at <= end + 1 || KNOWN_CHUNKS.contains(&&[a, b, c, d]));
        }
    }
    Ok(true)
}

/// Chunks have names of letters and the like; samples would be very regular.
pub(super) fn is_chunk_name(name: &[u8; 4]) -> bool {
    KNOWN_CHUNKS.contains(&name)
        || name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_'))
}
