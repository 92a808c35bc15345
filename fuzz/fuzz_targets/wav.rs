//! The header of a WAV or RF64 file.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nap_io::wav::Header;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::read(&mut Cursor::new(bytes), Path::new("fuzz.wav")) {
        assert!(header.data_offset <= bytes.len() as u64);
        assert!(header.format.bytes_per_sample() >= 2);
    }
});
