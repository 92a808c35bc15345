//! What a file's name tells.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_io::FileName;

fuzz_target!(|name: &str| {
    let _ = FileName::parse(name);
    if let Some((told, rest)) = FileName::split_prefix(name) {
        assert_ne!(told, FileName::default());
        assert!(name.ends_with(rest));
    }
});
