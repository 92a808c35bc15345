//! From the air to the relays: samples through the real program.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::site::{Running, Site, verdicts, wait_for};
use crate::far::{Topics, Web, by_id, file};

const KEY: &str = "0123456789ABCDEF0123456789ABCDEF";

/// Who sends how much in how many seconds.
struct Plan {
    devices: usize,
    messages: usize,
    seconds: f64,
}

/// 840 messages in twenty minutes if `NAP_AIR` says so, else a few in ten seconds.
fn plan() -> Plan {
    if std::env::var("NAP_AIR").is_ok() {
        Plan { devices: 60, messages: 840, seconds: 1200.0 }
    } else {
        Plan { devices: 6, messages: 6, seconds: 10.0 }
    }
}

impl Plan {
    fn device(&self, number: usize) -> String {
        format!("{:08X}", 0x10_0000 + 977 * (number % self.devices))
    }

    /// A device's messages lie a whole round apart; the last one ends with the scene.
    fn scene(&self) -> String {
        let mut scene = format!(
            "sample_rate_hz = 250000\ncenter_hz = 868130000\nduration_s = {:.1}\nradio_configuration = \"RC1\"\n\
             full_scale_dbm = -80\nnoise_figure_db = 6\nseed = 5\n",
            self.seconds
        );
        for index in 0..self.devices {
            let level_dbm = -124 + (index % 20) as i32;
            let drift_hz_per_s = (index % 5) as f64 - 2.0;
            let id = self.device(index);
            write!(
                scene,
                "[[device]]\nid = \"{id}\"\nkey = \"{KEY}\"\nlevel_dbm = {level_dbm}\n\
                 drift_hz_per_s = {drift_hz_per_s}\npause_s = 0.5\n"
            )
            .unwrap();
            for number in (index..self.messages).step_by(self.devices) {
                let time_s = 0.2 + (self.seconds - 6.0) * number as f64 / self.messages as f64;
                write!(
                    scene,
                    "[[device.message]]\ntime_s = {time_s:.3}\nsequence_number = {}\nkind = \"bytes\"\npayload = \"{number:08x}\"\n",
                    1 + number / self.devices
                )
                .unwrap();
            }
        }
        scene
    }
}

/// What devices send is decoded from samples, proven by their keys, stored, and at every relay exactly once.
/// `make station-air` takes twenty minutes of sixty devices.
#[test]
fn every_message_of_the_air_with_mosquitto() {
    let plan = plan();
    let site = Site::new(&[], "");
    let (web, topics) = (Web::start(), Topics::start());
    site.configure("-", &(web.relay(&site) + &topics.relay()));
    let raw =
        "[radio]\nsample_format = \"cs16\"\nsample_rate_hz = 250000.0\ncenter_hz = 868130000.0\n";
    let text = std::fs::read_to_string(site.path("nap.toml")).unwrap();
    site.put("nap.toml", &text.replace("[radio]\n", raw));
    let devices: String =
        (0..plan.devices).map(|n| format!("{},{KEY}\n", plan.device(n))).collect();
    site.put("devices.csv", &format!("device_id,key\n{devices}"));
    site.put("scene.toml", &plan.scene());
    let mut simulate = Command::new(env!("CARGO_BIN_EXE_nap"));
    simulate.arg("simulate").arg(site.path("scene.toml")).args([
        "-o",
        "-",
        "--sample-format",
        "cs16",
    ]);
    let mut simulate = simulate.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let samples = simulate.stdout.take().unwrap();
    let mut running = Running::reading(site.command(&[]), &site, samples);
    assert!(running.wait().success(), "{}", site.log());
    assert!(simulate.wait().unwrap().success());
    let rows = site.export();
    assert_eq!(verdicts(&rows), [("accepted".to_owned(), plan.messages)].into());
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let heard: BTreeSet<(String, String)> =
        rows.iter().map(|row| (text(row, "device_id"), text(row, "payload"))).collect();
    let sent = (0..plan.messages).map(|number| (plan.device(number), format!("{number:08x}")));
    assert_eq!(heard, sent.collect());
    assert!(rows.iter().all(|row| row["auth"] == "verified"));
    wait_for(|| topics.all("message").len() >= plan.messages);
    for (relay, seen) in
        [("web", web.seen()), ("topics", topics.all("message")), ("archive", file(&site))]
    {
        assert_eq!((seen.len(), by_id(&seen).len()), (plan.messages, plan.messages), "{relay}");
        assert!(by_id(&seen) == by_id(&rows), "{relay}");
    }
    println!("{} messages of {} devices in {} s of air", plan.messages, plan.devices, plan.seconds);
}
