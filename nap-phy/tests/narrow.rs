//! Recordings that are narrower than the channel, received blindly.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![cfg(all(feature = "receiver", feature = "serde"))]

use std::fmt::Write;

use nap_phy::BitRate::{self, Bps100, Bps600};
use nap_phy::scene::{ReceptionCounts, Scene, Truth};
use nap_phy::{Error, Event, Message, Receiver, ReceiverConfig};
use num_complex::Complex32;

/// Middle of the bands: above that of the channel, so that nothing hangs on it.
const CENTER_HZ: f64 = 868_150_000.0;
/// From message to message.
const INTERVAL_S: f64 = 2.6;

/// A scene with messages of one frame, one after the other on these carriers, from the centre.
fn scene(sample_rate_hz: f64, bit_rate: BitRate, level_dbm: f64, carriers_hz: &[f64]) -> Scene {
    let duration_s = 1.0 + INTERVAL_S * carriers_hz.len() as f64;
    let mut text = format!(
        "sample_rate_hz = {sample_rate_hz:?}\ncenter_hz = {CENTER_HZ:?}\nseed = 5\n\
         duration_s = {duration_s:?}\n"
    );
    for (n, carrier_hz) in carriers_hz.iter().enumerate() {
        let (time_s, frequency_hz) = (0.5 + INTERVAL_S * n as f64, CENTER_HZ + carrier_hz);
        write!(
            text,
            "[[device]]\nid = \"{:08X}\"\nkey = \"00112233445566778899AABBCCDDEEFF\"\n\
             bit_rate = {bit_rate}\nlevel_dbm = {level_dbm:?}\n[[device.message]]\n\
             time_s = {time_s:?}\npayload = \"0102030405060708\"\nframes = 1\n\
             frequencies_hz = [{frequency_hz:?}]\n",
            0x1000 + n
        )
        .unwrap();
    }
    toml::from_str(&text).unwrap()
}

fn render(scene: &Scene) -> (Truth, Vec<Complex32>) {
    let (mut simulator, truth) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    (truth, samples)
}

/// All that the receiver says.
fn events(sample_rate_hz: f64, samples: &[Complex32]) -> Vec<Event> {
    let mut receiver = Receiver::new(ReceiverConfig::new(sample_rate_hz, CENTER_HZ)).unwrap();
    let mut events = receiver.push(samples);
    events.extend(receiver.flush());
    events
}

fn decode(sample_rate_hz: f64, samples: &[Complex32]) -> Vec<Message> {
    events(sample_rate_hz, samples).into_iter().filter_map(Event::complete).collect()
}

/// Carriers all over a band, as far out as can be simulated.
fn all_over(sample_rate_hz: f64, bit_rate: BitRate, count: usize) -> Vec<f64> {
    let reach_hz = sample_rate_hz / 2.0 - f64::from(bit_rate.bits_per_s());
    (0..count).map(|n| reach_hz * (2.0 * n as f64 / (count - 1) as f64 - 1.0)).collect()
}

/// Each message is heard once, where it was sent.
fn check(rate_hz: f64, truth: &Truth, messages: &[Message]) {
    let ReceptionCounts { sent, heard, repeated, false_positives, .. } =
        ReceptionCounts::new(truth, messages);
    let counts = (heard, repeated, false_positives, messages.len());
    assert_eq!(counts, (sent, 0, 0, sent), "{rate_hz} S/s: {messages:?}");
    for (message, sent) in messages.iter().zip(&truth.messages) {
        assert_eq!(message.frames.len(), 1, "{rate_hz} S/s");
        let error_hz = message.signal.frequency_hz - sent.frames[0].frequency_hz;
        assert!(error_hz.abs() < 3.0, "{rate_hz} S/s: {error_hz} Hz off");
    }
}

#[test]
fn what_is_in_the_band_is_decoded_at_any_rate() {
    let rates_hz =
        [3e3, 3.2e3, 5e3, 7_350.0, 8e3, 11_025.0, 12e3, 16e3, 22_050.0, 24e3, 44.1e3, 48e3];
    for (rate_hz, bit_rate) in
        rates_hz.into_iter().flat_map(|rate_hz| [(rate_hz, Bps100), (rate_hz, Bps600)])
    {
        if rate_hz < bit_rate.min_sample_rate_hz() {
            continue;
        }
        // Eb/N0 of 9 dB: some decibels over where messages are lost.
        let level_dbm = -159.0 + 10.0 * f64::from(bit_rate.bits_per_s()).log10();
        let scene = scene(rate_hz, bit_rate, level_dbm, &all_over(rate_hz, bit_rate, 5));
        let (truth, samples) = render(&scene);
        check(rate_hz, &truth, &decode(rate_hz, &samples));
    }
}

#[test]
fn a_frame_over_the_edge_of_the_band_is_heard_once() {
    /// Every so many samples of a wider scene are kept: what is outside the band folds into it.
    const FOLDS: usize = 8;
    for (rate_hz, bit_rate) in [(3e3, Bps100), (7_350.0, Bps100), (12e3, Bps600), (24e3, Bps600)] {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        // Strong enough that the sidelobes show at the other edge.
        let level_dbm = -130.0 + 10.0 * symbol_rate_hz.log10();
        let edge_hz = rate_hz / 2.0 - 0.4 * symbol_rate_hz;
        let carriers_hz = [-edge_hz, edge_hz, -edge_hz - 0.1 * symbol_rate_hz];
        let scene = scene(FOLDS as f64 * rate_hz, bit_rate, level_dbm, &carriers_hz);
        let (truth, samples) = render(&scene);
        let folded: Vec<Complex32> = samples.into_iter().step_by(FOLDS).collect();
        let events = events(rate_hz, &folded);
        let undecoded = events.iter().filter_map(Event::undecoded).count();
        assert_eq!(undecoded, 0, "{rate_hz} S/s: {events:?}");
        let messages: Vec<Message> = events.into_iter().filter_map(Event::complete).collect();
        check(rate_hz, &truth, &messages);
    }
}

#[test]
fn noise_has_no_messages_in_it() {
    for rate_hz in [3e3, 12e3, 48e3] {
        let scene = Scene { duration_s: 200.0, ..scene(rate_hz, Bps100, -100.0, &[]) };
        let (_, samples) = render(&scene);
        assert_eq!(decode(rate_hz, &samples), [], "{rate_hz} S/s");
    }
}

#[test]
fn bit_rates_need_a_sample_rate() {
    let bit_rates = |rate_hz| ReceiverConfig::new(rate_hz, CENTER_HZ).bit_rates;
    assert_eq!(bit_rates(11_999.0), [Bps100]);
    assert_eq!(bit_rates(12e3), BitRate::ALL);
    let mut config = ReceiverConfig::new(11_999.0, CENTER_HZ);
    config.bit_rates = vec![Bps600];
    let refused = Receiver::new(config).unwrap_err();
    assert_eq!(refused, Error::SampleRate { found_hz: 11_999.0, bits_per_s: 600, min_hz: 12e3 });
    let text = "a sample rate of 11999 S/s is too low: frames of 600 bit/s need 12000 S/s or more";
    assert_eq!(refused.to_string(), text);
    let refused = Receiver::new(ReceiverConfig::new(2_999.0, CENTER_HZ)).unwrap_err();
    assert_eq!(refused, Error::SampleRate { found_hz: 2_999.0, bits_per_s: 100, min_hz: 3e3 });
}

#[test]
fn a_narrow_band_beside_the_channel_holds_nothing() {
    let config = ReceiverConfig::new(12e3, 868.3e6);
    let config = config.with_radio_configuration(nap_phy::RadioConfiguration::Rc1);
    assert!(matches!(Receiver::new(config), Err(Error::Signal(_))));
}
