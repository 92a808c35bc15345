//! What the first bytes of a file say about it, whatever its name is.

use crate::compression::Compression;

/// So many bytes are looked at: the mark of a tar archive is the last of them.
pub(crate) const HEAD_BYTES: usize = 512;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing that is known here, as samples are.
    Unknown,
    /// RIFF with sound in it, in any of its forms.
    Wav,
    /// Something compressed that can be unpacked on the way.
    Compressed(Compression),
    /// A tar archive.
    Tar,
    /// What GNU Radio's file meta sink writes.
    GnuRadio,
    /// What stands where the file should be that has not been downloaded.
    StandIn {
        /// Its name, with its article.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Something that is no recording, or of a kind that is not read.
    Other {
        /// Its name, with its article.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
}

pub(crate) const UNPACK: &str = "unpack it and give the recording in it";
const CONVERT: &str = "convert it to raw samples, WAV or SigMF";
const NOT_SAMPLES: &str = "check that this is the recording";
const DOWNLOAD: &str = "download the recording itself";

/// How the headers of GNU Radio's file meta sink begin: a dictionary, of which the first entry is their length.
pub(crate) const GNU_RADIO_MARK: &[u8] = b"\x09\x07\x02\x00\x04strt\x0b";

/// Marks at the start of files. None is shorter than four bytes: shorter ones may be samples.
const MARKS: [(&[u8], &str, &str); 30] = [
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"\x04\x22\x4d\x18", "an lz4 file", UNPACK),
    (b"LZIP\x01", "an lzip file", UNPACK),
    (b"!<arch>\n", "an archive of ar", UNPACK),
    (b"RIFX", "a big-endian WAV file (RIFX)", CONVERT),
    (b"riff\x2e\x91\xcf\x11", "a Wave64 file", CONVERT),
    (b"FORM", "an AIFF file", CONVERT),
    (b"fLaC", "a FLAC file", CONVERT),
    (b"OggS", "an Ogg file", CONVERT),
    (b".snd\0\0\0", "an AU file", CONVERT),
    (b"caff\0\x01", "a Core Audio file", CONVERT),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", CONVERT),
    (b"\x93NUMPY", "a NumPy file", "write its array with `tofile`, or as SigMF"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file", CONVERT),
    (b"MATLAB 7.3 MAT-file", "a MATLAB file", CONVERT),
    (b"ID3\x03", "an MP3 file", CONVERT),
    (b"ID3\x04", "an MP3 file", CONVERT),
    (b"BLUE", "a Midas Blue file", CONVERT),
    (b"PAR1", "a Parquet file", CONVERT),
    (b"SQLite format 3\0", "an SQLite database", NOT_SAMPLES),
    (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)", NOT_SAMPLES),
    (b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng)", NOT_SAMPLES),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", NOT_SAMPLES),
    (b"\xff\xd8\xff\xe0", "a picture (JPEG)", NOT_SAMPLES),
    (b"\xff\xd8\xff\xe1", "a picture (JPEG)", NOT_SAMPLES),
    (b"GIF8", "a picture (GIF)", NOT_SAMPLES),
    (b"%PDF-", "a PDF document", NOT_SAMPLES),
    (b"\x7fELF", "a program (ELF)", NOT_SAMPLES),
];

/// Marks at the start of what stands in for a file.
const STAND_INS: [(&[u8], &str, &str); 3] = [
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file itself,",
        "fetch it with `git lfs pull`",
    ),
    (
        b"/annex/objects/",
        "a pointer of git-annex, not the file itself,",
        "fetch it with `git annex get`",
    ),
    (
        b"../.git/annex/objects/",
        "a pointer of git-annex, not the file itself,",
        "fetch it with `git annex get`",
    ),
];

/// Says what a file is that begins with these bytes, the first [`HEAD_BYTES`] or all there are.
pub(crate) fn identify(head: &[u8]) -> Content {
    if matches!(head.get(..4), Some(b"RIFF" | b"RF64" | b"BW64"))
        && head.get(8..12) == Some(b"WAVE")
    {
        return Content::Wav;
    }
    if head.starts_with(b"RIFF") && matches!(head.get(8..12), Some(b"AVI " | b"WEBP")) {
        return Content::Other { what: "a picture or film (RIFF)", advice: NOT_SAMPLES };
    }
    if let Some(compression) = Compression::of(head) {
        return Content::Compressed(compression);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Content::Tar;
    }
    if head.starts_with(GNU_RADIO_MARK) {
        return Content::GnuRadio;
    }
    let is_at_start = |(mark, ..): &&(&[u8], _, _)| head.starts_with(mark);
    if let Some(&(_, what, advice)) = STAND_INS.iter().find(is_at_start) {
        return Content::StandIn { what, advice };
    }
    let mark = MARKS.iter().find(is_at_start);
    mark.map_or_else(|| identify_text(head), |&(_, what, advice)| Content::Other { what, advice })
}

/// Tells text from samples: it has nothing but letters, digits and the like, and samples never have.
fn identify_text(head: &[u8]) -> Content {
    /// Fewer bytes may look like text by chance.
    const MIN_TEXT_BYTES: usize = 32;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = head.trim_ascii_start();
    let begins = |mark: &str| {
        text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Content::StandIn { what: "a web page", advice: DOWNLOAD };
    }
    if begins("<?xml") {
        return Content::Other { what: "an XML document", advice: NOT_SAMPLES };
    }
    // Written in one line, as servers and programs do.
    let is_json = begins("{\"") || begins("[{\"");
    let is_text = |&byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    let is_in_lines = head.len() >= MIN_TEXT_BYTES && head.contains(&b'\n');
    if !(is_in_lines || is_json) || !head.iter().all(is_text) {
        return Content::Unknown;
    }
    let what = if is_json { "a JSON document" } else { "a text file" };
    Content::Other { what, advice: NOT_SAMPLES }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_samples() {
        let is_text =
            |bytes: &[u8]| matches!(identify(bytes), Content::Other { what: "a text file", .. });
        assert!(is_text(b"0.25,0.5\n0.125,0.25\n-0.5,0.0625\r\n\t1,2\n"));
        assert!(!is_text(b"0.25,0.5\n"), "too short to be sure");
        assert!(!is_text(&[b'~'; 500]), "cu8 without a signal");
        let json = identify(br#"{"message":"Not Found"}"#);
        assert!(matches!(json, Content::Other { what: "a JSON document", .. }));
        assert!(!is_text(&[b"a text, as it seems, of some lines\n" as &[u8], &[0x80]].concat()));
    }

    #[test]
    fn no_mark_is_so_short_that_samples_begin_with_it_by_chance() {
        assert!(MARKS.iter().chain(&STAND_INS).all(|(mark, ..)| mark.len() >= 4));
    }
}
