//! Whether as many samples have come as the time that has passed calls for.
//!
//! The *lateness* of a stream is the time since it was opened less the time that its samples stand for.
//! Samples that are held back let it rise, and fall again as soon as they come, at whatever rate; samples
//! that are lost let it rise for good; a wrong rate lets it change all the time. So a rise alone says
//! nothing: samples are missing only if the lateness stays where it is, which means that the source is back
//! at its own rate and has nothing left to catch up on.
//!
//! Every block has a delay of its own, which only ever adds to the lateness. The least lateness of a slot
//! of time is free of it, and all judgements are made on these.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::live::fault::{Fault, FaultKind};

/// A slot starts with an arrival, and takes in all that comes at once, however rarely that is: an RTL-SDR
/// hands over 131,072 samples at a time, which are 0.58 s at its lowest rate.
const SLOT: Duration = Duration::from_millis(500);
/// The rate may be off by this share; no crystal is worse than 0.02 %.
const RATE_TOLERANCE: f64 = 0.01;
/// What the least delay of a slot may vary by, in seconds.
const JITTER_S: f64 = 0.06;
/// What is missing must be more than this, in seconds.
const MIN_MISSING_S: f64 = 0.1;
/// Slots that are remembered: a minute.
const MEMORY: usize = 120;
/// The source is back at its rate if the lateness has changed by no more than the tolerance over so many
/// slots, two seconds.
const MIN_STEADY: usize = 4;
/// What is steady is looked for over this time at most, in seconds: the tolerance stays below
/// [`MIN_MISSING_S`], so that the loss itself is not taken for steady.
const MAX_STEADY_S: f64 = 9.0;
/// A rate is judged over so many steps from slot to slot at least, four seconds, of which two thirds
/// must agree: pauses make a few steep ones.
const MIN_RATE_STEPS: usize = 8;

/// What the balance says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Imbalance {
    /// So many samples are missing, and will not come any more.
    Missing(u64),
    /// The samples come at another rate.
    Rate(Fault),
}

/// The least lateness of a slot, and when that was, in seconds since the stream was opened.
#[derive(Debug, Clone, Copy)]
struct Point {
    at_s: f64,
    lateness_s: f64,
}

/// The balance of samples over time.
pub(super) struct Balance {
    /// Samples a second by the clock.
    rate_hz: f64,
    opened: Instant,
    /// Samples that came or are known to be missing; `None` before the first.
    counted: Option<u64>,
    slot_end: Instant,
    slot: Point,
    points: VecDeque<Point>,
    /// The lateness while all is there, in seconds; infinite before the first slot has ended.
    base_s: f64,
    /// No lateness below this has been explained before the points, in seconds.
    floor_s: f64,
}

impl Balance {
    /// The balance of a stream that was opened at this time and should give `rate_hz` samples a second.
    pub(super) fn new(rate_hz: f64, opened: Instant) -> Self {
        Self {
            rate_hz,
            opened,
            counted: None,
            slot_end: opened,
            slot: Point { at_s: 0.0, lateness_s: f64::INFINITY },
            points: VecDeque::with_capacity(MEMORY + 1),
            base_s: f64::INFINITY,
            // Since it was opened, a source may have held all back, but has nothing from before.
            floor_s: 0.0,
        }
    }

    /// Takes note of samples that have arrived at this time, and of those known to be missing before them.
    pub(super) fn observe(&mut self, samples: u64, missing: u64, at: Instant) -> Option<Imbalance> {
        // What is missing before the first sample was lost before the stream was opened.
        let counted = self.counted.map_or(0, |counted| counted + missing) + samples;
        self.counted = Some(counted);
        let at_s = at.duration_since(self.opened).as_secs_f64();
        let point = Point { at_s, lateness_s: at_s - counted as f64 / self.rate_hz };
        if at < self.slot_end {
            if point.lateness_s < self.slot.lateness_s {
                self.slot = point;
            }
            return None;
        }
        let ended = std::mem::replace(&mut self.slot, point);
        self.slot_end = at + SLOT;
        if ended.lateness_s.is_finite() { self.judge(ended) } else { None }
    }

    fn judge(&mut self, newest: Point) -> Option<Imbalance> {
        self.points.push_back(newest);
        if self.points.len() > MEMORY
            && let Some(oldest) = self.points.pop_front()
        {
            self.floor_s = oldest.lateness_s;
        }
        if let Some(fault) = self.wrong_rate() {
            return Some(Imbalance::Rate(fault));
        }
        if newest.lateness_s <= self.base_s + MIN_MISSING_S {
            let recent = self.recent().map(|point| point.lateness_s);
            self.base_s = recent.fold(f64::INFINITY, f64::min);
            return None;
        }
        let missing_s = self.steady_level()? - self.base_s;
        (missing_s > MIN_MISSING_S).then(|| self.give_up(missing_s))
    }

    /// Counts what is missing as lost. If it comes after all, so much is explained.
    fn give_up(&mut self, missing_s: f64) -> Imbalance {
        let missing = (missing_s * self.rate_hz).round() as u64;
        self.counted = self.counted.map(|counted| counted + missing);
        self.points.clear();
        self.slot.lateness_s -= missing_s;
        self.floor_s = self.base_s - missing_s;
        Imbalance::Missing(missing)
    }

    /// The points over which something can be steady, the newest first.
    fn recent(&self) -> impl Iterator<Item = &Point> {
        let newest_s = self.points.back().map_or(0.0, |newest| newest.at_s);
        self.points.iter().rev().take_while(move |point| newest_s - point.at_s < MAX_STEADY_S)
    }

    /// The lateness where it has not changed of late.
    fn steady_level(&self) -> Option<f64> {
        let newest = self.points.back()?;
        let (mut min_s, mut max_s) = (f64::INFINITY, f64::NEG_INFINITY);
        for (index, point) in self.recent().enumerate() {
            min_s = min_s.min(point.lateness_s);
            max_s = max_s.max(point.lateness_s);
            let tolerated_s = RATE_TOLERANCE * (newest.at_s - point.at_s);
            if index + 1 >= MIN_STEADY && max_s - min_s <= tolerated_s {
                return Some(min_s);
            }
        }
        None
    }

    /// What is wrong with the rate.
    fn wrong_rate(&self) -> Option<Fault> {
        let newest_s = self.points.back()?.lateness_s;
        let floors_s = self.floors_s();
        let falls_behind = || self.trend(1.0, |_| true);
        // What gets ahead only of what it has been behind catches up.
        let gets_ahead = || self.trend(-1.0, |first| newest_s < floors_s[first] - JITTER_S);
        falls_behind().or_else(gets_ahead)
    }

    /// A rate by which the lateness rises (`sign` is 1) or falls (-1): by more than is tolerated in most
    /// steps, and in all of them together, even without the steepest, which may be a pause or its end.
    /// `counts` says whether it counts from this point on.
    fn trend(&self, sign: f64, counts: impl Fn(usize) -> bool) -> Option<Fault> {
        let newest = self.points.back()?;
        let (mut agreeing, mut steepest_s) = (0, 0.0_f64);
        for first in (0..self.points.len() - 1).rev() {
            let (from, to) = (self.points[first], self.points[first + 1]);
            let step_s = sign * (to.lateness_s - from.lateness_s);
            agreeing += usize::from(step_s > RATE_TOLERANCE * (to.at_s - from.at_s));
            steepest_s = steepest_s.max(step_s);
            let steps = self.points.len() - 1 - first;
            let elapsed_s = newest.at_s - from.at_s;
            let change_s = newest.lateness_s - from.lateness_s;
            let is_large = sign * change_s - steepest_s > RATE_TOLERANCE * elapsed_s + JITTER_S;
            let is_most = steps >= MIN_RATE_STEPS && 3 * agreeing >= 2 * steps;
            if is_most && is_large && counts(first) {
                return Some(self.rate_fault(change_s, elapsed_s));
            }
        }
        None
    }

    /// For every point, the least lateness before it.
    fn floors_s(&self) -> Vec<f64> {
        let least = |floor_s: &mut f64, point: &Point| {
            let before_s = *floor_s;
            *floor_s = floor_s.min(point.lateness_s);
            Some(before_s)
        };
        self.points.iter().scan(self.floor_s, least).collect()
    }

    fn rate_fault(&self, change_s: f64, elapsed_s: f64) -> Fault {
        let text = format!(
            "{:.0} samples a second came over {elapsed_s:.1} s, {:+.1} % off the {:.0} that the source says",
            self.rate_hz * (1.0 - change_s / elapsed_s),
            -100.0 * change_s / elapsed_s,
            self.rate_hz
        );
        Fault { kind: FaultKind::Rate, text }
    }
}

#[cfg(test)]
mod tests {
    use super::super::delivery::{Delivery, Pause, RATE_HZ};
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// What is found in so many seconds, with the time since the stream was opened.
    fn findings(delivery: &Delivery, duration_s: f64) -> Vec<(f64, Imbalance)> {
        let opened = Instant::now();
        let mut balance = Balance::new(RATE_HZ, opened);
        let arrivals = delivery.run(opened, duration_s);
        let found = arrivals.iter().filter_map(|arrival| {
            let found = balance.observe(arrival.samples, 0, arrival.at)?;
            Some((arrival.at.duration_since(opened).as_secs_f64(), found))
        });
        found.collect()
    }

    /// Whether a wrong rate is found within so many seconds, and nothing else.
    fn is_wrong_rate(found: &[(f64, Imbalance)], within_s: f64) -> bool {
        let is_rate = |imbalance: &Imbalance| matches!(imbalance, Imbalance::Rate(_));
        found.first().is_some_and(|(at_s, imbalance)| *at_s < within_s && is_rate(imbalance))
    }

    fn fixed_seed(cases: u32) -> ProptestConfig {
        ProptestConfig {
            cases,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    /// Pauses that are made up for before too much is held back: gap, length, rate of catching up.
    fn pauses() -> impl Strategy<Value = Vec<Pause>> {
        let pause = (1.2_f64..8.0, 0.05_f64..1.15, prop_oneof![1.1_f64..1.6, 1.6_f64..10.0]);
        prop::collection::vec(pause, 0..20).prop_map(|pauses| {
            let mut held_s = 0.0_f64;
            let sound = |(after_s, duration_s, catch_up): (f64, f64, f64)| {
                held_s = (held_s - (catch_up - 1.0) * after_s).max(0.0) + duration_s;
                if held_s > 3.0 {
                    held_s -= duration_s;
                    return None;
                }
                Some(Pause::held_back(after_s, duration_s, catch_up))
            };
            pauses.into_iter().filter_map(sound).collect()
        })
    }

    /// Deliveries of sound clocks.
    fn deliveries() -> impl Strategy<Value = Delivery> {
        let block_s = prop_oneof![Just(0.004), Just(0.02), Just(0.131_07), Just(0.524_28)];
        (-200e-6_f64..200e-6, block_s, 0.0_f64..0.05, pauses()).prop_map(
            |(off, block_s, jitter_s, pauses)| Delivery {
                clock: 1.0 + off,
                block_s,
                jitter_s,
                pauses,
            },
        )
    }

    proptest! {
        #![proptest_config(fixed_seed(400))]

        #[test]
        fn what_only_comes_late_is_not_missed(delivery in deliveries()) {
            prop_assert_eq!(findings(&delivery, 120.0), vec![]);
        }

        #[test]
        fn what_is_lost_is_missed_once_with_its_count(
            delivery in deliveries(), after_s in 0.5_f64..9.0, lost_s in 0.16_f64..1.1,
        ) {
            let mut delivery = delivery;
            let last = delivery.pauses.last().copied();
            delivery.pauses.truncate(3);
            // By then all is made up for.
            delivery.pauses.push(Pause::lost(40.0 + after_s, lost_s));
            let elapsed_s = |pause: &Pause| pause.after_s + pause.duration_s;
            let end_s = delivery.pauses.iter().map(elapsed_s).sum::<f64>();
            delivery.pauses.extend(last.map(|pause| Pause { after_s: pause.after_s + 4.0, ..pause }));
            let arrivals = delivery.run(Instant::now(), end_s + 2.0);
            let arrived_s = arrivals.iter().map(|a| a.samples as f64 / RATE_HZ).sum::<f64>();
            // Whole blocks are lost, so it may be none.
            let lost_s = (end_s + 2.0) * delivery.clock - arrived_s;
            prop_assume!(lost_s > delivery.block_s + 0.15);
            let found = findings(&delivery, end_s + 30.0);
            let [(at_s, Imbalance::Missing(missing))] = found.as_slice() else {
                return Err(TestCaseError::fail(format!("{lost_s} s are lost: {found:?}")));
            };
            prop_assert!((end_s..end_s + 7.5).contains(at_s), "{at_s} after {end_s}");
            // The last block may not have arrived yet, and delays vary.
            let off_s = *missing as f64 / RATE_HZ - lost_s;
            let tolerated_s = delivery.block_s + delivery.jitter_s + 0.01;
            prop_assert!(off_s.abs() < tolerated_s, "{missing} instead of {lost_s} s");
        }

        #[test]
        fn a_wrong_rate_is_found(
            off in prop_oneof![0.015_f64..0.1, 0.1_f64..0.9], is_fast: bool,
            block_s in prop_oneof![Just(0.004), Just(0.02), Just(0.131_07)],
            jitter_s in 0.0_f64..0.02,
        ) {
            let clock = if is_fast { 1.0 + off } else { 1.0 - off };
            let delivery = Delivery { clock, block_s, jitter_s, ..Delivery::default() };
            let found = findings(&delivery, 200.0);
            prop_assert!(is_wrong_rate(&found, 200.0), "{found:?}");
        }
    }

    #[test]
    fn the_right_rate_is_left_alone() {
        for clock in [0.9998, 1.0, 1.0002] {
            let delivery = Delivery { clock, jitter_s: 0.04, ..Delivery::default() };
            assert_eq!(findings(&delivery, 600.0), []);
        }
        // Half a percent off is a bad crystal.
        for clock in [0.995, 1.005] {
            assert_eq!(findings(&Delivery { clock, ..Delivery::default() }, 600.0), []);
        }
    }

    #[test]
    fn a_very_wrong_rate_is_seen_within_seconds() {
        for clock in [0.5, 0.9, 1.1, 2.0] {
            let found = findings(&Delivery { clock, ..Delivery::default() }, 10.0);
            assert!(is_wrong_rate(&found, 5.0), "{found:?}");
        }
        // A small error takes longer.
        let found = findings(&Delivery { clock: 0.98, ..Delivery::default() }, 60.0);
        assert!(is_wrong_rate(&found, 10.0), "{found:?}");
        // One that comes later too, whatever has been before.
        let pauses = vec![Pause::held_back(20.0, 1.0, 1.2)];
        let sound = Delivery { pauses, ..Delivery::default() };
        let opened = Instant::now();
        let mut balance = Balance::new(RATE_HZ, opened);
        for arrival in sound.run(opened, 100.0) {
            assert_eq!(balance.observe(arrival.samples, 0, arrival.at), None);
        }
        let broken = opened + Duration::from_secs(100);
        let mut slow = Delivery { clock: 0.9, ..Delivery::default() }.run(broken, 10.0).into_iter();
        let found = slow.find_map(|a| Some((balance.observe(a.samples, 0, a.at)?, a.at)));
        let (Imbalance::Rate(_), at) = found.unwrap() else { panic!("no wrong rate") };
        assert!(at.duration_since(broken).as_secs_f64() < 6.0);
    }

    #[test]
    fn a_slow_start_is_no_loss() {
        for catch_up in [1.0, 1.2, 10.0] {
            // Nothing for three seconds; what was taken meanwhile comes later.
            let pauses = vec![Pause::held_back(0.0, 3.0, catch_up)];
            assert_eq!(findings(&Delivery { pauses, ..Delivery::default() }, 60.0), []);
        }
        let pauses = vec![Pause::lost(0.0, 3.0)];
        assert_eq!(findings(&Delivery { pauses, ..Delivery::default() }, 60.0), []);
    }

    #[test]
    fn what_was_given_up_too_early_may_come_after_all() {
        // Ten seconds at the rate of the source, and then what was held back before.
        let pauses = vec![
            Pause::held_back(10.0, 1.0, 1.0),
            Pause::held_back(10.0, 0.0, 1.1),
            Pause::lost(30.0, 0.5),
        ];
        let found = findings(&Delivery { pauses, ..Delivery::default() }, 90.0);
        let missing = |index: usize| match found[index] {
            (_, Imbalance::Missing(missing)) => missing as f64 / RATE_HZ,
            _ => panic!("{found:?}"),
        };
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((missing(0) - 1.0).abs() < 0.03 && (missing(1) - 0.5).abs() < 0.03, "{found:?}");
    }
}
