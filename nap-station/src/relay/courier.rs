//! One relay at work: takes from the outbox, has it carried, settles what became of it.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::relay::ask::ask;
use crate::relay::backoff::{Backoff, DRAINING_CAP, cap};
use crate::relay::carrier::{Carried, Carrier, Fate, Fault};
use crate::relay::context::Context;
use crate::relay::expiry::Expiry;
use crate::relay::lanes::{Border, Pace, SetAside};
use crate::relay::outbox::{Delivery, Kind, Outbox, Outcome, Ticket};
use crate::relay::state::{Phase, Told};

/// So many deliveries of the live lane are taken at once.
const LIVE_ROUND: usize = 64;
/// So many of the backlog: a live message waits no longer than they take.
const BACKLOG_ROUND: usize = 8;
/// What was delivered is settled after so long at the latest.
const SETTLE_AFTER: Duration = Duration::from_millis(500);
/// A carrier that rests sees so often to its files, and so on.
const ATTEND_EVERY: Duration = Duration::from_secs(10);
/// How often certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// Whoever has to end at once waits so long for what is on its way, since its answer would be lost.
const GRACE: Duration = Duration::from_secs(2);

/// One relay at work.
pub(super) struct Courier<C> {
    name: String,
    context: Context,
    outbox: Arc<dyn Outbox>,
    carrier: C,
    phase: watch::Receiver<Phase>,
    newest: watch::Receiver<u64>,
    told: Told,
    backoff: Backoff,
    random: ChaCha8Rng,
    border: Border,
    pace: Pace,
    aside: SetAside,
    unsettled: Vec<(Ticket, Outcome)>,
    expiry: Expiry,
    next_look: Instant,
}

/// What goes out next.
enum Round {
    Live(Vec<Delivery>),
    Again(Delivery),
    Backlog(Vec<Delivery>),
}

impl<C: Carrier> Courier<C> {
    pub(super) fn new(
        name: &str,
        context: Context,
        outbox: Arc<dyn Outbox>,
        carrier: C,
        phase: watch::Receiver<Phase>,
        told: Told,
        seed: u64,
    ) -> Self {
        let newest = outbox.newest();
        let border = Border::at(*newest.borrow());
        Self {
            name: name.into(),
            context,
            outbox,
            carrier,
            phase,
            newest,
            told,
            backoff: Backoff::seeded(seed),
            random: ChaCha8Rng::seed_from_u64(seed.wrapping_add(1)),
            border,
            pace: Pace::default(),
            aside: SetAside::default(),
            unsettled: Vec::new(),
            expiry: Expiry::default(),
            next_look: Instant::now(),
        }
    }

    /// Works until the station stops.
    pub(super) async fn run(mut self) {
        while !self.is_stopping() {
            let Err(fault) = self.work().await else { break };
            self.fails(&fault);
            self.wait_after(fault).await;
        }
        // What is not settled now is delivered twice: try once more.
        if let Err(fault) = self.settle().await {
            self.told.change(|state| state.last_error = Some(fault.reason));
        }
        // Whoever does not take leave in time has gone without it.
        let _ = timeout(GRACE, self.carrier.close()).await;
        self.told.change(|state| state.is_connected = false);
    }

    /// Works until a fault, or until the station stops.
    async fn work(&mut self) -> Result<(), Fault> {
        self.settle().await?;
        // Before the far side turns away what has ended.
        self.look_at_certificates();
        tokio::select! {
            opened = self.carrier.open() => opened?,
            () = stopping(&mut self.phase) => return Ok(()),
        }
        self.told.change(|state| state.is_connected = true);
        while !self.is_stopping() {
            self.look_at_certificates();
            self.carrier.attend().await?;
            self.newest.borrow_and_update();
            match self.pick().await? {
                Some(round) => self.go(round).await?,
                None => self.rest().await?,
            }
        }
        Ok(())
    }

    async fn pick(&mut self) -> Result<Option<Round>, Fault> {
        if !self.aside.is_full() {
            let live = self.take(self.border.live(), LIVE_ROUND).await?;
            if !live.is_empty() {
                return Ok(Some(Round::Live(live)));
            }
        }
        let now = Instant::now();
        if let Some(delivery) = self.aside.take_due(now.into_std()) {
            return Ok(Some(Round::Again(delivery)));
        }
        if self.aside.is_full() || self.pace.next().is_some_and(|next| next > now.into_std()) {
            return Ok(None);
        }
        let backlog = self.take(self.border.backlog(), BACKLOG_ROUND).await?;
        Ok((!backlog.is_empty()).then_some(Round::Backlog(backlog)))
    }

    async fn take(
        &mut self,
        tickets: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Fault> {
        let limit = limit.max(self.carrier.unit());
        let mut taken =
            ask(Arc::clone(&self.outbox), move |outbox| outbox.take(tickets, limit)).await?;
        for delivery in &mut taken {
            mark_late(delivery, self.border.is_late(delivery));
        }
        Ok(taken)
    }

    async fn go(&mut self, round: Round) -> Result<(), Fault> {
        let deliveries = match round {
            Round::Live(deliveries) => deliveries,
            Round::Again(delivery) => vec![delivery],
            Round::Backlog(deliveries) => {
                self.pace.went(deliveries.len(), std::time::Instant::now());
                deliveries
            }
        };
        let mut waiting = VecDeque::from(deliveries);
        let started = Instant::now();
        while !waiting.is_empty() && !self.is_stopping() {
            let unit = self.carrier.unit().min(waiting.len());
            let some: Vec<Delivery> = waiting.drain(..unit).collect();
            if let Some(fault) = self.carry(some).await {
                waiting.into_iter().for_each(|delivery| self.give_back(delivery.ticket));
                self.settle().await?;
                return Err(fault);
            }
            if started.elapsed() >= SETTLE_AFTER {
                self.settle().await?;
            }
        }
        self.settle().await
    }

    async fn carry(&mut self, deliveries: Vec<Delivery>) -> Option<Fault> {
        let mut phase = self.phase.clone();
        let carried = tokio::select! {
            biased;
            carried = self.carrier.carry(&deliveries) => carried,
            () = stopped(&mut phase) => Carried::none(Fault::new("the station ends")),
        };
        let Carried { fates, fault } = carried;
        let tickets: Vec<Ticket> = deliveries[fates.len()..].iter().map(|one| one.ticket).collect();
        tickets.into_iter().for_each(|ticket| self.give_back(ticket));
        for (delivery, fate) in deliveries.into_iter().zip(fates) {
            self.note(delivery, fate);
        }
        fault
    }

    fn give_back(&mut self, ticket: Ticket) {
        match self.aside.contains(ticket) {
            true => self.aside.give_back(ticket, std::time::Instant::now()),
            false => self.unsettled.push((ticket, Outcome::Again)),
        }
    }

    fn note(&mut self, delivery: Delivery, fate: Fate) {
        let now = std::time::Instant::now();
        let ticket = delivery.ticket;
        let outcome = match fate {
            Fate::Delivered => Outcome::Delivered,
            Fate::Published => Outcome::Published,
            Fate::Refused(reason) => return self.note_refused(delivery, reason),
        };
        self.aside.forget(ticket);
        self.unsettled.push((ticket, outcome));
        self.backoff.works(now);
        self.told.change(|state| {
            state.delivered += 1;
            state.is_connected = true;
        });
    }

    fn note_refused(&mut self, mut delivery: Delivery, reason: String) {
        let (now, ticket, most) =
            (std::time::Instant::now(), delivery.ticket, self.carrier.give_up_after());
        mark_late(&mut delivery, true);
        let is_dead = !self.aside.refuse(delivery, most, now, &mut self.random);
        self.told.change(|state| {
            state.refused += 1;
            state.dead += u64::from(is_dead);
            state.last_error = Some(reason.clone());
        });
        if is_dead {
            self.unsettled.push((ticket, Outcome::Dead { reason }));
        }
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let outcomes = self.unsettled.clone();
        ask(Arc::clone(&self.outbox), move |outbox| outbox.settle(outcomes)).await?;
        self.unsettled.clear();
        Ok(())
    }

    /// Waits until there may be something to do.
    async fn rest(&mut self) -> Result<(), Fault> {
        let due = [
            self.aside.next_due(),
            self.pace.next().filter(|next| *next > std::time::Instant::now()),
        ];
        let due = due.into_iter().flatten().min().map(Instant::from_std);
        let attend = Instant::now() + ATTEND_EVERY;
        tokio::select! {
            idle = self.carrier.idle() => idle,
            _ = changed(&mut self.newest) => Ok(()),
            () = stopping(&mut self.phase) => Ok(()),
            () = sleep_until(due.map_or(attend, |due| due.min(attend))) => Ok(()),
        }
    }

    /// Tells of certificates that end, once the time of day is known.
    fn look_at_certificates(&mut self) {
        let Some(files) = self.carrier.tls_files().filter(|_| Instant::now() >= self.next_look)
        else {
            return;
        };
        let Some(now) = self.context.known_time() else { return };
        let reports = self.expiry.look(&self.name, files, now);
        reports.into_iter().for_each(|report| self.outbox.report(report));
        self.next_look = Instant::now() + LOOK_EVERY;
    }

    /// All that waits now is late, whenever it is delivered.
    fn fails(&mut self, fault: &Fault) {
        self.border = Border::at(*self.newest.borrow());
        self.told.change(|state| {
            state.is_connected = false;
            state.faults += 1;
            state.last_error = Some(fault.reason.clone());
        });
    }

    async fn wait_after(&mut self, fault: Fault) {
        let is_draining = *self.phase.borrow() >= Phase::Draining;
        let cap = cap(is_draining, fault.is_local);
        let delay = self.backoff.after_fault(std::time::Instant::now(), cap);
        let until = Instant::now() + delay.max(fault.retry_after.unwrap_or_default().min(cap));
        let mut phase = self.phase.clone();
        let drains = async {
            if is_draining || phase.wait_for(|phase| *phase >= Phase::Draining).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = sleep_until(until) => {}
            () = stopping(&mut self.phase) => {}
            // Whoever is asked to finish does not wait five minutes first.
            () = async { drains.await; sleep_until(until.min(Instant::now() + DRAINING_CAP)).await } => {}
        }
    }

    fn is_stopping(&self) -> bool {
        *self.phase.borrow() == Phase::Stopping
    }
}

/// Updates and messages say whether they are late, events do not.
fn mark_late(delivery: &mut Delivery, is_late: bool) {
    if let (Kind::Message | Kind::Update, Value::Object(record)) =
        (delivery.kind, &mut delivery.record)
    {
        record.insert("late".into(), is_late.into());
    }
}

/// Waits for news; without anybody who could have some, for ever.
async fn changed(newest: &mut watch::Receiver<u64>) {
    if newest.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the station stops, also by forgetting its relays.
async fn stopping(phase: &mut watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Stopping).await;
}

/// Waits until the station has stopped for a little while.
async fn stopped(phase: &mut watch::Receiver<Phase>) {
    stopping(phase).await;
    tokio::time::sleep(GRACE).await;
}
