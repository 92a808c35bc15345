//! C and C++ programs that use the library, built with all warnings and with what watches memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nap_io::{OpenOptions, SampleFormat, SampleSource};
use nap_phy::{Content, Event, Level, Message, Receiver, ReceiverConfig};
use num_complex::Complex32;
use tempfile::TempDir;

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const WATCHED: [&str; 3] = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where Cargo has built the libraries: beside this program.
fn built() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// What the command prints, which has to succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The library as it is installed.
struct Installed {
    folder: TempDir,
}

impl Installed {
    fn new() -> Self {
        // Where people put it there may be a blank.
        let folder = tempfile::Builder::new().prefix("nap c ").tempdir().unwrap();
        output(Command::new(here("install")).arg(folder.path().join("usr")).arg(built()));
        Self { folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// What pkg-config says of the library. It quotes for a shell, which is asked for the words.
    fn flags(&self, arguments: &[&str]) -> Vec<String> {
        let words = r#"flags=$(pkg-config "$@") && eval "printf '%s\n' $flags""#;
        let text = output(
            Command::new("sh")
                .env("PKG_CONFIG_PATH", self.path("usr/lib/pkgconfig"))
                .args(["-c", words, "sh"])
                .args(arguments)
                .arg("nap"),
        );
        text.lines().map(str::to_owned).collect()
    }

    /// Builds a program with the static library.
    fn build_static(&self, source: &str, options: &[&str]) -> PathBuf {
        // Both libraries lie in one folder, where the linker would take the other one.
        let archive = self.path("usr/lib/libnap.a").display().to_string();
        let libraries = self.flags(&["--libs", "--static"]);
        let libraries = libraries.into_iter().map(|library| match library.as_str() {
            "-lnap" => archive.clone(),
            _ => library,
        });
        self.build(source, options, libraries.collect())
    }

    fn build_shared(&self, source: &str, options: &[&str]) -> PathBuf {
        self.build(source, options, self.flags(&["--libs"]))
    }

    fn build(&self, source: &str, options: &[&str], libraries: Vec<String>) -> PathBuf {
        let source = here(source);
        let is_cpp = source.extension().is_some_and(|extension| extension == "cpp");
        let (compiler, standard) = if is_cpp { ("g++", "-std=c++17") } else { ("gcc", "-std=c11") };
        let program = self.path("program");
        output(
            Command::new(compiler)
                .args([standard, "-O1"])
                .args(STRICT)
                .args(options)
                .args(self.flags(&["--cflags"]))
                .arg(&source)
                .arg("-o")
                .arg(&program)
                .args(libraries)
                .args(["-lm", "-lpthread"]),
        );
        program
    }

    /// Runs a program with the shared library.
    fn run_shared(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", self.path("usr/lib"));
        command
    }
}

/// A recording of the fixtures, as whoever reads it has it.
struct Recording {
    samples: Vec<Complex32>,
    data: PathBuf,
    sample_rate_hz: f64,
    center_hz: f64,
    format: SampleFormat,
}

impl Recording {
    fn open(name: &str) -> Self {
        let path = here(&format!("../fixtures/recordings/{name}.sigmf-meta"));
        let mut source = nap_io::open(&path, &OpenOptions::default()).unwrap();
        let info = source.info().clone();
        let mut samples = vec![Complex32::ZERO; info.total_samples.unwrap() as usize];
        let mut count = 0;
        while count < samples.len() {
            count += source.read(&mut samples[count..]).unwrap();
        }
        Self {
            samples,
            data: path.with_extension("sigmf-data"),
            sample_rate_hz: info.sample_rate_hz,
            center_hz: info.center_hz.unwrap(),
            format: info.format,
        }
    }

    /// All recordings of the fixtures, in formats that C reads.
    fn fixtures(folder: &Path) -> Vec<Self> {
        let files = fs::read_dir(here("../fixtures/recordings")).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let metas = paths.filter(|path| path.extension().is_some_and(|kind| kind == "sigmf-meta"));
        let mut names: Vec<_> = metas.map(|path| path.file_stem().unwrap().to_owned()).collect();
        names.sort();
        let recordings = names.iter().map(|name| Self::open(name.to_str().unwrap()));
        recordings
            .map(|recording| match recording.format {
                SampleFormat::Cs16Be => recording.into_format(SampleFormat::Cs16Le, folder),
                _ => recording,
            })
            .collect()
    }

    /// The same in unsigned bytes, in a file.
    fn into_cu8(mut self, folder: &Path) -> Self {
        // Loud enough for so few steps.
        let peak = self.samples.iter().map(|sample| sample.norm()).fold(0.0, f32::max);
        self.samples.iter_mut().for_each(|sample| *sample *= 0.9 / peak);
        self.into_format(SampleFormat::Cu8, folder)
    }

    /// The same in another format, in a file.
    fn into_format(mut self, format: SampleFormat, folder: &Path) -> Self {
        let mut bytes = Vec::new();
        nap_io::convert::encode(format, &self.samples, &mut bytes);
        nap_io::convert::decode(format, &bytes, &mut self.samples);
        self.data = folder.join(self.data.with_extension("samples").file_name().unwrap());
        fs::write(&self.data, bytes).unwrap();
        self.format = format;
        self
    }

    fn arguments(&self) -> [String; 3] {
        [
            self.data.display().to_string(),
            self.sample_rate_hz.to_string(),
            self.center_hz.to_string(),
        ]
    }

    fn format(&self) -> &'static str {
        match self.format {
            SampleFormat::Cu8 => "cu8",
            SampleFormat::Cs8 => "cs8",
            SampleFormat::Cs16Le => "cs16",
            SampleFormat::Cf32Le => "cf32",
            other => panic!("the example does not read {other:?}"),
        }
    }

    /// What the receiver makes of it, as `nap decode` uses it.
    fn messages(&self) -> Vec<Message> {
        let config = ReceiverConfig::new(self.sample_rate_hz, self.center_hz);
        let mut receiver = Receiver::new(config).unwrap();
        let mut events = receiver.push(&self.samples);
        events.extend(receiver.flush());
        events.into_iter().filter_map(Event::complete).collect()
    }
}

/// A message as the C example prints it.
fn line(message: &Message) -> String {
    let (uplink, signal) = (&message.uplink, &message.signal);
    let content = match uplink.content() {
        Content::Bytes(payload) => payload.to_string(),
        Content::Control(control) => {
            let telemetry = control.telemetry();
            let temperature_c = f64::from(telemetry.temperature_decidegree_c) / 10.0;
            let (idle_mv, tx_mv) = (telemetry.voltage_idle_mv, telemetry.voltage_tx_mv);
            format!("{idle_mv} mV {tx_mv} mV {temperature_c:.1} C")
        }
        _ => String::new(),
    };
    let unit = if matches!(signal.level, Level::Dbm(_)) { "dBm" } else { "dBFS" };
    format!(
        "{:.6} {} #{} {} {content} {:.1} Hz {:.1} {unit} Eb/N0 {:.1} dB, {} frames\n",
        signal.time_s,
        uplink.device_id(),
        uplink.sequence_number().value(),
        uplink.content().kind(),
        signal.frequency_hz,
        signal.level.value(),
        signal.snr_db,
        message.frames.len()
    )
}

#[test]
fn the_messages_of_every_fixture_come_out_from_c() {
    let installed = Installed::new();
    let program = installed.build_static("examples/decode_file.c", &WATCHED);
    let folder = tempfile::tempdir().unwrap();
    let mut recordings = Recording::fixtures(folder.path());
    recordings.push(Recording::open("rc1_two_uplinks").into_cu8(folder.path()));
    let mut without_messages = Vec::new();
    for recording in &recordings {
        let found =
            output(Command::new(&program).args(recording.arguments()).arg(recording.format()));
        let expected: String = recording.messages().iter().map(line).collect();
        assert_eq!(found, expected, "{}", recording.data.display());
        if expected.is_empty() {
            without_messages.push(recording.data.file_stem().unwrap().to_owned());
        }
    }
    // Two hundred samples of another program.
    assert_eq!(without_messages, ["sigmf_python_ci16_be"]);
}

/// The program that the documentation begins with, as it stands there.
#[test]
fn the_first_program_of_the_documentation_works_from_c() {
    let page = fs::read_to_string(here("../docs/firmware.md")).unwrap();
    let program = page.split("```c\n").nth(1).unwrap().split("```").next().unwrap();
    let installed = Installed::new();
    let source = installed.path("first.c");
    fs::write(&source, program).unwrap();
    let program = installed.build_static(source.to_str().unwrap(), &WATCHED);
    let recording = Recording::open("rc1_two_uplinks").into_cu8(installed.folder.path());
    let samples = fs::File::open(&recording.data).unwrap();
    let found = output(Command::new(program).stdin(samples));
    let expected: String = recording.messages().iter().map(first_line).collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
}

/// A message as that program prints it.
fn first_line(message: &Message) -> String {
    let uplink = &message.uplink;
    let number = uplink.sequence_number().value();
    format!("{} #{number} {}\n", uplink.device_id(), uplink.content().kind())
}

#[test]
fn a_program_without_any_shared_library_can_be_built() {
    let installed = Installed::new();
    let libraries = installed.flags(&["--libs", "--static"]);
    let program = installed.build("tests/round_trip.c", &["-static"], libraries);
    output(&mut Command::new(program));
}

#[test]
fn a_packager_gathers_below_a_folder_what_is_found_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    output(Command::new(here("install")).arg("/opt/a prefix").arg(built()).arg(folder.path()));
    let installed = folder.path().join("opt/a prefix");
    let description = fs::read_to_string(installed.join("lib/pkgconfig/nap.pc")).unwrap();
    assert!(description.starts_with("prefix=/opt/a prefix\n"), "{description}");
    for file in ["include/nap.h", "include/nap.hpp", "lib/libnap.a", "lib/libnap.so"] {
        assert!(installed.join(file).exists(), "{file}");
    }
}

#[test]
fn a_ring_buffer_loses_nothing_from_cpp() {
    let installed = Installed::new();
    let program = installed.build_static("examples/ring_buffer.cpp", &WATCHED);
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::open("rc1_two_uplinks").into_cu8(folder.path());
    let found = output(Command::new(program).args(recording.arguments()));
    let mut expected = String::new();
    for message in recording.messages() {
        let uplink = &message.uplink;
        expected += &format!(
            "{:.6} {} #{} {}, {} frames\n",
            message.signal.time_s,
            uplink.device_id(),
            uplink.sequence_number().value(),
            uplink.content().kind(),
            message.frames.len()
        );
    }
    assert_eq!(found, expected + "lost_samples 0\n");
}

/// With what the tests of the library have besides.
fn hooks() -> Vec<&'static str> {
    if cfg!(feature = "test-hooks") { vec!["-DNAP_TEST_HOOKS"] } else { Vec::new() }
}

#[test]
fn the_calls_keep_their_promises_from_c() {
    let installed = Installed::new();
    let options = [&WATCHED[..], &hooks()].concat();
    // So many receivers as there can be are left to the other one: what watches memory takes its time.
    output(Command::new(installed.build_static("tests/api.c", &options)).arg("few"));
}

#[test]
fn the_shared_library_keeps_them_from_c_too() {
    let installed = Installed::new();
    let program = installed.build_shared("tests/api.c", &hooks());
    output(&mut installed.run_shared(&program));
}

/// A quiet channel of 192 kHz.
#[cfg(feature = "pool")]
#[test]
fn all_memory_comes_from_the_pool_from_c() {
    const MAX_BYTES: u64 = 16_000_000;
    let installed = Installed::new();
    let options = [&WATCHED[..], &["-DNAP_POOL"]].concat();
    let program = installed.build_static("tests/pool.c", &options);
    let peak_bytes: u64 = output(&mut Command::new(program)).trim().parse().unwrap();
    assert!(peak_bytes <= MAX_BYTES, "{peak_bytes} bytes");
}

/// A thread's stack of 128 kB does, and with the pool nothing else is asked for memory.
#[test]
fn stack_and_pool_do_for_a_recording_from_c() {
    const MAX_STACK_BYTES: u64 = 128 << 10;
    let installed = Installed::new();
    let has_pool = cfg!(feature = "pool");
    let options = if has_pool { &["-DNAP_POOL"][..] } else { &[] };
    let program = installed.build_static("tests/measure.c", options);
    let recording = Recording::open("rc1_two_uplinks");
    let [_, rate_hz, center_hz] = recording.arguments();
    let pool_bytes = if has_pool { "50000000" } else { "0" };
    let samples = fs::File::open(&recording.data).unwrap();
    let mut command = Command::new(program);
    let found = output(command.args([&rate_hz, &center_hz, pool_bytes]).stdin(samples));
    println!("{found}");
    let words: Vec<Vec<&str>> = found.lines().map(|line| line.split(' ').collect()).collect();
    let of = |first: &str| words.iter().find(|line| line[0] == first).unwrap();
    assert!(of("stack:")[1].parse::<u64>().unwrap() <= MAX_STACK_BYTES, "{found}");
    assert!(found.contains(&format!(", {} messages", recording.messages().len())), "{found}");
    if has_pool {
        assert!(of("ended:")[1].parse::<f64>().unwrap() <= 20.0, "{found}");
        assert!(found.matches(", 0 times the system was asked").count() == 2, "{found}");
    }
}

/// Runs a program of the tests under valgrind, which has to be silent.
fn is_clean(source: &str, arguments: &[&str]) {
    let installed = Installed::new();
    let program = installed.build_shared(source, &["-g"]);
    let mut command = installed.run_shared(Path::new("valgrind"));
    let checks = ["--quiet", "--error-exitcode=9", "--leak-check=full"];
    command.args(checks).args(["--errors-for-leak-kinds=definite"]).arg(program).args(arguments);
    output(&mut command);
}

#[test]
fn no_unset_byte_is_used_from_c_under_valgrind() {
    is_clean("tests/api.c", &["few"]);
}

#[test]
fn no_unset_byte_decides_what_a_frame_says_under_valgrind() {
    is_clean("tests/round_trip.c", &[]);
}

#[test]
fn a_frame_that_was_encoded_comes_back_from_samples_in_c() {
    let installed = Installed::new();
    output(&mut Command::new(installed.build_static("tests/round_trip.c", &WATCHED)));
}
