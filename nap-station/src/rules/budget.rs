//! How many messages a station passes on in a day.

use std::collections::BTreeMap;

use crate::rules::utc::Day;

/// Days that are remembered: what is heard late may be of a former one, and a clock may have been set back.
pub const DAYS: usize = 400;

/// How many messages of a date were accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayCount {
    /// Messages accepted, those included that were held before.
    pub accepted: u32,
    /// Of those, messages of former dates that were held.
    pub released: u32,
}

/// How many messages a station passes on in a day, by the time of the messages in UTC.
#[derive(Debug, Clone)]
pub struct Budget {
    messages_per_day: u32,
    days: BTreeMap<Day, DayCount>,
}

impl Budget {
    /// A budget of which the counts of some days are used up.
    #[must_use]
    pub fn new(messages_per_day: u32, days: impl IntoIterator<Item = (Day, DayCount)>) -> Self {
        Self { messages_per_day, days: days.into_iter().collect() }
    }

    /// What was used of a day.
    #[must_use]
    pub fn used(&self, day: Day) -> DayCount {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Whether a message of this date may be passed on.
    #[must_use]
    pub fn has_room(&self, day: Day) -> bool {
        self.used(day).accepted < self.messages_per_day
    }

    /// A message of this date was accepted.
    pub fn accept(&mut self, day: Day) {
        self.of(day).accepted += 1;
    }

    /// A message of this date that was accepted is none.
    pub fn give_back(&mut self, day: Day) {
        let count = self.of(day);
        count.accepted = count.accepted.saturating_sub(1);
    }

    /// How many messages held on former dates may go out on this one now: half of its budget at most.
    #[must_use]
    pub fn allowance(&self, day: Day) -> u32 {
        let used = self.used(day);
        let of_half = (self.messages_per_day / 2).saturating_sub(used.released);
        of_half.min(self.messages_per_day.saturating_sub(used.accepted))
    }

    /// A message that was held goes out on this date.
    pub fn release(&mut self, day: Day) {
        let count = self.of(day);
        count.accepted += 1;
        count.released += 1;
    }

    fn of(&mut self, day: Day) -> &mut DayCount {
        while self.days.len() >= DAYS && !self.days.contains_key(&day) {
            self.days.pop_first();
        }
        self.days.entry(day).or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_has_its_budget_and_the_next_half_of_it_for_what_was_held() {
        let mut budget = Budget::new(840, []);
        let (today, tomorrow) = (Day(1), Day(2));
        for _ in 0..840 {
            assert!(budget.has_room(today));
            budget.accept(today);
        }
        assert!(!budget.has_room(today));
        assert_eq!((budget.allowance(today), budget.allowance(tomorrow)), (0, 420));
        for _ in 0..420 {
            budget.release(tomorrow);
        }
        assert_eq!(budget.allowance(tomorrow), 0);
        assert!(budget.has_room(tomorrow));
        budget.give_back(today);
        assert!(budget.has_room(today));
    }

    #[test]
    fn a_restart_is_no_second_budget() {
        let used = DayCount { accepted: 840, released: 0 };
        let budget = Budget::new(840, [(Day(1), used)]);
        assert!(!budget.has_room(Day(1)));
        assert!(budget.has_room(Day(2)));
    }

    #[test]
    fn a_clock_that_is_set_back_by_weeks_is_no_second_budget() {
        let mut budget = Budget::new(1, []);
        for day in (0..60).chain(0..60) {
            if budget.has_room(Day(day)) {
                budget.accept(Day(day));
            }
            assert_eq!(budget.used(Day(day)).accepted, 1);
        }
        assert!(!budget.has_room(Day(0)));
    }

    proptest! {
        /// Whatever comes in whatever order, no day passes on more than its budget, nor more than half of
        /// it of what was held.
        #[test]
        fn no_day_passes_on_more_than_its_budget(
            per_day in 0_u32..20,
            steps in prop::collection::vec((0_i64..3, any::<bool>()), 0..200),
        ) {
            let mut budget = Budget::new(per_day, []);
            for (day, is_release) in steps {
                let day = Day(day);
                if is_release && budget.allowance(day) > 0 {
                    budget.release(day);
                } else if !is_release && budget.has_room(day) {
                    budget.accept(day);
                }
                let used = budget.used(day);
                prop_assert!(used.accepted <= per_day && used.released <= per_day / 2);
            }
        }
    }
}
