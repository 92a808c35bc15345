//! The header that is committed is the one that the sources make.
//!
//! `NAP_WRITE_HEADER=1 cargo test -p nap-c --test header` writes it anew.
#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

/// The files that have something for the header, in the order in which it tells of them.
const SOURCES: [&str; 9] = [
    "version.rs",
    "status.rs",
    "content.rs",
    "frame.rs",
    "config.rs",
    "event.rs",
    "session.rs",
    "receiver.rs",
    "pool.rs",
];

fn header() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config::from_file(root.join("cbindgen.toml")).unwrap();
    let sources = SOURCES.map(|name| root.join("src").join(name));
    let builder = sources.into_iter().fold(Builder::new(), |builder, file| builder.with_src(file));
    let mut text = Vec::new();
    builder.with_config(config).generate().unwrap().write(&mut text);
    without_sections(&String::from_utf8(text).unwrap())
}

/// What Rust's documentation says of `unsafe` functions holds for all of C; the header says it once.
fn without_sections(text: &str) -> String {
    text.replace(" *\n * # Safety\n *\n * ", " *\n * Addresses: ")
}

#[test]
fn the_header_is_that_of_the_sources() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("include/nap.h");
    let expected = header();
    if std::env::var_os("NAP_WRITE_HEADER").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "write it anew: NAP_WRITE_HEADER=1 cargo test -p nap-c --test header"
    );
}
