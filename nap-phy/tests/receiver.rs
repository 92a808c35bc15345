//! The receiver against recordings with known truth, and against scenes that only a simulator makes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![cfg(all(feature = "receiver", feature = "serde"))]

use std::path::{Path, PathBuf};

use nap_phy::receiver::{Statistics, UNDECODED_AFTER_S};
use nap_phy::scene::{ReceptionCounts, Scene, Truth, TruthFrame, TruthMessage};
use nap_phy::{
    Authentication, BitRate, Decoder, DeviceTable, Event, Level, Message, MessageId, Receiver,
    ReceiverConfig, UndecodedBurst, UndecodedReason,
};
use num_complex::Complex32;
use proptest::prelude::*;

const BLOCK: usize = 65_536;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings")
}

fn truth_of(folder: &Path, name: &str) -> Truth {
    let text = std::fs::read_to_string(folder.join(format!("{name}.truth.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn config(truth: &Truth, channel_center_hz: f64) -> ReceiverConfig {
    let mut config = ReceiverConfig::new(truth.sample_rate, truth.center_hz);
    config.channel_center_hz = channel_center_hz;
    config.full_scale_dbm = Some(truth.full_scale_dbm);
    config.devices = truth.devices();
    config
}

/// The completed messages among events.
fn completed(events: impl IntoIterator<Item = Event>) -> Vec<Message> {
    events.into_iter().filter_map(Event::complete).collect()
}

/// The bursts among events that were seen and not decoded.
fn undecoded(events: &[Event]) -> Vec<UndecodedBurst> {
    events.iter().filter_map(Event::undecoded).copied().collect()
}

/// All that a receiver says about samples that end with them.
fn all_events(receiver: &mut Receiver, samples: &[Complex32]) -> Vec<Event> {
    let mut events = receiver.push(samples);
    events.extend(receiver.flush());
    events
}

fn decode_recording(folder: &Path, name: &str) -> (Truth, Vec<Message>) {
    let truth = truth_of(folder, name);
    let messages = decode_with(folder, name, config(&truth, truth.center_hz));
    (truth, messages)
}

fn decode_with(folder: &Path, name: &str, config: ReceiverConfig) -> Vec<Message> {
    let path = folder.join(format!("{name}.sigmf-meta"));
    let mut source = nap_io::open(&path, &nap_io::OpenOptions::default()).unwrap();
    let mut receiver = Receiver::new(config).unwrap();
    let mut block = vec![Complex32::default(); BLOCK];
    let mut events = Vec::new();
    loop {
        let count = source.read(&mut block).unwrap();
        if count == 0 {
            break;
        }
        events.extend(receiver.push(&block[..count]));
    }
    events.extend(receiver.flush());
    completed(events)
}

fn render(scene: &Scene) -> (Truth, Vec<Complex32>) {
    let (mut simulator, truth) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    (truth, samples)
}

fn decode_scene(scene: &Scene) -> (Truth, Vec<Message>, Statistics) {
    let (truth, samples) = render(scene);
    let channel_hz = f64::from(scene.radio_configuration.uplink_center_hz());
    let mut receiver = Receiver::new(config(&truth, channel_hz)).unwrap();
    let mut events = receiver.push(&samples);
    events.extend(receiver.flush());
    (truth, completed(events), receiver.statistics())
}

fn sent(truth: &Truth, message: &Message) -> TruthMessage {
    let same = |sent: &&TruthMessage| sent.uplink().as_ref() == Ok(&message.uplink);
    truth.messages.iter().find(same).unwrap().clone()
}

/// Eb/N0 of a frame according to the truth, dB.
fn true_snr_db(truth: &Truth, frame: &TruthFrame, bit_rate: BitRate) -> f64 {
    frame.dbm + 174.0 - truth.noise_figure_db - 10.0 * f64::from(bit_rate.bits_per_s()).log10()
}

/// Every figure of every frame within the limits that users may rely on: frequency in the middle of
/// the frame within 3 Hz, time within a symbol, level within 1 dB, SNR within 1.5 dB.
fn check_figures(truth: &Truth, messages: &[Message]) {
    for message in messages {
        let sent = sent(truth, message);
        let symbol_s = message.bit_rate.symbol_s();
        let duration_s =
            message.uplink.content().class().airtime_s(message.bit_rate) + 2.0 * symbol_s;
        for frame in &message.frames {
            let sent = sent.frames.iter().find(|sent| sent.rank == frame.rank).unwrap();
            let middle_hz = sent.frequency_hz + sent.drift_hz_per_s * duration_s / 2.0;
            let signal = &frame.signal;
            let place = format!("{} rank {}", message.uplink.device_id(), frame.rank);
            assert!(
                (signal.frequency_hz - middle_hz).abs() < 3.0,
                "{place}: frequency {} instead of {middle_hz}",
                signal.frequency_hz
            );
            assert!((signal.time_s - sent.time_s).abs() < symbol_s, "{place}: time");
            let Level::Dbm(level_dbm) = signal.level else { panic!("{place}: not calibrated") };
            assert!((level_dbm - sent.dbm).abs() < 1.0, "{place}: level {level_dbm}");
            let snr_db = true_snr_db(truth, sent, message.bit_rate);
            assert!((signal.snr_db - snr_db).abs() < 1.5, "{place}: SNR {}", signal.snr_db);
            let drift_error = signal.drift_hz_per_s - sent.drift_hz_per_s;
            assert!(drift_error.abs() < 0.5 * (duration_s / 2.0).powi(-2), "{place}: drift");
        }
    }
}

fn check_complete(folder: &Path, name: &str, frames_per_message: usize) {
    let (truth, messages) = decode_recording(folder, name);
    let counts = ReceptionCounts::new(&truth, &messages);
    assert!(counts.is_perfect(), "{name}: {counts:?}");
    for message in &messages {
        assert_eq!(message.authentication, Authentication::Verified);
        assert_eq!(message.frames.len(), frames_per_message, "{}", message.uplink.device_id());
    }
    check_figures(&truth, &messages);
}

#[test]
fn two_uplinks_at_once() {
    check_complete(&fixtures(), "rc1_two_uplinks", 3);
}

#[test]
fn the_data_sheets_level_at_100_bps() {
    check_complete(&fixtures(), "rc1_minus120dbm", 3);
}

#[test]
fn the_data_sheets_level_at_600_bps() {
    check_complete(&fixtures(), "rc2_minus112dbm", 3);
}

#[test]
fn every_kind_of_message_with_drift() {
    check_complete(&fixtures(), "rc1_all_kinds", 3);
}

/// Four messages at 9 dB, of which each frame decodes, and four at 3 dB: of none of them the most likely
/// reading of a frame is right, but a less likely one or that of all three frames together.
#[test]
fn weak_messages() {
    let (truth, messages) = decode_recording(&fixtures(), "rc1_weak");
    let counts = ReceptionCounts::new(&truth, &messages);
    assert!(counts.is_perfect(), "{counts:?}");
    assert!(messages.iter().all(|message| message.authentication == Authentication::Verified));
    let weak = [Decoder::List, Decoder::Joint, Decoder::APriori];
    let count = |messages: &[Message], decoders: &[Decoder]| {
        messages.iter().filter(|message| decoders.contains(&message.decoder)).count()
    };
    assert_eq!(count(&messages, &weak), 4);
    let mut blind = config(&truth, truth.center_hz);
    blind.devices = DeviceTable::new();
    let unchecked = decode_with(&fixtures(), "rc1_weak", blind);
    let counts = ReceptionCounts::new(&truth, &unchecked);
    assert!(counts.is_perfect(), "{counts:?}");
    assert_eq!(count(&unchecked, &weak), 4);
    assert!(count(&unchecked, &[Decoder::Joint]) > 0);
    for strong in truth.messages.iter().filter(|message| message.frames[0].dbm == -139.0) {
        let uplink = strong.uplink().unwrap();
        let found = messages.iter().find(|message| message.uplink == uplink).unwrap();
        check_figures(&truth, std::slice::from_ref(found));
    }
}

/// The envelope of a real device, published without a licence that would let us copy it: the test
/// runs where `NAP_LOCAL_RECORDINGS` names a folder that has it.
#[test]
fn a_real_devices_burst() {
    const NAME: &str = "real_burst_rc1";
    let folder = std::env::var_os("NAP_LOCAL_RECORDINGS").map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| folder.join(format!("{NAME}.truth.json")).exists())
    else {
        println!("{NAME} is not here: set NAP_LOCAL_RECORDINGS to the folder that holds it");
        return;
    };
    let (truth, messages) = decode_recording(&folder, NAME);
    let counts = ReceptionCounts::new(&truth, &messages);
    assert!(counts.is_perfect(), "{counts:?}");
    assert_eq!(messages[0].authentication, Authentication::Verified);
}

/// Two devices of different bit rate and shape, a flawed front end, and a centre that leaves the
/// channel at `offset_hz`.
fn flawed_scene(sample_rate_hz: f64, offset_hz: f64) -> Scene {
    let text = format!(
        r#"
        sample_rate_hz = {sample_rate_hz}
        center_hz = {}
        duration_s = 3.8
        full_scale_dbm = -80
        noise_figure_db = 6
        seed = 7
        dc_offset_dbfs = -30
        iq_gain_db = 0.3
        iq_phase_deg = 2.0
        quantisation_bits = 12

        [[device]]
        id = "FEDCBA98"
        key = "0123456789ABCDEF0123456789ABCDEF"
        shape = "s2lp"
        level_dbm = -120
        drift_hz_per_s = 3.0
        message = [{{ time_s = 0.2, sequence_number = 9, kind = "bytes", payload = "c0ffee",
                     frames = 2, frequencies_hz = [868_134_040.0, 868_181_000.0] }}]

        [[device]]
        id = "4D33DB"
        key = "00112233445566778899AABBCCDDEEFF"
        bit_rate = 600
        shape = "rect"
        level_dbm = -110
        message = [{{ time_s = 0.9, sequence_number = 4095, kind = "bit1", bidirectional = true,
                     frequencies_hz = [868_157_000, 868_163_000, 868_151_000] }}]
        "#,
        868_130_000.0 - offset_hz
    );
    toml::from_str(&text).unwrap()
}

#[test]
fn any_sample_rate_and_center_with_flaws() {
    let cases = [
        (200_000.0, 2_000.0),
        (226_757.0, -15_000.0),
        (250_000.0, 20_000.0),
        (1_000_000.0, -310_000.0),
        (2_048_000.0, 0.0),
        (2_400_000.0, 900_000.0),
    ];
    for (sample_rate_hz, offset_hz) in cases {
        let (truth, messages, _) = decode_scene(&flawed_scene(sample_rate_hz, offset_hz));
        let counts = ReceptionCounts::new(&truth, &messages);
        assert!(counts.is_perfect(), "{sample_rate_hz} S/s: {counts:?}");
        let frames: usize = messages.iter().map(|message| message.frames.len()).sum();
        assert_eq!(frames, 5, "{sample_rate_hz} S/s");
        check_figures(&truth, &messages);
    }
}

#[test]
fn a_recording_may_be_cut_to_the_frame() {
    let mut scene = flawed_scene(250_000.0, 0.0);
    scene.devices.truncate(1);
    scene.devices[0].messages[0].time_s = 0.0;
    scene.devices[0].messages[0].frames = Some(nap_phy::Rank::First);
    scene.devices[0].messages[0].frequencies_hz = Some(vec![868_134_040.0]);
    scene.duration_s = 1.5;
    let (truth, messages, _) = decode_scene(&scene);
    assert!(ReceptionCounts::new(&truth, &messages).is_perfect());
}

/// Short messages of one shape and bit rate, far above the noise, one after the other.
fn strong_scene(shape: &str, bit_rate: u16, level_dbm: f64) -> Scene {
    let symbol_s = 1.0 / f64::from(bit_rate);
    let mut text = String::from(
        "sample_rate_hz = 250_000\nfull_scale_dbm = -60\nnoise_figure_db = 6\nseed = 5\n",
    );
    text += &format!("duration_s = {}\n", 500.0 * symbol_s);
    for n in 0..4 {
        text += &format!(
            r#"
            [[device]]
            id = "{:08X}"
            key = "{:032X}"
            bit_rate = {bit_rate}
            shape = "{shape}"
            level_dbm = {level_dbm}
            message = [{{ time_s = {}, sequence_number = {n}, kind = "bit1", frames = 1,
                         frequencies_hz = [{}] }}]
            "#,
            0x1357_9BDFu32.wrapping_mul(2 * n + 1),
            n + 1,
            (20.3 + 115.7 * f64::from(n)) * symbol_s,
            868_100_123 + 13_579 * n,
        );
    }
    toml::from_str(&text).unwrap()
}

/// How far the starts and the Eb/N0 in dB of all frames are off at most; starts in symbols.
fn max_error(scene: &Scene, bit_rate: BitRate) -> (f64, f64) {
    let (truth, messages, _) = decode_scene(scene);
    assert_eq!(messages.len(), truth.messages.len());
    messages.iter().fold((0.0, 0.0), |(time, snr): (f64, f64), message| {
        let sent = sent(&truth, message);
        let frame = &message.frames[0].signal;
        let time_s = (frame.time_s - sent.frames[0].time_s).abs();
        let snr_db = (frame.snr_db - true_snr_db(&truth, &sent.frames[0], bit_rate)).abs();
        (time.max(time_s / bit_rate.symbol_s()), snr.max(snr_db))
    })
}

#[test]
fn starts_are_those_of_the_transmissions_whatever_their_shape() {
    for bit_rate in BitRate::ALL {
        for shape in ["rect", "hann", "s2lp"] {
            let density_dbm = -168.0 + 10.0 * f64::from(bit_rate.bits_per_s()).log10();
            for (snr_db, max_symbols) in [(40.0, 0.01), (12.0, 0.1)] {
                let scene = strong_scene(shape, bit_rate.bits_per_s(), density_dbm + snr_db);
                let (off, _) = max_error(&scene, bit_rate);
                println!("{shape}, {bit_rate:?}, {snr_db} dB: {off:.4} symbols");
                assert!(off < max_symbols, "{shape}, {bit_rate:?}, {snr_db} dB: {off} symbols");
            }
        }
    }
}

#[test]
fn strong_bursts_are_not_their_own_noise() {
    for shape in ["rect", "hann", "s2lp"] {
        for snr_db in [20.0, 30.0, 40.0] {
            let scene = strong_scene(shape, 600, -140.2 + snr_db);
            let (_, off_db) = max_error(&scene, BitRate::Bps600);
            println!("{shape}, {snr_db} dB: {off_db:.2} dB");
            assert!(off_db < 1.5, "{shape}, {snr_db} dB: off by {off_db} dB");
        }
    }
}

/// A weak device, 18 dB over the noise of a bit, and beside it all along its frame one that is 60 dB over the noise.
fn near_far_scene(shape: &str, distance_hz: u32) -> Scene {
    let weak = single_frame(1, shape, -130, 0.5, 868_130_000 + distance_hz);
    let scene = weak_scene(7, &(weak + &single_frame(2, shape, -88, 0.4, 868_130_000)));
    Scene { duration_s: 4.0, ..scene }
}

/// A device, and a stronger one beside it that begins a second later.
fn staggered_scene() -> Scene {
    let weak = single_frame(1, "rect", -118, 0.5, 868_128_500);
    weak_scene(7, &(weak + &single_frame(2, "rect", -88, 1.5, 868_130_000)))
}

/// A device that sends a frame.
fn single_frame(n: u32, shape: &str, level_dbm: i32, time_s: f64, frequency_hz: u32) -> String {
    format!(
        "[[device]]\nid = \"{n:08X}\"\nkey = \"{n:032X}\"\nlevel_dbm = {level_dbm}\n\
         shape = \"{shape}\"\n[[device.message]]\ntime_s = {time_s}\nframes = 1\n\
         payload = \"0123456789abcdef\"\nfrequencies_hz = [{frequency_hz}.0]\n"
    )
}

#[test]
fn a_weak_burst_is_heard_beside_one_that_is_60_db_over_the_noise() {
    // In the same subband, in the next, and far away.
    for (shape, distance_hz) in [("hann", 500), ("rect", 500), ("rect", 4_000), ("rect", 30_000)] {
        let (truth, messages, _) = decode_scene(&near_far_scene(shape, distance_hz));
        let counts = ReceptionCounts::new(&truth, &messages);
        assert!(counts.is_perfect(), "{shape}, {distance_hz} Hz: {counts:?}");
    }
}

#[test]
fn a_decoded_burst_that_a_stronger_one_hides_is_taken_out_later() {
    // The stronger one, in the same subband, goes on when the weak one is decoded.
    let scene = Scene { duration_s: 5.0, ..staggered_scene() };
    let (truth, messages, statistics) = decode_scene(&scene);
    assert!(ReceptionCounts::new(&truth, &messages).is_perfect());
    assert_eq!(statistics.frames, 2);
    // What is not cancelled is tried again and again.
    assert!(statistics.hypotheses <= 20, "{} hypotheses", statistics.hypotheses);
    assert_eq!(statistics.undecoded_bursts, 0);
}

/// Clicks that hold eight times the noise's energy cost a message nothing.
#[test]
fn impulses_are_blanked_before_they_spread() {
    let mut scene = strong_scene("rect", 100, -133.0);
    let clean = decode_scene(&scene).1;
    let impulses = r#"
        level_over_noise_db = 30.0
        time_s = 0.0
        duration_s = 5.0
        frequency_hz = 868_130_000.0
        [signal]
        kind = "impulses"
        width_s = 0.0002
        rate_hz = 40.0
        bandwidth_hz = 250_000.0
    "#;
    scene.interferers.push(toml::from_str(impulses).unwrap());
    let (_, messages, statistics) = decode_scene(&scene);
    assert!((150..250).contains(&statistics.impulses), "{}", statistics.impulses);
    assert!((8_000..25_000).contains(&statistics.blanked_samples));
    assert_eq!(messages.len(), clean.len());
    for (blanked, clean) in messages.iter().zip(&clean) {
        assert!((blanked.signal.snr_db - clean.signal.snr_db).abs() < 1.0);
    }
}

#[test]
fn noise_says_nothing() {
    let scene: Scene = toml::from_str(
        "sample_rate_hz = 250_000\nduration_s = 30\nfull_scale_dbm = -90\nnoise_figure_db = 6\nseed = 3",
    )
    .unwrap();
    let (_, messages, statistics) = decode_scene(&scene);
    assert_eq!(messages, []);
    assert!(statistics.candidates > 0, "the noise was not even looked at");
}

/// Forty single frames at 3.5 dB, of which most are lost blindly.
fn faint_scene() -> Scene {
    let mut text = String::from(
        "sample_rate_hz = 250_000\nduration_s = 3\nfull_scale_dbm = -90\nnoise_figure_db = 6\nseed = 11\n",
    );
    for n in 0..40 {
        let frequency_hz = 868_045_000 + 4_300 * n;
        text += &format!(
            r#"
            [[device]]
            id = "{:08X}"
            key = "{:032X}"
            bit_rate = 100
            shape = "rect"
            level_dbm = -144.5
            message = [{{ time_s = 0.{:02}, sequence_number = {n}, kind = "bytes",
                         payload = "{n:024x}", frames = 1, frequencies_hz = [{frequency_hz}] }}]
            "#,
            0x1357_9BDFu32.wrapping_mul(2 * n + 1),
            u128::from(n) << 64 | 0xabcd,
            20 + n % 37,
        );
    }
    toml::from_str(&text).unwrap()
}

/// The frames of known devices are heard where those of strangers are not, and nothing is invented.
#[test]
fn keys_help_to_hear() {
    let scene = faint_scene();
    let (truth, samples) = render(&scene);
    let hear = |devices: bool, budget: f64| {
        let mut config = config(&truth, truth.center_hz);
        if !devices {
            config.devices = DeviceTable::new();
        }
        config.bit_rates = vec![BitRate::Bps100];
        config.false_messages_per_day = budget;
        let mut receiver = Receiver::new(config).unwrap();
        let mut events = receiver.push(&samples);
        events.extend(receiver.flush());
        (completed(events), receiver.statistics())
    };
    let (clear, _) = hear(false, 0.0);
    let (blind, blind_statistics) = hear(false, 1.0);
    let (helped, statistics) = hear(true, 1.0);
    let heard = |messages: &[Message]| {
        let counts = ReceptionCounts::new(&truth, messages);
        assert_eq!((counts.false_positives, counts.repeated), (0, 0));
        counts.heard
    };
    println!(
        "of 40: {} clear, {} blind, {} with keys",
        heard(&clear),
        heard(&blind),
        heard(&helped)
    );
    assert!(heard(&clear) < heard(&blind));
    assert!(heard(&blind) + 5 <= heard(&helped));
    assert_eq!(blind_statistics.a_priori_trials, 0);
    assert!(statistics.a_priori_trials > 0);
    for message in &helped {
        assert_eq!(message.authentication, Authentication::Verified);
    }
    assert!(helped.iter().any(|message| message.decoder == Decoder::APriori));
}

/// The samples of a recording and a receiver for it.
fn recording(name: &str) -> (Receiver, Vec<Complex32>) {
    let truth = truth_of(&fixtures(), name);
    let path = fixtures().join(format!("{name}.sigmf-meta"));
    let mut source = nap_io::open(&path, &nap_io::OpenOptions::default()).unwrap();
    let mut samples = vec![Complex32::ZERO; source.info().total_samples.unwrap() as usize];
    assert_eq!(nap_io::SampleSource::read(&mut source, &mut samples).unwrap(), samples.len());
    let center_hz = truth.center_hz;
    (Receiver::new(config(&truth, center_hz)).unwrap(), samples)
}

#[test]
fn a_message_goes_on_after_a_short_gap() {
    let (mut receiver, samples) = recording("rc1_two_uplinks");
    let (_, whole) = decode_recording(&fixtures(), "rc1_two_uplinks");
    // From 3.5 s to 6.2 s: the second frames.
    let (from, to) = (875_000, 1_550_000);
    let mut events = receiver.push(&samples[..from]);
    events.extend(receiver.skip((to - from) as u64));
    events.extend(receiver.push(&samples[to..]));
    events.extend(receiver.flush());
    let messages = completed(events);
    assert_eq!(messages.len(), whole.len());
    for (message, whole) in messages.iter().zip(&whole) {
        assert_eq!(message.uplink, whole.uplink);
        let times = |message: &Message| message.frames.iter().map(|f| f.signal.time_s).collect();
        let (found, expected): (Vec<f64>, Vec<f64>) = (times(message), times(whole));
        assert_eq!(found.len(), 2);
        for (found, expected) in found.iter().zip([expected[0], expected[2]]) {
            assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
        }
    }
    assert_eq!(receiver.statistics().lost_samples, (to - from) as u64);
    assert_eq!(receiver.statistics().samples, (samples.len() - (to - from)) as u64);
}

#[test]
fn time_is_right_after_a_long_gap() {
    let (mut receiver, samples) = recording("rc1_two_uplinks");
    let mut events = receiver.push(&samples);
    // A day.
    let lost = 86_400 * 250_000;
    events.extend(receiver.skip(lost));
    events.extend(receiver.push(&samples));
    events.extend(receiver.flush());
    let messages = completed(events);
    assert_eq!(messages.len(), 4);
    let later_s = (lost + samples.len() as u64) as f64 / 250e3;
    for (first, second) in messages[..2].iter().zip(&messages[2..]) {
        assert_eq!(first.uplink, second.uplink);
        assert_eq!((first.frames.len(), second.frames.len()), (3, 3));
        let distance_s = second.signal.time_s - first.signal.time_s;
        assert!((distance_s - later_s).abs() < 1e-3, "{distance_s}, not {later_s}");
    }
}

#[test]
fn unusable_samples_are_counted_and_survived() {
    let (truth, mut samples) = render(&flawed_scene(250_000.0, 0.0));
    for sample in samples.iter_mut().skip(10).step_by(50_000) {
        *sample = Complex32::new(f32::NAN, f32::INFINITY);
    }
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut events = receiver.push(&samples);
    events.extend(receiver.flush());
    assert!(ReceptionCounts::new(&truth, &completed(events)).is_perfect());
    assert_eq!(receiver.statistics().unusable_samples, 19);
    assert_eq!(receiver.statistics().samples, 950_000);
}

/// What an event tells.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Message(_) => "message",
        Event::Update(_) => "update",
        Event::Complete(_) => "complete",
        _ => "other",
    }
}

#[test]
fn an_update_follows_for_each_further_frame() {
    let (truth, samples) = render(&flawed_scene(250_000.0, 0.0));
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut events = receiver.push(&samples);
    events.extend(receiver.flush());
    let told: Vec<(&str, usize)> = events
        .iter()
        .filter_map(|event| Some((kind(event), event.message()?)))
        .filter(|(_, message)| message.bit_rate == BitRate::Bps600)
        .map(|(kind, message)| (kind, message.frames.len()))
        .collect();
    assert_eq!(told, [("message", 1), ("update", 2), ("update", 3), ("complete", 3)]);
}

/// Devices of 600 bit/s and what they send, as `traffic` or one by one, in noise.
fn weak_scene(seed: u64, devices: &str) -> Scene {
    let text = format!(
        r#"
        sample_rate_hz = 250_000
        duration_s = 12
        full_scale_dbm = -60
        noise_figure_db = 6
        seed = {seed}
        {devices}
        "#
    );
    toml::from_str(&text).unwrap()
}

/// All events of a scene with a budget of so many false messages a day, and the counters.
fn weak_events(scene: &Scene, false_messages_per_day: f64) -> (Truth, Vec<Event>, Statistics) {
    let (truth, samples) = render(scene);
    let mut config = config(&truth, truth.center_hz);
    config.bit_rates = vec![BitRate::Bps600];
    // A key would prove what it confirms.
    config.devices = DeviceTable::new();
    config.false_messages_per_day = false_messages_per_day;
    let mut receiver = Receiver::new(config).unwrap();
    let events = all_events(&mut receiver, &samples);
    (truth, events, receiver.statistics())
}

/// Single frames at 4 dB, where most readings that are found are far down the list.
#[test]
fn weakly_proven_messages_wait_until_they_are_complete() {
    let device = |n: u32| {
        let (time_s, hz) = (0.3 + 0.2 * f64::from(n), 868_040_000 + 4_400 * n);
        format!(
            "[[device]]\nid = \"{n:08X}\"\nkey = \"{n:032X}\"\nlevel_dbm = -136.2\nbit_rate = 600\n\
             shape = \"rect\"\n[[device.message]]\ntime_s = {time_s}\nframes = 1\n\
             payload = \"{n:016X}\"\nfrequencies_hz = [{hz}.0]\n"
        )
    };
    let scene = weak_scene(3, &(1..=40).map(device).collect::<String>());
    let (truth, events, statistics) = weak_events(&scene, 1.0);
    let counts = ReceptionCounts::new(&truth, &completed(events.clone()));
    assert_eq!((counts.false_positives, counts.repeated), (0, 0));
    let mut waited = 0;
    for id in 1..=statistics.messages {
        let is_of = |event: &Event| event.message().is_some_and(|message| message.id.0 == id);
        let told: Vec<usize> = (0..events.len()).filter(|&n| is_of(&events[n])).collect();
        let [first, last] = told[..] else { panic!("{told:?}") };
        assert_eq!((kind(&events[first]), kind(&events[last])), ("message", "complete"));
        let single = events[first].message().unwrap().decoder == Decoder::Single;
        waited += usize::from(last == first + 1 && !single);
    }
    println!("{waited} of {} messages waited", statistics.messages);
    assert!(waited > 0 && waited < counts.heard, "{waited} of {}", counts.heard);
}

/// With a budget that lets every decision pass, frames are read wrongly. Their messages' other frames put
/// that right: no burst is of two messages, and what was wrong is not told of.
#[test]
fn a_burst_is_of_one_message() {
    let traffic = "[traffic]\nmessages = 150\nlevel_dbm = [-139.5, -137.5]\npause_s = [0.1, 0.2]\n\
                   payload_bytes = [0, 12]\nbit_rates = [600]\nshapes = [\"rect\"]\n";
    let (truth, events, statistics) = weak_events(&weak_scene(1, traffic), 1e6);
    let messages = completed(events.clone());
    println!("{:?}\n{statistics:?}", ReceptionCounts::new(&truth, &messages));
    assert!(statistics.contradictions > 0 && statistics.dropped_messages > 0);
    let frames = || messages.iter().flat_map(|m| m.frames.iter().map(move |frame| (m, frame)));
    for (message, frame) in frames() {
        let competitor = frames().find(|(other, twin)| {
            let (a, b) = (&twin.signal, &frame.signal);
            other.id != message.id
                && (a.time_s - b.time_s).abs() < 0.003
                && (a.frequency_hz - b.frequency_hz).abs() < 200.0
        });
        assert!(competitor.is_none(), "{message:?} and {competitor:?}");
    }
    let retracted: Vec<u64> = events.iter().filter_map(Event::retracted).map(|m| m.id.0).collect();
    assert_eq!(retracted.len() as u64, statistics.retracted_messages);
    assert!(messages.iter().all(|message| !retracted.contains(&message.id.0)));
}

#[test]
fn what_cannot_work_is_refused() {
    for rate in [f64::NAN, f64::INFINITY, 1e300, -1.0, 0.0, 2_999.0] {
        assert!(Receiver::new(ReceiverConfig::new(rate, 868.13e6)).is_err(), "{rate}");
    }
    for drift in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
        let mut config = ReceiverConfig::new(250_000.0, 868.13e6);
        config.limits.max_drift_hz_per_s = drift;
        assert!(Receiver::new(config).is_err(), "{drift} Hz/s");
    }
    for budget in [-1.0, f64::NAN, f64::INFINITY] {
        let mut config = ReceiverConfig::new(250_000.0, 868.13e6);
        config.false_messages_per_day = budget;
        assert!(Receiver::new(config).is_err(), "{budget} false messages");
    }
    let mut config = ReceiverConfig::new(250_000.0, 868.13e6);
    config.channel_center_hz = 868.2e6;
    let error = Receiver::new(config).err().unwrap().to_string();
    assert!(error.contains("outside"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(sizes in prop::collection::vec(1usize..30_000, 1..20)) {
        let (truth, samples) = render(&flawed_scene(200_000.0, 0.0));
        let mut whole = Receiver::new(config(&truth, truth.center_hz)).unwrap();
        let mut expected = whole.push(&samples);
        expected.extend(whole.flush());

        let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
        let mut events = Vec::new();
        let mut rest = &samples[..];
        for size in sizes.into_iter().cycle() {
            let (block, after) = rest.split_at(size.min(rest.len()));
            events.extend(receiver.push(block));
            rest = after;
            if rest.is_empty() { break; }
        }
        events.extend(receiver.flush());
        prop_assert_eq!(events, expected);
    }
}

#[test]
fn one_sample_at_a_time_gives_the_same_events() {
    let (truth, samples) = render(&flawed_scene(200_000.0, 0.0));
    let mut whole = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut expected = whole.push(&samples);
    expected.extend(whole.flush());
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut events: Vec<Event> = samples.chunks(1).flat_map(|one| receiver.push(one)).collect();
    events.extend(receiver.flush());
    assert_eq!(events, expected);
}

/// Identities count from 1 in the order of the first reports; of each message there is one first report,
/// then updates, each with one frame more, then one completion, and nothing after it.
fn check_order(events: &[Event]) {
    let mut open: Vec<(MessageId, usize)> = Vec::new();
    let mut newest = 0;
    for event in events {
        let Some(message) = event.message() else { continue };
        let frames = message.frames.len();
        let place = open.iter().position(|(id, _)| *id == message.id);
        match (kind(event), place) {
            ("message", None) => {
                newest += 1;
                assert_eq!(message.id, MessageId(newest));
                open.push((message.id, frames));
            }
            ("update", Some(place)) => {
                assert_eq!(frames, open[place].1 + 1, "{}", message.id);
                open[place].1 = frames;
            }
            ("complete", Some(place)) => {
                assert_eq!(frames, open[place].1, "{}", message.id);
                open.remove(place);
            }
            (kind, _) => panic!("{kind} of {} is out of order", message.id),
        }
    }
    assert_eq!(open, [], "never completed");
}

#[test]
fn every_message_has_an_identity_and_its_events_an_order() {
    for name in ["rc1_two_uplinks", "rc1_all_kinds", "rc1_weak"] {
        let (mut receiver, samples) = recording(name);
        let events = all_events(&mut receiver, &samples);
        check_order(&events);
        let (truth, _) = decode_recording(&fixtures(), name);
        assert_eq!(completed(events).len(), truth.messages.len());
    }
    // It goes on counting after the stream has ended and begun anew, and after a gap.
    let (mut receiver, samples) = recording("rc1_two_uplinks");
    let mut events = all_events(&mut receiver, &samples);
    events.extend(receiver.skip(86_400 * 250_000));
    events.extend(all_events(&mut receiver, &samples));
    check_order(&events);
    assert_eq!(completed(events).last().unwrap().id, MessageId(4));
}

#[test]
fn events_are_handed_out_one_by_one_as_well() {
    let (truth, samples) = render(&flawed_scene(250_000.0, 0.0));
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut events = receiver.push(&samples[..500_000]);
    events.extend(receiver.skip(1_000));
    events.extend(all_events(&mut receiver, &samples[500_000..]));
    let mut other = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut handed_out = Vec::new();
    other.push_with(&samples[..500_000], |event| handed_out.push(event.clone()));
    other.skip_with(1_000, |event| handed_out.push(event.clone()));
    other.push_with(&samples[500_000..], |event| handed_out.push(event.clone()));
    other.flush_with(|event| handed_out.push(event.clone()));
    assert_eq!(handed_out, events);
}

/// Overwrites pieces in the middle of all frames with noise from before the first.
fn corrupt(samples: &mut [Complex32], truth: &Truth) {
    const PIECE: usize = 25_000;
    let noise = samples[..PIECE].to_vec();
    for frame in truth.messages.iter().flat_map(|message| &message.frames) {
        let start = ((frame.time_s + 0.6) * truth.sample_rate) as usize;
        for piece in [0, 2, 4, 6, 8] {
            samples[start + piece * PIECE..][..PIECE].copy_from_slice(&noise);
        }
    }
}

/// That a burst is some frame: carrier, time, level and bit rate.
fn is_frame(burst: &UndecodedBurst, frame: &TruthFrame, bit_rate: BitRate) -> bool {
    let Level::Dbm(level_dbm) = burst.signal.level else { panic!("not calibrated") };
    burst.bit_rate == bit_rate
        && (burst.signal.time_s - frame.time_s).abs() < bit_rate.symbol_s()
        && (burst.signal.frequency_hz - frame.frequency_hz).abs() < 10.0
        && (level_dbm - frame.dbm).abs() < 2.0
}

/// Devices that send one message each, as strong as each other, one 0.7 s after the other, with these
/// carriers and so many frames.
fn scene_of(carriers_hz: &[f64], frames: u8) -> Scene {
    let mut text = String::from(
        "sample_rate_hz = 250_000\nduration_s = 9\nfull_scale_dbm = -90\nnoise_figure_db = 6\nseed = 3\n",
    );
    for (n, frequency_hz) in carriers_hz.iter().enumerate() {
        text += &format!(
            r#"
            [[device]]
            id = "{:08X}"
            key = "0123456789ABCDEF0123456789ABCDEF"
            bit_rate = 100
            shape = "rect"
            level_dbm = -125
            message = [{{ time_s = {}, sequence_number = 9, kind = "bytes", frames = {frames},
                         payload = "000102030405060708090a{n:02x}",
                         frequencies_hz = {:?} }}]
            "#,
            n + 1,
            0.5 + 0.7 * n as f64,
            vec![frequency_hz; frames.into()],
        );
    }
    toml::from_str(&text).unwrap()
}

#[test]
fn what_was_seen_and_not_decoded_is_told_of_once() {
    let (truth, mut samples) = render(&scene_of(&[868_130_000.0], 3));
    corrupt(&mut samples, &truth);
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let mut events = receiver.push(&samples);
    assert_eq!(events, [], "they might still decode");
    let silence = vec![Complex32::ZERO; (UNDECODED_AFTER_S * truth.sample_rate) as usize];
    events.extend(receiver.push(&silence));
    let bursts = undecoded(&events);
    assert_eq!((completed(events).len(), bursts.len()), (0, 3), "{bursts:?}");
    for (burst, frame) in bursts.iter().zip(&truth.messages[0].frames) {
        assert!(is_frame(burst, frame, BitRate::Bps100), "{burst:?}, not {frame:?}");
        assert_eq!(burst.frame_type.unwrap().rank, frame.rank);
        assert!([UndecodedReason::CheckFailed, UndecodedReason::Unlikely].contains(&burst.reason));
        let snr_db = true_snr_db(&truth, frame, BitRate::Bps100);
        assert!((burst.signal.snr_db - snr_db).abs() < 2.0, "{burst:?}");
    }
    assert_eq!(receiver.flush(), []);
    assert_eq!(receiver.statistics().undecoded_bursts, 3);
}

#[test]
fn frames_that_corrupt_each_other_are_told_of() {
    let (truth, samples) = render(&scene_of(&[868_130_000.0, 868_130_020.0], 1));
    let mut receiver = Receiver::new(config(&truth, truth.center_hz)).unwrap();
    let events = all_events(&mut receiver, &samples);
    let bursts = undecoded(&events);
    assert_eq!(completed(events), []);
    // Of the second one, the preamble lies under the first one's data.
    assert!(is_frame(&bursts[0], &truth.messages[0].frames[0], BitRate::Bps100), "{bursts:?}");
    assert!(bursts.len() <= 2, "{bursts:?}");
}

#[test]
fn what_decodes_is_not_told_of_as_undecoded() {
    let names =
        ["rc1_two_uplinks", "rc1_minus120dbm", "rc2_minus112dbm", "rc1_all_kinds", "rc1_weak"];
    for name in names {
        let (mut receiver, samples) = recording(name);
        assert_eq!(undecoded(&all_events(&mut receiver, &samples)), [], "{name}");
    }
    let (truth, samples) = render(&flawed_scene(250_000.0, 20_000.0));
    let mut receiver = Receiver::new(config(&truth, 868_130_000.0)).unwrap();
    assert_eq!(undecoded(&all_events(&mut receiver, &samples)), []);
}

#[test]
fn devices_may_change_while_it_runs() {
    let (mut receiver, samples) = recording("rc1_two_uplinks");
    let devices = truth_of(&fixtures(), "rc1_two_uplinks").devices();
    let authentications = |receiver: &mut Receiver| -> Vec<Authentication> {
        let messages = completed(all_events(receiver, &samples));
        messages.into_iter().map(|message| message.authentication).collect()
    };
    receiver.set_devices(DeviceTable::new());
    assert_eq!(authentications(&mut receiver), [Authentication::Unchecked; 2]);
    receiver.set_devices(devices);
    assert_eq!(authentications(&mut receiver), [Authentication::Verified; 2]);
}

/// Faint frames of devices that become known are looked for with the help of their keys.
#[test]
fn devices_that_become_known_are_looked_for() {
    let (truth, samples) = render(&faint_scene());
    let mut config = config(&truth, truth.center_hz);
    config.devices = DeviceTable::new();
    config.bit_rates = vec![BitRate::Bps100];
    let mut receiver = Receiver::new(config).unwrap();
    let before = completed(all_events(&mut receiver, &samples)).len();
    receiver.set_devices(truth.devices());
    let after = completed(all_events(&mut receiver, &samples)).len();
    assert!(after >= before + 5, "{before} of strangers, {after} of known devices");
}

#[test]
fn the_noise_density_is_that_of_the_simulator() {
    // A device that sends all the time does not lift it.
    for scene in [flawed_scene(250_000.0, 0.0), flawed_scene(1_000_000.0, -310_000.0)] {
        let mut scene = scene;
        scene.quantisation_bits = None;
        let (truth, samples) = render(&scene);
        let mut receiver = Receiver::new(config(&truth, 868_130_000.0)).unwrap();
        assert_eq!(receiver.noise_density(), None);
        receiver.push(&samples);
        let true_dbm_per_hz = -174.0 + truth.noise_figure_db;
        let Some(Level::Dbm(found)) = receiver.noise_density() else { panic!("not calibrated") };
        assert!((found - true_dbm_per_hz).abs() < 0.7, "{found} dBm/Hz, not {true_dbm_per_hz}");
        let parts = receiver.noise_densities();
        let outer_hz = [parts[0].frequency_hz, parts[parts.len() - 1].frequency_hz];
        assert!((outer_hz[0] - 868_034_000.0).abs() < 5e3, "{outer_hz:?}");
        assert!((outer_hz[1] - 868_226_000.0).abs() < 5e3, "{outer_hz:?}");
        assert!(parts.windows(2).all(|pair| pair[0].frequency_hz < pair[1].frequency_hz));
    }
}

#[test]
fn the_list_of_counters_is_complete() {
    let (mut receiver, samples) = recording("rc1_two_uplinks");
    receiver.push(&samples);
    receiver.skip(100);
    let statistics = receiver.statistics();
    let listed: Vec<String> =
        statistics.counters().map(|c| format!("{}: {}", c.name, c.value)).collect();
    let expected = format!("Statistics {{ {} }}", listed.join(", "));
    assert_eq!(format!("{statistics:?}"), expected);
    for counter in statistics.counters() {
        assert!(counter.help.ends_with('.'), "{}", counter.name);
    }
    let mut twice = statistics;
    twice += statistics;
    for (once, twice) in statistics.counters().zip(twice.counters()) {
        assert_eq!(2 * once.value, twice.value);
    }
}
