//! A GPS receiver that tells the station what time it is, and where it is.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nap_far_ends::broker::{free_port, is_there};
use nap_far_ends::gpsd::{FakeGpsd, tpv};
use nap_station::rules::utc::Utc;
use serde_json::{Value, json};

use crate::common::site::{Running, Site, wait_for};
use crate::common::{cu8, stderr};

const DAY_S: f64 = 86_400.0;

/// The time by a receiver that differs from this computer by so many seconds.
fn time(ahead_s: f64) -> String {
    Utc::from(Timestamp::now()).plus_s(ahead_s).text()
}

fn position(address: &str) -> String {
    format!("[position]\nsource = \"gpsd\"\naddress = \"{address}\"\n")
}

/// A station that gets its samples over the network.
fn configure_samples(site: &Site, more: &str) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", listener.local_addr().unwrap());
    site.configure_samples(&source, 868_130_000.0, more);
    site.put("devices.csv", "device_id,key\n258E05CA,\n38DFD2F3,\n");
    listener
}

/// Four seconds, twice as fast as they were.
fn send_samples(stream: &mut TcpStream) {
    for part in cu8()[..2_000_000].chunks(50_000) {
        if stream.write_all(part).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The computer's clock is a year behind, and a GPS receiver is believed more; when that goes back by 1024 weeks it is
/// believed no more.
#[test]
fn a_gps_receiver_tells_the_time_of_day_and_the_place() {
    let site = Site::new(&[], "");
    let year_s = 400.0 * DAY_S;
    let gpsd = FakeGpsd::start(|| r#"{"class":"TPV","device":"/dev/ttyS1","mode":1}"#.into());
    let listener = configure_samples(&site, &position(&gpsd.address));
    let mut running = Running::start(&site);
    let (mut stream, _) = listener.accept().unwrap();
    gpsd.report(move || tpv(&time(year_s), 48.137, 11.575));
    wait_for(|| site.log().contains("\"to\":\"gps\""));
    send_samples(&mut stream);
    wait_for(|| site.archive().len() == 2);
    for message in site.archive() {
        let at = Utc::parse(message["time"].as_str().unwrap()).unwrap();
        assert!(Utc::parse(&time(year_s)).unwrap().seconds_since(at).abs() < 60.0, "{message}");
        assert_eq!(message["clock"], "gps");
        assert_eq!(message["position"], json!({"latitude": 48.137, "longitude": 11.575}));
    }
    let weeks_s = -1024.0 * 7.0 * DAY_S;
    gpsd.report(move || tpv(&time(weeks_s), 48.137, 11.575));
    wait_for(|| site.log().contains("\"from\":\"gps\""));
    running.stop();
    assert!(site.export().iter().all(|row: &Value| row["clock"] == "gps"));
}

/// Debian's gpsd, with a receiver that speaks NMEA over TCP.
#[test]
fn a_dry_run_hears_the_fix_of_a_real_one_with_gpsd() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", receiver.local_addr().unwrap());
    thread::spawn(move || receiver.incoming().flatten().for_each(speak));
    let gpsd = Gpsd::start(&source);
    let site = Site::new(&[], &position(&gpsd.address));
    let output = site.run(&["check"]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("position: well: gpsd 3.") && said.contains("48.13715, 11.57612"),
        "{said}"
    );
    drop(gpsd);
    let output = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("position: gpsd at 127.0.0.1:"), "{}", stderr(&output));
}

struct Gpsd {
    address: String,
    child: Child,
}

impl Gpsd {
    fn start(source: &str) -> Self {
        let port = free_port();
        let mut command = Command::new("gpsd");
        command.args(["-N", "-n", "-S", &port.to_string(), source]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let gpsd = Self { address: format!("127.0.0.1:{port}"), child };
        wait_for(|| is_there(port));
        gpsd
    }
}

impl Drop for Gpsd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Speaks as a receiver does that has a fix in Munich.
fn speak(mut stream: TcpStream) {
    loop {
        let now = Timestamp::now();
        let (time, date) = (now.strftime("%H%M%S.00"), now.strftime("%d%m%y"));
        for sentence in [
            format!("GPRMC,{time},A,4808.2292,N,01134.5674,E,0.0,0.0,{date},,,A"),
            format!("GPGGA,{time},4808.2292,N,01134.5674,E,1,08,0.9,520.0,M,47.0,M,,"),
            "GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1".into(),
        ] {
            let sum = sentence.bytes().fold(0, |sum, byte| sum ^ byte);
            if write!(stream, "${sentence}*{sum:02X}\r\n").is_err() {
                return;
            }
        }
        thread::sleep(Duration::from_secs(1));
    }
}
