//! What goes first: live messages, then those that were refused once and are due again, then the backlog.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand::Rng;

use crate::relay::backoff::decorrelated;
use crate::relay::outbox::{Delivery, Ticket};

/// So many deliveries of the backlog may go out in a second: a burst of a day's messages gets lost at servers
/// that are only made for the trickle.
const BACKLOG_PER_S: f64 = 200.0;
/// So many refused deliveries are set aside; with more, the other side refuses everything.
pub const MAX_SET_ASIDE: usize = 256;

/// Where the live lane begins.
///
/// What was stored before the relay started, or before its last fault, is backlog, and late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Border(u64);

impl Border {
    /// All that has a ticket by now is backlog.
    #[must_use]
    pub fn at(newest: u64) -> Self {
        Self(newest)
    }

    /// The tickets of the live lane.
    #[must_use]
    pub fn live(self) -> RangeInclusive<u64> {
        self.0.saturating_add(1)..=u64::MAX
    }

    /// The tickets of the backlog lane.
    #[must_use]
    pub fn backlog(self) -> RangeInclusive<u64> {
        0..=self.0
    }

    /// Whether a delivery is late.
    #[must_use]
    pub fn is_late(self, delivery: &Delivery) -> bool {
        delivery.is_late || delivery.ticket.0 <= self.0
    }
}

/// Spreads the backlog over time.
#[derive(Debug, Default)]
pub struct Pace {
    next: Option<Instant>,
}

impl Pace {
    /// When the next of the backlog may go out; at once if nothing is said.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// So many have gone out now.
    pub fn went(&mut self, count: usize, now: Instant) {
        self.next = Some(now + Duration::from_secs_f64(count as f64 / BACKLOG_PER_S));
    }
}

/// Deliveries that the other side refused, each with a time to try it again.
#[derive(Debug, Default)]
pub struct SetAside {
    refused: BTreeMap<Ticket, Refused>,
}

#[derive(Debug)]
struct Refused {
    delivery: Delivery,
    tries: u32,
    delay: Duration,
    due: Option<Instant>,
}

impl SetAside {
    /// Whether the other side refuses everything.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.refused.len() >= MAX_SET_ASIDE
    }

    /// A delivery was refused once more: `false` if it had so many tries as it may have.
    pub fn refuse(
        &mut self,
        delivery: Delivery,
        most: u32,
        now: Instant,
        random: &mut impl Rng,
    ) -> bool {
        let ticket = delivery.ticket;
        let refused = self.refused.entry(ticket).or_insert(Refused {
            delivery,
            tries: 0,
            delay: Duration::ZERO,
            due: None,
        });
        refused.tries += 1;
        refused.delay = decorrelated(random, refused.delay);
        refused.due = Some(now + refused.delay);
        let may_try = refused.tries < most;
        if !may_try {
            self.refused.remove(&ticket);
        }
        may_try
    }

    /// A delivery is done with.
    pub fn forget(&mut self, ticket: Ticket) {
        self.refused.remove(&ticket);
    }

    /// Whether a delivery was refused before.
    #[must_use]
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.refused.contains_key(&ticket)
    }

    /// One that is due. It stays set aside, but is not due again before it is refused again or [given
    /// back](Self::give_back).
    pub fn take_due(&mut self, now: Instant) -> Option<Delivery> {
        let is_due = |refused: &&mut Refused| refused.due.is_some_and(|due| due <= now);
        let refused = self.refused.values_mut().find(is_due)?;
        refused.due = None;
        Some(refused.delivery.clone())
    }

    /// One that was taken could not be tried.
    pub fn give_back(&mut self, ticket: Ticket, now: Instant) {
        if let Some(refused) = self.refused.get_mut(&ticket) {
            refused.due = Some(now);
        }
    }

    /// When the next one is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.refused.values().filter_map(|refused| refused.due).min()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use serde_json::Value;

    use super::*;
    use crate::relay::outbox::{Kind, RecordId};

    fn delivery(ticket: u64) -> Delivery {
        Delivery {
            ticket: Ticket(ticket),
            kind: Kind::Message,
            id: RecordId { epoch: 1, n: ticket },
            is_late: false,
            record: Value::Null,
        }
    }

    #[test]
    fn what_was_stored_before_the_last_fault_is_late() {
        let border = Border::at(7);
        assert!(border.is_late(&delivery(7)) && !border.is_late(&delivery(8)));
        assert!(border.backlog().contains(&7) && border.live().contains(&8));
        let held = Delivery { is_late: true, ..delivery(9) };
        assert!(border.is_late(&held));
    }

    #[test]
    fn a_refused_delivery_is_tried_so_often_and_no_more() {
        let (mut aside, mut random) = (SetAside::default(), ChaCha8Rng::seed_from_u64(1));
        let mut now = Instant::now();
        assert!(aside.refuse(delivery(1), 3, now, &mut random));
        assert_eq!(aside.take_due(now), None, "not before its time");
        for more in [true, false] {
            now = aside.next_due().unwrap();
            let again = aside.take_due(now).unwrap();
            assert_eq!(aside.take_due(now), None, "it is on its way");
            assert_eq!(aside.refuse(again, 3, now, &mut random), more);
        }
        assert_eq!(aside.next_due(), None);
    }

    #[test]
    fn one_that_could_not_be_tried_is_due_again() {
        let (mut aside, mut random) = (SetAside::default(), ChaCha8Rng::seed_from_u64(2));
        let now = Instant::now();
        aside.refuse(delivery(1), 3, now, &mut random);
        let due = aside.next_due().unwrap();
        let taken = aside.take_due(due).unwrap();
        aside.give_back(taken.ticket, due);
        assert_eq!(aside.take_due(due), Some(taken));
    }

    #[test]
    fn a_backlog_is_spread_over_time() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.next(), None);
        pace.went(50, now);
        assert_eq!(pace.next(), Some(now + Duration::from_millis(250)));
    }
}
