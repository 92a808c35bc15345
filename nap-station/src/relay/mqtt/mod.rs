//! Messages to an MQTT broker.

mod address;
mod connection;
mod discovery;
pub mod packet;
mod status;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::Error;
use crate::relay::ask::ask;
use crate::relay::carrier::{Carried, Carrier, Fate, Fault};
use crate::relay::context::Context;
use crate::relay::custom_payload::{BadField, CustomPayload};
use crate::relay::mqtt::address::{Address, Broker};
use crate::relay::mqtt::connection::{AnswerTimeout, Connection};
use crate::relay::mqtt::discovery::announcement;
use crate::relay::mqtt::packet::{Answer, Connect, Publish};
use crate::relay::mqtt::status::{PublishedStatus, with_online};
use crate::relay::mqtt::topics::{Stored, Topics};
use crate::relay::options::{Acknowledgement, MqttOptions};
use crate::relay::outbox::{Delivery, Kind, Level, Outbox, Outcome, Report, Ticket};
use crate::relay::secret::Secret;
use crate::relay::template::variable::custom_data;
use crate::relay::tls::{Stamps, TlsFiles};
use crate::relay::visitor::Visitor;

/// So many messages may be on their way.
const WINDOW: usize = 32;
const KEEP_ALIVE_S: u16 = 30;
/// Each ping costs some hundred bytes.
const METERED_KEEP_ALIVE_S: u16 = 600;

/// Messages to an MQTT broker.
pub struct Mqtt {
    options: MqttOptions,
    checked: Checked,
    context: Context,
    topics: Topics,
    client: String,
    answer_timeout: AnswerTimeout,
    outbox: Arc<dyn Outbox>,
    stamps: Stamps,
    status: PublishedStatus,
    announced: BTreeSet<String>,
    unacknowledged: BTreeMap<Ticket, Instant>,
    inbox: Vec<(Publish, Option<u16>)>,
    status_news: watch::Receiver<Value>,
    connection: Option<Connection>,
}

/// What an operator has said, checked.
struct Checked {
    broker: Broker,
    files: TlsFiles,
    password: Option<Secret>,
    custom: CustomPayload,
}

impl Checked {
    fn new(options: &MqttOptions, context: &Context) -> Result<Self, Error> {
        let broker = Broker::parse(options)?;
        let files = options.tls_files(&context.folder);
        if broker.is_tls {
            files.load(&context.certificate_time)?;
        }
        let password =
            options.password_file.as_ref().map(|file| Secret::new(&context.folder, file));
        if let Some(password) = &password {
            password.read()?;
        }
        let bad =
            |error: BadField| Error::Relay { key: "custom_payload", problem: error.to_string() };
        let custom = options.custom_payload.parse().map_err(bad)?;
        Ok(Self { broker, files, password, custom })
    }

    /// Where to connect, with certificates and password as they are now.
    fn access(&self, context: &Context) -> Result<(Address, Option<String>), Error> {
        let load = || self.files.load(&context.certificate_time);
        let tls = self.broker.is_tls.then(load).transpose()?;
        let password = self.password.as_ref().map(Secret::read).transpose()?;
        Ok((Address { host: self.broker.host.clone(), port: self.broker.port, tls }, password))
    }
}

/// Checks what an operator has said.
///
/// # Errors
/// What is wrong with it.
pub fn check_mqtt(options: &MqttOptions, context: &Context) -> Result<(), Error> {
    Checked::new(options, context).map(drop)
}

/// Connects to the broker and takes leave again; nothing is published.
///
/// # Errors
/// What is wrong on the way.
pub async fn try_mqtt(
    options: &MqttOptions,
    context: &Context,
    visitor: &Visitor,
) -> Result<(), Fault> {
    let checked = Checked::new(options, context).map_err(Fault::of_disk)?;
    let (address, password) = checked.access(context).map_err(Fault::of_disk)?;
    let connect = Connect {
        client: &visitor.client,
        keep_alive_s: KEEP_ALIVE_S,
        user: options.user.as_deref(),
        password: password.as_deref().map(str::as_bytes),
        will: None,
        is_lasting: visitor.is_own,
    };
    let answer_timeout = AnswerTimeout(context.answer_timeout);
    let opened = Connection::open(&address, &connect, options.version, answer_timeout).await;
    opened.map_err(|fault| context.explained(fault))?.disconnect().await;
    Ok(())
}

impl Mqtt {
    /// Messages to the broker that an operator has named.
    ///
    /// # Errors
    /// As [`check_mqtt`].
    pub fn new(
        options: MqttOptions,
        context: Context,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Self, Error> {
        let checked = Checked::new(&options, &context)?;
        Ok(Self {
            stamps: checked.files.stamps(),
            checked,
            topics: Topics::new(&context.station),
            client: format!("nap-{}", context.station),
            answer_timeout: AnswerTimeout(context.answer_timeout),
            outbox,
            status: PublishedStatus::new(context.is_metered),
            announced: BTreeSet::new(),
            unacknowledged: BTreeMap::new(),
            inbox: Vec::new(),
            status_news: context.status.clone(),
            connection: None,
            context,
            options,
        })
    }

    async fn connect(&mut self) -> Result<(), Fault> {
        self.connection = None;
        // The numbers of packets are those of the former connection.
        self.inbox.iter_mut().for_each(|(_, packet)| *packet = None);
        self.stamps = self.checked.files.stamps();
        let (address, password) = self.checked.access(&self.context).map_err(Fault::of_disk)?;
        let will = self.status_publish(&self.status_now(), false);
        let connect = Connect {
            client: &self.client,
            keep_alive_s: if self.context.is_metered { METERED_KEEP_ALIVE_S } else { KEEP_ALIVE_S },
            user: self.options.user.as_deref(),
            password: password.as_deref().map(str::as_bytes),
            will: Some(&will),
            is_lasting: true,
        };
        let opened =
            Connection::open(&address, &connect, self.options.version, self.answer_timeout).await;
        self.connection = Some(opened.map_err(|fault| self.context.explained(fault))?);
        if self.options.ack == Acknowledgement::Application {
            self.subscribe().await?;
        }
        self.publish_status().await
    }

    async fn subscribe(&mut self) -> Result<(), Fault> {
        let topic = self.topics.of("ack");
        let packet = self.connection()?.subscribe(&topic);
        loop {
            match self.turn("a subscription").await? {
                Answer::SubscribeAck { packet: answered, code } if answered == packet => {
                    let refused = || {
                        Fault::new(format!("the broker does not let us read {topic} (code {code})"))
                    };
                    return if code < 128 { Ok(()) } else { Err(refused()) };
                }
                answer => self.keep(answer),
            }
        }
    }

    /// Publishes, and waits until the broker has everything: for each, the code of its answer, in order, as far as they came.
    async fn publish(&mut self, all: &[Publish]) -> (Vec<Option<u8>>, Option<Fault>) {
        let mut codes = vec![None; all.len()];
        let mut packets = BTreeMap::new();
        for (index, publish) in all.iter().enumerate() {
            match self.connection().map(|connection| connection.publish(publish)) {
                Ok(Some(packet)) => drop(packets.insert(packet, index)),
                Ok(None) => codes[index] = Some(TOO_LARGE),
                Err(fault) => return (codes, Some(fault)),
            }
        }
        while !packets.is_empty() {
            match self.turn("what was published").await {
                Ok(Answer::PublishAck { packet, code }) => {
                    if let Some(index) = packets.remove(&packet) {
                        codes[index] = Some(code);
                    }
                }
                Ok(answer) => self.keep(answer),
                Err(fault) => return (codes, Some(fault)),
            }
        }
        (codes, None)
    }

    async fn publish_status(&mut self) -> Result<(), Fault> {
        let status = self.status_now();
        let publish = self.status_publish(&status, true);
        let (codes, fault) = self.publish(&[publish]).await;
        fault.map_or(Ok(()), Err)?;
        self.status.went(status, Instant::now());
        match codes.first() {
            Some(Some(code)) if *code >= 128 => Err(Fault::new(format!(
                "the broker does not take the status (code {code}): may {} write {}?",
                self.client,
                self.topics.of("status")
            ))),
            _ => Ok(()),
        }
    }

    fn status_now(&self) -> Value {
        self.context.status.borrow().clone()
    }

    fn status_publish(&self, status: &Value, is_online: bool) -> Publish {
        // A will says no more than what is needed to tell this run from the next.
        let content = match is_online {
            true => with_online(status, true),
            false => json!({"online": false, "boot_id": status["boot_id"]}),
        };
        Publish {
            topic: self.topics.of("status"),
            payload: content.to_string().into_bytes(),
            is_retained: true,
        }
    }

    async fn turn(&mut self, asked: &str) -> Result<Answer, Fault> {
        let answer_timeout = self.answer_timeout;
        let answer = timeout(answer_timeout.0, self.connection()?.turn()).await;
        answer.unwrap_or_else(|_| Err(answer_timeout.fault(asked)))
    }

    fn connection(&mut self) -> Result<&mut Connection, Fault> {
        self.connection.as_mut().ok_or_else(|| Fault::new("not connected"))
    }

    /// Keeps what others have published until there is time for it.
    fn keep(&mut self, answer: Answer) {
        if let Answer::Published { publish, packet } = answer {
            self.inbox.push((publish, packet));
        }
    }

    async fn read_inbox(&mut self) -> Result<(), Fault> {
        while let Some((publish, packet)) = self.inbox.pop() {
            if publish.topic == self.topics.of("ack") {
                self.acknowledge(&publish.payload).await?;
            }
            if let Some(packet) = packet {
                self.connection()?.acknowledge(packet);
            }
        }
        Ok(())
    }

    async fn acknowledge(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let stored = match Stored::parse(payload) {
            Ok(stored) => stored,
            Err(problem) => {
                self.report_ack(&json!({"problem": problem}));
                return Ok(());
            }
        };
        let Stored { epoch, ranges } = stored;
        let question = move |outbox: &dyn Outbox| outbox.acknowledge(epoch, &ranges);
        let acknowledged = ask(Arc::clone(&self.outbox), question).await?;
        for ticket in &acknowledged.delivered {
            self.unacknowledged.remove(ticket);
        }
        if acknowledged.ignored > 0 {
            self.report_ack(
                &json!({"epoch": format!("{epoch:08x}"), "ignored": acknowledged.ignored}),
            );
        }
        Ok(())
    }

    fn report_ack(&self, detail: &Value) {
        let mut detail = detail.clone();
        detail["reason"] = "an acknowledgement speaks of what was not published here".into();
        self.outbox.report(Report { event_type: "anomaly", level: Level::Warning, detail });
    }

    /// When something is to be published again that nobody has acknowledged.
    fn next_again(&self) -> Option<Instant> {
        self.unacknowledged.values().min().map(|at| *at + self.context.acknowledged_within)
    }

    async fn publish_again(&mut self) -> Result<(), Fault> {
        let now = Instant::now();
        let is_old =
            |at: &Instant| now.saturating_duration_since(*at) >= self.context.acknowledged_within;
        let old: Vec<Ticket> = self
            .unacknowledged
            .iter()
            .filter(|(_, at)| is_old(at))
            .map(|(ticket, _)| *ticket)
            .collect();
        if old.is_empty() {
            return Ok(());
        }
        let outcomes = old.iter().map(|ticket| (*ticket, Outcome::Again)).collect();
        ask(Arc::clone(&self.outbox), move |outbox| outbox.settle(outcomes)).await?;
        self.unacknowledged.retain(|ticket, _| !old.contains(ticket));
        Ok(())
    }

    fn publishes(&mut self, deliveries: &[Delivery]) -> Vec<Publish> {
        deliveries.iter().map(|delivery| self.message(delivery)).collect()
    }

    fn message(&self, delivery: &Delivery) -> Publish {
        let mut record = delivery.record.clone();
        if delivery.kind != Kind::Event && !self.checked.custom.fields().is_empty() {
            record["custom"] = custom_data(&self.checked.custom, &record).into();
        }
        Publish {
            topic: self.topics.of_kind(delivery.kind),
            payload: record.to_string().into_bytes(),
            is_retained: false,
        }
    }

    /// Announces devices that were not announced yet; on a metered link there is no such chatter.
    async fn announce(&mut self, deliveries: &[Delivery]) -> Option<Fault> {
        if !self.options.home_assistant || self.context.is_metered {
            return None;
        }
        let mut announcements = BTreeMap::new();
        for delivery in deliveries.iter().filter(|delivery| delivery.kind == Kind::Message) {
            let device = delivery.record["device_id"].as_str().unwrap_or_default();
            if !self.announced.contains(device) {
                let announcement =
                    announcement(&self.topics, &delivery.record, &self.checked.custom);
                announcements.extend(announcement.map(|one| (device.to_owned(), one)));
            }
        }
        let publishes: Vec<Publish> = announcements.values().cloned().collect();
        let (_, fault) = self.publish(&publishes).await;
        if fault.is_none() {
            self.announced.extend(announcements.into_keys());
        }
        fault
    }

    fn fate(&mut self, delivery: &Delivery, code: u8) -> Fate {
        match (code, self.options.ack, delivery.kind) {
            (128.., ..) => Fate::Refused(format!(
                "the broker does not take it: {} (code {code})",
                reason(code)
            )),
            (_, Acknowledgement::Application, Kind::Message) => {
                self.unacknowledged.insert(delivery.ticket, Instant::now());
                Fate::Published
            }
            _ => Fate::Delivered,
        }
    }
}

impl Carrier for Mqtt {
    fn unit(&self) -> usize {
        let most = self.connection.as_ref().map_or(1, Connection::receive_maximum);
        WINDOW.min(most.into())
    }

    fn tls_files(&self) -> Option<&TlsFiles> {
        self.checked.broker.is_tls.then_some(&self.checked.files)
    }

    async fn open(&mut self) -> Result<(), Fault> {
        self.connect().await
    }

    async fn carry(&mut self, deliveries: &[Delivery]) -> Carried {
        if let Some(fault) = self.announce(deliveries).await {
            return Carried::none(fault);
        }
        let publishes = self.publishes(deliveries);
        let (codes, fault) = self.publish(&publishes).await;
        // A quota is not the message's fault: it is tried again with the others.
        let mut fates = Vec::new();
        for (delivery, code) in deliveries.iter().zip(codes) {
            match code {
                Some(QUOTA_EXCEEDED) => {
                    let fault = Fault::new("the broker takes no more for now: a quota is exceeded");
                    return Carried { fates, fault: Some(fault) };
                }
                Some(code) => fates.push(self.fate(delivery, code)),
                None => break,
            }
        }
        Carried { fates, fault }
    }

    async fn attend(&mut self) -> Result<(), Fault> {
        if self.checked.files.stamps() != self.stamps && self.checked.broker.is_tls {
            self.leave().await;
            self.connect().await?;
        }
        self.read_inbox().await?;
        self.publish_again().await?;
        if self.status.is_due(&self.status_now(), Instant::now()) {
            self.publish_status().await?;
        }
        Ok(())
    }

    async fn idle(&mut self) -> Result<(), Fault> {
        let again = self.next_again();
        let connection = self.connection.as_mut().ok_or_else(|| Fault::new("not connected"))?;
        tokio::select! {
            () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => Ok(()),
            answer = connection.turn() => {
                let answer = answer?;
                self.keep(answer);
                Ok(())
            }
            // A station that has gone has no more news.
            Ok(()) = self.status_news.changed() => Ok(()),
        }
    }

    async fn close(&mut self) {
        self.leave().await;
    }
}

impl Mqtt {
    /// Says that the station is gone, and goes.
    async fn leave(&mut self) {
        let publish = self.status_publish(&self.status_now(), false);
        if self.connection.is_some()
            && self.publish(&[publish]).await.1.is_none()
            && let Some(connection) = &mut self.connection
        {
            connection.disconnect().await;
        }
        self.connection = None;
    }
}

const QUOTA_EXCEEDED: u8 = 0x97;
const TOO_LARGE: u8 = 0x95;

fn reason(code: u8) -> &'static str {
    match code {
        0x87 => "not authorized for this topic",
        0x90 => "it does not like the topic",
        TOO_LARGE => "larger than the broker allows",
        0x99 => "it does not like the content",
        _ => "no reason that is known",
    }
}
