//! Small folders with an old word in them, and one that has none.
#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::path::Path;
use std::process::{Command, Output};

const LIST: &str = "# The field's words.\n\
    skirt, skirts > spectral sidelobes\n\
    known word > sync word | names, prose\n\
    gains > branch metrics | names | nap-phy/src/decoder\n\
    LEAST_ > MIN_ | names\n\
    _A_ > _PER_ | names\n\
    allow LEAST_COMMON\n";

fn run(list: &str, files: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("tools/words/words.txt", list);
    files.iter().for_each(|(file, text)| write(file, text));
    Command::new(env!("CARGO_BIN_EXE_words")).arg(folder.path()).output().unwrap()
}

/// What is found, a line each.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let output = run(LIST, files);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!text.is_empty())));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn new_words_pass() {
    let found = findings(&[
        (
            "nap-dsp/src/lib.rs",
            "// A gain has no end: gains.\nconst MIN_GAINS: u8 = LEAST_COMMON;\n",
        ),
        ("nap-dsp/tests/all.rs", "fn known_sync_word() { print!(\"skirts\") }"),
        ("docs/index.md", "The `skirts` of a name in code, [a word](#skirts) that is known (](.\n"),
        ("target/debug/build.rs", "fn skirts() {}"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn old_words_are_found_in_names_whatever_their_case() {
    let found = findings(&[
        (
            "nap-dsp/src/lib.rs",
            "const SKIRT_POWER: f64 = 1.0;\nstruct LowSkirts;\nfn known_words_of() {}\n",
        ),
        (
            "nap-dsp/tests/all.rs",
            "const LEAST_POWER: f64 = 1.0;\nconst _LEAST: u8 = 0;\nconst STEPS_A_ROW: u8 = 1;\n",
        ),
        ("nap-phy/src/decoder/mod.rs", "fn of() { let gains = 1; }\n"),
    ]);
    assert_eq!(
        found,
        [
            "nap-dsp/src/lib.rs:1: `SKIRT_POWER` has an old word: spectral sidelobes",
            "nap-dsp/src/lib.rs:2: `LowSkirts` has an old word: spectral sidelobes",
            "nap-dsp/tests/all.rs:1: `LEAST_POWER` has an old word: MIN_",
            "nap-dsp/tests/all.rs:3: `STEPS_A_ROW` has an old word: _PER_",
            "nap-phy/src/decoder/mod.rs:1: `gains` has an old word: branch metrics",
        ]
    );
}

#[test]
fn old_words_are_found_in_comments_and_documents() {
    let found = findings(&[
        ("nap-dsp/src/lib.rs", "//! Skirts of a burst.\n\n/// The known\n/// word.\nfn of() {}\n"),
        ("README.md", "# What the\n\nA known word and its skirts.\n"),
    ]);
    assert_eq!(
        found,
        [
            "README.md:3: \"known word\" is an old word: sync word",
            "README.md:3: \"skirts\" is an old word: spectral sidelobes",
            "nap-dsp/src/lib.rs:1: \"skirts\" is an old word: spectral sidelobes",
        ]
    );
}

#[test]
fn constants_without_a_source_are_found_where_they_must_have_one() {
    let text = "const BARE: u8 = 1;\n\n/// Measured.\nconst TOLD: u8 = 2;\n";
    let list = "constants nap-dsp/src\n";
    let output = run(list, &[("nap-dsp/src/lib.rs", text), ("nap-io/src/lib.rs", text)]);
    let found = String::from_utf8(output.stdout).unwrap();
    let expected = "nap-dsp/src/lib.rs:1: `BARE` has no source: say above it where it comes from\n";
    assert_eq!(found, expected);
}

#[test]
fn a_list_that_cannot_be_read_is_refused_with_its_line() {
    for (list, expected) in [
        ("skirt\n", "line 1: skirt: there is no `>` with the new word"),
        ("\nskirt > sidelobe | nowhere\n", "not `nowhere`"),
    ] {
        let output = run(list, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(error.contains(expected), "{error}");
    }
    let output = run(LIST, &[("nap-dsp/src/lib.rs", "fn (")]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("nap-dsp/src/lib.rs is no Rust"));
}
