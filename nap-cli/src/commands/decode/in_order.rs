//! Messages in the order of time.

use super::file::Received;

/// A message is complete, and reported, sooner than this after its start: three frames of 2.1 s, two pauses of
/// up to 2 s, and the receiver's hold-off.
const MAX_SPAN_S: f64 = 30.0;

/// Puts the messages of a recording in the order of time, which they are reported in as they are complete.
/// A pipe may be live: nothing of it is held back.
pub struct InOrder {
    is_pipe: bool,
    held: Vec<Received>,
    latest_s: f64,
}

impl InOrder {
    /// No messages yet.
    pub fn new(is_pipe: bool) -> Self {
        Self { is_pipe, held: Vec::new(), latest_s: f64::NEG_INFINITY }
    }

    /// Takes a message; gives those before which no other can come any more.
    pub fn push(&mut self, received: Received) -> Vec<Received> {
        if self.is_pipe {
            return vec![received];
        }
        let time_s = received.message.signal.time_s;
        self.latest_s = self.latest_s.max(time_s);
        let place = self.held.partition_point(|held| held.message.signal.time_s <= time_s);
        self.held.insert(place, received);
        let settled_s = self.latest_s - MAX_SPAN_S;
        let count = self.held.partition_point(|held| held.message.signal.time_s <= settled_s);
        self.held.drain(..count).collect()
    }

    /// The rest.
    pub fn finish(self) -> Vec<Received> {
        self.held
    }
}
