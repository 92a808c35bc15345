//! The configuration: what it takes, and what it says of what it does not.
#![cfg(feature = "access-point")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::path::Path;

use nap_station::config::{Config, DEFAULT, PositionConfig, Replay, SourceChoice};

const LEAST: &str = "[station]\nstate = \"state\"\n[radio]\nsource = \"records:r.jsonl\"\n";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/nap"))
}

fn problem(text: &str) -> String {
    parse(&format!("{LEAST}{text}")).unwrap_err()
}

#[test]
fn little_is_needed() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.station.state, Path::new("/etc/nap/state"));
    assert_eq!(config.radio.source, SourceChoice::Records("/etc/nap/r.jsonl".into()));
    assert_eq!(
        (config.relays.len(), config.http, config.position),
        (0, None, PositionConfig::None)
    );
    assert_eq!(config.radio.replay, Replay::Max);
    for (text, missing) in [("", "station"), ("[station]\nstate = \"x\"\n", "radio")] {
        let problem = parse(text).unwrap_err();
        assert!(problem.contains(missing), "{problem}");
    }
}

/// What is printed has the defaults, whether its keys are there or not.
#[test]
fn the_default_has_the_defaults() {
    let mut printed = parse(DEFAULT).unwrap();
    assert_eq!(printed.radio.source, SourceChoice::Samples("driver=rtlsdr".into()));
    assert_eq!(printed.station.state, Path::new("/var/lib/nap"));
    let least = parse(LEAST).unwrap();
    printed.station.state.clone_from(&least.station.state);
    printed.radio.source.clone_from(&least.radio.source);
    assert_eq!(format!("{printed:?}"), format!("{least:?}"));
}

/// All keys that are commented out in the default are known.
#[test]
fn commented_keys_are_known() {
    let is_key =
        |line: &&str| line.starts_with("# ") && line.contains(" = ") || line.starts_with("# [");
    let plain =
        |line: &str| line.strip_prefix("# ").filter(|_| is_key(&line)).unwrap_or(line).to_owned();
    let text: Vec<String> = DEFAULT.lines().map(plain).collect();
    let text = text.join("\n");
    // What tells the position has keys of its own.
    let (fixed, gpsd) = (["latitude", "longitude"], ["address"]);
    let with = |source: &str, without: &[&str]| {
        let is_left =
            |line: &&str| !without.iter().any(|key| line.starts_with(&format!("{key} = ")));
        let lines: Vec<&str> = text.lines().filter(is_left).collect();
        parse(&lines.join("\n").replace("source = \"none\"", &format!("source = {source:?}")))
            .unwrap()
    };
    let config = with("fixed", &gpsd);
    assert_eq!(config.position, PositionConfig::Fixed { latitude: 48.137, longitude: 11.575 });
    let address = "127.0.0.1:2947".into();
    assert_eq!(with("gpsd", &fixed).position, PositionConfig::Gpsd { address });
    assert!(config.http.is_some() && config.devices.file.is_some());
    assert_eq!(config.relays.len(), 3);
}

/// All keys that are known, but for those that do not work yet, stand in the default, each in its section.
#[test]
fn known_keys_are_in_the_default() {
    let relay = |kind: &str| format!("[relay.x]\ntype = \"{kind}\"\nunknown = 1\n");
    let mut sections: Vec<(&str, String)> = ["devices", "rules", "retention", "position", "http"]
        .map(|name| (name, format!("{LEAST}[{name}]\nunknown = 1\n")))
        .into();
    sections.extend(
        [("relay.cloud", "https"), ("relay.broker", "mqtt"), ("relay.archive", "file")]
            .map(|(name, kind)| (name, format!("{LEAST}{}", relay(kind)))),
    );
    sections.push(("radio", format!("{LEAST}unknown = 1\n")));
    sections.push(("station", LEAST.replace("[radio]", "unknown = 1\n[radio]")));
    for (name, text) in sections {
        let told = parse(&text).unwrap_err();
        let (_, expected) = told.split_once("expected ").unwrap_or_else(|| panic!("{told}"));
        let header = format!("[{name}]\n");
        let (_, section) = DEFAULT.split_once(&header).unwrap_or_else(|| panic!("no {name}"));
        let section = section.split("\n[").next().unwrap().split("\n# [").next().unwrap();
        for key in expected.split('`').skip(1).step_by(2) {
            let is_there = section.lines().any(|line| {
                line.strip_prefix("# ").unwrap_or(line).starts_with(&format!("{key} = "))
            });
            let is_later = ["label_url", "unknown_territory", "territories"].contains(&key);
            assert!(is_there || is_later, "{key} of [{name}]");
        }
    }
}

#[test]
fn what_is_not_known_is_told_by_key_and_line() {
    assert!(
        problem("[rules]\nwhitelist = true\n").starts_with("line 6: unknown field `whitelist`")
    );
    assert!(problem("\n[rule]\n").contains("unknown field `rule`"));
    for (text, expected) in [
        ("[rules]\nmessages_per_day = \"many\"\n", "line 6: `rules.messages_per_day`: "),
        ("[retention]\ndays = -1\n", "line 6: `retention.days`: "),
        (
            "[relay.x]\ntype = \"mqtt\"\nurl = \"mqtt://h\"\nversion = 4\n",
            "line 8: relay \"x\": `version`: ",
        ),
        ("[rules]\nwhite_list = yes\n", "line 6: "),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with(expected), "{problem}");
    }
    let relay = problem("[relay.archive]\ntype = \"file\"\npath = \"x\"\nupdate = true\n");
    assert!(relay.starts_with("line 8: relay \"archive\": unknown field `update`"), "{relay}");
    let relay = problem("[relay.archive]\ntype = \"ftp\"\n");
    assert!(relay.starts_with("line 6: relay \"archive\": `type` is"), "{relay}");
    assert!(problem("[relay.archive]\npath = \"x\"\n").contains("`type` is missing"));
}

#[test]
fn values_that_cannot_be_are_told() {
    for (text, expected) in [
        ("[position]\nsource = \"fixed\"\n", "needs `latitude` and `longitude`"),
        ("[position]\nsource = \"gpsd\"\nlatitude = 1.0\n", "has no latitude and longitude"),
        ("[position]\nsource = \"gpsd\"\naddress = \"localhost\"\n", "HOST:PORT"),
        ("[position]\nsource = \"none\"\naddress = \"x:1\"\n", "`address` is gpsd's"),
        ("[position]\nsource = \"fixed\"\nlatitude = 91.0\nlongitude = 0.0\n", "-90 to 90"),
        ("[http]\nlisten = \"0.0.0.0:80\"\n", "only with TLS"),
        ("[station]\n", "duplicate key"),
        ("[retention]\ndays = 0\n", "`retention.days`: 0 is too few"),
        ("[retention]\nmegabytes = 0\n", "`retention.megabytes`: 0 is too few"),
        ("[rules]\nmessages_per_day = 0\n", "`rules.messages_per_day`: 0 is too few"),
        ("[rules]\ndevice_messages_per_day = 0\n", "0 is too few"),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with("line ") && problem.contains(expected), "{problem}");
    }
    for (key, expected) in [
        ("replay = 0", "above 0"),
        ("radio_configurations = []", "are listed"),
        ("radio_configurations = \"auto\"", "not in this version"),
        ("bit_rate = 300", "100, 600"),
        ("sample_format = \"mp3\"", "mp3"),
        ("ppm = nan", "`radio.ppm`: NaN"),
        ("ppm = 1e6", "`radio.ppm`: 1000000 is not"),
        ("full_scale_dbm = inf", "`radio.full_scale_dbm`: inf"),
        ("sample_rate_hz = 0.0", "`radio.sample_rate_hz`: 0"),
        ("center_hz = -1.0", "above 0"),
    ] {
        let problem = parse(&format!("{LEAST}{key}\n")).unwrap_err();
        assert!(problem.starts_with("line 5: ") && problem.contains(expected), "{problem}");
    }
}

/// All paths start from the file's folder, that of a recording too; what is no path stays as it is.
#[test]
fn a_recording_is_beside_the_configuration() {
    let source = |source: &str| {
        let text = format!("[station]\nstate = \"state\"\n[radio]\nsource = \"{source}\"\n");
        match parse(&text).unwrap().radio.source {
            SourceChoice::Samples(text) => text,
            SourceChoice::Records(path) => panic!("{}", path.display()),
        }
    };
    assert_eq!(source("day.sigmf-meta"), "/etc/nap/day.sigmf-meta");
    assert_eq!(source("/srv/day.sigmf-meta"), "/srv/day.sigmf-meta");
    for stays in ["driver=rtlsdr", "-", "tcp://radio:1234", "rtl_tcp://radio"] {
        assert_eq!(source(stays), stays);
    }
}

/// What the README begins with.
#[test]
fn the_example_is_a_configuration() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mqtt/nap.toml");
    let config = Config::load(&path).unwrap();
    assert!(!config.rules.white_list && config.relays.len() == 1);
}

#[test]
fn a_gpsd_is_on_this_computer_unless_its_address_is_said() {
    let position = |more: &str| {
        parse(&format!("{LEAST}[position]\nsource = \"gpsd\"\n{more}")).unwrap().position
    };
    let gpsd = |address: &str| PositionConfig::Gpsd { address: address.into() };
    assert_eq!(position(""), gpsd("127.0.0.1:2947"));
    assert_eq!(position("address = \"truck:1234\"\n"), gpsd("truck:1234"));
    assert_eq!(position("address = \"[::1]:2947\"\n"), gpsd("[::1]:2947"));
}

#[test]
fn keys_that_do_not_work_yet_are_told_unless_they_do_nothing() {
    for (text, key) in [
        ("[management]\nurl = \"https://fleet.example.org\"\n", "management.url"),
        ("[keys]\nstore = \"tpm\"\n", "keys.store"),
        ("[leds]\nroot = \"/sys/class/leds\"\n", "leds.root"),
        ("[http]\nlisten = \"127.0.0.1:1\"\ncertificate = \"x\"\n", "http.certificate"),
        ("[backhaul]\nprefer = [\"ethernet\"]\n", "backhaul.prefer"),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with("line ") && problem.contains(key), "{problem}");
        assert!(problem.contains("not in this version"), "{problem}");
    }
    parse(&format!(
        "{LEAST}unknown_territory = \"keep\"\nterritories = {{}}\n[keys]\nstore = \"file\"\n"
    ))
    .unwrap();
    assert!(problem("[fences]\nfiles = \"x\"\n").contains("unknown field `fences`"));
}
