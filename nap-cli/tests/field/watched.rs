//! What can be watched of a station.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::recording;
use crate::common::site::{Feed, Running, Site, record, traffic, wait_for};
use crate::far::file;

const HTTP: &str = "[http]\nlisten = \"127.0.0.1:0\"\n";

/// Asks a station that runs, and reads what it answers.
fn ask(site: &Site, path: &str) -> BufReader<TcpStream> {
    let said = || {
        let log = site.log();
        let (_, rest) = log.rsplit_once("http://")?;
        rest.split_once('/').map(|(address, _)| address.to_owned())
    };
    wait_for(|| said().is_some());
    let mut stream = TcpStream::connect(said().unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn get(site: &Site, path: &str) -> String {
    let mut answer = String::new();
    ask(site, path).read_to_string(&mut answer).unwrap();
    answer
}

fn metric(site: &Site, name: &str) -> Option<f64> {
    let text = get(site, "/metrics");
    let line =
        text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(found, _)| found == name))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// What was judged is counted by verdict and reason, and what waits for each relay.
#[test]
fn metrics_of_verdicts_and_relays_are_what_prometheus_expects() {
    let mut records = traffic(30, 10, 60.0);
    records
        .extend((0..5).map(|n| record(0xBAD_0000 + n, 1, 2000.0 + f64::from(n), 100 + n as usize)));
    let site = Site::new(&records, "");
    let nowhere = "[relay.web]\ntype = \"https\"\nurl = \"http://127.0.0.1:9/\"\n";
    Feed::make(&site, &format!("{nowhere}{HTTP}"));
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    records.iter().for_each(|record| feed.put(record).unwrap());
    let judged = |verdict: &str, reason: &str| {
        metric(
            &site,
            &format!("nap_judged_messages_total{{reason=\"{reason}\",verdict=\"{verdict}\"}}"),
        )
    };
    wait_for(|| judged("refused", "not_listed") == Some(5.0) && file(&site).len() == 30);
    assert_eq!(judged("accepted", ""), Some(30.0));
    assert_eq!(metric(&site, "nap_failed_writes_total"), Some(0.0));
    running.stop();
    drop(feed);
    // What one relay has left is known from the next start on.
    std::fs::remove_file(site.path("log")).unwrap();
    let mut running = Running::start(&site);
    let _feed = Feed::opened(&site);
    let waiting = |relay: &str| metric(&site, &format!("nap_relay_waiting{{relay=\"{relay}\"}}"));
    wait_for(|| waiting("web") == Some(30.0));
    assert_eq!(waiting("archive"), Some(0.0));
    assert!(metric(&site, "nap_relay_connected{relay=\"web\"}").is_some());
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut promtool = promtool.spawn().unwrap();
    let text = get(&site, "/metrics");
    let (_, text) = text.split_once("\r\n\r\n").unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(promtool.wait().unwrap().success());
    running.kill();
}

/// While a radio is heard, `/health` says so, and `/events` tells of messages with their IDs and verdicts.
#[test]
fn health_and_events() {
    let site = Site::new(&[], "");
    let source = recording("rc1_two_uplinks.sigmf-meta");
    site.configure(source.to_str().unwrap(), HTTP);
    let text = std::fs::read_to_string(site.path("nap.toml")).unwrap();
    site.put("nap.toml", &text.replace("[radio]\n", "[radio]\nreplay = 6\n"));
    site.put("devices.csv", "device_id,key\n258E05CA,\n");
    let mut running = Running::start(&site);
    let events = ask(&site, "/events");
    wait_for(|| get(&site, "/health").starts_with("HTTP/1.0 200"));
    let mut kind = String::new();
    let mut verdicts = Vec::new();
    for line in events.lines().map_while(Result::ok) {
        if let Some(name) = line.strip_prefix("event: ") {
            kind = name.to_owned();
        } else if let (Some(data), "message") = (line.strip_prefix("data: "), kind.as_str()) {
            let data: Value = serde_json::from_str(data).unwrap();
            assert!(data["id"].as_str().unwrap().contains('-'), "{data}");
            verdicts.push((data["verdict"].clone(), data["reason"].clone()));
        }
        if verdicts.len() == 2 {
            break;
        }
    }
    verdicts.sort_by_key(|(verdict, _)| verdict.to_string());
    assert_eq!(
        verdicts,
        [(json!("accepted"), Value::Null), (json!("refused"), json!("not_listed"))]
    );
    assert!(running.wait().success(), "{}", site.log());
}
