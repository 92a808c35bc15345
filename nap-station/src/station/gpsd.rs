//! A GPS receiver, over gpsd: where the station is, and what time it is.
//!
//! gpsd speaks JSON objects, one a line, as `gpsd_json(5)` describes them: asked to watch, it sends a `TPV` for
//! each report of the receiver.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::rules::gps::{GpsJudge, Position, Report};
use crate::rules::utc::Utc;
use crate::station::uptime::Uptime;

/// Someone who does not answer for so long is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether anybody wants to know any more.
const TICK: Duration = Duration::from_secs(1);
/// A connection over which nothing comes for so long may have died in silence.
const SILENCE: Duration = Duration::from_secs(60);
/// gpsd's lines have 10 240 bytes at most.
const LONGEST_LINE: usize = 65_536;
const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";

/// A GPS receiver that is listened to, in a thread of its own, until this is dropped.
#[derive(Debug)]
pub struct Gpsd {
    uptime: Uptime,
    judge: Mutex<GpsJudge>,
}

/// Nobody wants to know any more.
struct Unheard;

impl Gpsd {
    /// Listens to the gpsd at `HOST:PORT`, and connects again as often as that is needed.
    #[must_use]
    pub fn listen(address: &str, uptime: Uptime) -> Arc<Self> {
        let gpsd = Arc::new(Self { uptime, judge: Mutex::default() });
        let (weak, address) = (Arc::downgrade(&gpsd), address.to_owned());
        thread::spawn(move || {
            while let Ok(()) = follow(&address, &weak) {
                thread::sleep(PATIENCE);
            }
        });
        gpsd
    }

    /// Where the station is, if a valid fix says so.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.judge().position(self.uptime.seconds())
    }

    /// The time of day, if a valid fix says so.
    #[must_use]
    pub fn utc(&self) -> Option<Utc> {
        self.judge().utc(self.uptime.seconds())
    }

    fn look(&self, report: &Report) {
        self.judge().look(report, self.uptime.seconds());
    }

    fn judge(&self) -> MutexGuard<'_, GpsJudge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a gpsd, and waits a moment for a fix: what it says of itself, and whether it has one.
///
/// # Errors
/// Why it cannot be asked.
pub fn try_out(address: &str, timeout: Duration) -> Result<String, String> {
    let deadline = Instant::now() + timeout;
    let mut lines = Lines::connect(address).map_err(|error| error.to_string())?;
    let (mut release, mut judge) = (None, GpsJudge::default());
    while Instant::now() < deadline {
        let Some(line) = lines.next().map_err(|error| error.to_string())? else { continue };
        match Said::parse(&line) {
            Some(Said::Version { release: said }) => release = Some(said),
            Some(Said::Tpv(tpv)) => judge.look(&tpv.report(), 0.0),
            _ => {}
        }
        if let (Some(release), Some(position)) = (&release, judge.position(0.0)) {
            let Position { latitude, longitude } = position;
            return Ok(format!("gpsd {release} has a fix: {latitude:.5}, {longitude:.5}"));
        }
    }
    let release = release.ok_or("what answers there is no gpsd")?;
    Ok(format!("gpsd {release} has no fix yet: is there a receiver, and does it see the sky?"))
}

/// Listens until something fails, or until nobody wants to know any more. Faults are not told: that there is no
/// fix is.
fn follow(address: &str, weak: &Weak<Gpsd>) -> Result<(), Unheard> {
    let Ok(mut lines) = Lines::connect(address) else {
        return weak.upgrade().map(drop).ok_or(Unheard);
    };
    let mut heard_at = Instant::now();
    while let Ok(line) = lines.next() {
        let gpsd = weak.upgrade().ok_or(Unheard)?;
        match line {
            Some(line) => {
                heard_at = Instant::now();
                if let Some(Said::Tpv(tpv)) = Said::parse(&line) {
                    gpsd.look(&tpv.report());
                }
            }
            None if heard_at.elapsed() > SILENCE => break,
            None => {}
        }
    }
    Ok(())
}

/// The lines of a gpsd that was asked to watch.
struct Lines {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Lines {
    fn connect(address: &str) -> io::Result<Self> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(mut stream) => {
                    stream.set_read_timeout(Some(TICK))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    stream.write_all(WATCH)?;
                    return Ok(Self { stream, received: Vec::new() });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The next line; `None` if there is none yet.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.take() {
            return Ok(Some(line));
        }
        if self.received.len() > LONGEST_LINE {
            return Err(io::Error::new(ErrorKind::InvalidData, "a line without an end"));
        }
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                Ok(self.take())
            }
            Err(error) if is_nothing_yet(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let end = self.received.iter().position(|&byte| byte == b'\n')?;
        Some(self.received.drain(..=end).collect())
    }
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// What gpsd says that is of use here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "class")]
enum Said {
    #[serde(rename = "VERSION")]
    Version { release: String },
    #[serde(rename = "TPV")]
    Tpv(Tpv),
    #[serde(other)]
    Other,
}

/// Time, position, velocity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Tpv {
    #[serde(default)]
    mode: u8,
    time: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    /// Of the position, in metres; older versions have the two below alone.
    eph: Option<f64>,
    epx: Option<f64>,
    epy: Option<f64>,
}

impl Said {
    fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

impl Tpv {
    fn report(&self) -> Report {
        Report {
            time: self.time.as_deref().and_then(Utc::parse),
            mode: self.mode,
            place: self.lat.zip(self.lon),
            error_m: self.eph.or_else(|| Some(self.epx?.hypot(self.epy?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of gpsd 3.22, and of 3.17 without `eph`.
    #[test]
    fn reports_are_read_as_gpsd_writes_them() {
        let tpv = br#"{"class":"TPV","device":"/dev/ttyS1","mode":3,"time":"2026-11-28T12:00:00.000Z","ept":0.005,"lat":48.137154,"lon":11.576124,"altHAE":564.1,"eph":6.27,"epx":3.1,"epy":4.2,"speed":0.1}"#;
        let Some(Said::Tpv(tpv)) = Said::parse(tpv) else { panic!("no TPV") };
        let expected = Report {
            time: Utc::parse("2026-11-28T12:00:00Z"),
            mode: 3,
            place: Some((48.137154, 11.576124)),
            error_m: Some(6.27),
        };
        assert_eq!(tpv.report(), expected);
        let old = Tpv { eph: None, epx: Some(3.0), epy: Some(4.0), ..tpv };
        assert_eq!(old.report().error_m, Some(5.0));
        let none = br#"{"class":"TPV","device":"/dev/ttyS1","mode":1}"#;
        let Some(Said::Tpv(none)) = Said::parse(none) else { panic!("no TPV") };
        assert_eq!(none.report(), Report { mode: 1, ..Report::default() });
        let version = br#"{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}"#;
        assert_eq!(Said::parse(version), Some(Said::Version { release: "3.22".into() }));
        assert_eq!(Said::parse(br#"{"class":"SKY","nSat":0}"#), Some(Said::Other));
        for nothing in [&b"{"[..], b"", b"[]", b"{\"class\":\"TPV\",\"mode\":\"x\"}", b"\xff"] {
            assert_eq!(Said::parse(nothing), None);
        }
    }
}
