//! The metadata file of a SigMF recording.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nap_io::sigmf::Metadata;

fuzz_target!(|text: &[u8]| {
    let path = Path::new("fuzz.sigmf-meta");
    match Metadata::parse(text, path) {
        Ok(metadata) => assert!(metadata.captures.is_sorted_by_key(|capture| capture.sample_start)),
        Err(error) => assert!(error.to_string().contains("fuzz.sigmf-meta")),
    }
});
