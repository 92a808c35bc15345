//! From frames to messages: each message once, with all its frames.

use std::sync::Arc;

use super::calibration::{Calibration, decibel};
use super::decoded_frame::DecodedFrame;
use super::event::Event;
use super::frame_news::FrameNews;
use super::proof::Proof;
use super::statistics::Statistics;
use crate::device::table::DeviceTable;
use crate::message::{FrameReport, Message, MessageId, Signal};
use crate::radio::configuration::RadioConfiguration;
use crate::uplink::container::Container;
use crate::uplink::rank::Rank;

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
    /// Its identity is that of no message until it is told of.
    message: Message,
    is_told: bool,
    /// What all its frames hold, the authentication tag included: a forged frame is another message.
    container: Container,
    proof: Proof,
    /// When the last frame can have ended at the latest, in seconds.
    deadline_s: f64,
}

impl Open {
    /// Adds a frame; returns whether it is news.
    fn add(&mut self, report: FrameReport, frame: &DecodedFrame) -> bool {
        let Message { frames, decoder: best, .. } = &mut self.message;
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
            self.proof.add(frame.crc_ok, frame.ln_odds);
        }
        *best = (*best).min(frame.decoder);
        self.sum_up();
        is_news
    }

    /// Takes a frame from the message.
    fn remove(&mut self, rank: Rank) {
        self.message.frames.retain(|frame| frame.rank != rank);
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let Message { frames, signal, .. } = &mut self.message;
        *signal = Signal::of_message(frames).unwrap_or(*signal);
    }
}

/// Collects the frames of messages. A message is told of as soon as it is well proven, at the latest when
/// nothing can contradict it any more.
pub(super) struct Assembler {
    reporter: Reporter,
    /// How long after its end a frame may come, in seconds.
    wait_s: f64,
    /// The newest message that was told of.
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

    /// Takes what became known of a frame, and appends the events that it causes.
    pub(super) fn take(
        &mut self,
        news: &FrameNews,
        events: &mut Vec<Event>,
        statistics: &mut Statistics,
    ) {
        match news {
            FrameNews::Decoded(frame) => self.add(frame, events, statistics),
            FrameNews::Withdrawn(frame) => self.withdraw(frame, events, statistics),
        }
    }

    fn add(&mut self, frame: &DecodedFrame, events: &mut Vec<Event>, statistics: &mut Statistics) {
        let Ok(uplink) = frame.container.uplink() else { return };
        let report = self.reporter.report(frame);
        let deadline_s = frame.last_end_s() + self.wait_s;
        let index = self.place_of(frame).unwrap_or(self.open.len());
        let Some(open) = self.open.get_mut(index) else {
            let mut proof = Proof::default();
            proof.add(frame.crc_ok, frame.ln_odds);
            let message = Message {
                id: MessageId::default(),
                authentication: self.reporter.devices.authenticate(&frame.container),
                radio_configuration: self.reporter.radio_configuration,
                channel_center_hz: self.reporter.channel_center_hz,
                bit_rate: frame.bit_rate,
                decoder: frame.decoder,
                signal: report.signal,
                frames: vec![report],
                uplink,
            };
            let container = frame.container.clone();
            self.open.push(Open { message, is_told: false, container, proof, deadline_s });
            return self.tell(index, events, statistics);
        };
        if open.add(report, frame) {
            open.deadline_s = open.deadline_s.min(deadline_s);
            self.tell(index, events, statistics);
        }
    }

    /// Tells of a frame that was just added, unless the message is too weakly proven.
    fn tell(&mut self, index: usize, events: &mut Vec<Event>, statistics: &mut Statistics) {
        statistics.frames += 1;
        let open = &mut self.open[index];
        if open.is_told {
            events.push(Event::Update(open.message.clone()));
        } else if !open.proof.is_weak() {
            introduce(open, &mut self.newest, events, statistics);
        }
    }

    /// Takes a frame from its message, which falls if it has no other.
    fn withdraw(
        &mut self,
        frame: &DecodedFrame,
        events: &mut Vec<Event>,
        statistics: &mut Statistics,
    ) {
        let Some(index) = self.place_of(frame) else { return };
        let open = &mut self.open[index];
        if open.message.frames.iter().any(|other| other.rank != frame.frame_type.rank) {
            open.remove(frame.frame_type.rank);
            if open.is_told {
                events.push(Event::Update(open.message.clone()));
            }
            return;
        }
        let Open { message, is_told, .. } = self.open.remove(index);
        if is_told {
            statistics.retracted_messages += 1;
            events.push(Event::Retracted(message));
        } else {
            statistics.dropped_messages += 1;
        }
    }

    /// Where the message of a frame is, if it is open.
    fn place_of(&self, frame: &DecodedFrame) -> Option<usize> {
        self.open.iter().position(|open| {
            open.container == frame.container
                && open.message.bit_rate == frame.bit_rate
                && open.deadline_s >= frame.end_s()
        })
    }

    /// Hands out the messages to which nothing can come any more after `now_s`, in the order of
    /// their times.
    pub(super) fn complete(
        &mut self,
        now_s: f64,
        events: &mut Vec<Event>,
        statistics: &mut Statistics,
    ) {
        if self.open.iter().all(|open| open.deadline_s >= now_s) {
            return;
        }
        let (mut done, open): (Vec<Open>, Vec<Open>) =
            std::mem::take(&mut self.open).into_iter().partition(|open| open.deadline_s < now_s);
        self.open = open;
        done.sort_by(|a, b| a.message.signal.time_s.total_cmp(&b.message.signal.time_s));
        for mut open in done {
            if !open.is_told {
                introduce(&mut open, &mut self.newest, events, statistics);
            }
            events.push(Event::Complete(open.message));
        }
    }
}

/// Tells of a message for the first time.
fn introduce(
    open: &mut Open,
    newest: &mut MessageId,
    events: &mut Vec<Event>,
    statistics: &mut Statistics,
) {
    *newest = MessageId(newest.0 + 1);
    open.message.id = *newest;
    open.is_told = true;
    statistics.messages += 1;
    events.push(Event::Message(open.message.clone()));
}
