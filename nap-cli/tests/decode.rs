//! `nap decode` against recordings that others made, in every way of giving them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::Path;

use common::{devices_csv, exit_code, json_lines, nap, recording, stderr, stdout, truth};
use nap_io::{OpenOptions, SampleFormat, StreamInfo};
use num_complex::Complex32;
use serde_json::{Value, json};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected}");
}

/// Preamble, frame type and container of a payload, and the reference symbol, in symbols.
fn symbols(payload_bytes: usize) -> f64 {
    let container_bits = match payload_bytes {
        5..=8 => 176,
        9..=12 => 208,
        _ => panic!("not in these recordings"),
    };
    f64::from(container_bits + 1)
}

/// Checks messages against what was sent.
fn check(messages: &[Value], truth: &Value) {
    let sent = truth["messages"].as_array().unwrap();
    assert_eq!(messages.len(), sent.len());
    for sent in sent {
        let found = messages.iter().find(|m| m["device_id"] == sent["device_id"]).unwrap();
        assert_eq!((&found["type"], &found["schema"]), (&json!("message"), &json!(1)));
        assert_eq!(found["auth"], "verified");
        for field in ["kind", "payload", "sequence_number", "bidirectional", "bit_rate"] {
            assert_eq!(found[field], sent[field], "{field}");
        }
        let frames = found["frames"].as_array().unwrap();
        assert_eq!(frames.len(), 3);
        assert_eq!(found["time_s"], frames[0]["time_s"]);
        for (frame, sent_frame) in frames.iter().zip(sent["frames"].as_array().unwrap()) {
            check_frame(frame, sent_frame, sent, truth);
        }
    }
}

fn check_frame(frame: &Value, sent: &Value, message: &Value, truth: &Value) {
    let bit_rate = number(&message["bit_rate"]);
    assert_eq!((&frame["rank"], &frame["crc_ok"]), (&sent["rank"], &json!(true)));
    assert_near(number(&frame["time_s"]), number(&sent["time_s"]), 1.0 / bit_rate, "time");
    // The truth has the frequency at the start of the frame, the record that in the middle.
    let duration_s = symbols(message["payload"].as_str().unwrap().len() / 2) / bit_rate;
    let drift_hz = number(&sent["drift_hz_per_s"]) * duration_s / 2.0;
    let frequency_hz = number(&sent["frequency_hz"]) + drift_hz;
    assert_near(number(&frame["frequency_hz"]), frequency_hz, 3.0, "frequency");
    assert_near(number(&frame["rssi_dbm"]), number(&sent["dbm"]), 1.0, "level");
    let noise_dbm = -174.0 + number(&truth["noise_figure_db"]) + 10.0 * bit_rate.log10();
    assert_near(number(&frame["snr_db"]), number(&sent["dbm"]) - noise_dbm, 1.5, "SNR");
}

/// Decodes a file and returns its messages.
fn decode(file: &Path, truth: &Value, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    fs::write(&devices, devices_csv(truth["messages"].as_array().unwrap())).unwrap();
    let output = nap()
        .arg("decode")
        .arg(file)
        .args(["--format", "json", "--full-scale-dbm", &truth["full_scale_dbm"].to_string()])
        .arg("--devices")
        .arg(devices)
        .args(more)
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    json_lines(&output.stdout)
}

/// The samples of a recording, and what is known about it.
fn samples(file: &Path) -> (StreamInfo, Vec<Complex32>) {
    let mut source = nap_io::open(file, &OpenOptions::default()).unwrap();
    let info = source.info().clone();
    let mut samples = vec![Complex32::ZERO; info.total_samples.unwrap() as usize];
    assert_eq!(source.read(&mut samples).unwrap(), samples.len());
    (info, samples)
}

/// Writes samples where and how the name and the format say.
fn write(file: &Path, info: &StreamInfo, samples: &[Complex32]) {
    let mut sink = nap_io::create(file, info).unwrap();
    sink.write(samples).unwrap();
    sink.finish().unwrap();
}

/// Replaces measured figures: they are checked against the truth, and change in their last digits
/// whenever the receiver gets better.
fn without_figures(text: &str, replace: impl Fn(&str) -> String) -> String {
    let is_figure = |c: char| c.is_ascii_digit() || ".+-".contains(c);
    let mut rest = text;
    let mut result = String::new();
    while let Some(start) = rest.find(is_figure) {
        let (before, figure) = rest.split_at(start);
        let (figure, after) =
            figure.split_at(figure.find(|c| !is_figure(c)).unwrap_or(figure.len()));
        result += before;
        result += &if figure.contains('.') { replace(figure) } else { figure.to_owned() };
        rest = after;
    }
    result + rest
}

/// Keeps the places of the digits, for aligned text.
fn keep_width(figure: &str) -> String {
    figure.replace(|c: char| c != '.', "_")
}

#[test]
fn two_devices_at_100_bit_per_s() {
    let truth = truth("rc1_two_uplinks");
    let messages = decode(&recording("rc1_two_uplinks.sigmf-meta"), &truth, &[]);
    check(&messages, &truth);
    assert!(messages.iter().all(|m| m["radio_configuration"] == "RC1" && m["time"].is_null()));
}

#[test]
fn two_devices_at_600_bit_per_s_and_minus_112_dbm() {
    let truth = truth("rc2_minus112dbm");
    let messages = decode(&recording("rc2_minus112dbm.sigmf-data"), &truth, &[]);
    check(&messages, &truth);
    assert!(messages.iter().all(|m| m["radio_configuration"] == "RC2"));
}

#[test]
fn every_format_for_people_and_programs() {
    let decode = |format: &str, more: &[&str]| {
        let file = recording("rc1_two_uplinks.sigmf-meta");
        let output =
            nap().arg("decode").arg(file).args(["--format", format]).args(more).output().unwrap();
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        stdout(&output).to_owned()
    };
    insta::assert_snapshot!("decode_log", without_figures(&decode("log", &[]), keep_width));
    let figure = |_: &str| "_._".to_owned();
    let csv = decode("csv", &["--full-scale-dbm", "-60"]);
    insta::assert_snapshot!("decode_csv", without_figures(&csv, figure));
    let json = decode("json", &["--full-scale-dbm=-60"]);
    insta::assert_snapshot!("decode_json", without_figures(&json, figure));
}

#[test]
fn names_of_devices_and_a_start_time_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (mut info, samples) = samples(&recording("rc1_two_uplinks.sigmf-meta"));
    info.start = Some("2026-11-23T06:16:00Z".parse().unwrap());
    let file = folder.path().join("timed.sigmf-meta");
    write(&file, &info, &samples[..4 * 250_000]);
    let devices = folder.path().join("devices.csv");
    let key = "f03e0fbeffb5e9f3605716a994bf5422";
    let wrong = "00000000000000000000000000000000";
    let table = format!("device_id,key,name\n38DFD2F3,{key},gate\u{1b}[2J\n258E05CA,{wrong},\n");
    fs::write(&devices, table).unwrap();
    let output = nap().arg("decode").arg(file).arg("--devices").arg(devices).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    insta::assert_snapshot!("decode_log_with_names", without_figures(stdout(&output), keep_width));
}

#[test]
fn raw_samples_through_a_pipe() {
    let truth = truth("rc2_minus112dbm");
    let bytes = fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap();
    let decode = |flags: &[&str]| {
        let output = nap()
            .args(["decode", "-", "--sample-format", "cs8", "--sample-rate", "250k"])
            .args(["--format", "json"])
            .args(flags)
            .write_stdin(bytes.clone())
            .output()
            .unwrap();
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        (json_lines(&output.stdout), stderr(&output).to_owned())
    };
    let (messages, _) = decode(&["--center-frequency", "902.2M"]);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["radio_configuration"], "RC2");
    let (relative, notes) = decode(&[]);
    assert!(notes.contains("the centre frequency is not known"), "{notes}");
    for (message, relative) in messages.iter().zip(&relative) {
        assert_eq!(relative["payload"], message["payload"]);
        assert_eq!(relative["radio_configuration"], Value::Null);
        for rank in 0..3 {
            let [absolute, relative] = [message, relative].map(|m| &m["frames"][rank]);
            let offset_hz = number(&absolute["frequency_hz"]) - number(&truth["center_hz"]);
            assert_near(number(&relative["frequency_hz"]), offset_hz, 0.11, "frequency");
        }
    }
}

#[test]
fn wav_and_raw_files_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let truth = truth("rc2_minus112dbm");
    let (mut info, samples) = samples(&recording("rc2_minus112dbm.sigmf-meta"));
    for (name, format) in [
        ("plain.wav", SampleFormat::Cs16Le),
        ("g001_902.2M_250k.cu8", SampleFormat::Cu8),
        ("g002_902.2M_250k.cf32", SampleFormat::Cf32Le),
    ] {
        let file = folder.path().join(name);
        info.format = format;
        write(&file, &info, &samples);
        check(&decode(&file, &truth, &["--center-frequency", "902.2M"]), &truth);
    }
}

#[test]
fn a_part_of_a_recording_keeps_its_times() {
    let truth = truth("rc2_minus112dbm");
    let file = recording("rc2_minus112dbm.sigmf-meta");
    // From before the third frame of the first message on, without the second message's last.
    let messages = decode(&file, &truth, &["--start", "2.0", "--duration", "0.9"]);
    let frames: Vec<_> = messages
        .iter()
        .flat_map(|m| m["frames"].as_array().unwrap().iter().map(|f| (&m["device_id"], &f["rank"])))
        .collect();
    let (first, second) = (json!("4C21232F"), json!("590FB168"));
    assert_eq!(frames, [(&first, &json!(3)), (&second, &json!(2))]);
    assert_near(number(&messages[0]["time_s"]), 2.063183, 1.0 / 600.0, "time");
}

#[test]
fn several_recordings_keep_their_order() {
    let (slow, fast) = (recording("rc1_two_uplinks"), recording("rc2_minus112dbm"));
    for threads in ["1", "2"] {
        let output = nap()
            .arg("decode")
            .args([&slow, &fast, &fast])
            .args(["--format", "json", "--threads", threads])
            .output()
            .unwrap();
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        let messages = json_lines(&output.stdout);
        let bit_rates: Vec<u64> =
            messages.iter().map(|m| m["bit_rate"].as_u64().unwrap()).collect();
        assert_eq!(bit_rates, [100, 100, 600, 600, 600, 600]);
        assert!(stderr(&output).contains("6 messages, 18 frames in 17.0 s"), "{}", stderr(&output));
        let recordings: Vec<&str> =
            messages.iter().map(|m| m["recording"].as_str().unwrap()).collect();
        let [slow, fast] = [&slow, &fast].map(|path| path.to_str().unwrap());
        assert_eq!(recordings, [slow, slow, fast, fast, fast, fast]);
    }
}

#[test]
fn results_of_several_recordings_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    fs::write(&devices, "device_id,key,name\n4C21232F,,cellar door\n").unwrap();
    let file = recording("rc2_minus112dbm");
    let decode = |files: &[&Path], format: &str| {
        let output = nap()
            .arg("decode")
            .args(files)
            .args(["--format", format, "--devices"])
            .arg(&devices)
            .output()
            .unwrap();
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        stdout(&output).to_owned()
    };
    let name = file.to_str().unwrap();
    let log = decode(&[&file, &file], "log");
    let headings: Vec<_> = log.lines().filter(|line| !line.contains(" dB ")).collect();
    assert_eq!(headings, [&format!("{name}:"), &format!("{name}:")]);
    assert!(!decode(&[&file], "log").contains(name));
    let csv = decode(&[&file, &file], "csv");
    assert!(csv.lines().nth(1).unwrap().starts_with(&format!("message,1,{name},1,")), "{csv}");
    assert!(csv.contains(",4C21232F,cellar door,"), "{csv}");
    let json = json_lines(decode(&[&file], "json").as_bytes());
    assert_eq!(json[0].get("recording"), None);
    assert_eq!(
        (&json[0]["device_name"], json[1].get("device_name")),
        (&json!("cellar door"), None)
    );
}

/// The longer message begins first and is complete last.
#[test]
fn lines_are_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("scene.toml");
    let device = |id: &str, time_s: f64, payload: &str, more: &str| {
        format!(
            "[[device]]\nid = \"{id}\"\nkey = \"0123456789ABCDEF0123456789ABCDEF\"\n\
             level_dbm = -100\n{more}[[device.message]]\ntime_s = {time_s}\npayload = \"{payload}\"\n"
        )
    };
    let text = "sample_rate_hz = 200_000\nduration_s = 10.0\nquantisation_bits = 8\n".to_owned()
        + &device("1", 0.2, "000102030405060708090a0b", "")
        + &device("2", 0.4, "01", "bit_rate = 600\n");
    fs::write(&scene, text).unwrap();
    let file = folder.path().join("two_868.13M_200k.cs8");
    let output = nap().arg("simulate").arg(&scene).arg("-o").arg(&file).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let ids = |output: &std::process::Output| -> Vec<String> {
        let records = json_lines(&output.stdout);
        records.iter().map(|record| record["device_id"].as_str().unwrap().to_owned()).collect()
    };
    let arguments = ["decode", "--format=json", "--threads=1"];
    let output = nap().args(arguments).arg(&file).output().unwrap();
    assert_eq!(ids(&output), ["00000001", "00000002"]);
    // A pipe may be live: what is complete is written.
    let raw = ["--sample-format=cs8", "--sample-rate=200k", "--center-frequency=868.13M"];
    let stdin = fs::read(&file).unwrap();
    let output = nap().args(arguments).arg("-").args(raw).write_stdin(stdin).output().unwrap();
    assert_eq!(ids(&output), ["00000002", "00000001"]);
}

#[test]
fn a_line_fits_100_columns() {
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    let name = "a name that goes on and on and on";
    fs::write(&devices, format!("device_id,key,name\n38DFD2F3,,{name}\n")).unwrap();
    let decode = |more: &[&str]| {
        let file = recording("rc1_two_uplinks");
        let output = nap().arg("decode").arg(file).args(more).output().unwrap();
        let text = stdout(&output).to_owned();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [100; 2], "{text}");
        text
    };
    decode(&[]);
    let named = decode(&["--devices", devices.to_str().unwrap()]);
    assert!(named.contains(" 38DFD2F3 a name th… "), "{named}");
}

#[test]
fn what_a_name_tells_is_told_in_verbose_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gqrx_20240115_123045_868130000_250000_fc.raw");
    fs::write(&file, vec![0; 400_000]).unwrap();
    let output = nap().arg("decode").arg(&file).arg("-v").output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let expected = "taken from the name: format cf32, 250000 S/s, centre 868.130000 MHz, \
                    start 2024-01-15T12:30:45Z";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
}

#[test]
fn one_channel_of_several_is_taken_and_the_others_are_named() {
    let output = nap()
        .args(["decode", "-", "--sample-format=cs8", "--sample-rate=2M"])
        .args(["--center-frequency=868.4M", "--format=csv"])
        .write_stdin(vec![0; 400_000])
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let note = "listening to RC1; the recording also holds RC7 (--radio-configuration chooses)";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    assert!(
        stdout(&output).starts_with("type,schema,recording,message_id,time,"),
        "{}",
        stdout(&output)
    );
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn quiet_is_quiet() {
    let file = recording("rc2_minus112dbm");
    let output = nap().arg("decode").arg(file).arg("--quiet").output().unwrap();
    assert_eq!((exit_code(&output), stderr(&output)), (0, ""));
    assert_eq!(stdout(&output).lines().count(), 2);
}

#[test]
fn frames_are_marked_in_a_copy_of_the_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let truth = truth("rc2_minus112dbm");
    let marked = folder.path().join("marked.sigmf-meta");
    let annotate = ["--annotate", marked.to_str().unwrap()];
    decode(&recording("rc2_minus112dbm.sigmf-meta"), &truth, &annotate);
    let metadata = nap_io::sigmf::Metadata::read(&marked).unwrap();
    assert_eq!(metadata.annotations.len(), 6);
    let mut sent: Vec<(f64, &Value, &Value)> = Vec::new();
    for message in truth["messages"].as_array().unwrap() {
        for frame in message["frames"].as_array().unwrap() {
            sent.push((number(&frame["time_s"]), message, frame));
        }
    }
    sent.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (annotation, (time_s, message, frame)) in metadata.annotations.iter().zip(sent) {
        let id = message["device_id"].as_str().unwrap();
        assert_eq!(annotation.label.as_deref(), Some(&*format!("{id} frame {}", frame["rank"])));
        assert_near(annotation.sample_start as f64 / 250e3, time_s, 1.0 / 600.0, "time");
        let duration_s = symbols(message["payload"].as_str().unwrap().len() / 2) / 600.0;
        let count = annotation.sample_count.unwrap() as f64;
        assert_near(count / 250e3, duration_s, 1e-5, "duration");
        let lower_hz = annotation.freq_lower_edge_hz.unwrap();
        let upper_hz = annotation.freq_upper_edge_hz.unwrap();
        assert_near(lower_hz, number(&frame["frequency_hz"]) - 600.0, 3.0, "lower edge");
        assert_near(upper_hz - lower_hz, 1200.0, 1e-6, "width");
        assert_eq!(annotation.extra["nap:payload"], message["payload"]);
        assert_eq!(annotation.extra["nap:auth"], "verified");
    }
    let document: Value = serde_json::from_str(&fs::read_to_string(marked).unwrap()).unwrap();
    assert_eq!(document["global"]["core:extensions"][0]["name"], "nap");
}
