//! All rules, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use nap_phy::{Authentication, DeviceId};

use crate::rules::anomaly::Anomalies;
use crate::rules::budget::{Budget, DayCount};
use crate::rules::heard::Heard;
use crate::rules::history::{History, Stored};
use crate::rules::listing::{Admission, Listing};
use crate::rules::notice::Notice;
use crate::rules::sequence::{Sequence, SequenceLimits};
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};

/// So long any counter is accepted after it was asked for.
const DISENGAGED_S: f64 = 7.0 * 86_400.0;
/// Devices that are told of as refused in an hour; the identities of a flood may all be different.
const MAX_REFUSED_TOLD: usize = 50;

/// How the station judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulesConfig {
    /// Whether messages of devices without a known key are refused.
    pub require_auth: bool,
    /// Messages that the station passes on in a day.
    pub messages_per_day: u32,
    /// The messages a day of a device's contract, where the table has no other figure.
    pub device_messages_per_day: u32,
    /// Messages that are taken of a device in an hour; 0 for any number.
    pub max_messages_per_hour: u32,
    /// What to make of a counter that cannot be.
    pub sequence: SequencePolicy,
    /// For how long a device is blocked whose messages are part of an anomaly; 0 for none.
    pub anomaly_block_minutes: u32,
}

/// What to make of a counter that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequencePolicy {
    /// Refuse the message.
    Enforce,
    /// Accept it, and say so: somebody else judges.
    Flag,
}

/// What the rules say of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What becomes of it.
    pub verdict: Verdict,
    /// What would have been a reason to refuse it.
    pub flags: Vec<Reason>,
    /// What else there is to tell.
    pub notices: Vec<Notice>,
}

/// What was stored before a restart.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// The devices' last messages, in the order of their rows, and all of the last hour.
    pub messages: Vec<(DeviceId, Stored)>,
    /// The devices that are disengaged, until when.
    pub disengaged: Vec<(DeviceId, Utc)>,
    /// What was used of the budget.
    pub days: Vec<(Day, DayCount)>,
    /// What was refused in the hours of the last week.
    pub refused: Vec<(i64, Reason, u32)>,
}

/// All rules and what they remember.
#[derive(Debug)]
pub struct Rules {
    config: RulesConfig,
    listing: Listing,
    histories: BTreeMap<DeviceId, History>,
    budget: Budget,
    anomalies: Anomalies,
    /// The devices that were told of as refused, and in which hour.
    told: (i64, BTreeSet<DeviceId>),
    /// The day whose budget was told of as used up.
    exhausted: Option<Day>,
    /// While nobody knows the time of day: since when that is so, in running time.
    undated_since: Option<Utc>,
}

impl Rules {
    /// Goes on from what was stored.
    #[must_use]
    pub fn new(config: RulesConfig, listing: Listing, remembered: Remembered) -> Self {
        let mut histories: BTreeMap<DeviceId, History> = BTreeMap::new();
        for (device_id, stored) in remembered.messages {
            histories.entry(device_id).or_default().push(stored);
        }
        for (device_id, until) in remembered.disengaged {
            histories.entry(device_id).or_default().disengage(Some(until));
        }
        Self {
            config,
            listing,
            histories,
            budget: Budget::new(config.messages_per_day, remembered.days),
            anomalies: Anomalies::new(remembered.refused),
            told: (0, BTreeSet::new()),
            exhausted: None,
            undated_since: None,
        }
    }

    /// Who may use the station.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// Who may use the station, to change it.
    pub fn listing_mut(&mut self) -> &mut Listing {
        &mut self.listing
    }

    /// The budget.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What was refused lately, to change it.
    pub fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// The budget, to release messages that were held.
    pub fn budget_mut(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// What was refused lately.
    #[must_use]
    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The last message of a device that was accepted or held.
    #[must_use]
    pub fn last(&self, device_id: DeviceId) -> Option<&Stored> {
        self.histories.get(&device_id)?.last()
    }

    /// Until when any counter of a device is accepted.
    #[must_use]
    pub fn disengaged_until(&self, device_id: DeviceId) -> Option<Utc> {
        self.histories.get(&device_id)?.disengaged_until()
    }

    /// Accepts any counter of a device once, if its key proves the message: it was reset, or exchanged.
    pub fn disengage(&mut self, device_id: DeviceId, now: Utc) {
        let until = now.plus_s(DISENGAGED_S);
        self.histories.entry(device_id).or_default().disengage(Some(until));
    }

    /// Judges a message, which is to be stored as this row.
    pub fn judge(&mut self, heard: &Heard, row: i64) -> Judgement {
        self.anomalies.hears(heard.at);
        let mut notices = Vec::new();
        let mut flags = Vec::new();
        let refusal = self.refusal(heard, &mut flags, &mut notices);
        let verdict = match refusal {
            Some(reason) => {
                self.refuse(heard, reason, &mut notices);
                notices.retain(|notice| !matches!(notice, Notice::BreakInSequence { .. }));
                Verdict::Refused(reason)
            }
            None => self.take(heard, row, &mut notices),
        };
        Judgement { verdict, flags, notices }
    }

    /// Judges a message again that was refused for its counter while nobody knew the time of day; `None` if it stays
    /// refused. What was told and counted of it stays as it is.
    pub fn judge_again(&mut self, heard: &Heard, row: i64) -> Option<Judgement> {
        let (mut notices, mut flags) = (Vec::new(), Vec::new());
        if self.refusal(heard, &mut flags, &mut notices).is_some() {
            return None;
        }
        let verdict = self.take(heard, row, &mut notices);
        Some(Judgement { verdict, flags, notices })
    }

    /// Nobody knows the time of day from now on: messages have running time from `since` on.
    pub fn undate(&mut self, since: Utc) {
        self.undated_since = Some(since);
    }

    /// The time of day is known: puts right the devices' times from `base` on, which were running time.
    pub fn redate(&mut self, base: Utc, offset_us: i64) {
        self.undated_since = None;
        self.histories.values_mut().for_each(|history| history.redate(base, offset_us));
    }

    /// The clock was ahead: devices whose last message would be later than `now` have sent it by now, or their next
    /// ones would be refused until the clock gets there. Returns those.
    pub fn bring_back(&mut self, now: Utc) -> Vec<DeviceId> {
        let ahead = self
            .histories
            .iter_mut()
            .filter(|(_, history)| history.last().is_some_and(|last| last.at > now));
        ahead.filter_map(|(id, history)| history.bring_back(now).then_some(*id)).collect()
    }

    /// A message that was accepted or held was none: its place in the budget is free again, and the
    /// device's counter is as before, unless there is a newer one.
    pub fn retract(&mut self, device_id: DeviceId, row: i64, verdict: Verdict, day: Day) {
        if let Some(history) = self.histories.get_mut(&device_id) {
            history.take_back(row);
        }
        if verdict == Verdict::Accepted {
            self.budget.give_back(day);
        }
    }

    /// The first reason to refuse a message, if there is one.
    fn refusal(
        &self,
        heard: &Heard,
        flags: &mut Vec<Reason>,
        notices: &mut Vec<Notice>,
    ) -> Option<Reason> {
        match self.listing.admission(heard.device_id, heard.at) {
            Admission::NotListed => return Some(Reason::NotListed),
            Admission::Blocked => return Some(Reason::Blocked),
            Admission::Admitted => {}
        }
        match heard.auth {
            Authentication::Failed => return Some(Reason::AuthFailed),
            Authentication::Unchecked if self.config.require_auth => {
                return Some(Reason::AuthMissing);
            }
            _ => {}
        }
        let history = self.histories.get(&heard.device_id);
        if history.is_some_and(|history| history.has(heard)) {
            return Some(Reason::Duplicate);
        }
        if let Some(reason) = self.against_sequence(heard, notices) {
            // Nobody can prove which messages of a device without a key are its own.
            let is_enforced = self.config.sequence == SequencePolicy::Enforce
                && heard.auth == Authentication::Verified;
            if is_enforced {
                return Some(reason);
            }
            flags.push(reason);
        }
        let limit = self.limits(heard.device_id).max_messages_per_hour;
        let sent = history.map_or(0, |history| history.in_hour_before(heard.at));
        (limit > 0 && sent >= limit as usize).then_some(Reason::OverRate)
    }

    /// What is wrong with the counter, if anything is.
    fn against_sequence(&self, heard: &Heard, notices: &mut Vec<Notice>) -> Option<Reason> {
        let history = self.histories.get(&heard.device_id);
        let is_proven = heard.auth == Authentication::Verified;
        if is_proven && history.is_some_and(|history| history.is_disengaged(heard.at)) {
            return None;
        }
        // Without the time of day nobody knows how long ago it was, but not less than this.
        let at = |at: Utc| self.undated_since.map_or(at, |since| at.max(since));
        let last = history.and_then(History::last).map(|last| (last.counter, at(last.at)));
        match self.limits(heard.device_id).judge(heard.counter, heard.at, last) {
            Sequence::Follows => None,
            Sequence::Break { gap } => {
                notices.push(Notice::BreakInSequence { device_id: heard.device_id, gap });
                None
            }
            Sequence::Replayed => Some(Reason::Replayed),
            Sequence::OutOfSequence => Some(Reason::OutOfSequence),
        }
    }

    /// Accepts or holds a message, and remembers it.
    fn take(&mut self, heard: &Heard, row: i64, notices: &mut Vec<Notice>) -> Verdict {
        let history = self.histories.entry(heard.device_id).or_default();
        let is_proven = heard.auth == Authentication::Verified;
        if is_proven || !history.is_disengaged(heard.at) {
            history.disengage(None);
        }
        history.push(Stored {
            row,
            counter: heard.counter,
            at: heard.at,
            content: heard.content.clone(),
        });
        let day = heard.at.day();
        if self.budget.has_room(day) {
            self.budget.accept(day);
            return Verdict::Accepted;
        }
        if self.exhausted.replace(day) != Some(day) {
            let messages_per_day = self.config.messages_per_day;
            notices.push(Notice::BudgetExhausted { messages_per_day });
        }
        Verdict::Held
    }

    /// Counts a message that is refused, and tells of it if that is news.
    fn refuse(&mut self, heard: &Heard, reason: Reason, notices: &mut Vec<Notice>) {
        notices.extend(self.refused_notice(heard, reason));
        let excess = self.anomalies.refused(reason, heard.at);
        if let Some(excess) = excess {
            notices.push(Notice::Anomaly { reason, count: excess.count, usual: excess.usual });
        }
        let minutes = self.config.anomaly_block_minutes;
        let is_part = minutes > 0
            && heard.auth == Authentication::Verified
            && self.anomalies.is_excessive(reason, heard.at);
        if is_part {
            let until = heard.at.plus_s(60.0 * f64::from(minutes));
            self.listing.standings.entry(heard.device_id).or_default().blocked = Some(Some(until));
            notices.push(Notice::BlockedFor { device_id: heard.device_id, minutes });
        }
    }

    /// That a device is refused, if that was not told in this hour; those that are heard twice are nothing
    /// to tell of.
    fn refused_notice(&mut self, heard: &Heard, reason: Reason) -> Option<Notice> {
        let hour = heard.at.hour();
        if self.told.0 != hour {
            self.told = (hour, BTreeSet::new());
        }
        let told = &mut self.told.1;
        let is_news = reason != Reason::Duplicate
            && told.len() < MAX_REFUSED_TOLD
            && told.insert(heard.device_id);
        let is_last_of_hour = told.len() == MAX_REFUSED_TOLD;
        is_news.then_some(Notice::Refused { device_id: heard.device_id, reason, is_last_of_hour })
    }

    fn limits(&self, device_id: DeviceId) -> SequenceLimits {
        let device = self.listing.devices.get(device_id);
        let config = &self.config;
        SequenceLimits {
            modulo: self.listing.modulo(device_id),
            messages_per_day: device
                .and_then(|device| device.messages_per_day)
                .unwrap_or(config.device_messages_per_day),
            max_messages_per_hour: device
                .and_then(|device| device.max_messages_per_hour)
                .unwrap_or(config.max_messages_per_hour),
        }
    }
}
