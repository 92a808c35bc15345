//! What is installed beside the program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_program_its_completions_and_its_manual_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    // A prefix with a space in it, which need not be there.
    let prefix = folder.path().join("a prefix");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install");
    let installed = Command::new(script).arg(&prefix).arg(env!("CARGO_BIN_EXE_nap")).output();
    let installed = installed.unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    for (file, word) in [
        ("share/bash-completion/completions/nap", "complete -F"),
        ("share/zsh/site-functions/_nap", "#compdef nap"),
        ("share/fish/vendor_completions.d/nap.fish", "complete -c nap"),
        ("share/man/man1/nap.1", ".TH nap 1"),
        ("share/man/man1/nap-decode.1", "Recordings to messages"),
        ("share/man/man1/nap-decode.1", ".SH EXAMPLES\n.nf\nnap decode capture.sigmf"),
    ] {
        let text = fs::read_to_string(prefix.join(file)).unwrap();
        assert!(text.contains(word), "{file}: {text}");
    }
    let version = Command::new(prefix.join("bin/nap")).arg("--version").output().unwrap();
    assert!(version.stdout.starts_with(b"nap "), "{version:?}");
}
