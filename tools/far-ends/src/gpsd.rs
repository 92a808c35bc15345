//! A gpsd that says what it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// So often a receiver reports.
const REPORT: Duration = Duration::from_millis(100);

type Reports = Arc<Mutex<Box<dyn FnMut() -> String + Send>>>;

/// A gpsd on a free port of this machine.
pub struct FakeGpsd {
    pub address: String,
    reports: Reports,
}

impl FakeGpsd {
    /// One that reports, again and again, what this returns: lines as gpsd writes them.
    #[must_use]
    pub fn start(reports: impl FnMut() -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let reports: Reports = Arc::new(Mutex::new(Box::new(reports)));
        let all = Arc::clone(&reports);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let reports = Arc::clone(&all);
                // Whoever has heard enough goes.
                thread::spawn(move || drop(serve(&stream, &reports)));
            }
        });
        Self { address, reports }
    }

    /// From now on it reports something else.
    pub fn report(&self, reports: impl FnMut() -> String + Send + 'static) {
        *self.reports.lock().unwrap() = Box::new(reports);
    }
}

fn serve(mut stream: &TcpStream, reports: &Reports) -> std::io::Result<()> {
    let version =
        r#"{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}"#;
    writeln!(stream, "{version}\r")?;
    let mut asked = String::new();
    BufReader::new(stream).read_line(&mut asked)?;
    assert!(asked.starts_with("?WATCH={") && asked.contains("\"json\":true"), "{asked}");
    loop {
        let report = reports.lock().unwrap()();
        writeln!(stream, "{report}\r")?;
        thread::sleep(REPORT);
    }
}

/// A report of a receiver with a fix.
#[must_use]
pub fn tpv(time: &str, latitude: f64, longitude: f64) -> String {
    format!(
        "{{\"class\":\"TPV\",\"device\":\"/dev/ttyS1\",\"mode\":3,\"time\":\"{time}\",\"ept\":0.005,\
         \"lat\":{latitude},\"lon\":{longitude},\"eph\":6.3}}"
    )
}
