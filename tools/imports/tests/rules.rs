//! Small workspaces, each with one rule broken, and one that is sound.
#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::path::Path;
use std::process::Command;

/// A workspace of files, and what the checker says about it, a line a finding.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"nap-*\"]\n");
    for (file, text) in files {
        write(folder.path(), file, text);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_imports")).arg(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.is_empty(), "{errors}");
    assert_eq!(output.status.code(), Some(i32::from(!text.is_empty())));
    text.lines().map(str::to_owned).collect()
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A manifest with lines of dependencies.
fn manifest(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}")
}

/// A workspace of one crate with these files in its `src`.
fn findings_in_one(files: &[(&str, &str)]) -> Vec<String> {
    let manifest = manifest("nap-dsp", "");
    let mut all = vec![("nap-dsp/Cargo.toml".to_owned(), manifest.as_str())];
    all.extend(files.iter().map(|(file, text)| (format!("nap-dsp/src/{file}"), *text)));
    findings(&all.iter().map(|(file, text)| (file.as_str(), *text)).collect::<Vec<_>>())
}

#[test]
fn a_sound_tree_passes() {
    let phy = manifest("nap-phy", "nap-dsp = { path = \"../nap-dsp\" }\n");
    let found = findings(&[
        ("nap-dsp/Cargo.toml", &manifest("nap-dsp", "")),
        ("nap-dsp/src/lib.rs", "mod error;\npub mod face;\npub mod filter;\npub use error::Error;"),
        ("nap-dsp/src/face.rs", "pub use crate::error::Error;"),
        ("nap-dsp/src/error.rs", "pub enum Error { Length }"),
        (
            "nap-dsp/src/filter.rs",
            "use crate::error::Error::{self, Length};\npub fn filter() -> Error { Length }\n\
             #[cfg(test)]\nmod tests { use super::*; use crate::Error; fn test() -> Error { filter() } }",
        ),
        ("nap-phy/Cargo.toml", &phy),
        ("nap-phy/src/lib.rs", "mod device;\nmod receiver;\npub use receiver::Receiver;"),
        (
            "nap-phy/src/device.rs",
            "macro_rules! make { () => {} }\npub(crate) use make;\npub fn device() {}",
        ),
        ("nap-phy/src/receiver/mod.rs", "mod chain;\npub struct Receiver(chain::Chain);"),
        (
            "nap-phy/src/receiver/chain.rs",
            "use nap_dsp::Error;\nuse nap_dsp::face;\nuse crate::device;\n\
             pub struct Chain;\ncrate::device::make!();\n\
             fn chain(_: face::Error) -> Result<(), Error> { Ok(device::device()) }",
        ),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_circle_behind_a_re_export_is_found() {
    let found = findings_in_one(&[
        ("lib.rs", "mod face;\nmod filter;\nmod taps;\n"),
        ("face.rs", "pub use crate::filter::Filter;"),
        ("filter.rs", "use crate::taps::taps;\npub struct Filter;\nfn filter() { taps() }"),
        ("taps.rs", "\nfn of(_: crate::face::Filter) {}\npub fn taps() {}"),
    ]);
    assert_eq!(
        found,
        [
            "nap-dsp/src/filter.rs:1: a circle of files: nap-dsp/src/filter.rs -> \
             nap-dsp/src/taps.rs (taps) -> nap-dsp/src/filter.rs (Filter)",
            "nap-dsp/src/taps.rs:2: `Filter` comes from `crate::filter`, not from `crate::face`, \
             which re-exports it",
        ]
    );
}

#[test]
fn globs_renames_macros_and_attributes_hide_nothing() {
    let lib = "mod face;\nmod filter;\nmod taps;\n";
    let face = "pub use crate::filter::*;\npub use crate::filter::Filter as Sieve;";
    let filter = "use crate::taps;\npub struct Filter;\nfn filter() { taps::taps() }";
    for taps in [
        "use crate::face::*;\npub fn taps() {}\nfn of(_: Filter) {}",
        "use crate::face::Sieve;\npub fn taps() {}\nfn of(_: Sieve) {}",
        "pub fn taps() { vec![super::filter::Filter]; }",
        "pub fn taps() {}\nstruct S { #[serde(with = \"crate::filter::Filter\")] field: u8 }",
    ] {
        let files = [("lib.rs", lib), ("face.rs", face), ("filter.rs", filter), ("taps.rs", taps)];
        let found = findings_in_one(&files);
        assert!(found.iter().any(|line| line.contains("a circle of files")), "{taps}: {found:?}");
    }
}

#[test]
fn a_part_does_not_import_from_the_module_that_imports_it() {
    let found = findings_in_one(&[
        ("lib.rs", "mod detector;"),
        ("detector/mod.rs", "mod line;\npub use line::Line;\npub const WIDTH: usize = 1;"),
        ("detector/line.rs", "use super::WIDTH;\npub struct Line([u8; WIDTH]);"),
    ]);
    assert_eq!(
        found,
        ["nap-dsp/src/detector/line.rs:1: a circle of files: nap-dsp/src/detector/line.rs -> \
          nap-dsp/src/detector/mod.rs (WIDTH) -> nap-dsp/src/detector/line.rs (Line)"]
    );
}

#[test]
fn of_a_large_circle_the_smallest_is_shown() {
    let found = findings_in_one(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "pub fn c() { crate::b::b(); crate::a::a() }"),
    ]);
    assert_eq!(
        found,
        [
            "nap-dsp/src/a.rs:1: a circle of files: nap-dsp/src/a.rs -> nap-dsp/src/b.rs (b) -> \
             nap-dsp/src/c.rs (c) -> nap-dsp/src/a.rs (a)",
            "nap-dsp/src/b.rs:1: a circle of files: nap-dsp/src/b.rs -> nap-dsp/src/c.rs (c) -> \
             nap-dsp/src/b.rs (b)",
        ]
    );
}

#[test]
fn a_layer_that_uses_a_higher_one_is_found() {
    let found = findings_in_one(&[
        ("lib.rs", "mod detector;\nmod kernels;\nmod taps;"),
        ("kernels/mod.rs", "mod sums;"),
        (
            "kernels/sums.rs",
            "use crate::taps;\n\nfn sums() { taps::taps(); crate::detector::detect() }",
        ),
        ("detector.rs", "pub fn detect() {}"),
        ("taps.rs", "pub fn taps() {}"),
    ]);
    assert_eq!(
        found,
        ["nap-dsp/src/kernels/sums.rs:3: `kernels` lies below `detector` and may not use it: \
          `detect` of `crate::detector`"]
    );
}

#[test]
fn an_arrow_against_the_rings_is_found() {
    let dsp = manifest("nap-dsp", "nap-phy = { path = \"../nap-phy\" }\n");
    let found = findings(&[
        ("nap-phy/Cargo.toml", &manifest("nap-phy", "")),
        ("nap-phy/src/lib.rs", "pub struct Receiver;"),
        ("nap-dsp/Cargo.toml", &dsp),
        ("nap-dsp/src/lib.rs", "\npub fn filter(_: nap_phy::Receiver) {}"),
    ]);
    assert_eq!(
        found,
        [
            "nap-dsp/Cargo.toml:6: nap-dsp may not use nap-phy: arrows between the rings run one way",
            "nap-dsp/src/lib.rs:2: nap-dsp may not use nap-phy: arrows between the rings run one way",
        ]
    );
}

#[test]
fn a_crate_is_not_reached_through_another() {
    let phy = manifest("nap-phy", "nap-dsp = { path = \"../nap-dsp\" }\n");
    let cli = manifest("nap-cli", "nap-phy = { path = \"../nap-phy\" }\n");
    let found = findings(&[
        ("nap-dsp/Cargo.toml", &manifest("nap-dsp", "")),
        ("nap-dsp/src/lib.rs", "pub struct Oscillator;"),
        ("nap-phy/Cargo.toml", &phy),
        ("nap-phy/src/lib.rs", "pub use nap_dsp::Oscillator;"),
        ("nap-cli/Cargo.toml", &cli),
        ("nap-cli/src/main.rs", "use nap_phy::Oscillator;\nfn main() { Oscillator; }"),
    ]);
    assert_eq!(
        found,
        ["nap-cli/src/main.rs:1: `Oscillator` is of nap-dsp; name that crate instead of reaching \
          through nap-phy"]
    );
}

#[test]
fn a_crate_without_a_place_in_the_rings_is_found() {
    let found =
        findings(&[("nap-new/Cargo.toml", &manifest("nap-new", "")), ("nap-new/src/lib.rs", "")]);
    assert_eq!(found, ["nap-new/Cargo.toml:1: nap-new has no place in the rings yet"]);
}

#[test]
fn a_module_with_parts_is_a_mod_rs() {
    let found = findings_in_one(&[
        ("lib.rs", "mod detector;"),
        ("detector.rs", "mod line;"),
        ("detector/line.rs", ""),
    ]);
    assert_eq!(
        found,
        [
            "nap-dsp/src/detector.rs:1: `crate::detector::line` is a file of its own, so this one is \
          a folder's mod.rs"
        ]
    );
}
