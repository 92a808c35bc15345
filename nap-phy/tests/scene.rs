//! Scenes, against recordings of an independent generator and against their own description.
#![cfg(feature = "scene")]
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

/// The scene's samples without noise.
fn clear(mut scene: Scene) -> (Vec<Complex32>, Truth) {
    scene.noise_figure_db = -200.0;
    render(&scene)
}

const MESSAGE: &str = "[[device.message]]\ntime_s = 0.25\nkind = \"empty\"\nfrequencies_hz = [868.11e6, 868.13e6, 868.15e6]";

/// Phase of the squared signal relative to the truth's carrier in steps of `part_s`, unwrapped, in
/// cycles of the carrier.
fn stray_cycles(samples: &[Complex32], truth: &Truth, frame: &TruthFrame, part_s: f64) -> Vec<f64> {
    let parts = baseband(samples, truth, frame, part_s, 112.0 / 600.0);
    let mut cycles = vec![0.0];
    for pair in parts.windows(2) {
        let turn = (pair[1] * pair[1] * (pair[0] * pair[0]).conj()).arg() / (2.0 * TAU);
        cycles.push(cycles.last().unwrap() + turn);
    }
    cycles
}

#[test]
fn every_frame_of_a_device_strays_alike() {
    let lines = format!(
        "wander.settle = {{ offset_hz = -60, time_constant_s = 0.05 }}\n\
         wander.steps = [{{ time_s = 0.1, step_hz = 20 }}]\n{MESSAGE}"
    );
    let (samples, truth) = clear(single(&lines));
    for frame in &truth.messages[0].frames {
        let cycles = stray_cycles(&samples, &truth, frame, 1.0 / 4800.0);
        for t_s in [0.02, 0.06, 0.15, 0.18] {
            let n = (t_s * 4800.0) as usize;
            let settled = -60.0 * 0.05 * (1.0 - f64::exp(-t_s / 0.05));
            let expected = settled + 20.0 * (t_s - 0.1f64).max(0.0);
            // A reversal within a part turns it somewhat.
            assert!((cycles[n] - expected).abs() < 0.03, "{t_s}: {} for {expected}", cycles[n]);
        }
    }
}

#[test]
fn what_is_random_of_a_carrier_differs_from_frame_to_frame_and_disturbs_nothing_else() {
    let lines = |wander: &str| format!("{wander}\ndoppler_hz = 1\n{MESSAGE}");
    let (steady, truth) = clear(single(&lines("")));
    let (nothing, _) = clear(single(&lines("wander.walk_hz_per_root_s = 0")));
    assert_eq!(nothing, steady);
    let (samples, _) = clear(single(&lines("wander.wobble = { amplitude_hz = 50, rate_hz = 10 }")));
    // Only the phase differs from the steady carrier's: fading and start are the same.
    let turns = |frame: &TruthFrame| -> Vec<f32> {
        let first = (frame.time_s * truth.sample_rate) as usize + 100;
        let pairs = samples[first..first + 30_000].iter().zip(&steady[first..]);
        pairs
            .step_by(1000)
            .map(|(a, b)| {
                assert!((a.norm() - b.norm()).abs() < 1e-4 * b.norm(), "{a} {b}");
                (a * b.conj()).arg()
            })
            .collect()
    };
    let turns: Vec<Vec<f32>> = truth.messages[0].frames.iter().map(turns).collect();
    assert_ne!(turns[0], turns[1]);
}

#[test]
fn a_bit_rate_error_moves_symbols_and_no_carrier() {
    let (_, truth) = clear(single(MESSAGE));
    for (ppm, bits) in [(10_000, 112.0), (-10_000, 112.0)] {
        let (samples, slow) = clear(single(&format!("bit_rate_error_ppm = {ppm}\n{MESSAGE}")));
        let (frame, expected) = (&slow.messages[0].frames[0], &truth.messages[0].frames[0]);
        assert_eq!(frame.frequency_hz, expected.frequency_hz);
        let clock = 1.0 + f64::from(ppm) * 1e-6;
        let duration_s = (bits + 2.0) / 600.0 / clock;
        let end = samples[..250_000 * 6 / 10].iter().rposition(|s| s.norm() > 0.05).unwrap();
        let found_s = end as f64 / truth.sample_rate - frame.time_s;
        assert!((found_s - duration_s).abs() < 1e-5, "{ppm}: {found_s} for {duration_s}");
        // Where the last bit of the preamble, which alternates, turns the phase.
        let rate_hz = truth.sample_rate;
        let first = (frame.time_s * rate_hz) as usize;
        let offset_hz = frame.frequency_hz - truth.center_hz;
        let turned = |i: usize| {
            let cycles = offset_hz * (i as f64 / rate_hz - frame.time_s);
            Complex64::new(samples[i].re.into(), samples[i].im.into())
                * Complex64::cis(-TAU * cycles)
        };
        let reference = turned(first + 100);
        let sign = |i: usize| (turned(i) * reference.conj()).re > 0.0;
        let reversals: Vec<usize> =
            (first + 1..first + 9_000).filter(|&i| sign(i) != sign(i - 1)).collect();
        let symbols: Vec<f64> = reversals
            .iter()
            .map(|&i| (i as f64 / rate_hz - frame.time_s) * 600.0 * clock)
            .collect();
        assert!(symbols.len() > 5, "{symbols:?}");
        assert!(symbols.iter().all(|u| (u - u.round()).abs() < 0.01), "{symbols:?}");
    }
}

#[test]
fn rotated_reversals_keep_the_envelope_and_the_bits() {
    for way in ["same", "either"] {
        let lines = format!("rotation = {{ width_symbols = 0.6, way = \"{way}\" }}\n{MESSAGE}");
        let (samples, truth) = clear(single(&lines));
        let (message, frame) = (&truth.messages[0], &truth.messages[0].frames[1]);
        assert_eq!(frame.shape, None);
        let first = (frame.time_s * truth.sample_rate) as usize + 2;
        let level = 10f32.powf((frame.dbm + 80.0) as f32 / 20.0);
        let mut envelope = samples[first..first + 45_000].iter().map(|s| s.norm());
        assert!(envelope.all(|value| (value / level - 1.0).abs() < 1e-3));
        assert!(Frame::parse(&demodulate(&samples, &truth, message, frame, 14)).is_ok());
    }
}

#[test]
fn frames_fade_apart_or_as_one() {
    let gains = |lines: &str, seed: u64| -> Vec<f32> {
        let mut scene = single(&format!("doppler_hz = 0\n{lines}\n{MESSAGE}"));
        scene.seed = seed;
        let (samples, truth) = clear(scene);
        let middle = |frame: &TruthFrame| ((frame.time_s + 0.002) * truth.sample_rate) as usize;
        let level = 10f32.powf(-20.0 / 20.0);
        truth.messages[0].frames.iter().map(|f| samples[middle(f)].norm() / level).collect()
    };
    let apart = gains("", 1);
    assert!((apart[0] - apart[1]).abs() > 0.01 && (apart[1] - apart[2]).abs() > 0.01, "{apart:?}");
    let as_one = gains("fading_runs_on = true", 1);
    assert!((as_one[0] - as_one[1]).abs() < 1e-3 && (as_one[1] - as_one[2]).abs() < 1e-3);
    // A strong steady path hardly fades.
    let steady = (0..20).flat_map(|seed| gains("rician_k_db = 30", seed));
    assert!(steady.into_iter().all(|gain| (gain - 1.0).abs() < 0.15));
}

#[test]
fn interference_comes_in_bursts_and_over_the_noise() {
    let interferer = |level: &str| {
        scene(&format!(
            "sample_rate_hz = 250_000\nduration_s = 60.0\n[[interferer]]\ntime_s = 0\n\
             duration_s = 60\nfrequency_hz = 868.13e6\nsignal = {{ kind = \"fsk\", \
             bit_rate_hz = 9600, deviation_hz = 4800 }}\nburst_s = 0.5\nduty = 0.33\n{level}"
        ))
    };
    // -174 + 6 + 54 dBm of noise: the bursts have -94 dBm, 14 dB below full scale.
    let (samples, _) = render(&interferer("level_over_noise_db = 20"));
    let is_on = |block: &[Complex32]| {
        let power = block.iter().map(|s| f64::from(s.norm_sqr())).sum::<f64>() / block.len() as f64;
        assert!(power < 0.05, "{power}");
        power > 0.02
    };
    let on: Vec<bool> = samples.chunks(2_500).map(is_on).collect();
    let share = on.iter().filter(|&&on| on).count() as f64 / on.len() as f64;
    assert!((share - 0.33).abs() < 0.1, "{share}");
    // The same level in dBm gives the same samples.
    let (same, _) = render(&interferer(&format!("level_dbm = {}", -94.0 - 0.020_599_913_279_624)));
    let most = samples.iter().zip(&same).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
    assert!(most < 0.002, "{most}");
}

#[test]
fn a_receiver_steps_its_gain_and_loses_samples() {
    let lines = "gain_steps = [{ time_s = 1.0, step_db = -20 }]\nlost_samples = \
                 [{ time_s = 0.5, duration_s = 0.1 }, { time_s = 2.0, duration_s = 0.1, marked = true }]";
    let toml = |lines: &str| format!("sample_rate_hz = 250_000\nduration_s = 3.0\n{lines}");
    let (steady, with) = (scene(&toml("")), scene(&toml(lines)));
    assert_eq!((steady.samples(), with.samples()), (750_000, 725_000));
    let (samples, _) = render(&with);
    let power_db = |range: std::ops::Range<usize>| {
        let sum: f64 = samples[range.clone()].iter().map(|s| f64::from(s.norm_sqr())).sum();
        10.0 * (sum / range.len() as f64).log10()
    };
    assert!((power_db(0..225_000) - power_db(225_000..475_000) - 20.0).abs() < 0.1);
    assert_eq!(power_db(475_000..500_000), f64::NEG_INFINITY);
    assert!((power_db(225_000..475_000) - power_db(500_000..725_000)).abs() < 0.1);
}

#[test]
fn traffic_wanders_to_either_side() {
    let toml = |wander: &str| {
        format!(
            "sample_rate_hz = 250_000\nduration_s = 20.0\nnoise_figure_db = -200\n[traffic]\n\
             messages = 3\nlevel_dbm = [-100, -100]\nshapes = [\"rect\"]\n{wander}"
        )
    };
    let (samples, truth) =
        render(&scene(&toml("wander.settle = { offset_hz = 40, time_constant_s = 0.15 }")));
    let (steady, _) = render(&scene(&toml("")));
    assert_ne!(samples, steady);
    assert_eq!(truth.messages.len(), 3);
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
        (
            message(
                "time_s = 1\nkind = \"bit1\"\n[[device]]\nid = \"1\"\nkey = \"00112233445566778899AABBCCDDEEFF\"\nlevel_dbm = -100\nrician_k_db = 3",
            ),
            "device[1]: `rician_k_db` needs a `doppler_hz`",
        ),
        (
            problem(single(&format!(
                "wander.wobble = {{ amplitude_hz = 5, rate_hz = 0 }}\n{MESSAGE}"
            ))),
            "device[0].message[0], frame 1: wobble.rate_hz is 0, but must lie between 0.001",
        ),
        (
            problem(single(&format!("bit_rate_error_ppm = 200_000\n{MESSAGE}"))),
            "device[0].message[0], frame 1: clock_error_ppm is 200000",
        ),
        (
            problem(single(&format!(
                "shape = \"hann\"\nrotation = {{ width_symbols = 0.6, way = \"same\" }}\n{MESSAGE}"
            ))),
            "device[0]: `rotation` stands in place of a `shape`",
        ),
        (
            problem(scene(
                "sample_rate_hz = 250e3\nduration_s = 1\n[[interferer]]\ntime_s = 0\n\
                 duration_s = 1\nfrequency_hz = 868.1e6\nsignal = { kind = \"tone\" }",
            )),
            "interferer[0]: give either `level_dbm` or `level_over_noise_db`",
        ),
        (
            problem(scene(
                "sample_rate_hz = 250e3\nduration_s = 1\n[[interferer]]\ntime_s = 0\n\
                 duration_s = 1\nfrequency_hz = 868.1e6\nsignal = { kind = \"tone\" }\n\
                 level_dbm = -100\nduty = 0.1",
            )),
            "interferer[0]: `burst_s` and `duty` belong together",
        ),
        (
            problem(scene(
                "sample_rate_hz = 250e3\nduration_s = 1\n\
                 gain_steps = [{ time_s = -1, step_db = 3 }]",
            )),
            "the scene: gain_steps.time_s is -1",
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
