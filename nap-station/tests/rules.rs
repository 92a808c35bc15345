//! The rules, by their tables: verdicts and reasons, the sequence, rates, the budget.
#![cfg(feature = "access-point")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use nap_phy::{Authentication, Device, DeviceId, DeviceTable, MessageCounter, MessageModulo};
use nap_station::rules::heard::Heard;
use nap_station::rules::listing::{Listing, Standing};
use nap_station::rules::notice::Notice;
use nap_station::rules::sequence::{Sequence, SequenceLimits};
use nap_station::rules::utc::Utc;
use nap_station::rules::verdict::{Reason, Verdict};
use nap_station::rules::{Judgement, Remembered, Rules, RulesConfig, SequencePolicy};
use proptest::prelude::*;

use Authentication::{Failed, Unchecked, Verified};
use Verdict::{Accepted, Held, Refused};

const DEVICE: DeviceId = DeviceId(0xA1);
const STRANGER: DeviceId = DeviceId(0xB2);
const DAY_S: f64 = 86_400.0;

const CONFIG: RulesConfig = RulesConfig {
    require_auth: false,
    messages_per_day: 840,
    device_messages_per_day: 140,
    max_messages_per_hour: 60,
    sequence: SequencePolicy::Enforce,
    anomaly_block_minutes: 0,
};

fn counter(value: u16) -> MessageCounter {
    MessageCounter::new(value).unwrap()
}

/// A quarter past six, some morning, and so many seconds.
fn at(seconds: f64) -> Utc {
    Utc::parse("2026-11-23T06:15:00Z").unwrap().plus_s(seconds)
}

/// Rules with one listed device, which may be told more about.
struct Table {
    rules: Rules,
    row: i64,
}

impl Table {
    fn new(config: RulesConfig) -> Self {
        Self::with_device(config, Device::new(DEVICE))
    }

    fn with_device(config: RulesConfig, device: Device) -> Self {
        let mut devices = DeviceTable::new();
        devices.insert(device).unwrap();
        let listing = Listing { is_closed: true, devices, ..Listing::default() };
        Self { rules: Rules::new(config, listing, Remembered::default()), row: 0 }
    }

    fn judge(
        &mut self,
        device_id: DeviceId,
        number: u16,
        auth: Authentication,
        seconds: f64,
    ) -> Judgement {
        self.hear(Heard {
            device_id,
            counter: counter(number),
            content: format!("of {number}"),
            auth,
            at: at(seconds),
        })
    }

    fn hear(&mut self, heard: Heard) -> Judgement {
        self.row += 1;
        self.rules.judge(&heard, self.row)
    }

    /// The verdict on a message of the device that its key proves.
    fn verdict(&mut self, number: u16, seconds: f64) -> Verdict {
        self.judge(DEVICE, number, Verified, seconds).verdict
    }

    fn standing(&mut self, standing: Standing) {
        self.rules.listing_mut().standings.insert(DEVICE, standing);
    }
}

#[test]
fn deny_by_default() {
    let mut table = Table::new(CONFIG);
    assert_eq!(table.judge(STRANGER, 1, Verified, 0.0).verdict, Refused(Reason::NotListed));
    assert_eq!(table.verdict(1, 0.0), Accepted);
    table.rules.listing_mut().is_closed = false;
    assert_eq!(table.judge(STRANGER, 1, Unchecked, 1.0).verdict, Accepted);
}

#[test]
fn a_block_counts_more_than_an_admission_and_that_more_than_the_file() {
    let admitted = Standing { is_admitted: true, blocked: None };
    let mut table = Table::new(CONFIG);
    table.rules.listing_mut().devices = DeviceTable::new();
    assert_eq!(table.verdict(1, 0.0), Refused(Reason::NotListed));
    table.standing(admitted.clone());
    assert_eq!(table.verdict(1, 0.0), Accepted);
    table.standing(Standing { blocked: Some(Some(at(100.0))), ..admitted.clone() });
    assert_eq!(table.verdict(2, 99.0), Refused(Reason::Blocked));
    assert_eq!(table.verdict(2, 100.0), Accepted, "the block has an end");
    table.standing(Standing { blocked: Some(None), ..admitted });
    assert_eq!(table.verdict(3, 1e9), Refused(Reason::Blocked));
}

#[test]
fn tags_are_checked_where_a_key_is_known_and_required_where_that_is_set() {
    let mut table = Table::new(CONFIG);
    assert_eq!(table.judge(DEVICE, 1, Failed, 0.0).verdict, Refused(Reason::AuthFailed));
    assert_eq!(table.judge(DEVICE, 1, Unchecked, 0.0).verdict, Accepted);
    let mut strict = Table::new(RulesConfig { require_auth: true, ..CONFIG });
    assert_eq!(strict.judge(DEVICE, 1, Unchecked, 0.0).verdict, Refused(Reason::AuthMissing));
    assert_eq!(strict.judge(DEVICE, 1, Failed, 0.0).verdict, Refused(Reason::AuthFailed));
    assert_eq!(strict.verdict(1, 0.0), Accepted);
}

/// Each message has all that is wrong with those below it, so that only the order decides.
#[test]
fn the_first_reason_wins() {
    let config = RulesConfig { max_messages_per_hour: 1, require_auth: true, ..CONFIG };
    let mut table = Table::new(config);
    assert_eq!(table.verdict(100, 0.0), Accepted);
    let listed = table.rules.listing().devices.clone();
    table.standing(Standing { is_admitted: false, blocked: Some(None) });
    table.rules.listing_mut().devices = DeviceTable::new();
    let judge = |table: &mut Table, auth, number| table.judge(DEVICE, number, auth, 1.0).verdict;
    assert_eq!(judge(&mut table, Failed, 100), Refused(Reason::NotListed));
    table.rules.listing_mut().devices = listed;
    assert_eq!(judge(&mut table, Failed, 100), Refused(Reason::Blocked));
    table.standing(Standing::default());
    assert_eq!(judge(&mut table, Failed, 100), Refused(Reason::AuthFailed));
    assert_eq!(judge(&mut table, Unchecked, 100), Refused(Reason::AuthMissing));
    assert_eq!(judge(&mut table, Verified, 100), Refused(Reason::Duplicate));
    assert_eq!(judge(&mut table, Verified, 99), Refused(Reason::Replayed));
    assert_eq!(judge(&mut table, Verified, 2000), Refused(Reason::OutOfSequence));
    assert_eq!(judge(&mut table, Verified, 101), Refused(Reason::OverRate));
}

#[test]
fn the_same_message_within_half_a_minute_is_a_duplicate_and_later_a_replay() {
    let mut table = Table::new(CONFIG);
    assert_eq!(table.verdict(7, 0.0), Accepted);
    assert_eq!(table.verdict(7, 30.0), Refused(Reason::Duplicate));
    assert_eq!(table.verdict(7, -30.0), Refused(Reason::Duplicate));
    assert_eq!(table.verdict(7, 30.1), Refused(Reason::Replayed));
    let other = Heard {
        device_id: DEVICE,
        counter: counter(7),
        content: "other".into(),
        auth: Verified,
        at: at(1.0),
    };
    assert_eq!(table.hear(other).verdict, Refused(Reason::Replayed), "it says something else");
    // Though another message came between.
    assert_eq!(table.verdict(8, 10.0), Accepted);
    assert_eq!(table.verdict(7, 11.0), Refused(Reason::Duplicate));
}

const LIMITS: SequenceLimits =
    SequenceLimits { modulo: DEFAULT_MODULO, messages_per_day: 140, max_messages_per_hour: 0 };
const DEFAULT_MODULO: MessageModulo = match MessageModulo::new(4096) {
    Ok(modulo) => modulo,
    Err(_) => panic!("a modulo"),
};

fn sequence(limits: &SequenceLimits, last: u16, found: u16, elapsed_s: f64) -> Sequence {
    limits.judge(counter(found), at(elapsed_s), Some((counter(last), at(0.0))))
}

/// Last 5, three days, 140 a day: the limits are 700 and 900.
#[test]
fn the_window_grows_by_the_day() {
    let three_days_s = 3.0 * DAY_S;
    let judge = |found| sequence(&LIMITS, 5, found, three_days_s);
    assert_eq!(judge(5), Sequence::Replayed);
    assert_eq!(judge(6), Sequence::Follows);
    assert_eq!(judge(705), Sequence::Follows);
    assert_eq!(judge(706), Sequence::Break { gap: 701 });
    assert_eq!(judge(905), Sequence::Break { gap: 900 });
    assert_eq!(judge(906), Sequence::OutOfSequence);
    assert_eq!(judge(4), Sequence::Replayed);
    // A moment later it is the fourth day: 840 and 1200.
    assert_eq!(sequence(&LIMITS, 5, 906, three_days_s + 1.0), Sequence::Break { gap: 901 });
    // The first day is never less than one: 300 and 420, also if the clock was set back.
    for elapsed_s in [0.0, -5.0 * DAY_S, DAY_S] {
        assert_eq!(sequence(&LIMITS, 0, 300, elapsed_s), Sequence::Follows);
        assert_eq!(sequence(&LIMITS, 0, 301, elapsed_s), Sequence::Break { gap: 301 });
        assert_eq!(sequence(&LIMITS, 0, 420, elapsed_s), Sequence::Break { gap: 420 });
        assert_eq!(sequence(&LIMITS, 0, 421, elapsed_s), Sequence::OutOfSequence);
    }
}

/// Half of the counter behind the last one is a replay, the other half is too far ahead.
#[test]
fn what_lies_behind_is_a_replay() {
    let judge = |found| sequence(&LIMITS, 3000, found, 1.0);
    assert_eq!(judge(2999), Sequence::Replayed);
    assert_eq!(judge(3000 - 2047), Sequence::Replayed);
    assert_eq!(judge(3000 - 2048), Sequence::OutOfSequence);
}

#[test]
fn nobody_sends_more_than_the_hour_allows() {
    let limits = SequenceLimits { max_messages_per_hour: 60, ..LIMITS };
    let judge = |gap, elapsed_s| sequence(&limits, 0, gap, elapsed_s);
    assert_eq!(judge(20, 0.0), Sequence::Follows);
    assert_eq!(judge(21, 59.9), Sequence::OutOfSequence);
    assert_eq!(judge(21, 60.0), Sequence::Follows);
    assert_eq!(judge(80, 3600.0), Sequence::Follows);
    assert_eq!(judge(81, 3600.0), Sequence::OutOfSequence);
}

#[test]
fn small_counters_wrap_and_keep_their_protection() {
    for modulo in [128, 256, 512, 1024, 2048, 4096] {
        let limits = SequenceLimits {
            modulo: MessageModulo::new(modulo).unwrap(),
            max_messages_per_hour: 60,
            ..LIMITS
        };
        let last = modulo - 1;
        assert_eq!(sequence(&limits, last, 0, 600.0), Sequence::Follows, "{modulo}");
        assert_eq!(sequence(&limits, last, 2, 600.0), Sequence::Follows, "{modulo}");
        assert_eq!(sequence(&limits, last, last - 1, 600.0), Sequence::Replayed, "{modulo}");
        assert_eq!(sequence(&limits, 0, last, 600.0), Sequence::Replayed, "{modulo}");
        if modulo < 4096 {
            assert_eq!(sequence(&limits, last, modulo, 600.0), Sequence::OutOfSequence, "{modulo}");
        }
    }
    let limits = SequenceLimits { modulo: MessageModulo::new(128).unwrap(), ..LIMITS };
    assert_eq!(limits.judge(counter(128), at(0.0), None), Sequence::OutOfSequence);
    assert_eq!(limits.judge(counter(127), at(0.0), None), Sequence::Follows, "its first message");
}

/// A station that was off for three days does not lock its devices out.
#[test]
fn three_days_without_the_station() {
    let mut table = Table::new(CONFIG);
    assert_eq!(table.verdict(10, 0.0), Accepted);
    assert_eq!(table.verdict(10 + 3 * 140, 3.0 * DAY_S), Accepted);
}

#[test]
fn a_break_is_told_and_only_of_what_is_accepted() {
    let config = RulesConfig { max_messages_per_hour: 0, ..CONFIG };
    let mut table = Table::new(config);
    assert_eq!(table.verdict(0, 0.0), Accepted);
    let judged = table.judge(DEVICE, 350, Verified, 60.0);
    assert_eq!(judged.verdict, Accepted);
    assert_eq!(judged.notices, [Notice::BreakInSequence { device_id: DEVICE, gap: 350 }]);
    let judged = table.judge(DEVICE, 1350, Verified, 120.0);
    assert_eq!(judged.verdict, Refused(Reason::OutOfSequence));
    assert!(matches!(judged.notices[..], [Notice::Refused { .. }]), "{:?}", judged.notices);
}

#[test]
fn without_a_key_nobody_is_refused_for_a_counter() {
    let mut table = Table::new(CONFIG);
    let judge = |table: &mut Table, number, seconds| {
        let judged = table.judge(DEVICE, number, Unchecked, seconds);
        (judged.verdict, judged.flags)
    };
    assert_eq!(judge(&mut table, 100, 0.0), (Accepted, vec![]));
    assert_eq!(judge(&mut table, 1500, 60.0), (Accepted, vec![Reason::OutOfSequence]));
    assert_eq!(judge(&mut table, 1499, 120.0), (Accepted, vec![Reason::Replayed]));
    assert_eq!(judge(&mut table, 1499, 125.0).0, Refused(Reason::Duplicate));
}

#[test]
fn a_fleet_may_judge_the_sequence_itself() {
    let mut table = Table::new(RulesConfig { sequence: SequencePolicy::Flag, ..CONFIG });
    assert_eq!(table.verdict(100, 0.0), Accepted);
    let judged = table.judge(DEVICE, 99, Verified, 60.0);
    assert_eq!((judged.verdict, judged.flags), (Accepted, vec![Reason::Replayed]));
}

#[test]
fn a_device_that_was_reset_is_disengaged_for_one_message() {
    let mut table = Table::new(CONFIG);
    assert_eq!(table.verdict(1000, 0.0), Accepted);
    assert_eq!(table.verdict(0, 600.0), Refused(Reason::Replayed));
    table.rules.disengage(DEVICE, at(700.0));
    assert_eq!(table.judge(DEVICE, 0, Failed, 710.0).verdict, Refused(Reason::AuthFailed));
    assert_eq!(table.verdict(0, 720.0), Accepted);
    assert_eq!(table.rules.disengaged_until(DEVICE), None);
    assert_eq!(table.verdict(500, 730.0), Refused(Reason::OutOfSequence), "once only");
    assert_eq!(table.verdict(1, 740.0), Accepted);
    // It does not last for ever.
    table.rules.disengage(DEVICE, at(800.0));
    let later_s = 800.0 + 7.0 * DAY_S + 1.0;
    assert_eq!(table.verdict(2502, later_s), Refused(Reason::Replayed));
}

#[test]
fn an_hour_has_its_rate() {
    let mut table = Table::new(CONFIG);
    for number in 0..60 {
        assert_eq!(table.verdict(number, f64::from(number)), Accepted);
    }
    assert_eq!(table.verdict(60, 3599.0), Refused(Reason::OverRate));
    assert_eq!(table.verdict(60, 3600.0), Accepted, "the first one is an hour ago");
    assert_eq!(table.verdict(61, 3600.5), Refused(Reason::OverRate));
    let device = Device { max_messages_per_hour: Some(0), ..Device::new(DEVICE) };
    let mut free = Table::with_device(CONFIG, device);
    assert!((0..200).all(|number| free.verdict(number, 0.0) == Accepted));
}

/// A flood of what is forged or replayed locks the true device out of nothing.
#[test]
fn a_flood_leaves_the_true_device_alone() {
    let config = RulesConfig { anomaly_block_minutes: 60, ..CONFIG };
    let mut table = Table::new(config);
    assert_eq!(table.verdict(100, 0.0), Accepted);
    let mut told = 0;
    for number in 0..2000 {
        let judged = table.judge(DEVICE, number, Failed, 1.0);
        assert_eq!(judged.verdict, Refused(Reason::AuthFailed));
        told += judged.notices.len();
        let stranger = DeviceId(u32::from(number) + 1000);
        told += table.judge(stranger, number, Unchecked, 1.0).notices.len();
    }
    assert!(told < 60, "told once an hour, not {told} times");
    assert_eq!(table.verdict(101, 600.0), Accepted);
}

#[test]
fn refused_devices_are_told_once_an_hour() {
    let mut table = Table::new(CONFIG);
    let told = |table: &mut Table, seconds| {
        let notices = table.judge(STRANGER, 1, Verified, seconds).notices;
        notices.iter().any(|notice| matches!(notice, Notice::Refused { .. }))
    };
    assert!(told(&mut table, 0.0));
    assert!(!told(&mut table, 60.0));
    // 45 minutes later the next hour begins.
    assert!(told(&mut table, 45.0 * 60.0));
}

#[test]
fn over_the_budget_messages_are_held_and_counters_move() {
    let mut table = Table::new(RulesConfig { messages_per_day: 3, ..CONFIG });
    for number in 0..3 {
        assert_eq!(table.verdict(number, f64::from(number) * 60.0), Accepted);
    }
    let judged = table.judge(DEVICE, 3, Verified, 200.0);
    assert_eq!(judged.verdict, Held);
    assert_eq!(judged.notices, [Notice::BudgetExhausted { messages_per_day: 3 }]);
    assert_eq!(table.judge(DEVICE, 4, Verified, 260.0).notices, [], "told once");
    assert_eq!(table.verdict(3, 270.0), Refused(Reason::Replayed), "its counter has moved");
    assert_eq!(table.verdict(5, DAY_S), Accepted, "another day");
}

#[test]
fn what_was_never_sent_gives_its_place_and_counter_back() {
    let mut table = Table::new(RulesConfig { messages_per_day: 2, ..CONFIG });
    assert_eq!(table.verdict(10, 0.0), Accepted);
    assert_eq!(table.verdict(29, 60.0), Accepted);
    table.rules.retract(DEVICE, 2, Accepted, at(60.0).day());
    assert_eq!(table.verdict(11, 120.0), Accepted, "counter and place are free again");
    assert_eq!(table.verdict(12, 180.0), Held);
    table.rules.retract(DEVICE, 1, Accepted, at(0.0).day());
    assert_eq!(table.verdict(12, 240.0), Refused(Reason::Replayed), "a newer one was accepted");
}

proptest! {
    /// However the numbers come, what is accepted of a device with a key goes on forwards: by no more
    /// than the time allows, and never by nothing.
    #[test]
    fn accepted_counters_go_forwards(
        modulo in prop::sample::select(vec![128_u16, 256, 512, 1024, 2048, 4096]),
        steps in prop::collection::vec((0_u16..4096, 0_u32..7200), 1..100),
    ) {
        let message_modulo = MessageModulo::new(modulo).unwrap();
        let device = Device { message_modulo, ..Device::new(DEVICE) };
        let mut table = Table::with_device(CONFIG, device);
        let (mut now_s, mut last) = (0.0, None);
        for (number, wait_s) in steps {
            now_s += f64::from(wait_s);
            if table.verdict(number, now_s) != Accepted {
                continue;
            }
            prop_assert!(number < modulo);
            if let Some((before, then_s)) = last {
                let gap = (modulo + number - before) % modulo;
                let reach = 20.0 + 60.0 * (now_s - then_s) / 3600.0;
                prop_assert!(gap > 0 && f64::from(gap) <= reach);
            }
            last = Some((number, now_s));
        }
    }

    /// A restart between any two messages changes no verdict.
    #[test]
    fn a_restart_changes_nothing(
        steps in prop::collection::vec((0_u16..40, 0_u32..900), 1..80),
        restart in 0_usize..80,
    ) {
        let config = RulesConfig { messages_per_day: 20, ..CONFIG };
        let (mut steady, mut restarted) = (Table::new(config), Table::new(config));
        let (mut now_s, mut stored) = (0.0, Vec::new());
        for (index, (number, wait_s)) in steps.into_iter().enumerate() {
            now_s += f64::from(wait_s);
            if index == restart {
                let days = [at(0.0), at(now_s)].map(|at| (at.day(), restarted.rules.budget().used(at.day())));
                let remembered =
                    Remembered { messages: std::mem::take(&mut stored), days: days.into(), ..Remembered::default() };
                let listing = restarted.rules.listing().clone();
                restarted.rules = Rules::new(config, listing, remembered);
            }
            let expected = steady.verdict(number, now_s);
            let found = restarted.verdict(number, now_s);
            prop_assert_eq!(found, expected);
            if !matches!(found, Refused(_)) {
                stored.push((DEVICE, nap_station::rules::history::Stored {
                    row: restarted.row,
                    counter: counter(number),
                    at: at(now_s),
                    content: format!("of {number}"),
                }));
            }
        }
    }
}
