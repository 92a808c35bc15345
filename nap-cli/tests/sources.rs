//! Sources as they come: wrong flags, crystals that are off, empty pipes, mistaken formats, files that grow,
//! datagrams and ZeroMQ.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::live::{Listening, has_all};
use common::{cu8, exit_code, json_lines, nap, recording, stderr, stdout};
use nap_io::{OpenOptions, SampleFormat, StreamInfo};
use num_complex::Complex32;
use serde_json::Value;

const RAW: [&str; 6] =
    ["--sample-format", "cu8", "--sample-rate", "250k", "--center-frequency", "868.13M"];

fn run(arguments: &[&str]) -> Output {
    nap().args(arguments).output().unwrap()
}

/// A frame of 600 bit/s at 868.21 MHz, received with a radio at this centre and rate: its samples.
fn frame(folder: &Path, center_hz: f64, rate_hz: f64) -> Vec<Complex32> {
    let scene = format!(
        "sample_rate_hz = {rate_hz}\ncenter_hz = {center_hz}\nduration_s = 0.26\nseed = 3\n\
         radio_configuration = \"RC1\"\nfull_scale_dbm = -60\n\
         [[device]]\nid = \"FEDCBA98\"\nkey = \"0123456789ABCDEF0123456789ABCDEF\"\n\
         level_dbm = -90\nbit_rate = 600\n\
         [[device.message]]\ntime_s = 0.03\nsequence_number = 416\npayload = \"ab\"\nframes = 1\n\
         frequencies_hz = [868_210_000]\n"
    );
    let (path, out) = (folder.join("scene.toml"), folder.join("scene.sigmf-meta"));
    fs::write(&path, scene).unwrap();
    let output = run(&["simulate", path.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    samples(&out)
}

fn samples(file: &Path) -> Vec<Complex32> {
    let mut source = nap_io::open(file, &OpenOptions::default()).unwrap();
    let mut samples = vec![Complex32::ZERO; source.info().total_samples.unwrap() as usize];
    assert_eq!(source.read(&mut samples).unwrap(), samples.len());
    samples
}

/// Writes samples in a format under a name that may say another one.
fn write(file: PathBuf, format: SampleFormat, samples: &[Complex32]) -> PathBuf {
    let stored = file.with_extension("stored");
    let mut sink = nap_io::create(&stored, &StreamInfo::new(250e3, format)).unwrap();
    sink.write(samples).unwrap();
    sink.finish().unwrap();
    fs::rename(&stored, &file).unwrap();
    file
}

/// The frequency of the only message in lines of JSON, which is that of the scene's device.
fn only_frequency_hz(output: &Output) -> f64 {
    let messages = json_lines(&output.stdout);
    assert_eq!(messages.len(), 1, "{}", stderr(output));
    assert_eq!(messages[0]["device_id"], "FEDCBA98");
    messages[0]["frequency_hz"].as_f64().unwrap()
}

/// The findings of `nap doctor`, and its exit status.
fn examine(file: &Path, more: &[&str]) -> (i32, Vec<Value>) {
    let output = nap().arg("doctor").arg(file).arg("--json").args(more).output().unwrap();
    (exit_code(&output), json_lines(&output.stdout))
}

fn finding<'a>(findings: &'a [Value], subject: &str) -> Option<&'a Value> {
    findings.iter().find(|finding| finding["subject"] == subject)
}

#[test]
fn a_crystal_that_is_off_is_corrected_in_recordings() {
    let folder = tempfile::tempdir().unwrap();
    // The radio is 60 millionths too slow: it believes to be at 868.13 MHz and 300 kS/s.
    let true_to_told = 1.0 - 60e-6;
    let samples = frame(folder.path(), 868.13e6 * true_to_told, 300e3 * true_to_told);
    let file = write(folder.path().join("x_868.13M_300k.cu8"), SampleFormat::Cu8, &samples);
    let name = file.to_str().unwrap();
    // The device is beside the channel then; an image of it in the channel may be heard.
    for message in json_lines(&run(&["decode", name, "--format", "json"]).stdout) {
        let frequency_hz = message["frequency_hz"].as_f64().unwrap();
        assert!((frequency_hz - 868.21e6).abs() > 10e3, "{message}");
    }
    let ppm = ["--ppm", "-60.0", "--format", "json"];
    let output = run(&[&["decode", name], &ppm[..]].concat());
    let frequency_hz = only_frequency_hz(&output);
    assert!((frequency_hz - 868.21e6).abs() < 20.0, "{frequency_hz}");
    let output =
        run(&[&["listen", name, "--replay", "max", "--report", "first"], &ppm[..]].concat());
    assert_eq!(only_frequency_hz(&output), frequency_hz);
    // Raw samples through a pipe are no different.
    let flags = ["listen", "-", "--report", "first", "--sample-format", "cu8", "--sample-rate"];
    let output = nap()
        .args(flags)
        .args(["300k", "--center-frequency", "868.13M"])
        .args(ppm)
        .write_stdin(fs::read(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(only_frequency_hz(&output), frequency_hz);
    let (_, findings) = examine(&file, &["--ppm", "-60"]);
    assert_eq!(finding(&findings, "heard").unwrap()["text"], "1 message, 1 frame");
    let picture = folder.path().join("x.png");
    let output = run(&["waterfall", name, "-o", picture.to_str().unwrap(), "--ppm", "-60"]);
    assert!(stderr(&output).contains("1 message, 1 frame decoded"), "{}", stderr(&output));
    let output = run(&["decode", name, "--ppm", "60000"]);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("not the error of a crystal"), "{}", stderr(&output));
}

#[test]
fn an_empty_pipe_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("x.png");
    let output = ["-o", picture.to_str().unwrap()];
    for (command, more) in
        [("decode", &[][..]), ("listen", &[]), ("doctor", &[]), ("waterfall", &output)]
    {
        let output = nap().args([command, "-"]).args(more).args(RAW).write_stdin("").output();
        let output = output.unwrap();
        assert_eq!(exit_code(&output), 1, "{command}: {}", stderr(&output));
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert!(said.contains("no samples came; did the program before the pipe"), "{said}");
        for nothing in ["dBFS", "trying again", "cable", "0 messages"] {
            assert!(!said.contains(nothing), "{command}: {said}");
        }
    }
}

#[test]
fn flags_without_effect_are_refused() {
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let file = file.to_str().unwrap();
    let refused = |arguments: &[&str], expected: &str| {
        let output = run(arguments);
        assert_eq!(exit_code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    };
    let radio = ["--gain", "3", "--antenna", "A", "--bandwidth", "1M", "--setting", "a=b"];
    for command in ["listen", "doctor"] {
        let more = ["--bias-tee", "--radio-channel", "0"];
        refused(
            &[&[command, file], &radio[..], &more[..]].concat(),
            "--gain, --antenna, --bandwidth, --bias-tee, --radio-channel, --setting: without effect on a \
             recording",
        );
        let tcp = [&[command, "tcp://127.0.0.1:9"], &RAW[..], &radio[..2]].concat();
        refused(&tcp, "--gain: without effect on a stream of raw samples");
        let rtl_tcp = [&[command, "rtl_tcp://127.0.0.1:9"], &radio[..]].concat();
        refused(&rtl_tcp, "--antenna, --bandwidth, --setting: without effect on an rtl_tcp server");
        let pipe = [&[command, "-", "--replay", "3"], &RAW[..]].concat();
        refused(&pipe, "--replay: without effect on a pipe");
        let udp = [&[command, "udp://127.0.0.1:0", "--follow"], &RAW[..]].concat();
        refused(&udp, "--follow: without effect");
    }
    refused(&["listen", file, "--datagram-header", "4"], "--datagram-header: without effect");
    refused(&["listen", file, "--on-error", "restart"], "--on-error restart");
    let rtl_tcp = ["listen", "rtl_tcp://127.0.0.1:9", "--sample-format", "cs8"];
    refused(&rtl_tcp, "--sample-format: without effect");
    let waterfall = ["waterfall", file, "-o", "x.png", "--no-decode", "--devices", "x.csv"];
    refused(&waterfall, "cannot be used with");
}

#[test]
fn what_can_never_work_ends_at_once() {
    let start = Instant::now();
    // Nobody has to be there for that to be known.
    for (flags, expected) in [
        (["--sample-rate", "500k"], "an RTL-SDR has no sample rate of 500000"),
        (["--center-frequency", "6G"], "no tuner of an RTL-SDR reaches 6000.000000 MHz"),
    ] {
        for command in ["listen", "doctor"] {
            let output = run(&[&[command, "rtl_tcp://127.0.0.1:9"], &flags[..]].concat());
            assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
            assert!(stderr(&output).contains(expected), "{}", stderr(&output));
            assert!(!stderr(&output).contains("trying again"), "{}", stderr(&output));
        }
    }
    for source in ["rtl_tcp:127.0.0.1:9", "rtl_tcp=127.0.0.1:9"] {
        let output = run(&["listen", source]);
        assert_eq!(exit_code(&output), 2);
        let expected = "did you mean rtl_tcp://127.0.0.1:9?";
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = run(&["listen", "driver=rtlsdr"]);
    assert!(stderr(&output).contains("did you mean --radio driver=rtlsdr?"), "{}", stderr(&output));
    let output = run(&["decode", "rtl_tcp://127.0.0.1:9"]);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("`nap listen` takes sources"), "{}", stderr(&output));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn nobody_there_is_said_in_words() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let source = format!("rtl_tcp://127.0.0.1:{port}");
    let output = run(&["listen", &source, "--on-error", "quit"]);
    assert_eq!(exit_code(&output), 1);
    assert!(stderr(&output).contains("does the server run"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("os error"), "{}", stderr(&output));
    let output = run(&["doctor", &source]);
    assert!(stdout(&output).contains("look at the program that sends"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("cable"), "{}", stdout(&output));
}

#[test]
fn mistaken_formats_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let samples = frame(folder.path(), 868.13e6, 200e3);
    let louder: Vec<_> = samples.iter().map(|sample| sample * 32_768.0).collect();
    for (name, stored, samples, expected) in [
        (
            "a_868.13M_200k.cu8",
            SampleFormat::Cs8,
            &samples,
            "signed bytes read as unsigned? try cs8",
        ),
        (
            "b_868.13M_200k.cs8",
            SampleFormat::Cu8,
            &samples,
            "unsigned bytes read as signed? try cu8",
        ),
        ("c_868.13M_200k.cf32", SampleFormat::Cf32Le, &louder, "not scaled to 1.0?"),
        ("d_868.13M_200k.cs16", SampleFormat::Cf32Le, &samples, "try cf32"),
        (
            "e_868.13M_200k.cs16",
            SampleFormat::Cs16Be,
            &samples,
            "bytes of each number swapped? try cs16_be",
        ),
    ] {
        let file = write(folder.path().join(name), stored, samples);
        let output = run(&["decode", file.to_str().unwrap()]);
        assert!(stderr(&output).contains(expected), "{name}: {}", stderr(&output));
        let (code, findings) = examine(&file, &[]);
        let found = finding(&findings, "sample format").unwrap_or_else(|| panic!("{findings:?}"));
        assert!(found["text"].as_str().unwrap().contains(expected), "{name}: {found}");
        assert_eq!((code, found["verdict"].as_str()), (1, Some("bad")));
        assert_eq!(finding(&findings, "clipping"), None, "{name}");
    }
    let right = write(folder.path().join("f_868.13M_200k.cs16"), SampleFormat::Cs16Le, &samples);
    let (_, findings) = examine(&right, &[]);
    assert_eq!(finding(&findings, "sample format"), None);
    assert_eq!(finding(&findings, "lost samples"), None, "nobody knows of a recording");
}

#[test]
fn what_was_assumed_is_told_where_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let noise: Vec<_> = (0..25_000)
        .map(|n: i64| {
            Complex32::new((n * 7919 % 101) as f32 - 50.0, (n * 104_729 % 97) as f32 - 48.0)
        })
        .map(|sample| sample / 5000.0)
        .collect();
    let file = write(folder.path().join("x_868.13M_250k.cs16"), SampleFormat::Cs16Le, &noise);
    let output = run(&["decode", file.to_str().unwrap()]);
    assert_eq!(exit_code(&output), 0);
    let said = stderr(&output);
    let line =
        said.lines().find(|line| line.contains("no messages")).unwrap_or_else(|| panic!("{said}"));
    for part in [
        "read as cs16, 250 kS/s, centre 868.130000 MHz; listened to RC1 around 868.130000 MHz at",
        "; 0.10 s, -4",
        "too short for a frame, which takes",
    ] {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
    let (_, findings) = examine(&file, &[]);
    let length = finding(&findings, "length").unwrap();
    assert!(length["text"].as_str().unwrap().contains("too short for a frame"), "{length}");
    // Who has found something needs no such line.
    let found = run(&["decode", recording("rc2_minus112dbm").to_str().unwrap()]);
    assert!(!stderr(&found).contains("read as"), "{}", stderr(&found));
}

#[test]
fn a_file_that_grows_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x_868.13M_250k.cu8");
    let mut file = File::create(&path).unwrap();
    let mut listening = Listening::start(&[path.to_str().unwrap(), "--follow"]);
    let bytes = cu8();
    let (first, rest) = bytes.split_at(bytes.len() / 3 + 1);
    file.write_all(first).unwrap();
    assert!(listening.watch_until(Duration::from_secs(10), |l| l.when_said("MS/s").is_some()));
    listening.watch(Duration::from_millis(500));
    assert!(!has_all(&listening), "the second device has not sent yet");
    file.write_all(rest).unwrap();
    assert!(listening.watch_until(Duration::from_secs(20), has_all), "{}", listening.story());
    // It goes on until somebody ends it.
    assert!(listening.end("INT").success());
    let output = run(&["listen", "nothing_868M_250k.cu8", "--follow"]);
    assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
}

/// Sends `rc1_two_uplinks` in datagrams of this size at four times its speed, each after what `head` says of
/// its number.
fn send_datagrams(port: u16, size: usize, head: impl Fn(u32) -> Vec<u8>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    for (number, piece) in cu8().chunks(size).enumerate() {
        let due = Duration::from_secs_f64((number + 1) as f64 * size as f64 / 2e6);
        thread::sleep(due.saturating_sub(started.elapsed()));
        let datagram = [head(number as u32).as_slice(), piece].concat();
        // Nobody listens any more.
        if socket.send_to(&datagram, ("127.0.0.1", port)).is_err() {
            return;
        }
    }
}

fn listen_to_datagrams(more: &[&str]) -> (Listening, u16) {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let source = format!("udp://127.0.0.1:{port}");
    let mut listening =
        Listening::start(&[&[source.as_str(), "--replay", "4"], &RAW[..], more].concat());
    listening.watch_until(Duration::from_secs(5), |l| l.when_said("MS/s").is_some());
    (listening, port)
}

#[test]
fn datagrams_may_tear_samples_and_count_themselves() {
    // An odd number of bytes: every other datagram begins in the middle of a sample.
    let (mut listening, port) = listen_to_datagrams(&["--datagram-header", "8"]);
    send_datagrams(port, 4001, |number| u64::from(number).to_be_bytes().to_vec());
    assert!(listening.watch_until(Duration::from_secs(5), has_all), "{}", listening.story());
    assert!(listening.end("TERM").success());
    // Who does not know of the number is told.
    let (mut listening, port) = listen_to_datagrams(&[]);
    send_datagrams(port, 4000, |number| number.to_le_bytes().to_vec());
    assert_eq!(listening.wait().code(), Some(2), "{}", listening.story());
    assert!(listening.story().contains("--datagram-header 4"), "{}", listening.story());
}

/// A flow graph of GNU Radio that sends `rc1_two_uplinks` when it is told to.
fn gnu_radio(sink: &str, port: u16, samples: &Path) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gnu_radio_sink.py");
    Command::new("/usr/bin/python3")
        .args([script, sink, &port.to_string()])
        .arg(samples)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn through_gnu_radio() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(&recording("rc1_two_uplinks.sigmf-meta"));
    let file = write(folder.path().join("x.cf32"), SampleFormat::Cf32Le, &samples);
    for sink in ["pub_sink", "push_sink"] {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut sender = gnu_radio(sink, port, &file);
        let source = format!("zmq://127.0.0.1:{port}");
        let flags = ["--sample-rate", "250k", "--center-frequency", "868.13M", "--replay", "4"];
        let mut listening = Listening::start(&[&[source.as_str()], &flags[..]].concat());
        let is_open = |l: &Listening| l.when_said("MS/s").is_some();
        assert!(listening.watch_until(Duration::from_secs(30), is_open), "{}", listening.story());
        // A subscription takes a moment.
        thread::sleep(Duration::from_millis(300));
        let mut stdin = sender.stdin.take().unwrap();
        stdin.write_all(b"go\n").unwrap();
        let heard = listening.watch_until(Duration::from_secs(20), has_all);
        assert!(heard, "{sink}: {}", listening.story());
        assert!(listening.end("TERM").success());
        drop(stdin);
        drop(sender.kill());
        drop(sender.wait());
    }
}
