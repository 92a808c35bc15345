//! What operators say of devices and of dead letters.

use std::sync::mpsc::SyncSender;

use nap_phy::DeviceId;
use serde_json::{Value, json};

use crate::relay::outbox::Level;
use crate::rules::listing::Standing;
use crate::rules::utc::Utc;
use crate::station::event::Event;
use crate::station::keeper::{Asked, Keeper, Reply};
use crate::station::order::{DeadLetters, Done, Order};
use crate::store::change::Exception;
use crate::store::settlement::Settlement;

impl Keeper {
    /// Does what an operator says; whoever waits is told when it is on disk.
    pub(super) fn order(&mut self, order: &Order, reply: SyncSender<Done>, now: Utc) {
        match self.carry_out(order, now) {
            Ok(count) => self.ordered.push((count, reply)),
            // Who has asked may have gone.
            Err(problem) => drop(reply.send(Err(problem))),
        }
    }

    fn carry_out(&mut self, order: &Order, now: Utc) -> Done {
        match order {
            Order::Admit { device_id } => {
                self.standing(*device_id, |standing| standing.is_admitted = true);
                self.device_changed(*device_id, json!({ "change": "admitted" }), now);
            }
            Order::Block { device_id, minutes } => {
                let until = minutes.map(|minutes| now.plus_s(60.0 * f64::from(minutes)));
                self.standing(*device_id, |standing| standing.blocked = Some(until));
                let detail = json!({ "change": "blocked", "minutes": minutes });
                self.device_changed(*device_id, detail, now);
            }
            Order::Unblock { device_id } => {
                self.standing(*device_id, |standing| standing.blocked = None);
                self.device_changed(*device_id, json!({ "change": "unblocked" }), now);
            }
            Order::Disengage { device_id } => {
                self.rules.disengage(*device_id, now);
                self.push_device(*device_id);
                self.device_changed(*device_id, json!({ "change": "disengaged" }), now);
            }
            Order::Again(letters) => return self.dead_letters(letters, &Exception::Again, now),
            Order::Drop(letters) => return self.dead_letters(letters, &Exception::Dropped, now),
        }
        Ok(1)
    }

    fn standing(&mut self, device_id: DeviceId, change: impl FnOnce(&mut Standing)) {
        change(self.rules.listing_mut().standings.entry(device_id).or_default());
        self.push_standing(device_id);
    }

    fn device_changed(&mut self, device_id: DeviceId, mut detail: Value, now: Utc) {
        detail["device_id"] = json!(device_id.to_string());
        detail["by"] = json!("operator");
        self.event(&Event::new("device_changed", Level::Info, now, detail));
    }

    fn dead_letters(&mut self, letters: &DeadLetters, becomes: &Exception, now: Utc) -> Done {
        let is_meant = |name: &str| letters.relay.as_deref().is_none_or(|relay| relay == name);
        if !self.relays.iter().any(|relay| is_meant(&relay.name)) {
            return Err("there is no such relay in the configuration".into());
        }
        let mut found = 0;
        for relay in 0..self.relays.len() {
            if is_meant(&self.relays[relay].name) {
                found += self.dead_letters_of(relay, &letters.ids, becomes, now)?;
            }
        }
        if found == 0 && !letters.ids.is_empty() {
            return Err("there is no such dead letter".into());
        }
        Ok(found)
    }

    fn dead_letters_of(
        &mut self,
        relay: usize,
        ids: &[String],
        becomes: &Exception,
        now: Utc,
    ) -> Done {
        let failed = |error: crate::Error| error.to_string();
        let mut items = self.ledger.dead(self.relays[relay].end.relay).map_err(failed)?;
        if !ids.is_empty() {
            let is_meant = |item: &i64| {
                self.ledger.id_of_item(*item).ok().flatten().is_some_and(|id| ids.contains(&id))
            };
            items.retain(is_meant);
        }
        let count = items.len() as u64;
        if count > 0 {
            let becomes = becomes.clone();
            let settlement = Settlement::DeadLetters { relay, items, becomes, at: now };
            self.asked.push(Asked { settlement, reply: Reply::None });
            self.has_revived = true;
        }
        Ok(count)
    }
}
