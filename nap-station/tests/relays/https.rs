//! Relays to a web server.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use nap_far_ends::proxy::{Proxy, Way};
use nap_far_ends::server::{Authority, Pair, Server};
use nap_station::relay::certificate_time::CertificateTime;
use nap_station::relay::options::Options;
use nap_station::relay::outbox::{Kind, Level};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::outbox::{MemoryOutbox, Place, message};
use crate::relay::{Relay, options, until};

struct Bench {
    folder: TempDir,
    authority: Authority,
}

impl Bench {
    fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        authority.write(&folder.path().join("ca.pem"));
        Self { folder, authority }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn options(&self, port: u16, more: &str) -> Options {
        let url = format!("url = \"https://127.0.0.1:{port}/sigfox\"\nca = \"ca.pem\"\n{more}");
        Options::Https(options(&url))
    }

    /// A relay to what listens at an address.
    fn relay(&self, outbox: &Arc<MemoryOutbox>, to: SocketAddr, more: &str) -> Relay {
        Relay::start(outbox, self.path(), &self.options(to.port(), more))
    }

    /// The same, which soon gives an answer up.
    fn hasty_relay(&self, outbox: &Arc<MemoryOutbox>, to: SocketAddr) -> Relay {
        Relay::hasty(outbox, self.path(), &self.options(to.port(), ""))
    }

    fn write_pair(&self, pair: &Pair) {
        std::fs::write(self.path().join("client.pem"), pair.certificate.pem()).unwrap();
        let key = self.path().join("client.key");
        std::fs::write(&key, pair.key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn messages_arrive_once_in_order_and_in_time() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    std::fs::write(bench.path().join("token"), "s3cret\n").unwrap();
    std::fs::set_permissions(bench.path().join("token"), PermissionsExt::from_mode(0o600)).unwrap();
    let more = "bearer_file = \"token\"\nheaders = { \"X-Device\" = \"{device}\" }";
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, more);
    outbox.store(100);
    until("all are delivered", || outbox.delivered() == 100).await;
    let seen = server.seen();
    let ids: Vec<Value> = seen.iter().map(|seen| json_of(&seen.body)["id"].clone()).collect();
    assert_eq!(ids, (1..=100).map(|n| json!(format!("0000a1b2-{n}"))).collect::<Vec<_>>());
    assert!(seen.iter().all(|seen| json_of(&seen.body)["late"] == false));
    assert_eq!((seen[0].method.as_str(), seen[0].uri.path()), ("POST", "/sigfox"));
    assert_eq!(seen[0].headers["authorization"], "Bearer s3cret");
    assert_eq!(
        (&seen[0].headers["x-device"], &seen[0].headers["content-type"]),
        (&"4D33DB".parse().unwrap(), &"application/json".parse().unwrap())
    );
    let state = relay.stop().await;
    assert_eq!((state.delivered, state.faults), (100, 0));
}

#[tokio::test]
async fn a_backlog_is_late_and_in_order_and_live_messages_go_first() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let proxy = Proxy::to(server.address.port(), Way::Reset).await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, proxy.address, "");
    outbox.store(240);
    relay.until(|state| state.faults > 0).await;
    // A day later: what is stored while the way is good again is live.
    proxy.become_(Way::Good);
    outbox.store(3);
    until("all are delivered", || outbox.delivered() == 243).await;
    let bodies: Vec<Value> = server.bodies().iter().map(|body| json_of(body)).collect();
    assert_eq!(bodies.len(), 243, "none comes twice");
    let numbers = |is_late: bool| -> Vec<u64> {
        let these = bodies.iter().filter(|body| body["late"] == is_late);
        these.map(|body| body["id"].as_str().unwrap()[9..].parse().unwrap()).collect()
    };
    assert_eq!(numbers(true), (1..=240).collect::<Vec<_>>());
    assert_eq!(numbers(false), [241, 242, 243]);
    let first_live = bodies.iter().position(|body| body["late"] == false).unwrap();
    assert!(first_live < 20, "live messages wait for {first_live} of the backlog");
    assert!(bodies.iter().all(|body| body["time"] == 1_795_414_560), "times are the original ones");
    relay.stop().await;
}

#[tokio::test]
async fn a_first_connection_that_fails_is_tried_again() {
    let bench = Bench::new();
    let proxy = Proxy::to(1, Way::Good).await;
    let outbox = MemoryOutbox::new();
    outbox.store(1);
    let relay = bench.relay(&outbox, proxy.address, "");
    let state = relay.until(|state| state.faults == 1).await;
    assert!(!state.is_connected && state.last_error.is_some());
    relay.until(|state| state.faults == 2).await;
    relay.stop().await;
    assert_eq!(outbox.place(1), Place::Waiting);
}

#[tokio::test]
async fn a_server_that_stalls_after_the_tls_hello_is_given_up() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let proxy = Proxy::to(server.address.port(), Way::HalfOpen).await;
    let outbox = MemoryOutbox::new();
    let relay = bench.hasty_relay(&outbox, proxy.address);
    outbox.store(1);
    let state = relay.until(|state| state.faults == 1).await;
    assert_eq!(state.last_error.as_deref(), Some("the server does not answer in time"));
    proxy.become_(Way::Good);
    until("it is delivered", || outbox.delivered() == 1).await;
    assert_eq!(server.bodies().len(), 1);
    relay.stop().await;
}

#[tokio::test]
async fn a_dead_connection_is_noticed_by_the_next_message() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let proxy = Proxy::to(server.address.port(), Way::Good).await;
    let outbox = MemoryOutbox::new();
    let relay = bench.hasty_relay(&outbox, proxy.address);
    outbox.store(1);
    until("it is delivered", || outbox.delivered() == 1).await;
    proxy.become_(Way::BlackHole);
    outbox.store(1);
    relay.until(|state| state.faults == 1).await;
    proxy.become_(Way::Good);
    until("both are delivered", || outbox.delivered() == 2).await;
    assert!(proxy.accepted() >= 2, "a new connection, not the dead one");
    relay.stop().await;
}

#[tokio::test]
async fn a_slow_way_loses_nothing_and_brings_nothing_twice() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let proxy = Proxy::to(server.address.port(), Way::Slow(20)).await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, proxy.address, "");
    outbox.store(10);
    until("all are delivered", || outbox.delivered() == 10).await;
    assert_eq!(server.bodies().len(), 10);
    assert_eq!(relay.stop().await.faults, 0);
}

#[tokio::test]
async fn a_poison_message_holds_up_no_other_and_becomes_a_dead_letter() {
    let bench = Bench::new();
    let server = Server::judging(&bench.authority, |seen| {
        let is_poison = json_of(&seen.body)["seqNumber"] == 2;
        (if is_poison { StatusCode::BAD_REQUEST } else { StatusCode::OK }, None)
    });
    let server = server.await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, "give_up_after = 2");
    outbox.store(5);
    until("the others are delivered", || outbox.delivered() == 4).await;
    until("it is dead", || matches!(outbox.place(2), Place::Dead(_))).await;
    assert_eq!(outbox.place(2), Place::Dead("the server answers 400 Bad Request".into()));
    let poison = server.bodies().iter().filter(|body| json_of(body)["seqNumber"] == 2).count();
    assert_eq!(poison, 2);
    let state = relay.stop().await;
    assert_eq!((state.delivered, state.refused, state.dead, state.faults), (4, 2, 1, 0));
}

#[tokio::test]
async fn busy_servers_are_asked_again_and_redirects_are_not_followed() {
    let bench = Bench::new();
    let busy = |status| a_busy_server_is_asked_again(&bench, status);
    tokio::join!(busy(408), busy(425), busy(429), busy(500), busy(503));
    let other = Server::start(&bench.authority).await;
    let to: &'static str = format!("https://{}/", other.address).leak();
    let server = Server::judging(&bench.authority, move |_| {
        (StatusCode::TEMPORARY_REDIRECT, Some(("location", to)))
    })
    .await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, "give_up_after = 1");
    outbox.store(1);
    let state = relay.until(|state| state.dead == 1).await;
    assert!(state.last_error.unwrap().contains("redirects are not followed"));
    assert!(other.seen().is_empty());
    relay.stop().await;
}

async fn a_busy_server_is_asked_again(bench: &Bench, status: u16) {
    let server = Server::judging(&bench.authority, move |seen| {
        let is_busy = json_of(&seen.body)["late"] == false;
        let status =
            if is_busy { StatusCode::from_u16(status).unwrap() } else { StatusCode::NO_CONTENT };
        (status, Some(("retry-after", "0")))
    });
    let server = server.await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, "give_up_after = 1");
    outbox.store(1);
    until("it is delivered", || outbox.delivered() == 1).await;
    assert_eq!((relay.stop().await.faults, server.bodies().len()), (1, 2), "{status}");
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_waited_for() {
    let bench = Bench::new();
    let server = Server::judging(&bench.authority, |seen| {
        let is_first = json_of(&seen.body)["late"] == false;
        (
            if is_first { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK },
            Some(("retry-after", "2")),
        )
    });
    let server = server.await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, "");
    let start = std::time::Instant::now();
    outbox.store(1);
    until("it is delivered", || outbox.delivered() == 1).await;
    assert!(start.elapsed() >= Duration::from_secs(2));
    relay.stop().await;
}

#[tokio::test]
async fn messages_share_a_request_and_a_refused_batch_goes_one_by_one() {
    let bench = Bench::new();
    let server = Server::judging(&bench.authority, |seen| {
        let is_poison = seen.body.split(';').any(|body| json_of(body)["seqNumber"] == 7);
        (if is_poison { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, None)
    });
    let server = server.await;
    let outbox = MemoryOutbox::new();
    outbox.store(12);
    let more = "batch = 4\ngive_up_after = 1";
    let relay = bench.relay(&outbox, server.address, more);
    until("the others are delivered", || outbox.delivered() == 11).await;
    let sizes: Vec<usize> = server.bodies().iter().map(|body| body.split(';').count()).collect();
    assert_eq!(sizes, [4, 4, 1, 1, 1, 1, 4]);
    until("the refused one is dead", || matches!(outbox.place(7), Place::Dead(_))).await;
    relay.stop().await;
}

/// What devices say may hold anything; a server gets it as it was said, and nothing else.
#[tokio::test]
async fn values_arrive_as_they_are_in_json_forms_addresses_and_headers() {
    const SAID: &str = "a\"b\\c&d=e%0a\r\nf{id}g{device} h+/?#;<'";
    let bench = Bench::new();
    let fields = format!("custom_payload = \"said:0:char:{}\"", SAID.len());
    for (content, body) in [
        ("json", r#"{"said":"{customData#said}","id":"{id}"}"#),
        ("form", "said={customData#said}&id={id}"),
    ] {
        let server = Server::start(&bench.authority).await;
        let url =
            format!("https://{}/{{customData#said}}?said={{customData#said}}", server.address);
        let options = Options::Https(options(&format!(
            "url = '{url}'\nca = \"ca.pem\"\ncontent = \"{content}\"\nbody = '{body}'\n\
             headers = {{ \"X-Said\" = \"{{customData#said}}\" }}\n{fields}"
        )));
        let outbox = MemoryOutbox::new();
        let relay = Relay::start(&outbox, bench.path(), &options);
        let mut said = message(1);
        said["payload"] = SAID.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        outbox.put(1, Kind::Message, said);
        until("it is delivered", || outbox.delivered() == 1).await;
        let seen = server.seen().remove(0);
        if content == "json" {
            assert_eq!(json_of(&seen.body), json!({"said": SAID, "id": "0000a1b2-1"}));
        } else {
            let (said, id) = seen.body.split_once('&').unwrap();
            assert_eq!((decoded(said), id), (format!("said={SAID}"), "id=0000a1b2-1"));
        }
        let at = seen.uri;
        assert_eq!(decoded(at.path()), format!("/{SAID}"));
        assert_eq!(decoded(at.query().unwrap()), format!("said={SAID}"));
        assert_eq!(seen.headers["x-said"], SAID.replace(['\r', '\n'], ""));
        relay.stop().await;
    }
}

/// Percent-encoding undone.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn events_have_a_body_of_their_own() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let outbox = MemoryOutbox::new();
    let more = "events = [\"state_changed\"]";
    let relay = bench.relay(&outbox, server.address, more);
    let event = json!({"id": "0000a1b2-e1", "type": "state_changed", "time": "2026-11-23T06:16:00Z", "level": "info"});
    outbox.put(1, Kind::Event, event.clone());
    until("it is delivered", || outbox.delivered() == 1).await;
    let body = json_of(&server.bodies()[0]);
    assert_eq!(
        body,
        json!({"type": "state_changed", "time": 1_795_414_560, "level": "info", "detail": event})
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_and_a_replaced_root_count_at_once() {
    let bench = Bench::new();
    let (clients, strangers) = (Authority::new(), Authority::new());
    let server =
        Server::at("127.0.0.1:0", &bench.authority, Some(&clients), |_| (StatusCode::OK, None))
            .await;
    let outbox = MemoryOutbox::new();
    bench.write_pair(&strangers.issue("station", 90));
    let more = "certificate = \"client.pem\"\nkey = \"client.key\"";
    let relay = bench.relay(&outbox, server.address, more);
    outbox.store(1);
    relay.until(|state| state.faults > 0).await;
    bench.write_pair(&clients.issue("station", 5));
    until("it is delivered", || outbox.delivered() == 1).await;
    strangers.write(&bench.path().join("ca.pem"));
    outbox.store(1);
    let faults = relay.state().faults;
    let state = relay.until(|state| state.faults > faults).await;
    assert!(state.last_error.unwrap().contains("certificate"));
    bench.authority.write(&bench.path().join("ca.pem"));
    until("the next is delivered", || outbox.delivered() == 2).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_of() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    bench.write_pair(&bench.authority.issue("station", 5));
    let outbox = MemoryOutbox::new();
    let more = "certificate = \"client.pem\"\nkey = \"client.key\"";
    let relay = bench.relay(&outbox, server.address, more);
    until("it is told of", || !outbox.reports.lock().unwrap().is_empty()).await;
    let reports = outbox.reports.lock().unwrap().clone();
    assert_eq!((reports.len(), reports[0].event_type), (1, "certificate_expires"));
    assert_eq!(reports[0].detail["relay"], "cloud");
    relay.stop().await;
}

#[tokio::test]
async fn a_certificate_ends_by_the_stations_own_time() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    bench.write_pair(&bench.authority.issue("station", 90));
    let outbox = MemoryOutbox::new();
    let more = "certificate = \"client.pem\"\nkey = \"client.key\"";
    let options = bench.options(server.address.port(), more);
    let relay = Relay::with(&outbox, bench.path(), &options, |context| {
        // The computer's clock is 86 days slow.
        context.certificate_time =
            CertificateTime::of(|| Timestamp::now() + SignedDuration::from_hours(86 * 24));
    });
    until("it is told of", || !outbox.reports.lock().unwrap().is_empty()).await;
    assert_eq!(outbox.reports.lock().unwrap()[0].level, Level::Alarm);
    relay.stop().await;
}

#[tokio::test]
async fn with_a_wrong_clock_it_is_the_clock_that_is_blamed() {
    let bench = Bench::new();
    let server = Server::start(&Authority::new()).await;
    let outbox = MemoryOutbox::new();
    let relay = bench.relay(&outbox, server.address, "");
    relay.status.send_replace(json!({"clock": "none"}));
    outbox.store(1);
    let state = relay.until(|state| state.faults == 1).await;
    assert!(state.last_error.unwrap().starts_with("the clock is wrong"));
    relay.stop().await;
}

/// The computer's clock says 1970, and a GPS receiver knows better.
#[tokio::test]
async fn certificates_are_looked_at_with_the_stations_own_time() {
    let bench = Bench::new();
    let server = Server::start(&bench.authority).await;
    let outbox = MemoryOutbox::new();
    let is_known = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&is_known);
    let now = move || match known.load(Ordering::Relaxed) {
        true => Timestamp::now(),
        false => Timestamp::UNIX_EPOCH,
    };
    let options = bench.options(server.address.port(), "");
    let relay = Relay::with(&outbox, bench.path(), &options, |context| {
        context.certificate_time = CertificateTime::of(now);
    });
    outbox.store(1);
    let state = relay.until(|state| state.faults == 1).await;
    assert!(state.last_error.unwrap().contains("certificate"), "it is not valid yet");
    is_known.store(true, Ordering::Relaxed);
    until("it is delivered", || outbox.delivered() == 1).await;
    relay.stop().await;
}
