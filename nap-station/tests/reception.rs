//! Reception as a library: what its driver is told, in which order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nap_io::live::{
    LiveSource, Loss, OnError, Policy, Reading, Source, SourceAddress, SourceKind, SourceSettings,
};
use nap_io::{Error, OpenOptions, SampleSource, StreamInfo};
use nap_phy::{Event, RadioConfiguration, ReceiverConfig};
use nap_station::Monitor;
use nap_station::reception::{Reception, ReceptionEvent};
use num_complex::Complex32;

/// When the recording began, says the test.
const START: &str = "2026-11-23T06:16:00Z";
const TIMEOUT: Duration = Duration::from_secs(1);

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings/rc1_two_uplinks.sigmf-meta")
}

/// The recording, as fast as it can be read.
fn source() -> Source {
    let mut settings = SourceSettings::default();
    settings.speed = None;
    settings.samples.start = Some(START.parse().unwrap());
    SourceAddress::Recording(recording()).source(&settings).unwrap()
}

/// Listens to RC1 until the end; returns all that happened.
fn listen(reception: &mut Reception) -> Vec<ReceptionEvent> {
    let mut events = Vec::new();
    loop {
        match reception.next(TIMEOUT) {
            Some(ReceptionEvent::Started(info)) => {
                let config = ReceiverConfig::new(info.sample_rate_hz, info.center_hz.unwrap());
                reception.listen(config.with_radio_configuration(RadioConfiguration::Rc1)).unwrap();
            }
            Some(ReceptionEvent::Ended) => break,
            event => events.extend(event),
        }
    }
    events.extend(reception.finish());
    events
}

/// Device and time of each message that is complete.
fn complete(events: &[ReceptionEvent]) -> Vec<(String, f64, Option<String>)> {
    let received = events.iter().filter_map(|event| match event {
        ReceptionEvent::Received(received) => Some(received),
        _ => None,
    });
    received
        .filter_map(|received| match &received.event {
            Event::Complete(message) => {
                let id = message.uplink.device_id().to_string();
                Some((id, message.signal.time_s, received.time.clone()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_recording_gives_its_messages_with_their_time_of_day() {
    let monitor = Monitor::new().unwrap();
    let mut reception = Reception::new(source(), None, monitor.clone());
    let messages = complete(&listen(&mut reception));
    let mut devices: Vec<&str> = messages.iter().map(|(id, ..)| id.as_str()).collect();
    devices.sort_unstable();
    assert_eq!(devices, ["258E05CA", "38DFD2F3"]);
    for (_, time_s, time) in &messages {
        let expected = nap_io::utc_text(START.parse().unwrap(), *time_s);
        assert!(expected.is_some() && *time == expected, "{time:?} at {time_s} s");
    }
    let statistics = reception.statistics().unwrap();
    assert_eq!((statistics.messages, statistics.frames), (2, 6));
    assert!((reception.end_s() - reception.seconds(statistics.samples)).abs() < 1e-9);
    assert!(monitor.metrics().text().unwrap().contains("nap_frames_total 6\n"));
}

/// Blocks, and what was lost before each; none where the connection breaks.
type Script = VecDeque<Option<(Vec<Complex32>, Loss)>>;

/// A radio that plays a script.
struct Interrupted {
    info: StreamInfo,
    script: Arc<Mutex<Script>>,
}

impl LiveSource for Interrupted {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        _: usize,
        _: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        match self.script.lock().unwrap().pop_front() {
            Some(Some((block, loss))) => {
                samples.extend(block);
                Ok(Reading::Samples(loss))
            }
            Some(None) => Err(Error::Radio { radio: "radio".into(), problem: "broken".into() }),
            None => Ok(Reading::End),
        }
    }
}

/// All samples of the recording in blocks, and what is known of them.
fn blocks() -> (StreamInfo, Vec<Vec<Complex32>>) {
    let mut source = nap_io::open(&recording(), &OpenOptions::default()).unwrap();
    let info = source.info().clone();
    let mut samples = vec![Complex32::ZERO; info.total_samples.unwrap() as usize];
    assert_eq!(source.read(&mut samples).unwrap(), samples.len());
    (info, samples.chunks(10_000).map(<[_]>::to_vec).collect())
}

#[test]
fn losses_and_failures_are_told_in_their_place_and_time_goes_on() {
    let (info, blocks) = blocks();
    let whole: usize = blocks.iter().map(Vec::len).sum();
    // Two blocks of the silence at the beginning are lost, and the connection breaks once later.
    let mut script: Script = blocks.into_iter().map(|b| Some((b, Loss::None))).collect();
    script.drain(3..5);
    script[3].as_mut().unwrap().1 = Loss::Samples(20_000);
    script.insert(5, None);
    let script = Arc::new(Mutex::new(script));
    let opened = info.clone();
    let source = Source {
        name: "radio".into(),
        opener: Arc::new(move |_| {
            let source = Interrupted { info: opened.clone(), script: Arc::clone(&script) };
            Ok(Box::new(source) as Box<dyn LiveSource>)
        }),
        policy: Policy {
            on_error: OnError::Restart,
            min_pause: Duration::ZERO,
            ..Policy::recording(None)
        },
        kind: SourceKind::Recording,
    };
    let monitor = Monitor::new().unwrap();
    let mut reception = Reception::new(source, None, monitor.clone());
    let events = listen(&mut reception);
    let place = |what: fn(&ReceptionEvent) -> bool| events.iter().position(what).unwrap();
    let lost = place(|event| matches!(event, ReceptionEvent::Lost(_)));
    let fault = place(|e| matches!(e, ReceptionEvent::Fault(fault) if fault.kind.is_fatal()));
    let recovered = place(|event| matches!(event, ReceptionEvent::Recovered(_)));
    assert!(lost < fault && fault < recovered, "{events:?}");
    let ReceptionEvent::Lost(loss) = &events[lost] else { panic!("{events:?}") };
    assert_eq!(loss.samples, 20_000);
    assert!((loss.time_s - 50_000.0 / info.sample_rate_hz).abs() < 1e-9, "{loss:?}");
    // A source that does not go by the clock loses nothing by an outage.
    assert!((reception.end_s() - whole as f64 / info.sample_rate_hz).abs() < 1e-9);
    let whole = complete(&listen(&mut Reception::new(self::source(), None, monitor.clone())));
    let found = complete(&events);
    assert_eq!(found.len(), whole.len(), "{events:?}");
    for ((id, time_s, _), (expected_id, expected_s, _)) in found.iter().zip(&whole) {
        assert_eq!(id, expected_id);
        assert!((time_s - expected_s).abs() < 1e-3, "{time_s}, not {expected_s}");
    }
    assert!(monitor.metrics().text().unwrap().contains("nap_restarts_total 1\n"));
}
