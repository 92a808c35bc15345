//! What lies beside a raw file and tells about it: PortaPack's `BBD_0001.TXT` beside `BBD_0001.C16`, and `x.hdr` beside
//! `x`, of GNU Radio's file meta sink.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::file_name::told::FileName;
use crate::file_name::{extension, file_name};
use crate::gnu_radio;

/// As much as is read of such a file.
const MAX_BYTES: u64 = 4096;

/// Finds such a file and reads it. It is a help only: one that cannot be read tells nothing.
pub(crate) fn find(path: &Path) -> Option<(PathBuf, FileName)> {
    gnu_radio_header(path).or_else(|| portapack_text(path))
}

fn gnu_radio_header(path: &Path) -> Option<(PathBuf, FileName)> {
    let mut header_path = path.as_os_str().to_owned();
    header_path.push(".hdr");
    let header_path = PathBuf::from(header_path);
    let told = gnu_radio::beside(&start_of(&header_path)?)?;
    Some((header_path, told))
}

fn portapack_text(path: &Path) -> Option<(PathBuf, FileName)> {
    let name = file_name(path);
    let extension = extension(&name)?;
    if !["c8", "c16"].iter().any(|format| extension.eq_ignore_ascii_case(format)) {
        return None;
    }
    ["TXT", "txt"].iter().find_map(|extension| {
        let path = path.with_extension(extension);
        let told = parse(&String::from_utf8_lossy(&start_of(&path)?));
        (told != FileName::default()).then_some((path, told))
    })
}

fn start_of(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads `sample_rate=500000` and `center_frequency=868130000`, a line each; 0 stands for unknown.
fn parse(text: &str) -> FileName {
    let mut told = FileName::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim().parse().ok().filter(|&value: &f64| value != 0.0);
        match name.trim() {
            "sample_rate" => told.sample_rate_hz = value,
            "center_frequency" => told.center_hz = value,
            _ => {}
        }
    }
    told
}
