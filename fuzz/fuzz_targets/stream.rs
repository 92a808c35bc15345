//! Bytes as they come through a pipe: raw samples, WAV, or something compressed.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nap_io::{OpenOptions, SampleFormat};
use num_complex::Complex32;

/// Well compressed zeros would take long to unpack.
const MAX_BLOCKS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let options = OpenOptions {
        format: Some(SampleFormat::Cs16Le),
        sample_rate_hz: Some(250e3),
        ..OpenOptions::default()
    };
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut source) = nap_io::open_stream(stream, Path::new("fuzz"), &options) else {
        return;
    };
    let mut block = vec![Complex32::default(); 1 << 12];
    for _ in 0..MAX_BLOCKS {
        match source.read(&mut block) {
            Ok(0) => break,
            Ok(count) => assert!(count <= block.len()),
            Err(error) => return assert!(error.to_string().contains("fuzz")),
        }
    }
});
