//! Several channels out of one stream.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![cfg(all(feature = "receiver", feature = "serde"))]

use nap_phy::RadioConfiguration::{self, Rc1, Rc3Lbt, Rc5, Rc7};
use nap_phy::receiver::channel_choice::{ChannelChoice, Channels};
use nap_phy::receiver::channels::ChannelReceivers;
use nap_phy::scene::{ReceptionCounts, Scene, Truth};
use nap_phy::{BitRate, Event, Message};
use num_complex::Complex32;

/// A device with one message of 600 bit/s, and where it sends its frames.
fn device(id: u32, radio_configuration: RadioConfiguration, time_s: f64, hz: &str) -> String {
    format!(
        "[[device]]\nid = \"{id:08X}\"\nkey = \"00112233445566778899AABBCCDDEEFF\"\n\
         radio_configuration = \"{radio_configuration}\"\nlevel_dbm = -110\nbit_rate = 600\n\
         [[device.message]]\ntime_s = {time_s}\npayload = \"0102{id:08X}\"\n{hz}\n"
    )
}

fn render(sample_rate_hz: f64, center_hz: f64, devices: &str) -> (Truth, Vec<Complex32>) {
    let scene: Scene = toml::from_str(&format!(
        "sample_rate_hz = {sample_rate_hz:?}\ncenter_hz = {center_hz:?}\nduration_s = 5.0\n{devices}"
    ))
    .unwrap();
    let (mut simulator, truth) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    (truth, samples)
}

fn receivers(truth: &Truth, all: &[RadioConfiguration]) -> ChannelReceivers {
    let channels = Channels::Configurations(all.to_vec());
    let choice = ChannelChoice { channels, ..ChannelChoice::default() };
    let chosen = choice.in_band(truth.sample_rate, Some(truth.center_hz)).unwrap();
    ChannelReceivers::new(chosen.configs).unwrap()
}

fn events(receivers: &mut ChannelReceivers, samples: &[Complex32], block: usize) -> Vec<Event> {
    let mut events: Vec<Event> =
        samples.chunks(block).flat_map(|block| receivers.push(block)).collect();
    events.extend(receivers.flush());
    events
}

fn completed(events: &[Event]) -> Vec<Message> {
    let complete = |event: &Event| match event {
        Event::Complete(message) => Some(message.clone()),
        _ => None,
    };
    events.iter().filter_map(complete).collect()
}

fn of(messages: &[Message], id: u32) -> &Message {
    messages.iter().find(|message| message.uplink.device_id().0 == id).unwrap()
}

#[test]
fn two_channels_of_one_wide_capture() {
    let devices = device(1, Rc1, 0.5, "") + &device(7, Rc7, 0.6, "") + &device(8, Rc7, 2.0, "");
    let (truth, samples) = render(2.4e6, 868.465e6, &devices);
    let mut receivers = receivers(&truth, &[Rc1, Rc7]);
    let messages = completed(&events(&mut receivers, &samples, 100_000));
    let counts = ReceptionCounts::new(&truth, &messages);
    assert!(counts.is_perfect(), "{counts:?}");
    for (id, radio_configuration) in [(1, Rc1), (7, Rc7), (8, Rc7)] {
        let message = of(&messages, id);
        assert_eq!(message.radio_configuration, Some(radio_configuration));
        assert_eq!((message.frames.len(), message.bit_rate), (3, BitRate::Bps600));
    }
    assert_eq!(receivers.statistics().samples, samples.len() as u64);
    let messages: Vec<u64> = receivers.each_statistics().map(|each| each.messages).collect();
    assert_eq!(messages, [1, 2]);
}

/// Japan's and Korea's channels share 923.204 to 923.296 MHz.
const SHARED: [(u32, RadioConfiguration, &str); 4] = [
    (1, Rc3Lbt, "frequencies_hz = [923.22e6, 923.23e6, 923.21e6]"),
    (2, Rc5, "frequencies_hz = [923.28e6, 923.27e6, 923.29e6]"),
    (3, Rc3Lbt, "frequencies_hz = [923.28e6, 923.15e6, 923.21e6]"),
    (4, Rc5, "frequencies_hz = [923.35e6, 923.22e6, 923.24e6]"),
];

fn shared_scene() -> (Truth, Vec<Complex32>) {
    let time_s = |id: u32| 0.5 * f64::from(id);
    let devices = SHARED.map(|(id, rc, hz)| device(id, rc, time_s(id), hz));
    render(400e3, 923.25e6, &devices.concat())
}

#[test]
fn where_channels_overlap_a_message_is_one() {
    let (truth, samples) = shared_scene();
    let all = events(&mut receivers(&truth, &[Rc3Lbt, Rc5]), &samples, 65_536);
    let messages = completed(&all);
    let counts = ReceptionCounts::new(&truth, &messages);
    assert!(counts.is_perfect(), "{counts:?}");
    for (id, radio_configuration, _) in SHARED {
        let message = of(&messages, id);
        assert_eq!(message.radio_configuration, Some(radio_configuration), "device {id}");
        assert_eq!(message.frames.len(), 3, "device {id}");
        let reports = all.iter().filter(
            |event| matches!(event, Event::Message(message) if message.uplink.device_id().0 == id),
        );
        assert_eq!(reports.count(), 1, "device {id}");
    }
}

/// Where nobody can hear a message better, it is reported as soon as a single receiver would.
#[test]
fn nothing_waits_that_need_not() {
    const BLOCK: usize = 16_384;
    let (truth, samples) = shared_scene();
    let reported_at = |all: &[RadioConfiguration], id: u32| {
        let mut receivers = receivers(&truth, all);
        samples.chunks(BLOCK).position(|block| {
            let is_it = |event: &Event| {
                matches!(event, Event::Message(message) if message.uplink.device_id().0 == id)
            };
            receivers.push(block).iter().any(is_it)
        })
    };
    for (id, radio_configuration) in [(1, Rc3Lbt), (2, Rc5)] {
        let alone = reported_at(&[radio_configuration], id);
        assert!(alone.is_some());
        assert_eq!(reported_at(&[Rc3Lbt, Rc5], id), alone);
    }
}

#[test]
fn any_split_gives_the_same_events() {
    let (truth, samples) = shared_scene();
    let mut of_blocks = [samples.len(), 65_536, 10_007].map(|block| {
        let mut receivers = receivers(&truth, &[Rc3Lbt, Rc5]);
        events(&mut receivers, &samples, block)
    });
    let [first, others @ ..] = &mut of_blocks;
    for other in others {
        assert_eq!(other, first);
    }
}
