//! What stands behind the samples: programs that write as they go put there what they know last.

use std::io::{self, Read, Seek, SeekFrom};

use super::auxi::{self, Tuning};
use super::extent::MAX_CHUNKS;
use super::header::MAX_CHUNK_BYTES;

/// What the chunks behind the samples tell.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Trailer {
    /// What an `auxi` chunk says.
    pub(super) tuning: Tuning,
    /// Bytes of further `data` chunks, which no program that is known writes; they are not read.
    pub(super) unread_bytes: u64,
}

impl Trailer {
    /// Looks at what stands from the end of the samples to that of the file.
    pub(super) fn read(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<Self> {
        let mut trailer = Self::default();
        // Chunks begin at even places.
        let mut at = at.next_multiple_of(2);
        for _ in 0..MAX_CHUNKS {
            let mut head = [0; 8];
            if end.saturating_sub(at) < head.len() as u64 {
                break;
            }
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut head)?;
            let [a, b, c, d, size @ ..] = head;
            let size = u64::from(u32::from_le_bytes(size));
            at += head.len() as u64;
            match &[a, b, c, d].map(|letter| letter.to_ascii_lowercase()) {
                b"auxi" => {
                    let mut content = Vec::new();
                    file.by_ref().take(size.min(MAX_CHUNK_BYTES)).read_to_end(&mut content)?;
                    trailer.tuning = auxi::parse(&content);
                }
                b"data" => trailer.unread_bytes += size.min(end - at),
                _ => {}
            }
            at += size.next_multiple_of(2);
        }
        Ok(trailer)
    }

    /// What a user should be told.
    pub(super) fn warning(&self) -> Option<String> {
        (self.unread_bytes > 0).then(|| {
            format!(
                "{} bytes of samples in a second `data` chunk are not read; cut the file there for them",
                self.unread_bytes
            )
        })
    }
}
