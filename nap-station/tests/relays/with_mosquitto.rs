//! Relays to a real broker.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nap_station::relay::options::Options;
use nap_station::relay::outbox::Kind;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::outbox::{MemoryOutbox, Place, STATION, message};
use crate::proxy::{Proxy, Way};
use crate::relay::{Relay, options, until};
use crate::server::Authority;

/// A broker on a free port of this machine.
struct Broker {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Broker {
    fn start() -> Self {
        Self::with("allow_anonymous true\n", |_| {})
    }

    fn with(conf: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Root's broker would become a user that is not there.
        let conf = format!("user root\nlistener {port} 127.0.0.1\n{conf}");
        fs::write(folder.path().join("test.conf"), conf).unwrap();
        let child = Self::run(folder.path(), port);
        Self { folder, port, child }
    }

    fn run(folder: &Path, port: u16) -> Child {
        let mut child = Command::new("mosquitto");
        child.args(["-c", "test.conf"]).current_dir(folder);
        let child = child.stderr(Stdio::null()).spawn().unwrap();
        let is_there = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(is_there, "mosquitto does not start");
        child
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.end();
        self.child = Self::run(self.folder.path(), self.port);
    }

    fn publish(&self, topic: &str, payload: &str, more: &[&str]) -> bool {
        let port = self.port.to_string();
        let mut publish = Command::new("mosquitto_pub");
        publish.args(["-p", &port, "-q", "1", "-t", topic, "-m", payload]);
        publish.args(more).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a subscriber has heard: topic, whether it was retained, content.
type Heard = Arc<Mutex<Vec<(String, bool, String)>>>;

struct Subscriber {
    child: Child,
    heard: Heard,
}

impl Subscriber {
    fn of(port: u16, more: &[&str]) -> Self {
        let port = port.to_string();
        let mut child = Command::new("mosquitto_sub");
        child.args(["-p", &port, "-q", "1", "-F", "%t\t%r\t%p"]).args(more);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let heard = Heard::default();
        let (lines, to) =
            (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&heard));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let parts: Vec<&str> = line.splitn(3, '\t').collect();
                to.lock().unwrap().push((parts[0].into(), parts[1] == "1", parts[2].into()));
            }
        });
        Self { child, heard }
    }

    fn all(&self, word: &str) -> Vec<Value> {
        let topic = format!("nap/v1/{STATION}/{word}");
        let heard = self.heard.lock().unwrap();
        let these = heard.iter().filter(|(heard, ..)| *heard == topic);
        these.map(|(_, _, payload)| serde_json::from_str(payload).unwrap()).collect()
    }

    fn numbers(&self) -> Vec<u64> {
        let id = |message: &Value| message["id"].as_str().unwrap()[9..].parse().unwrap();
        self.all("message").iter().map(id).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A subscriber that is there: it has heard something that was kept for it.
async fn subscriber(broker: &Broker, more: &[&str]) -> Subscriber {
    assert!(broker.publish("there", "1", &["-r"]));
    let subscriber = Subscriber::of(broker.port, &[&["-t", "#"], more].concat());
    until("the subscriber is there", || !subscriber.heard.lock().unwrap().is_empty()).await;
    subscriber
}

fn mqtt(port: u16, more: &str) -> Options {
    Options::Mqtt(options(&format!("url = \"mqtt://127.0.0.1:{port}\"\n{more}")))
}

fn here() -> PathBuf {
    PathBuf::from(".")
}

#[tokio::test]
async fn messages_updates_events_and_status_have_their_topics() {
    for version in [3, 5] {
        let broker = Broker::start();
        let subscriber = subscriber(&broker, &[]).await;
        let outbox = MemoryOutbox::new();
        let more = format!("version = {version}\ncustom_payload = \"t:0:int:16:little-endian\"");
        let relay = Relay::start(&outbox, &here(), &mqtt(broker.port, &more));
        outbox.store(50);
        outbox.put(51, Kind::Update, message(50));
        outbox.put(52, Kind::Event, json!({"id": "0000a1b2-e1", "type": "refused"}));
        until("all are delivered", || outbox.delivered() == 52).await;
        until("all are heard", || subscriber.all("event").len() == 1).await;
        assert_eq!(subscriber.numbers(), (1..=50).collect::<Vec<_>>(), "version {version}");
        let first = &subscriber.all("message")[0];
        assert_eq!(
            (&first["late"], &first["custom"], &first["station"]),
            (&json!(false), &json!({"t": -1000}), &json!(STATION))
        );
        assert_eq!(subscriber.all("update").len(), 1);
        let birth = json!({"state": "active", "boot_id": "b007", "clock": "ntp", "online": true});
        assert_eq!(subscriber.all("status"), [birth]);
        let state = relay.stop().await;
        assert_eq!((state.delivered, state.faults), (52, 0));
        until("it has taken leave", || subscriber.all("status").len() == 2).await;
        assert_eq!(subscriber.all("status")[1], json!({"online": false, "boot_id": "b007"}));
        // Whoever comes now learns that the station has gone.
        let late = Subscriber::of(broker.port, &["-t", "nap/#"]);
        until("it hears", || !late.all("status").is_empty()).await;
        assert!(late.heard.lock().unwrap()[0].1, "the farewell is kept for those who come later");
    }
}

#[tokio::test]
async fn after_a_broker_restart_messages_go_on() {
    let mut broker = Broker::start();
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, &here(), &mqtt(broker.port, ""));
    outbox.store(5);
    until("five are delivered", || outbox.delivered() == 5).await;
    broker.restart();
    let subscriber = subscriber(&broker, &[]).await;
    outbox.store(5);
    until("ten are delivered", || outbox.delivered() == 10).await;
    until("five are heard", || subscriber.numbers().len() == 5).await;
    assert_eq!(subscriber.numbers(), [6, 7, 8, 9, 10]);
    assert_eq!(
        subscriber.all("status").last().unwrap()["online"],
        true,
        "a birth after each connection"
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_link_that_dies_silently_is_noticed_and_its_will_comes_before_the_next_birth() {
    for way in [Way::BlackHole, Way::HalfOpen] {
        let broker = Broker::start();
        let proxy = Proxy::to(broker.port, Way::Good).await;
        let outbox = MemoryOutbox::new();
        let relay = Relay::start(&outbox, &here(), &mqtt(proxy.address.port(), ""));
        outbox.store(1);
        until("it is delivered", || outbox.delivered() == 1).await;
        let subscriber = subscriber(&broker, &[]).await;
        proxy.become_(way);
        outbox.store(1);
        let state = relay.until(|state| state.faults == 1).await;
        assert!(state.last_error.unwrap().contains("does not answer"), "{way:?}");
        proxy.become_(Way::Good);
        until("it is delivered", || outbox.delivered() == 2).await;
        assert_eq!(subscriber.all("status").last().unwrap()["online"], true);
        let copies = subscriber.numbers().iter().filter(|&&n| n == 2).count();
        assert!((1..=2).contains(&copies), "at least once, and the same ID");
        relay.stop().await;
    }
}

#[tokio::test]
async fn a_station_that_dies_leaves_its_will() {
    let broker = Broker::start();
    let proxy = Proxy::to(broker.port, Way::Good).await;
    let subscriber = subscriber(&broker, &[]).await;
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, &here(), &mqtt(proxy.address.port(), ""));
    relay.until(|state| state.is_connected).await;
    proxy.become_(Way::Reset);
    until("the will is heard", || {
        subscriber.all("status").contains(&json!({"online": false, "boot_id": "b007"}))
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_way_that_comes_and_goes_is_tried_less_and_less_often() {
    let broker = Broker::start();
    let proxy = Proxy::to(broker.port, Way::Reset).await;
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, &here(), &mqtt(proxy.address.port(), ""));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!((1..=6).contains(&proxy.accepted()), "{} connections in 3 s", proxy.accepted());
    relay.stop().await;
}

#[tokio::test]
async fn two_hosts_with_one_identity_do_not_kick_each_other_for_ever() {
    let broker = Broker::start();
    let (one, other) = (MemoryOutbox::new(), MemoryOutbox::new());
    let first = Relay::start(&one, &here(), &mqtt(broker.port, ""));
    first.until(|state| state.is_connected).await;
    let second = Relay::start(&other, &here(), &mqtt(broker.port, ""));
    let state = first.until(|state| state.faults > 0).await;
    // Only MQTT 5 has a word for why, and it does not always arrive before the end of the connection.
    assert!(state.last_error.unwrap().starts_with("the broker"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let faults = first.state().faults + second.state().faults;
    assert!(faults < 14, "{faults} times kicked in 3 s");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_application_acknowledges_what_it_has_stored() {
    let broker = Broker::start();
    let outbox = MemoryOutbox::new();
    let subscriber = subscriber(&broker, &[]).await;
    let application = mqtt(broker.port, "ack = \"application\"");
    let relay = Relay::with(&outbox, &here(), &application, |context| {
        context.acknowledged_within = Duration::from_secs(3);
    });
    outbox.store(3);
    until("all are published", || outbox.count(|place| *place == Place::Published) == 3).await;
    let ack = format!("nap/v1/{STATION}/ack");
    broker.publish(&ack, r#"{"epoch":"0000ffff","ranges":[[1,3]]}"#, &[]);
    broker.publish(&ack, "nonsense", &[]);
    until("both are told of", || outbox.reports.lock().unwrap().len() == 2).await;
    assert_eq!(outbox.delivered(), 0);
    broker.publish(&ack, r#"{"epoch":"0000a1b2","ranges":[[1,2]]}"#, &[]);
    until("two are delivered", || outbox.delivered() == 2).await;
    // The third is published again under its ID; others are not.
    until("the third comes again", || subscriber.numbers().len() >= 4).await;
    assert_eq!(subscriber.numbers()[..4], [1, 2, 3, 3]);
    broker.publish(&ack, r#"{"epoch":"0000a1b2","ranges":[[3,3]]}"#, &[]);
    until("all are delivered", || outbox.delivered() == 3).await;
    relay.stop().await;
}

#[tokio::test]
async fn devices_announce_themselves_to_home_assistant_but_not_on_metered_links() {
    for (is_metered, expected) in [(false, 1), (true, 0)] {
        let broker = Broker::start();
        let subscriber = subscriber(&broker, &[]).await;
        let outbox = MemoryOutbox::new();
        let announcing = mqtt(broker.port, "home_assistant = true");
        let relay =
            Relay::with(&outbox, &here(), &announcing, |context| context.is_metered = is_metered);
        outbox.store(3);
        until("all are heard", || subscriber.numbers().len() == 3).await;
        let heard = subscriber.heard.lock().unwrap().clone();
        let announcements =
            heard.iter().filter(|(topic, ..)| topic == "homeassistant/device/nap_004D33DB/config");
        assert_eq!(announcements.count(), expected);
        relay.stop().await;
    }
}

#[tokio::test]
async fn messages_go_over_tls_with_a_renewed_certificate_too() {
    let authority = Authority::new();
    let prepare = |folder: &Path| {
        authority.write(&folder.join("ca.pem"));
        let pair = authority.issue("127.0.0.1", 90);
        fs::write(folder.join("server.pem"), pair.certificate.pem()).unwrap();
        fs::write(folder.join("server.key"), pair.key.serialize_pem()).unwrap();
    };
    let broker = Broker::with(
        "allow_anonymous true\ncafile ca.pem\ncertfile server.pem\nkeyfile server.key\n",
        prepare,
    );
    let folder = tempfile::tempdir().unwrap();
    Authority::new().write(&folder.path().join("ca.pem"));
    let tls = Options::Mqtt(options(&format!(
        "url = \"mqtts://127.0.0.1:{}\"\nca = \"ca.pem\"",
        broker.port
    )));
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, folder.path(), &tls);
    outbox.store(1);
    let state = relay.until(|state| state.faults == 1).await;
    assert!(state.last_error.unwrap().contains("certificate"));
    authority.write(&folder.path().join("ca.pem"));
    until("it is delivered", || outbox.delivered() == 1).await;
    relay.stop().await;
}

/// The access rules that the examples come with, as users copy them.
#[tokio::test]
async fn the_examples_rules_keep_stations_apart() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mqtt");
    let prepare = |folder: &Path| {
        fs::copy(examples.join("acl"), folder.join("acl")).unwrap();
        for user in [STATION, "FFEEDDCCBBAA9988", "application"] {
            let flag: &[&str] = if user == STATION { &["-c", "-b"] } else { &["-b"] };
            let mut passwd = Command::new("mosquitto_passwd");
            passwd.args(flag).args(["passwd", user, "pw"]);
            assert!(passwd.current_dir(folder).stderr(Stdio::null()).status().unwrap().success());
        }
    };
    let broker =
        Broker::with("allow_anonymous false\npassword_file passwd\nacl_file acl\n", prepare);
    let as_user = |user| ["-u", user, "-P", "pw"];
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "pw").unwrap();
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let outbox = MemoryOutbox::new();
    let more = format!("user = \"{STATION}\"\npassword_file = \"password\"\nack = \"application\"");
    let relay = Relay::start(&outbox, folder.path(), &mqtt(broker.port, &more));
    let application =
        Subscriber::of(broker.port, &[&["-t", "#"][..], &as_user("application")].concat());
    until("the application is there", || !application.all("status").is_empty()).await;
    let stranger =
        Subscriber::of(broker.port, &[&["-t", "#"][..], &as_user("FFEEDDCCBBAA9988")].concat());
    tokio::time::sleep(Duration::from_millis(300)).await;
    outbox.store(1);
    until("it is published", || outbox.place(1) == Place::Published).await;
    until("the application hears it", || application.numbers() == [1]).await;
    let ack = format!("nap/v1/{STATION}/ack");
    let content = r#"{"epoch":"0000a1b2","ranges":[[1,1]]}"#;
    for user in [STATION, "FFEEDDCCBBAA9988"] {
        broker.publish(&ack, content, &as_user(user));
    }
    broker.publish(
        &format!("nap/v1/{STATION}/message"),
        "{\"id\":\"0000a1b2-66\"}",
        &as_user("FFEEDDCCBBAA9988"),
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((outbox.place(1), application.numbers()), (Place::Published, vec![1]));
    broker.publish(&ack, content, &as_user("application"));
    until("the application's word counts", || outbox.place(1) == Place::Delivered).await;
    assert!(stranger.heard.lock().unwrap().is_empty(), "a foreign station reads nothing");
    relay.stop().await;
}
