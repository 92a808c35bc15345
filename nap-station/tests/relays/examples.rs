//! What users copy from the examples.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nap_far_ends::broker::free_port;
use nap_far_ends::server::Authority;
use nap_station::relay::options::Options;
use serde_json::Value;

use crate::outbox::MemoryOutbox;
use crate::relay::{Relay, options, until};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn the_receiver_in_python_keeps_each_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.write(&folder.path().join("ca.pem"));
    let pair = authority.issue("localhost", 90);
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    std::fs::write(&certificate, pair.certificate.pem()).unwrap();
    std::fs::write(&key, pair.key.serialize_pem()).unwrap();
    let (plain, port) = (free_port(), free_port());
    receives_each_once(
        folder.path(),
        &format!("url = \"http://127.0.0.1:{plain}/sigfox\""),
        &[&plain.to_string()],
    )
    .await;
    let url = format!("url = \"https://localhost:{port}/sigfox\"\nca = \"ca.pem\"");
    let arguments = [&port.to_string(), certificate.to_str().unwrap(), key.to_str().unwrap()];
    receives_each_once(folder.path(), &url, &arguments).await;
}

async fn receives_each_once(folder: &Path, url: &str, arguments: &[&str]) {
    let database = folder.join(format!("{}.db", arguments.len()));
    let mut receiver = Command::new("python3");
    receiver.arg(example("https_callback/receiver.py")).arg(&database).args(arguments);
    let receiver = Ended(receiver.stderr(Stdio::null()).spawn().unwrap());
    for _ in 0..2 {
        // The second run brings the same messages again, as after a crash.
        let outbox = MemoryOutbox::new();
        let relay = Relay::start(&outbox, folder, &Options::Https(options(url)));
        outbox.store(3);
        until("all are delivered", || outbox.delivered() == 3).await;
        relay.stop().await;
    }
    drop(receiver);
    let count = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT id, device, data FROM message ORDER BY id'))";
    let output = Command::new("python3").args(["-c", count]).arg(&database).output().unwrap();
    let rows: String = (1..=3).map(|n| format!("('0000a1b2-{n}', '4D33DB', '18fc') ")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), rows.trim());
}

#[test]
fn alerts_are_what_prometheus_expects() {
    let mut check = Command::new("promtool");
    let output = check_output(check.args(["check", "rules"]).arg(example("prometheus/alerts.yml")));
    assert!(output.contains("8 rules found"), "{output}");
}

fn check_output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What alerts and dashboard ask for is what stations tell.
#[test]
fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    let metrics = nap_station::metrics::Metrics::new().unwrap();
    metrics.relay_waiting.with_label_values(&["web"]).set(1);
    metrics.relay_connected.with_label_values(&["web"]).set(1);
    metrics.judged_messages.with_label_values(&["refused", "replayed"]).inc();
    let told = metrics.text().unwrap();
    for file in ["prometheus/alerts.yml", "grafana/dashboard.json"] {
        let text = std::fs::read_to_string(example(file)).unwrap();
        let is_of_name = |character: char| character.is_ascii_lowercase() || character == '_';
        let words = text.split(|character| !is_of_name(character));
        let names: Vec<&str> = words.filter(|word| word.starts_with("nap_")).collect();
        assert!(names.len() > 4, "{file}");
        for name in names {
            assert!(
                told.contains(&format!("\n{name}")) || told.starts_with(name),
                "{file}: {name}"
            );
        }
    }
}

#[test]
fn flow_and_dashboard_are_json() {
    for (file, pointer) in
        [("mqtt/node_red_flow.json", "/0/id"), ("grafana/dashboard.json", "/panels/0/title")]
    {
        let text = std::fs::read_to_string(example(file)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.pointer(pointer).is_some(), "{file}");
    }
}
