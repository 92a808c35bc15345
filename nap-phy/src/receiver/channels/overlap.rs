//! One message of what several receivers hear where their channels overlap.

use crate::message::{Message, MessageId, Signal};
use crate::receiver::bursts::longest_frame_s;
use crate::receiver::chain::Chain;
use crate::receiver::config::ReceiverConfig;
use crate::receiver::event::Event;
use crate::receiver::same_message::is_same_message;

/// So long after its start a receiver may still tell of a message that another has completed, in seconds: as
/// long as three frames and their pauses take, and the wait for what is decoded late, and once more as long.
const DONE_S: f64 = 40.0;

/// Where a receiver listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    center_hz: f64,
    width_hz: f64,
    /// How long after the start of a frame the receiver may report it at the latest, in seconds.
    latest_s: f64,
}

impl Channel {
    /// The channel of a receiver.
    pub(super) fn of(config: &ReceiverConfig) -> Self {
        let latest_s = |&bit_rate| longest_frame_s(bit_rate) + Chain::lookback_s(bit_rate);
        Self {
            center_hz: config.channel_center_hz,
            width_hz: config.channel_width_hz,
            latest_s: config.bit_rates.iter().map(latest_s).fold(0.0, f64::max),
        }
    }

    fn distance_hz(&self, frequency_hz: f64) -> f64 {
        (frequency_hz - self.center_hz).abs()
    }

    fn has(&self, frequency_hz: f64) -> bool {
        self.distance_hz(frequency_hz) <= self.width_hz / 2.0
    }
}

/// Makes one message of the reports of several receivers.
#[derive(Debug)]
pub(super) struct Overlap {
    channels: Vec<Channel>,
    /// Messages that are not complete.
    open: Vec<Joined>,
    /// Messages that were completed lately.
    done: Vec<Joined>,
    /// Of the message that was reported last for the first time.
    newest: MessageId,
}

/// A message and who has heard it.
#[derive(Debug)]
struct Joined {
    views: Vec<View>,
    /// From when on it is reported without waiting for anybody, in seconds.
    due_s: f64,
    /// Its identity among the messages of all receivers, once it is reported.
    id: Option<MessageId>,
}

/// What one receiver has of a message.
#[derive(Debug)]
struct View {
    channel: usize,
    message: Message,
    is_complete: bool,
}

impl Overlap {
    /// No messages yet, from the receivers of these channels.
    pub(super) fn new(channels: Vec<Channel>) -> Self {
        Self { channels, open: Vec::new(), done: Vec::new(), newest: MessageId::default() }
    }

    /// Takes an event of a receiver and appends those that it causes.
    pub(super) fn take(&mut self, channel: usize, event: Event, events: &mut Vec<Event>) {
        match event {
            Event::Message(message) => self.begin(channel, message, events),
            Event::Update(message) => self.update(channel, message, false, events),
            Event::Complete(message) => self.update(channel, message, true, events),
            Event::Retracted(message) => self.retract(channel, &message, events),
            Event::Undecoded(burst) => {
                // Whoever hears it best knows why.
                if self.is_nearest(channel, burst.signal.frequency_hz) {
                    events.push(Event::Undecoded(burst));
                }
            }
        }
    }

    /// Appends the messages that have waited until `now_s`.
    pub(super) fn advance(&mut self, now_s: f64, events: &mut Vec<Event>) {
        self.done.retain(|joined| joined.message(&self.channels).signal.time_s + DONE_S >= now_s);
        for joined in self.open.iter_mut().filter(|joined| joined.due_s <= now_s) {
            joined.report(&mut self.newest, &self.channels, events);
        }
    }

    /// Appends all that has waited: no receiver reports any more.
    pub(super) fn flush(&mut self, events: &mut Vec<Event>) {
        self.advance(f64::INFINITY, events);
        for joined in self.open.drain(..) {
            events.push(Event::Complete(joined.message(&self.channels)));
        }
    }

    fn begin(&mut self, channel: usize, message: Message, events: &mut Vec<Event>) {
        let is_nearest = self.is_nearest(channel, message.signal.frequency_hz);
        let due_s = message.signal.time_s + self.latest_s();
        let view = View { channel, message, is_complete: false };
        // One that told of it only when it was complete may be the last to.
        if self.done.iter().any(|joined| joined.may_have(&view)) {
            return;
        }
        let index = self.open.iter().position(|joined| joined.may_have(&view));
        let index = index.unwrap_or(self.open.len());
        match self.open.get_mut(index) {
            Some(joined) => joined.add(view, &self.channels, events),
            None => self.open.push(Joined { views: vec![view], due_s, id: None }),
        }
        if is_nearest {
            self.open[index].report(&mut self.newest, &self.channels, events);
        }
    }

    fn update(
        &mut self,
        channel: usize,
        message: Message,
        is_complete: bool,
        events: &mut Vec<Event>,
    ) {
        let is_same = |joined: &Joined| joined.view_of(channel, &message).is_some();
        let Some(index) = self.open.iter().position(is_same) else { return };
        let joined = &mut self.open[index];
        let Some(view) = joined.view_of(channel, &message) else { return };
        joined.renew(view, View { channel, message, is_complete }, &self.channels, events);
        if joined.views.iter().all(|view| view.is_complete) {
            joined.report(&mut self.newest, &self.channels, events);
            events.push(Event::Complete(joined.message(&self.channels)));
            self.done.push(self.open.remove(index));
        }
    }

    /// Takes a receiver's report back. The message falls if no other has it.
    fn retract(&mut self, channel: usize, message: &Message, events: &mut Vec<Event>) {
        let view = |joined: &Joined| joined.view_of(channel, message);
        let Some(index) = self.open.iter().position(|joined| view(joined).is_some()) else {
            return;
        };
        let joined = &mut self.open[index];
        let told = joined.id.map(|_| joined.message(&self.channels));
        joined.views.retain(|view| view.channel != channel);
        if joined.views.is_empty() {
            self.open.remove(index);
            events.extend(told.map(Event::Retracted));
        }
    }

    /// Whether no other channel with this frequency in it has its middle nearer.
    fn is_nearest(&self, channel: usize, frequency_hz: f64) -> bool {
        self.nearest(frequency_hz).is_none_or(|nearest| nearest == channel)
    }

    /// The channel with this frequency in it whose middle is nearest.
    fn nearest(&self, frequency_hz: f64) -> Option<usize> {
        let inside = (0..self.channels.len()).filter(|&n| self.channels[n].has(frequency_hz));
        let distance_hz = |&n: &usize| self.channels[n].distance_hz(frequency_hz);
        inside.min_by(|a, b| distance_hz(a).total_cmp(&distance_hz(b)))
    }

    fn latest_s(&self) -> f64 {
        self.channels.iter().map(|channel| channel.latest_s).fold(0.0, f64::max)
    }
}

impl Joined {
    /// Whether a receiver that has nothing of this message yet has it here.
    fn may_have(&self, new: &View) -> bool {
        let is_same = |view: &View| is_same_message(&view.message, &new.message);
        self.views.iter().any(is_same) && self.views.iter().all(|view| view.channel != new.channel)
    }

    /// The place of what a receiver had of its message.
    fn view_of(&self, channel: usize, message: &Message) -> Option<usize> {
        let is_it =
            |view: &View| view.channel == channel && is_same_message(&view.message, message);
        self.views.iter().position(is_it)
    }

    fn add(&mut self, view: View, channels: &[Channel], events: &mut Vec<Event>) {
        let frames = self.frames();
        self.views.push(view);
        self.tell_of_more_than(frames, channels, events);
    }

    fn renew(&mut self, index: usize, view: View, channels: &[Channel], events: &mut Vec<Event>) {
        let frames = self.frames();
        self.views[index] = view;
        self.tell_of_more_than(frames, channels, events);
    }

    /// Updates the message if it was reported with less frames.
    fn tell_of_more_than(&self, frames: usize, channels: &[Channel], events: &mut Vec<Event>) {
        if self.id.is_some() && self.frames() > frames {
            events.push(Event::Update(self.message(channels)));
        }
    }

    fn report(&mut self, newest: &mut MessageId, channels: &[Channel], events: &mut Vec<Event>) {
        if self.id.is_none() {
            *newest = MessageId(newest.0 + 1);
            self.id = Some(*newest);
            events.push(Event::Message(self.message(channels)));
        }
    }

    /// How many frames have been heard.
    fn frames(&self) -> usize {
        let frames = self.views.iter().flat_map(|view| &view.message.frames);
        let ranks = frames.fold(0_u8, |ranks, frame| ranks | 1 << frame.rank.index());
        ranks.count_ones() as usize
    }

    /// The message with the frames of all receivers, each as it was heard best.
    fn message(&self, channels: &[Channel]) -> Message {
        let (first, others) = (&self.views[0].message, &self.views[1..]);
        let mut message = Message { id: self.id.unwrap_or_default(), ..first.clone() };
        for View { message: other, .. } in others {
            for frame in &other.frames {
                match message.frames.iter_mut().find(|twin| twin.rank == frame.rank) {
                    None => message.frames.push(*frame),
                    Some(twin) => {
                        let crc_ok = twin.crc_ok || frame.crc_ok;
                        if twin.signal.snr_db < frame.signal.snr_db {
                            *twin = *frame;
                        }
                        twin.crc_ok = crc_ok;
                    }
                }
            }
            message.decoder = message.decoder.min(other.decoder);
        }
        if others.is_empty() {
            return message;
        }
        message.frames.sort_by(|a, b| a.signal.time_s.total_cmp(&b.signal.time_s));
        message.signal = Signal::of_message(&message.frames).unwrap_or(message.signal);
        let frequencies_hz = message.frames.iter().map(|frame| frame.signal.frequency_hz);
        let mean_hz = frequencies_hz.sum::<f64>() / message.frames.len() as f64;
        let distance_hz = |view: &&View| channels[view.channel].distance_hz(mean_hz);
        let nearest = self.views.iter().min_by(|a, b| distance_hz(a).total_cmp(&distance_hz(b)));
        if let Some(View { message: nearest, .. }) = nearest {
            message.radio_configuration = nearest.radio_configuration;
            message.channel_center_hz = nearest.channel_center_hz;
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::authentication::Authentication;
    use crate::device::id::DeviceId;
    use crate::message::{Decoder, FrameReport, Level};
    use crate::radio::bit_rate::BitRate;
    use crate::uplink::content::Content;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::rank::Rank;

    /// Two channels of which each has the other's middle at its edge.
    fn overlap() -> Overlap {
        let channel = |center_hz| Channel { center_hz, width_hz: 192_000.0, latest_s: 7.0 };
        Overlap::new(vec![channel(0.0), channel(96_000.0)])
    }

    /// A message that is nearest to the first channel.
    fn message(id: u64) -> Message {
        let signal = Signal {
            time_s: 1.0,
            frequency_hz: 30_000.0,
            level: Level::Dbfs(-40.0),
            snr_db: 5.0,
            drift_hz_per_s: 0.0,
        };
        Message {
            id: MessageId(id),
            uplink: Uplink::new(DeviceId(0x42), MessageCounter::new(7).unwrap(), Content::Empty),
            authentication: Authentication::Unchecked,
            radio_configuration: None,
            channel_center_hz: None,
            bit_rate: BitRate::Bps100,
            decoder: Decoder::List,
            signal,
            frames: vec![FrameReport { rank: Rank::First, signal, crc_ok: true }],
        }
    }

    /// What comes of these events of receivers: kinds and identities.
    fn told(events: impl IntoIterator<Item = (usize, Event)>) -> Vec<(&'static str, u64)> {
        let (mut overlap, mut told) = (overlap(), Vec::new());
        for (channel, event) in events {
            overlap.take(channel, event, &mut told);
        }
        let name = |event: &Event| match event {
            Event::Message(message) => ("message", message.id.0),
            Event::Update(message) => ("update", message.id.0),
            Event::Complete(message) => ("complete", message.id.0),
            Event::Retracted(message) => ("retracted", message.id.0),
            Event::Undecoded(_) => ("undecoded", 0),
        };
        told.iter().map(name).collect()
    }

    #[test]
    fn a_message_is_taken_back_that_no_receiver_stands_by() {
        let events = [Event::Message(message(5)), Event::Retracted(message(5))];
        assert_eq!(told(events.map(|event| (0, event))), [("message", 1), ("retracted", 1)]);
        // Nobody was told of it.
        let events = [Event::Message(message(5)), Event::Retracted(message(5))];
        assert_eq!(told(events.map(|event| (1, event))), []);
    }

    #[test]
    fn a_message_stays_that_another_receiver_has() {
        let events = [
            (0, Event::Message(message(5))),
            (1, Event::Message(message(9))),
            (0, Event::Retracted(message(5))),
            (1, Event::Complete(message(9))),
        ];
        assert_eq!(told(events), [("message", 1), ("complete", 1)]);
    }

    #[test]
    fn what_a_receiver_hears_twice_are_two_messages() {
        let later = |id| {
            let mut message = message(id);
            message.signal.time_s += 4.2;
            message
        };
        let events = [
            Event::Message(message(5)),
            Event::Complete(message(5)),
            Event::Message(later(6)),
            Event::Complete(later(6)),
        ];
        let expected = [("message", 1), ("complete", 1), ("message", 2), ("complete", 2)];
        assert_eq!(told(events.map(|event| (0, event))), expected);
    }

    #[test]
    fn what_a_receiver_tells_of_last_is_no_second_message() {
        let events = [
            (0, Event::Message(message(5))),
            (0, Event::Complete(message(5))),
            (1, Event::Message(message(9))),
            (1, Event::Complete(message(9))),
        ];
        assert_eq!(told(events), [("message", 1), ("complete", 1)]);
    }
}
