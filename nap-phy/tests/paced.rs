//! A receiver whose work is spread: the same events, and what happens when the work is behind.
#![cfg(feature = "scene")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use nap_phy::receiver::paced::{PacedEvent, PacedReceiver};
use nap_phy::scene::Scene;
use nap_phy::{DeviceTable, Event, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

const SAMPLE_RATE_HZ: f64 = 250_000.0;
const BLOCK: usize = 4096;

/// Devices that meet, so that bursts are cancelled and others tried again.
fn samples() -> Vec<Complex32> {
    let mut text = String::from(
        "sample_rate_hz = 250_000\nduration_s = 9\nfull_scale_dbm = -90\nnoise_figure_db = 6\nseed = 3\n",
    );
    for n in 0..6 {
        text += &format!(
            r#"
            [[device]]
            id = "000000A{n}"
            key = "0123456789ABCDEF0123456789ABCDEF"
            shape = "rect"
            level_dbm = {level}
            message = [{{ time_s = {time_s}, sequence_number = {n}, kind = "bytes",
                          payload = "000102030405060708090a0b", frames = 3,
                          frequencies_hz = [{f0}.0, {f0}.0, {f0}.0] }}]
            "#,
            level = -118 - 3 * n,
            time_s = 0.3 + 0.1 * f64::from(n),
            f0 = 868_130_000 + 150 * n,
        );
    }
    let scene: Scene = toml::from_str(&text).unwrap();
    let (mut simulator, _) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    samples
}

fn config() -> ReceiverConfig {
    ReceiverConfig::new(SAMPLE_RATE_HZ, 868_130_000.0)
}

fn table() -> DeviceTable {
    let mut devices = DeviceTable::new();
    let key = "0123456789ABCDEF0123456789ABCDEF";
    devices.insert(nap_phy::Device::from_fields("A1", key, "", "").unwrap()).unwrap();
    devices
}

/// What a plain receiver makes of the samples, with a short gap, a change of devices and a long gap.
fn plain(samples: &[Complex32]) -> Vec<Event> {
    let mut receiver = Receiver::new(config()).unwrap();
    let (first, rest) = samples.split_at(samples.len() / 2);
    let mut events = receiver.push(first);
    events.extend(receiver.skip(1_000));
    receiver.set_devices(table());
    events.extend(receiver.push(rest));
    events.extend(receiver.skip(5_000_000));
    events.extend(receiver.push(samples));
    events.extend(receiver.flush());
    events
}

/// The same of one that does a random number of parts of the work after each block.
fn paced(samples: &[Complex32]) -> (Vec<Event>, PacedReceiver) {
    let mut rng = ChaCha12Rng::seed_from_u64(8);
    let mut receiver = PacedReceiver::new(config(), 2 * samples.len()).unwrap();
    let mut events = Vec::new();
    let mut work = |receiver: &mut PacedReceiver, most: u64| {
        let mut parts = 0..rng.random_range(0..=most);
        receiver.work_while(
            || parts.next().is_some(),
            |event| match event {
                PacedEvent::Received(event) => events.push(event.clone()),
                other => panic!("{other:?}"),
            },
        )
    };
    let mut push = |receiver: &mut PacedReceiver, samples: &[Complex32]| {
        for block in samples.chunks(BLOCK) {
            receiver.push(block);
            work(receiver, 330);
        }
    };
    let (first, rest) = samples.split_at(samples.len() / 2);
    push(&mut receiver, first);
    receiver.skip(400);
    receiver.skip(600);
    receiver.set_devices(table());
    push(&mut receiver, rest);
    receiver.skip(5_000_000);
    push(&mut receiver, samples);
    receiver.flush();
    while work(&mut receiver, 1_000_000) {}
    (events, receiver)
}

#[test]
fn spread_work_gives_the_same_events_in_the_same_order() {
    let samples = samples();
    let expected = plain(&samples);
    assert!(expected.iter().filter(|event| matches!(event, Event::Complete(_))).count() >= 8);
    let (events, receiver) = paced(&samples);
    assert_eq!(events, expected);
    assert_eq!((receiver.backlog(), receiver.overrun_samples()), (0, 0));
    assert_eq!(receiver.statistics().lost_samples, 5_001_000);
}

#[test]
fn what_is_pushed_too_fast_is_told_of_with_its_count() {
    let block = vec![Complex32::default(); BLOCK];
    let mut receiver = PacedReceiver::new(config(), 10_000).unwrap();
    for _ in 0..4 {
        receiver.push(&block);
    }
    let dropped = 4 * BLOCK as u64 - 10_000;
    assert_eq!((receiver.room(), receiver.overrun_samples()), (0, dropped));
    let mut overruns = Vec::new();
    let mut work = |receiver: &mut PacedReceiver| {
        let note = |event: PacedEvent<'_>| match event {
            PacedEvent::Overrun(overrun) => overruns.push((overrun.time_s, overrun.samples)),
            other => panic!("{other:?}"),
        };
        assert!(!receiver.work_while(|| true, note));
    };
    work(&mut receiver);
    receiver.push(&vec![Complex32::default(); 10_001]);
    work(&mut receiver);
    let later_s = (20_000.0 + dropped as f64) / SAMPLE_RATE_HZ;
    assert_eq!(overruns, [(10_000.0 / SAMPLE_RATE_HZ, dropped), (later_s, 1)]);
    let statistics = receiver.statistics();
    assert_eq!((statistics.samples, statistics.lost_samples), (20_000, dropped + 1));
}

#[test]
fn without_time_nothing_is_done() {
    let mut receiver = PacedReceiver::new(config(), 10_000).unwrap();
    assert!(!receiver.work_while(|| panic!("there is nothing to do"), |_| {}));
    receiver.push(&[Complex32::default(); 100]);
    assert!(receiver.work_while(|| false, |_| {}));
    assert_eq!((receiver.backlog(), receiver.statistics().samples), (100, 0));
}
