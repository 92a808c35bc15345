//! What a device has sent lately.

use std::collections::VecDeque;

use nap_phy::MessageCounter;

use crate::rules::heard::Heard;
use crate::rules::utc::Utc;

/// Messages are counted by the hour.
pub(crate) const HOUR_S: f64 = 3600.0;
/// The same message within this time is the same one.
const DUPLICATE_S: f64 = 30.0;
/// Messages that are remembered of a device whatever their age: a message that was taken back leaves the one
/// before it.
pub(crate) const MIN_KEPT: usize = 4;

/// A message that was accepted or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the ledger.
    pub row: i64,
    /// Its counter.
    pub counter: MessageCounter,
    /// When it was sent.
    pub at: Utc,
    /// What it says.
    pub content: String,
}

/// The messages of a device that were accepted or held, of the last hour at least, in the order of their
/// rows.
#[derive(Debug, Clone, Default)]
pub struct History {
    messages: VecDeque<Stored>,
    /// Until when the next message that its key proves may have any counter.
    disengaged_until: Option<Utc>,
}

impl History {
    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<&Stored> {
        self.messages.back()
    }

    /// Whether the message is there already, seen a moment ago.
    #[must_use]
    pub fn has(&self, heard: &Heard) -> bool {
        self.messages.iter().rev().any(|stored| {
            stored.counter == heard.counter
                && heard.at.seconds_since(stored.at).abs() <= DUPLICATE_S
                && stored.content == heard.content
        })
    }

    /// How many messages there were in the hour before `now`.
    #[must_use]
    pub fn in_hour_before(&self, now: Utc) -> usize {
        let is_within = |stored: &&Stored| {
            let age_s = now.seconds_since(stored.at);
            (0.0..HOUR_S).contains(&age_s)
        };
        self.messages.iter().filter(is_within).count()
    }

    /// Another one; those are forgotten that nobody asks for any more.
    pub fn push(&mut self, stored: Stored) {
        let newest = stored.at;
        self.messages.push_back(stored);
        while self.messages.len() > MIN_KEPT {
            let is_old = |first: &Stored| newest.seconds_since(first.at) > HOUR_S;
            if !self.messages.front().is_some_and(is_old) {
                break;
            }
            self.messages.pop_front();
        }
    }

    /// Forgets a message that was none; the last one is then the one before it.
    pub fn take_back(&mut self, row: i64) {
        self.messages.retain(|stored| stored.row != row);
    }

    /// Puts right the times from `base` on, which were running time.
    pub fn redate(&mut self, base: Utc, offset_us: i64) {
        let times = self.messages.iter_mut().map(|stored| &mut stored.at);
        for at in times.chain(&mut self.disengaged_until).filter(|at| **at >= base) {
            *at = at.plus_us(offset_us);
        }
    }

    /// Nothing was sent later than `now`: times that say so are of a clock that was wrong. Returns whether one did.
    pub fn bring_back(&mut self, now: Utc) -> bool {
        let ahead = self.messages.iter_mut().filter(|stored| stored.at > now);
        ahead.map(|stored| stored.at = now).count() > 0
    }

    /// Lets the next message that its key proves have any counter, until then.
    pub fn disengage(&mut self, until: Option<Utc>) {
        self.disengaged_until = until;
    }

    /// Until when any counter is accepted.
    #[must_use]
    pub fn disengaged_until(&self) -> Option<Utc> {
        self.disengaged_until
    }

    /// Whether any counter is accepted now.
    #[must_use]
    pub fn is_disengaged(&self, now: Utc) -> bool {
        self.disengaged_until.is_some_and(|until| now <= until)
    }
}
