//! What a program has asked of the disk and the network, in order: the calls that strace has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls that matter.
const CALLS: &str = "openat,mkdir,mkdirat,lseek,write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,\
    rename,renameat,renameat2,unlink,unlinkat,link,linkat,copy_file_range,sendto,sendmsg";

/// The command under strace, which writes into `to`.
pub fn traced(command: &Command, to: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.args([
        "-f",
        "-y",
        "-a",
        "1",
        "-xx",
        "-s",
        "10000000",
        "-e",
        &format!("trace={CALLS}"),
        "-o",
    ]);
    traced.arg(to).arg(command.get_program()).args(command.get_args());
    traced
}

/// Something that a program did, once it had succeeded.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    MakeFolder(PathBuf),
    /// A file is there that was not.
    Create(PathBuf),
    Write {
        path: PathBuf,
        offset: usize,
        bytes: Vec<u8>,
    },
    SetLength {
        path: PathBuf,
        length: usize,
    },
    /// A file or folder is on the disk as it is now.
    Sync(PathBuf),
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove(PathBuf),
    /// Into the network.
    Send(Vec<u8>),
}

/// Reads what strace has written about calls below a folder, and into the network.
pub fn read(trace: &Path, below: &Path) -> Vec<Call> {
    let text = fs::read_to_string(trace).unwrap();
    let mut reader = Reader { below: below.to_owned(), ..Reader::default() };
    text.lines().for_each(|line| reader.line(line));
    reader.calls
}

#[derive(Default)]
struct Reader {
    below: PathBuf,
    calls: Vec<Call>,
    /// The beginnings of calls that others came between, by thread.
    unfinished: BTreeMap<String, String>,
    /// Where files are written next that are not told where, by descriptor.
    positions: BTreeMap<String, usize>,
    appended: BTreeSet<PathBuf>,
    lengths: BTreeMap<PathBuf, usize>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let (thread, line) = line.split_once(' ').unwrap();
        let line = line.trim_start();
        if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
            self.unfinished.insert(thread.to_owned(), begun.to_owned());
        } else if line.starts_with("<... ") {
            let begun = self.unfinished.remove(thread).unwrap();
            let (_, rest) = line.split_once("resumed>").unwrap();
            self.call(&format!("{begun}{rest}"));
        } else {
            self.call(line);
        }
    }

    fn call(&mut self, line: &str) {
        let Some((call, result)) = line.rsplit_once(") = ") else { return };
        let (name, arguments) = call.split_once('(').unwrap();
        if result.starts_with('-') || result.starts_with('?') {
            return;
        }
        let result = result.split([' ', '<']).next().unwrap();
        let arguments: Vec<&str> = arguments.trim_end().split(", ").collect();
        self.done(name, &arguments, result);
    }

    fn done(&mut self, name: &str, arguments: &[&str], result: &str) {
        match name {
            "openat" => self.open(arguments, result),
            "mkdir" => self.push(arguments[0], Call::MakeFolder),
            "mkdirat" => self.push(arguments[1], Call::MakeFolder),
            "unlink" => self.push(arguments[0], Call::Remove),
            "unlinkat" => self.push(arguments[1], Call::Remove),
            "rename" => self.rename(arguments[0], arguments[1]),
            "renameat" | "renameat2" => self.rename(arguments[1], arguments[3]),
            "fsync" | "fdatasync" => self.push(arguments[0], Call::Sync),
            "lseek" => drop(self.positions.insert(number(arguments[0]), result.parse().unwrap())),
            "ftruncate" => {
                let length = arguments[1].parse().unwrap();
                self.lengths.insert(path(arguments[0]), length);
                self.push(arguments[0], |path| Call::SetLength { path, length });
            }
            "pwrite64" => {
                let offset = arguments[3].parse().unwrap();
                self.write(arguments[0], offset, quoted(arguments[1]));
            }
            "write" | "sendto" if is_socket(arguments[0]) => self.send(quoted(arguments[1])),
            "writev" | "sendmsg" if is_socket(arguments[0]) => self.send(pieces(&arguments[1..])),
            "write" => self.write_next(arguments[0], quoted(arguments[1])),
            "writev" => self.write_next(arguments[0], pieces(&arguments[1..])),
            other => assert!(!self.is_below(&path(arguments[0])), "{other} is not known here"),
        }
    }

    fn is_below(&self, path: &Path) -> bool {
        path.starts_with(&self.below)
    }

    fn push(&mut self, named: &str, call: impl FnOnce(PathBuf) -> Call) {
        let path = path(named);
        if self.is_below(&path) {
            self.calls.push(call(path));
        }
    }

    fn open(&mut self, arguments: &[&str], descriptor: &str) {
        let (path, flags) = (path(arguments[1]), arguments[2]);
        self.positions.insert(descriptor.to_owned(), 0);
        if !self.is_below(&path) {
            return;
        }
        if flags.contains("O_CREAT") && !self.lengths.contains_key(&path) {
            self.lengths.insert(path.clone(), 0);
            self.calls.push(Call::Create(path.clone()));
        }
        if flags.contains("O_TRUNC") {
            self.lengths.insert(path.clone(), 0);
            self.calls.push(Call::SetLength { path: path.clone(), length: 0 });
        }
        if flags.contains("O_APPEND") {
            self.appended.insert(path);
        }
    }

    fn rename(&mut self, from: &str, to: &str) {
        let to = path(to);
        if let Some(length) = self.lengths.remove(&path(from)) {
            self.lengths.insert(to.clone(), length);
        }
        self.push(from, |from| Call::Rename { from, to });
    }

    fn write_next(&mut self, file: &str, bytes: Vec<u8>) {
        let path = path(file);
        let is_appended = self.appended.contains(&path);
        let end = self.lengths.get(&path).copied().unwrap_or(0);
        let position = self.positions.entry(number(file)).or_default();
        let offset = if is_appended { end } else { *position };
        *position = offset + bytes.len();
        self.write(file, offset, bytes);
    }

    /// What somebody else has made, as the log on standard error, is no part of the disk.
    fn write(&mut self, file: &str, offset: usize, bytes: Vec<u8>) {
        let Some(length) = self.lengths.get_mut(&path(file)) else { return };
        *length = (*length).max(offset + bytes.len());
        self.push(file, |path| Call::Write { path, offset, bytes });
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.calls.push(Call::Send(bytes));
    }
}

/// `7<path>`: the descriptor's number.
fn number(argument: &str) -> String {
    argument.split('<').next().unwrap().to_owned()
}

/// `7<path>` or `"path"`: the path, without what is said of files that have gone.
fn path(argument: &str) -> PathBuf {
    let inside = match argument.split_once('<') {
        Some((_, path)) => path.split('>').next().unwrap(),
        None => argument.trim_matches('"'),
    };
    PathBuf::from(String::from_utf8(bytes(inside)).unwrap())
}

fn is_socket(argument: &str) -> bool {
    path(argument).to_string_lossy().starts_with("socket:")
}

fn quoted(argument: &str) -> Vec<u8> {
    bytes(argument.trim_matches('"'))
}

/// All that is quoted in `[{iov_base="...", iov_len=2}, ...]`.
fn pieces(arguments: &[&str]) -> Vec<u8> {
    arguments.join(", ").split('"').skip(1).step_by(2).flat_map(bytes).collect()
}

/// `\x61\x62`.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).unwrap();
    text.split("\\x").skip(1).map(byte).collect()
}
