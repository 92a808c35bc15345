//! A dry run of all that a start needs.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::common::site::{Running, Site, traffic, wait_for};
use crate::common::{cu8, stderr};
use crate::far::{Topics, Web};

/// What a dry run says, and how it ends.
fn check(site: &Site) -> (String, Option<i32>) {
    let output = site.run(&["check"]);
    (stderr(&output).to_owned(), output.status.code())
}

/// Each relay is connected to, over TLS and with MQTT's own greeting, and none gets a message.
#[test]
fn a_dry_run_reaches_every_relay_with_mosquitto() {
    let (mut web, mut topics) = (Web::start(), Topics::start());
    let site = Site::new(&traffic(3, 1, 60.0), "");
    let both = format!("{}{}", web.relay(&site), topics.relay());
    site.configure("records:records.jsonl", &both);
    let (said, code) = check(&site);
    assert_eq!(code, Some(0), "{said}");
    for relay in ["web", "topics"] {
        assert!(said.contains(&format!("relay \"{relay}\": well: it answers, after ")), "{said}");
    }
    assert!(said.contains("relay \"archive\": well: it can be made"), "{said}");
    assert!(!site.has("state") && !site.has("archive.jsonl"));
    site.finish();
    let before = (web.seen_count(), topics.count("message"), topics.count("status"));
    assert_eq!((before.0, before.1), (3, 3));
    assert_eq!(check(&site).1, Some(0), "with an identity of its own");
    assert_eq!((web.seen_count(), topics.count("message"), topics.count("status")), before);
    web.down();
    topics.broker.stop();
    let (said, code) = check(&site);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("relay \"web\": ") && said.contains("relay \"topics\": "), "{said}");
    assert_eq!(said.matches("Connection refused").count(), 2, "{said}");
}

/// The radio is opened, asked for its rate and channels, and closed again; one that a station has is left to it.
#[test]
fn a_dry_run_opens_the_source_unless_a_station_has_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::new(&[], "");
    site.put("devices.csv", "device_id,key\n258E05CA,\n");
    let http = "[http]\nlisten = \"127.0.0.1:0\"\n";
    let configure =
        |center_hz| site.configure_samples(&format!("tcp://{address}"), center_hz, http);
    configure(2.4e9);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                while stream.write_all(&cu8()[..50_000]).is_ok() {
                    thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    let (said, code) = check(&site);
    assert_eq!(code, Some(2), "the channel is not there: {said}");
    configure(868_130_000.0);
    let (said, code) = check(&site);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("source: well: 0.250000 MS/s around 868.130000 MHz for RC1"), "{said}");
    for what in ["devices: well: 1 in", "state: well: ", "disk: well: ", "clock: well: ", "http: "]
    {
        assert!(said.contains(what), "{said}");
    }
    let mut running = Running::start(&site);
    wait_for(|| site.has("state/control"));
    let (said, code) = check(&site);
    assert_eq!(code, Some(0), "{said}");
    let expected = format!(
        "source: well: not opened: the station that runs has it (process {})",
        running.id()
    );
    assert!(said.contains(&expected), "{said}");
    running.stop();
    site.configure_samples("tcp://127.0.0.1:9", 868_130_000.0, "");
    let (said, code) = check(&site);
    assert_eq!(code, Some(1), "nobody is there: {said}");
}
