//! Scenes, against recordings of an independent generator and against their own description.
#![cfg(all(feature = "receiver", feature = "serde"))]
// A helper of a test may panic like the test itself.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::path::Path;

use nap_phy::scene::{Scene, Shape, Truth, TruthFrame, TruthMessage};
use nap_phy::{Content, Frame, Kind};
use num_complex::{Complex32, Complex64};
use serde_json::Value;

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn render(scene: &Scene) -> (Vec<Complex32>, Truth) {
    let (mut simulator, truth) = scene.build().unwrap();
    let mut samples = vec![Complex32::ZERO; scene.samples() as usize];
    simulator.render(&mut samples);
    (samples, truth)
}

fn scene(toml: &str) -> Scene {
    toml::from_str(toml).unwrap()
}

/// A scene of one device at 600 bit/s, to which lines can be added.
fn single(message: &str) -> Scene {
    scene(&format!(
        r#"
        sample_rate_hz = 250_000
        duration_s = 3.0
        [[device]]
        id = "FEDCBA98"
        key = "0123456789ABCDEF0123456789ABCDEF"
        level_dbm = -100
        bit_rate = 600
        {message}
        "#
    ))
}

/// Means over a part of a symbol of the frame at the carrier of the truth, from its start on.
fn baseband(
    samples: &[Complex32],
    truth: &Truth,
    frame: &TruthFrame,
    part_s: f64,
    duration_s: f64,
) -> Vec<Complex64> {
    let n = (part_s * truth.sample_rate).round() as usize;
    let first = (frame.time_s * truth.sample_rate).round() as usize;
    let count = (duration_s * truth.sample_rate) as usize;
    let turned: Vec<Complex64> = samples[first..first + count]
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let t_s = i as f64 / truth.sample_rate;
            let frequency_hz = frame.frequency_hz - truth.center_hz;
            let cycles = frequency_hz * t_s + 0.5 * frame.drift_hz_per_s * t_s * t_s;
            Complex64::new(s.re.into(), s.im.into()) * Complex64::cis(-TAU * cycles)
        })
        .collect();
    turned.chunks_exact(n).map(|chunk| chunk.iter().sum::<Complex64>() / n as f64).collect()
}

/// Reads a frame where the truth says that it is.
fn demodulate(
    samples: &[Complex32],
    truth: &Truth,
    message: &TruthMessage,
    frame: &TruthFrame,
    bytes: usize,
) -> Vec<u8> {
    let symbol_s = message.bit_rate.symbol_s();
    let parts = baseband(samples, truth, frame, symbol_s / 8.0, (8 * bytes + 2) as f64 * symbol_s);
    // The middle of the constant part; the S2-LP turns the phase half a symbol later.
    let middle = if frame.shape == Some(Shape::S2lp) { 8 } else { 4 };
    let symbol = |k: usize| (0..4).map(|i| parts[8 * k + middle - 2 + i]).sum::<Complex64>();
    let bit = |k: usize| (symbol(k + 1) * symbol(k).conj()).re > 0.0;
    (0..bytes)
        .map(|byte| (0..8).fold(0, |bits, k| bits << 1 | u8::from(bit(8 * byte + k))))
        .collect()
}

/// Numbers as floating point: 250000 and 250000.0 are the same.
fn normalised(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(normalised).collect(),
        Value::Object(fields) => fields.into_iter().map(|(k, v)| (k, normalised(v))).collect(),
        other => other,
    }
}

#[test]
fn truth_has_the_layout_of_the_recordings() {
    for name in ["rc1_two_uplinks", "rc2_minus112dbm"] {
        let text = text(&format!("fixtures/recordings/{name}.truth.json"));
        let truth: Truth = serde_json::from_str(&text).unwrap();
        let theirs = normalised(serde_json::from_str(&text).unwrap());
        assert_eq!(normalised(serde_json::to_value(&truth).unwrap()), theirs, "{name}");
    }
}

/// The truth of a recording as a scene.
fn as_scene(truth: &Truth) -> Scene {
    let mut toml = format!(
        "sample_rate_hz = {:?}\ncenter_hz = {:?}\nduration_s = 9.0\nfull_scale_dbm = {:?}\n",
        truth.sample_rate, truth.center_hz, truth.full_scale_dbm
    );
    for message in &truth.messages {
        let (first, second) = (&message.frames[0], &message.frames[1]);
        let key = serde_json::to_value(message).unwrap()["key"].clone();
        let shape = serde_json::to_value(first.shape).unwrap();
        let pause_s = second.time_s - first.time_s - 210.0 * message.bit_rate.symbol_s();
        let frequencies_hz: Vec<f64> = message.frames.iter().map(|f| f.frequency_hz).collect();
        toml += &format!(
            "[[device]]\nid = \"{}\"\nkey = {key}\nshape = {shape}\nbit_rate = {}\n\
             level_dbm = {:?}\npause_s = {pause_s}\n\
             [[device.message]]\ntime_s = {}\nsequence_number = {}\npayload = {:?}\n\
             bidirectional = {}\nfrequencies_hz = {frequencies_hz:?}\n",
            message.device_id,
            message.bit_rate,
            first.dbm,
            first.time_s,
            message.sequence_number,
            message.payload.as_deref().unwrap(),
            message.bidirectional.unwrap(),
        );
    }
    scene(&toml)
}

#[test]
fn a_scene_of_a_recordings_truth_gives_the_recording() {
    let theirs: Truth =
        serde_json::from_str(&text("fixtures/recordings/rc1_two_uplinks.truth.json")).unwrap();
    let recording: Vec<Complex32> =
        std::fs::read(path("fixtures/recordings/rc1_two_uplinks.sigmf-data"))
            .unwrap()
            .chunks_exact(4)
            .map(|b| {
                let part = |b: [u8; 2]| f32::from(i16::from_le_bytes(b)) / 32768.0;
                Complex32::new(part([b[0], b[1]]), part([b[2], b[3]]))
            })
            .collect();
    let (samples, ours) = render(&as_scene(&theirs));
    assert_eq!(ours.messages.len(), 2);
    for message in &ours.messages {
        let expected = theirs.messages.iter().find(|m| m.device_id == message.device_id).unwrap();
        for (frame, expected) in message.frames.iter().zip(&expected.frames) {
            // The generator's pauses are 20 ms longer in messages that ask for a downlink.
            if message.bidirectional == Some(false) {
                assert!((frame.time_s - expected.time_s).abs() < 2e-6);
            }
            assert!((frame.frequency_hz - expected.frequency_hz).abs() < 1e-6);
            let symbol_s = message.bit_rate.symbol_s();
            let a = baseband(&samples, &ours, frame, symbol_s / 20.0, 210.0 * symbol_s);
            let b = baseband(&recording, &theirs, expected, symbol_s / 20.0, 210.0 * symbol_s);
            let power = |x: &[Complex64]| x.iter().map(|v| v.norm_sqr()).sum::<f64>();
            let product: Complex64 = a.iter().zip(&b).map(|(a, b)| a.conj() * b).sum();
            let correlation = product.norm() / (power(&a) * power(&b)).sqrt();
            // The truth's carriers are rounded to 0.1 Hz, a turn of 19 degrees at both ends.
            assert!(correlation > 0.98, "{}: {correlation}", frame.time_s);
            assert!((10.0 * (power(&a) / power(&b)).log10()).abs() < 0.05);
        }
    }
}

#[test]
fn the_example_holds_what_its_truth_says() {
    let example = scene(&text("examples/scenes/two_devices.toml"));
    let (samples, truth) = render(&example);
    assert_eq!(truth.messages.len(), 8);
    assert!(truth.messages.is_sorted_by(|a, b| a.time_s() <= b.time_s()));

    let message = truth.messages.iter().find(|m| m.device_id.0 == 0xfedc_ba98).unwrap();
    assert_eq!(u16::from(message.sequence_number), 416);
    let fixed = truth.messages.iter().filter(|m| m.device_id.0 == 0x4d_33db);
    let numbers: Vec<(Kind, u16, usize)> =
        fixed.map(|m| (m.kind, m.sequence_number.into(), m.frames.len())).collect();
    assert_eq!(numbers, [(Kind::Bit1, 0, 3), (Kind::KeepAlive, 1, 2)]);

    // Eb/N0 is 22 dB, but a LoRa packet lies over the second frame.
    for frame in [&message.frames[0], &message.frames[2]] {
        let bytes = demodulate(&samples, &truth, message, frame, 18);
        let uplink = Frame::parse(&bytes).unwrap().container().uplink().unwrap();
        let Content::Bytes(payload) = uplink.content() else { panic!("{uplink:?}") };
        assert_eq!(payload.to_string(), "abad1dea");
    }
}

#[test]
fn truth_tells_the_carrier_at_the_start_and_the_scene_in_the_middle() {
    let mut scene = single(
        r#"
        crystal_ppm = 10
        drift_hz_per_s = -40
        [[device.message]]
        time_s = 0.25
        payload = "00112233"
        frames = 1
        frequencies_hz = [868_131_000]
        "#,
    );
    scene.noise_figure_db = -100.0;
    let (samples, truth) = render(&scene);
    let (message, frame) = (&truth.messages[0], &truth.messages[0].frames[0]);
    let duration_s = 146.0 / 600.0;
    let expected_hz = 868_131_000.0 * 1.000_01 + 40.0 * 0.5 * duration_s / 1.000_01;
    assert!((frame.frequency_hz - expected_hz).abs() < 1e-4);
    assert_eq!((frame.time_s, frame.dbm, frame.shape), (0.25, -100.0, Some(Shape::Rect)));
    assert!(Frame::parse(&demodulate(&samples, &truth, message, frame, 18)).is_ok());
    // Turned back by the truth, the carrier stands still.
    let parts = baseband(&samples, &truth, frame, 1.0 / 4800.0, duration_s);
    let squares: Vec<Complex64> = parts.iter().map(|v| v * v / v.norm_sqr()).collect();
    let mean = squares.iter().sum::<Complex64>() / squares.len() as f64;
    assert!(mean.norm() > 0.999, "{mean}");
}

#[test]
fn frequencies_come_from_the_devices_generator() {
    let message = |lines: &str| single(&format!("[[device.message]]\ntime_s = 0\n{lines}"));
    let hz = |scene: Scene| -> Vec<f64> {
        let (_, truth) = scene.build().unwrap();
        truth.messages[0].frames.iter().map(|frame| frame.frequency_hz).collect()
    };
    // As the official library computes them for this device.
    let uplink = hz(message("kind = \"empty\""));
    assert_eq!(uplink, [868_184_199.0, 868_169_427.0, 868_195_040.0]);
    let bidirectional = hz(message("kind = \"empty\"\nbidirectional = true"));
    assert_eq!(bidirectional, [868_184_199.0, 868_190_199.0, 868_178_199.0]);
}

#[test]
fn a_scene_repeats_itself_and_noise_is_a_stream_of_its_own() {
    let build = |seed: u64, message: &str| {
        let mut scene = single(message);
        scene.seed = seed;
        render(&scene).0
    };
    let message = "doppler_hz = 1\n[[device.message]]\ntime_s = 1.0\nkind = \"bit0\"";
    assert_eq!(build(1, message), build(1, message));
    assert_ne!(build(1, message), build(2, message));
    assert_eq!(build(1, message)[..249_000], build(1, "")[..249_000]);
}

#[test]
fn traffic_is_drawn_from_its_ranges() {
    let scene = scene(
        r#"
        sample_rate_hz = 250_000
        duration_s = 60.0
        seed = 9
        [traffic]
        messages = 200
        level_dbm = [-130, -100]
        drift_hz_per_s = [-5, 5]
        payload_bytes = [0, 3]
        bidirectional_share = 0.25
        bit_rates = [100, 600]
        "#,
    );
    let (_, truth) = scene.build().unwrap();
    let (_, again) = scene.build().unwrap();
    assert_eq!(truth, again);
    assert_eq!(truth.messages.len(), 200);
    let count = |test: fn(&TruthMessage) -> bool| truth.messages.iter().filter(|m| test(m)).count();
    assert!((30..70).contains(&count(|m| m.bidirectional == Some(true))));
    assert!((30..70).contains(&count(|m| m.kind == Kind::Empty)));
    assert!((70..130).contains(&count(|m| u16::from(m.bit_rate) == 600)));
    assert!((40..95).contains(&count(|m| m.frames[0].shape == Some(Shape::Hann))));
    let frames = || truth.messages.iter().flat_map(|m| &m.frames);
    assert!(frames().all(|f| (-130.0..=-100.0).contains(&f.dbm)));
    assert!(frames().all(|f| f.drift_hz_per_s.abs() <= 5.0 && f.time_s >= 0.0 && f.time_s < 60.0));
    assert!(frames().any(|f| f.dbm < -128.0) && frames().any(|f| f.dbm > -102.0));
}

#[test]
fn errors_name_the_place_and_the_field() {
    let problem = |scene: Scene| scene.build().map(|_| ()).unwrap_err().to_string();
    let message = |lines: &str| {
        problem(single(&format!(
            "[[device.message]]\ntime_s = 0\nkind = \"empty\"\n[[device.message]]\n{lines}"
        )))
    };
    for (found, expected) in [
        (
            message("time_s = 1\npayload = \"abc\""),
            "device[0].message[1]: a payload has two hexadecimal digits a byte, this one has 3",
        ),
        (
            message("time_s = 1\nkind = \"keep_alive\""),
            "device[0].message[1]: an uplink of kind keep_alive needs the field `voltage_idle_mv`",
        ),
        (
            message("time_s = 1\nkind = \"bit1\"\nfrequencies_hz = [868.1e6]"),
            "device[0].message[1].frequencies_hz: 3 frames need 3 frequencies, not 1",
        ),
        (
            message("time_s = 1\nkind = \"bit1\"\nframes = 1\nfrequencies_hz = [868.3e6]"),
            "device[0].message[1], frame 1: carrier_offset_hz is 170000, but must lie between",
        ),
        (
            message("time_s = 2.9\nkind = \"bit1\""),
            "device[0].message[1], frame 1: lasts from 2.9 s to 3.09 s, outside the scene of 3 s",
        ),
        (
            problem(single("[traffic]\nmessages = 1\nlevel_dbm = [-100, -130]")),
            "traffic.level_dbm: [-100, -130] must be in order",
        ),
        (
            problem(single("[traffic]\nmessages = 1\nlevel_dbm = [-130, -100]")),
            "the scene: duration_s is 3, but must lie between 7.3",
        ),
        (
            problem(single("[traffic]\nmessages = 1\nlevel_dbm = [-1, -1]\nshapes = []")),
            "traffic.shapes: give one at least",
        ),
        (
            problem(single(
                "[[interferer]]\ntime_s = 0\nduration_s = 1\nfrequency_hz = 868.1e6\n\
                 level_dbm = -100\nsignal = { kind = \"lora\", spreading_factor = 5, \
                 bandwidth_hz = 125e3 }",
            )),
            "interferer[0]: spreading_factor is 5, but must lie between 7 and 12",
        ),
        (problem(scene("sample_rate_hz = 0\nduration_s = 1")), "the scene: sample_rate_hz is 0"),
    ] {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn unknown_fields_are_refused_where_they_stand() {
    for (toml, field) in [
        ("sample_rate_hz = 1\nduration_s = 1\ncentre_hz = 1", "centre_hz"),
        ("sample_rate_hz = 1\nduration_s = 1\n[traffic]\nmessage = 3", "message"),
        (
            "sample_rate_hz = 1\nduration_s = 1\n[[interferer]]\nsignal = { kind = \"tone\", x = 1 }",
            "x",
        ),
    ] {
        let error = toml::from_str::<Scene>(toml).unwrap_err().to_string();
        assert!(error.contains(&format!("unknown field `{field}`")), "{error}");
    }
}
