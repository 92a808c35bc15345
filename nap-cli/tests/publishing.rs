//! `nap listen --mqtt`.
#![cfg(feature = "station")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::net::TcpListener;

use common::{nap, recording, stderr};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_broker_that_is_not_there_is_told_and_ends_nothing() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let output =
        nap().arg("listen").arg(file).args(["--replay", "max", "--mqtt", &url]).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("messages not published: "), "{text}");
    assert!(!output.stdout.is_empty());
}

#[test]
fn an_address_that_is_none_is_refused() {
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let output =
        nap().arg("listen").arg(file).args(["--mqtt", "http://127.0.0.1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("mqtts://HOST"), "{}", stderr(&output));
}

mod with_mosquitto {
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            self.0.wait().unwrap();
        }
    }

    fn broker(port: u16) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("test.conf");
        fs::write(&conf, format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"))
            .unwrap();
        let mut broker = Command::new("mosquitto");
        let broker = Ended(broker.arg("-c").arg(&conf).stderr(Stdio::null()).spawn().unwrap());
        let is_there = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            let mut publish = Command::new("mosquitto_pub");
            publish.args(["-p", &port.to_string(), "-r", "-t", "there", "-m", "1"]);
            publish.stderr(Stdio::null()).status().unwrap().success()
        });
        assert!(is_there, "mosquitto does not start");
        broker
    }

    #[test]
    fn messages_are_published_under_ids_and_the_station_takes_leave() {
        let port = free_port();
        let _broker = broker(port);
        let mut subscriber = Command::new("mosquitto_sub");
        subscriber.args([
            "-p",
            &port.to_string(),
            "-q",
            "1",
            "-t",
            "#",
            "-C",
            "5",
            "-W",
            "30",
            "-F",
            "%t\t%p",
        ]);
        let mut subscriber = Ended(subscriber.stdout(Stdio::piped()).spawn().unwrap());
        let mut lines =
            BufReader::new(subscriber.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert_eq!(lines.next().unwrap(), "there\t1");
        let url = format!("mqtt://127.0.0.1:{port}");
        let file = recording("rc1_two_uplinks.sigmf-meta");
        let more =
            ["--replay", "max", "--report", "complete", "--mqtt", &url, "--mqtt-station", "s1"];
        let output = nap().arg("listen").arg(file).args(more).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let heard: Vec<(String, Value)> = lines
            .map(|line| {
                line.split_once('\t')
                    .map(|(topic, json)| (topic.into(), serde_json::from_str(json).unwrap()))
                    .unwrap()
            })
            .collect();
        let topics: Vec<&str> = heard.iter().map(|(topic, _)| topic.as_str()).collect();
        assert_eq!(
            topics,
            ["nap/v1/s1/status", "nap/v1/s1/message", "nap/v1/s1/message", "nap/v1/s1/status"]
        );
        let id = |index: usize| heard[index].1["id"].as_str().unwrap().to_owned();
        assert!(id(1).ends_with("-1") && id(2).ends_with("-2") && id(1)[..8] == id(2)[..8]);
        assert_eq!((&heard[0].1["online"], &heard[3].1["online"]), (&true.into(), &false.into()));
        assert_eq!((&heard[1].1["late"], &heard[1].1["station"]), (&false.into(), &"s1".into()));
    }
}
