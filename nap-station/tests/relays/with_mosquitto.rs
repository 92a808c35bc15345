//! Relays to a real broker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nap_far_ends::broker::Broker;
use nap_far_ends::proxy::{Proxy, Way};
use nap_far_ends::server::Authority;
use nap_far_ends::subscriber::Subscriber;
use nap_station::relay::options::Options;
use nap_station::relay::outbox::Kind;
use serde_json::{Value, json};

use crate::outbox::{MemoryOutbox, Place, STATION, message};
use crate::relay::{Relay, options, until};

/// What is heard of the station of these tests.
trait OfStation {
    fn of_station(&self, word: &str) -> Vec<Value>;

    fn numbers(&self) -> Vec<u64> {
        let id = |message: &Value| message["id"].as_str().unwrap()[9..].parse().unwrap();
        self.of_station("message").iter().map(id).collect()
    }
}

impl OfStation for Subscriber {
    fn of_station(&self, word: &str) -> Vec<Value> {
        self.all(STATION, word)
    }
}

/// A subscriber that is there: it has heard something that was kept for it.
async fn subscriber(broker: &Broker, more: &[&str]) -> Subscriber {
    assert!(broker.publish("there", "1", &["-r"]));
    let subscriber = Subscriber::of(broker.port, &[&["-t", "#"], more].concat());
    until("the subscriber is there", || !subscriber.heard().is_empty()).await;
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
        until("all are heard", || subscriber.of_station("event").len() == 1).await;
        assert_eq!(subscriber.numbers(), (1..=50).collect::<Vec<_>>(), "version {version}");
        let first = &subscriber.of_station("message")[0];
        assert_eq!(
            (&first["late"], &first["custom"], &first["station"]),
            (&json!(false), &json!({"t": -1000}), &json!(STATION))
        );
        assert_eq!(subscriber.of_station("update").len(), 1);
        let birth = json!({"state": "active", "boot_id": "b007", "clock": "ntp", "online": true});
        assert_eq!(subscriber.of_station("status"), [birth]);
        let state = relay.stop().await;
        assert_eq!((state.delivered, state.faults), (52, 0));
        until("it has taken leave", || subscriber.of_station("status").len() == 2).await;
        assert_eq!(subscriber.of_station("status")[1], json!({"online": false, "boot_id": "b007"}));
        // Whoever comes now learns that the station has gone.
        let late = Subscriber::of(broker.port, &["-t", "nap/#"]);
        until("it hears", || !late.of_station("status").is_empty()).await;
        assert!(late.heard()[0].is_retained, "the farewell is kept for those who come later");
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
        subscriber.of_station("status").last().unwrap()["online"],
        true,
        "a birth after each connection"
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_link_that_dies_silently_is_noticed_and_its_will_comes_before_the_next_birth() {
    tokio::join!(a_link_that_dies(Way::BlackHole), a_link_that_dies(Way::HalfOpen));
}

async fn a_link_that_dies(way: Way) {
    let broker = Broker::start();
    let proxy = Proxy::to(broker.port, Way::Good).await;
    let outbox = MemoryOutbox::new();
    let relay = Relay::hasty(&outbox, &here(), &mqtt(proxy.address.port(), ""));
    outbox.store(1);
    until("it is delivered", || outbox.delivered() == 1).await;
    let subscriber = subscriber(&broker, &[]).await;
    proxy.become_(way);
    outbox.store(1);
    let state = relay.until(|state| state.faults == 1).await;
    assert!(state.last_error.unwrap().contains("does not answer"), "{way:?}");
    proxy.become_(Way::Good);
    until("it is delivered", || outbox.delivered() == 2).await;
    // Whoever listens hears of it later than the relay.
    until("it is heard", || subscriber.numbers().contains(&2)).await;
    until("the birth is heard last", || {
        subscriber.of_station("status").last().is_some_and(|status| status["online"] == true)
    })
    .await;
    let copies = subscriber.numbers().iter().filter(|&&n| n == 2).count();
    let faults = relay.stop().await.faults;
    assert!(copies as u64 <= 1 + faults, "{copies} copies after {faults} faults");
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
        subscriber.of_station("status").contains(&json!({"online": false, "boot_id": "b007"}))
    })
    .await;
    relay.stop().await;
}

/// Since a moment: each waits for half a second at least.
fn max_trials(since: Instant) -> usize {
    1 + (since.elapsed().as_secs_f64() / 0.5) as usize
}

#[tokio::test]
async fn a_way_that_comes_and_goes_is_tried_less_and_less_often() {
    let broker = Broker::start();
    let proxy = Proxy::to(broker.port, Way::Reset).await;
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, &here(), &mqtt(proxy.address.port(), ""));
    let start = Instant::now();
    until("it is tried", || proxy.accepted() > 0).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (accepted, most) = (proxy.accepted(), max_trials(start));
    assert!(accepted <= most, "{accepted} connections, not {most}");
    relay.stop().await;
}

#[tokio::test]
async fn two_hosts_with_one_identity_do_not_kick_each_other_for_ever() {
    let broker = Broker::start();
    let start = Instant::now();
    let (one, other) = (MemoryOutbox::new(), MemoryOutbox::new());
    let first = Relay::start(&one, &here(), &mqtt(broker.port, ""));
    first.until(|state| state.is_connected).await;
    let second = Relay::start(&other, &here(), &mqtt(broker.port, ""));
    let state = first.until(|state| state.faults > 0).await;
    // Only MQTT 5 has a word for why, and it does not always arrive before the end of the connection.
    assert!(state.last_error.unwrap().starts_with("the broker"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let faults = first.state().faults + second.state().faults;
    let most = 2 * max_trials(start) as u64;
    assert!(faults <= most, "{faults} times kicked, not {most}");
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
        context.acknowledged_within = Duration::from_secs(2);
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
    // The third is published again under its ID; others are not, once they are acknowledged.
    let copies = |number: u64| subscriber.numbers().iter().filter(|&&n| n == number).count();
    until("the third comes again", || copies(3) > copies(1).max(copies(2))).await;
    assert_eq!(subscriber.numbers()[..3], [1, 2, 3]);
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
        let heard = subscriber.heard().clone();
        let announcements =
            heard.iter().filter(|heard| heard.topic == "homeassistant/device/nap_004D33DB/config");
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
    until("the application is there", || !application.of_station("status").is_empty()).await;
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
    assert!(stranger.heard().is_empty(), "a foreign station reads nothing");
    relay.stop().await;
}
