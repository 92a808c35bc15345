//! What a station takes, and how fast it is: `make station-bench` prints it.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nap_far_ends::proxy::Way;
use serde_json::Value;

use crate::common::site::{Feed, Running, Site, record, traffic, wait_for};
use crate::far::{Topics, Web, file, way_to};
use crate::process::Process;

/// `NAP_BENCH` asks for the real figures; otherwise each is tried with a hundredth of it.
fn is_bench() -> bool {
    std::env::var("NAP_BENCH").is_ok()
}

fn scaled(count: usize) -> usize {
    if is_bench() { count } else { count / 100 }
}

/// Messages of sixty devices, 840 a day, without a file.
fn message(number: usize) -> Value {
    record(0x1000 + (number % 60) as u32, (number / 60) as u32, number as f64 * 103.0, number + 1)
}

/// 84 000 messages through the ledger and two relays over the network, as fast as they go.
#[test]
fn throughput_with_mosquitto() {
    let count = scaled(84_000);
    let site = Site::new(&traffic(60, 60, 1.0), "");
    let (web, topics) = (Web::start(), Topics::start());
    Feed::make(&site, "");
    site.put("nap.toml", &without_archive(&site, &(web.relay(&site) + &topics.relay())));
    let start = Instant::now();
    let mut running = Running::start(&site);
    let process = Process(running.id());
    let mut feed = Feed::opened(&site);
    let mut memory_mb = Vec::new();
    for number in 0..count {
        feed.put(&message(number)).unwrap();
        if number % (count / 4) == count / 4 - 1 {
            memory_mb.extend(process.pss_mb());
        }
    }
    let received_s = start.elapsed().as_secs_f64();
    let is_done = || web.seen_count() == count && topics.count("message") == count;
    while !is_done() {
        assert!(start.elapsed() < Duration::from_secs(3600), "it does not come");
        thread::sleep(Duration::from_millis(10));
    }
    let (delivered_s, cpu_s) = (start.elapsed().as_secs_f64(), process.cpu_s().unwrap());
    memory_mb.extend(process.pss_mb());
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    let per_s = count as f64 / delivered_s;
    println!(
        "{count} messages: handed over in {received_s:.1} s, at broker and server after {delivered_s:.1} s \
         ({per_s:.0} a second), {cpu_s:.1} CPU seconds ({:.2} ms each); memory at each quarter {memory_mb:.1?} MB",
        1e3 * cpu_s / count as f64
    );
    assert!(per_s > 100.0, "100 messages a second");
}

fn without_archive(site: &Site, relays: &str) -> String {
    let text = std::fs::read_to_string(site.path("nap.toml")).unwrap();
    let (head, _) = text.split_once("[relay.archive]").unwrap();
    format!("{head}{relays}[rules]\nmessages_per_day = 100000\n")
}

/// From the record of a message to the broker, and from there to an application.
#[test]
fn latency_with_mosquitto() {
    let count = scaled(2000);
    let site = Site::new(&traffic(60, 60, 1.0), "");
    let topics = Topics::start();
    Feed::make(&site, &topics.relay());
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    feed.put(&message(0)).unwrap();
    wait_for(|| topics.count("message") == 1);
    let mut latencies_s: Vec<f64> = (1..=count)
        .map(|number| {
            let start = Instant::now();
            feed.put(&message(number)).unwrap();
            while topics.count("message") <= number {
                assert!(start.elapsed() < Duration::from_secs(20), "it does not come");
                thread::sleep(Duration::from_micros(200));
            }
            start.elapsed().as_secs_f64()
        })
        .collect();
    running.kill();
    latencies_s.sort_by(f64::total_cmp);
    let [median_s, max_s] =
        [latencies_s.len() / 2, latencies_s.len() - 1].map(|index| latencies_s[index]);
    println!(
        "from a record to the application behind the broker: median {:.1} ms, most {:.1} ms",
        1e3 * median_s,
        1e3 * max_s
    );
    assert!(median_s < 0.3, "{median_s} s");
}

/// How long a start takes on a ledger of a million messages.
#[test]
fn a_start_on_a_million_messages() {
    let count = scaled(1_000_000).min(if is_bench() { usize::MAX } else { 2000 });
    let site = Site::new(&traffic(60, 60, 1.0), "");
    Feed::make(&site, "");
    site.put("nap.toml", &(without_archive(&site, "") + "[retention]\nmegabytes = 100000\n"));
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    let start = Instant::now();
    for number in 0..count {
        // Hours pass between the messages of a device, else there would be too many of it.
        feed.put(&message(number)).unwrap();
    }
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    let filled_s = start.elapsed().as_secs_f64();
    let ledger_mb = std::fs::metadata(site.path("state/ledger.db")).unwrap().len() as f64 / 1e6;
    assert!(ledger_mb * 1e6 > 500.0 * count as f64, "{ledger_mb} MB");
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = site.command(&[]);
    command.env("NOTIFY_SOCKET", site.path("notify"));
    let start = Instant::now();
    let mut running = Running::of(command, &site);
    let mut said = [0; 64];
    let length = socket.recv(&mut said).unwrap();
    let ready_s = start.elapsed().as_secs_f64();
    assert!(said[..length].starts_with(b"READY=1"));
    let memory_mb = Process(running.id()).pss_mb().unwrap();
    running.kill();
    println!(
        "{count} messages, {ledger_mb:.0} MB, stored without relays in {filled_s:.1} s; ready {ready_s:.2} s after a start on them, \
         with {memory_mb:.1} MB of memory"
    );
    assert!(ready_s < 2.0, "{ready_s} s");
}

/// Bytes on a metered link for a day of 840 messages, both ways, with those of TLS and of connections.
#[test]
fn bytes_on_a_metered_link_with_mosquitto() {
    let count = if is_bench() { 840 } else { 84 };
    let site = Site::new(&traffic(60, 60, 1.0), "");
    let (web, topics) = (Web::start(), Topics::start());
    let (to_web, to_topics) =
        (way_to(web.port(), Way::Good), way_to(topics.broker.port, Way::Good));
    let relays =
        web.relay_over(&site, to_web.address.port()) + &topics.relay_over(to_topics.address.port());
    Feed::make(&site, &relays);
    let text = std::fs::read_to_string(site.path("nap.toml")).unwrap();
    site.put("nap.toml", &text.replace("[station]\n", "[station]\nprofile = \"metered\"\n"));
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    for number in 0..count {
        feed.put(&message(number)).unwrap();
    }
    wait_for(|| web.seen_count() == count && topics.count("message") == count);
    running.kill();
    let [to_web, to_topics] = [to_web, to_topics].map(|way| way.carried() as f64 / count as f64);
    println!(
        "bytes for each of {count} messages on a metered link: {to_web:.0} over HTTPS, {to_topics:.0} over MQTT"
    );
    assert!(to_web < 1500.0 && to_topics < 1500.0);
}

/// Minutes of listening side by side: what a station takes beside what `nap listen` takes.
#[test]
fn beside_nap_listen_with_mosquitto() {
    let minutes: f64 = if is_bench() { 10.0 } else { 0.03 };
    let site = Site::new(&[], "");
    let topics = Topics::start();
    let scene = "sample_rate_hz = 250000\ncenter_hz = 868130000\nradio_configuration = \"RC1\"\nfull_scale_dbm = -80\n\
                 noise_figure_db = 6\nseed = 3\n";
    let messages = (6.0 * minutes).ceil();
    let traffic = "level_dbm = [-125, -110]\ncrystal_ppm = [-2, 2]\ndrift_hz_per_s = [-1, 1]\npause_s = [0.5, 0.5]\n\
                   payload_bytes = [4, 12]\nbidirectional_share = 0\nshapes = [\"hann\"]\n";
    // It does not end while it is looked at.
    let duration_s = 60.0 * minutes + 15.0;
    site.put(
        "scene.toml",
        &format!(
            "{scene}duration_s = {duration_s:.1}\n[traffic]\nmessages = {messages}\n{traffic}"
        ),
    );
    let air = site.path("air_868.13M_250k.cs16");
    let mut simulate = Command::new(env!("CARGO_BIN_EXE_nap"));
    simulate.arg("simulate").arg(site.path("scene.toml")).arg("-o").arg(&air).stderr(Stdio::null());
    assert!(simulate.status().unwrap().success());
    site.configure(air.to_str().unwrap(), &(topics.relay() + "[rules]\nwhite_list = false\n"));
    let text = std::fs::read_to_string(site.path("nap.toml")).unwrap();
    site.put("nap.toml", &text.replace("[radio]\n", "[radio]\nreplay = 1\n"));
    let mut listen = Command::new(env!("CARGO_BIN_EXE_nap"));
    listen.arg("listen").arg(&air).args(["--replay", "1", "--format", "json"]);
    let mut listening = Running::of(listen, &site);
    let mut running = Running::start(&site);
    let (listen, station) = (Process(listening.id()), Process(running.id()));
    let start = Instant::now();
    let mut memory_mb: f64 = 0.0;
    while start.elapsed().as_secs_f64() < 60.0 * minutes {
        thread::sleep(Duration::from_millis(500));
        memory_mb = memory_mb.max(station.pss_mb().unwrap());
    }
    let seconds = start.elapsed().as_secs_f64();
    let [listen, station] =
        [listen, station].map(|process| 100.0 * process.cpu_s().unwrap() / seconds);
    println!(
        "{minutes} minutes at 250 kS/s: nap listen takes {listen:.2} % of a core, the station {station:.2} %; it has {memory_mb:.1} MB; \
         {} messages at its relays",
        file(&site).len()
    );
    listening.kill();
    running.kill();
    if is_bench() {
        assert!(station - listen < 3.0 && memory_mb < 64.0);
    }
}
