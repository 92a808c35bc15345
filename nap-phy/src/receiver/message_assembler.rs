//! From frames to messages: each message once, with all its frames.

use std::sync::Arc;

use super::calibration::{Calibration, decibel};
use super::decoded_frame::DecodedFrame;
use super::event::Event;
use crate::device::table::DeviceTable;
use crate::message::{Decoder, FrameReport, Message, MessageId, Signal};
use crate::radio::configuration::RadioConfiguration;
use crate::uplink::container::Container;

/// What all messages have in common, and what is known of their devices.
pub(super) struct Reporter {
    pub(super) calibration: Calibration,
    pub(super) radio_configuration: Option<RadioConfiguration>,
    pub(super) channel_center_hz: Option<f64>,
    pub(super) devices: Arc<DeviceTable>,
}

impl Reporter {
    fn report(&self, frame: &DecodedFrame) -> FrameReport {
        let measurement = &frame.measurement;
        let signal = Signal {
            time_s: measurement.start_s,
            frequency_hz: self.calibration.frequency_hz(measurement.carrier.frequency_hz),
            level: self.calibration.level(measurement.power),
            snr_db: decibel(frame.eb_over_n0),
            drift_hz_per_s: measurement.carrier.drift_hz_per_s,
        };
        FrameReport { rank: frame.frame_type.rank, signal, crc_ok: frame.crc_ok }
    }
}

/// A message to which frames may still come.
struct Open {
    message: Message,
    /// What all its frames hold, the authentication tag included: a forged frame is another message.
    container: Container,
    /// When the last frame can have ended at the latest, in seconds.
    deadline_s: f64,
}

impl Open {
    /// Adds a frame; returns whether it is news.
    fn add(&mut self, report: FrameReport, decoder: Decoder) -> bool {
        let Message { frames, signal, decoder: best, .. } = &mut self.message;
        let twin = frames.iter_mut().find(|twin| twin.rank == report.rank);
        let is_news = twin.is_none();
        if let Some(twin) = twin {
            // The same frame once more: an image or a spur of a strong signal. What is known of
            // the frame stays known, whichever of the two shows it better.
            let crc_ok = twin.crc_ok || report.crc_ok;
            if twin.signal.snr_db < report.signal.snr_db {
                *twin = report;
            }
            twin.crc_ok = crc_ok;
        } else {
            frames.push(report);
            frames.sort_by(|a, b| a.signal.time_s.total_cmp(&b.signal.time_s));
        }
        *signal = Signal::of_message(frames).unwrap_or(*signal);
        *best = (*best).min(decoder);
        is_news
    }
}

/// Collects the frames of messages.
pub(super) struct Assembler {
    reporter: Reporter,
    /// How long after its end a frame may come, in seconds.
    wait_s: f64,
    /// The newest message.
    newest: MessageId,
    open: Vec<Open>,
}

impl Assembler {
    /// An assembler of frames that come up to `wait_s` after their ends.
    pub(super) fn new(reporter: Reporter, wait_s: f64) -> Self {
        Self { reporter, wait_s, newest: MessageId::default(), open: Vec::new() }
    }

    /// Authenticates by these keys from now on.
    pub(super) fn set_devices(&mut self, devices: Arc<DeviceTable>) {
        self.reporter.devices = devices;
    }

    /// Takes a frame; returns the event it causes, if any.
    pub(super) fn add(&mut self, frame: &DecodedFrame) -> Option<Event> {
        let uplink = frame.container.uplink().ok()?;
        let report = self.reporter.report(frame);
        let deadline_s = frame.last_end_s() + self.wait_s;
        let same = |open: &&mut Open| {
            open.container == frame.container
                && open.message.bit_rate == frame.bit_rate
                && open.deadline_s >= frame.end_s()
        };
        if let Some(open) = self.open.iter_mut().find(same) {
            if !open.add(report, frame.decoder) {
                return None;
            }
            open.deadline_s = open.deadline_s.min(deadline_s);
            return Some(Event::Update(open.message.clone()));
        }
        self.newest = MessageId(self.newest.0 + 1);
        let message = Message {
            id: self.newest,
            authentication: self.reporter.devices.authenticate(&frame.container),
            radio_configuration: self.reporter.radio_configuration,
            channel_center_hz: self.reporter.channel_center_hz,
            bit_rate: frame.bit_rate,
            decoder: frame.decoder,
            signal: report.signal,
            frames: vec![report],
            uplink,
        };
        self.open.push(Open {
            message: message.clone(),
            container: frame.container.clone(),
            deadline_s,
        });
        Some(Event::Message(message))
    }

    /// Hands out the messages to which nothing can come any more after `now_s`, in the order of
    /// their times.
    pub(super) fn complete(&mut self, now_s: f64, events: &mut Vec<Event>) {
        if self.open.iter().all(|open| open.deadline_s >= now_s) {
            return;
        }
        let (mut done, open): (Vec<Open>, Vec<Open>) =
            std::mem::take(&mut self.open).into_iter().partition(|open| open.deadline_s < now_s);
        self.open = open;
        done.sort_by(|a, b| a.message.signal.time_s.total_cmp(&b.message.signal.time_s));
        events.extend(done.into_iter().map(|open| Event::Complete(open.message)));
    }
}
