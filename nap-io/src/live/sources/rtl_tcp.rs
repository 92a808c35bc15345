//! The protocol of rtl_tcp: the server sends twelve bytes of header and then samples (`cu8`); the
//! client sends commands of five bytes (Osmocom, rtl-sdr, `src/rtl_tcp.c`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use num_complex::Complex32;

use super::socket::{MIN_TIMEOUT, SampleBytes, connect, is_timeout};
use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::source::{LiveSource, Reading};
use crate::live::tuning::{Gain, Tuning};
use crate::stream_info::{StreamInfo, true_to_nominal};

const MAGIC: [u8; 4] = *b"RTL0";

/// Commands, by their first byte.
const SET_FREQUENCY: u8 = 0x01;
const SET_SAMPLE_RATE: u8 = 0x02;
const SET_GAIN_MODE: u8 = 0x03;
const SET_GAIN: u8 = 0x04;
const SET_PPM: u8 = 0x05;
const SET_BIAS_TEE: u8 = 0x0e;

/// The rates that the RTL2832U can resample to.
const RATES_HZ: [(f64, f64); 2] = [(225_001.0, 300_000.0), (900_001.0, 3_200_000.0)];

/// What tuners reach, those with a converter for short waves too (Osmocom and RTL-SDR Blog, data sheets).
const TUNER_HZ: (f64, f64) = (500e3, 2.2e9);

/// A client of rtl_tcp. The server never says what it has set: rate and frequency are as asked for,
/// and the watchdog sees whether the rate is true.
pub struct RtlTcp {
    info: StreamInfo,
    bytes: SampleBytes,
}

/// What a receiver is set to.
struct Setup {
    rate_hz: f64,
    center_hz: f64,
    /// What the receiver is told of its crystal, which it takes in whole millionths, and the rest.
    told_ppm: f64,
    rest_ppm: f64,
}

impl Setup {
    /// What is asked for, as whole hertz.
    fn new(name: &str, tuning: &Tuning) -> Result<Self, Error> {
        let rate_hz = tuning.sample_rate_hz.or_else(|| tuning.choose_rate(&RATES_HZ));
        let rate_hz = rate_hz.unwrap_or(1_024_000.0).round();
        if !RATES_HZ.iter().any(|&(low, high)| (low..=high).contains(&rate_hz)) {
            let advice = "take one of 225001 to 300000 or 900001 to 3200000";
            let problem = format!("an RTL-SDR has no sample rate of {rate_hz}; {advice}");
            return Err(Error::refused(name, problem));
        }
        let told_ppm = tuning.ppm.round();
        let rest_ppm = tuning.ppm - told_ppm;
        let wanted_hz = tuning.center_hz(rate_hz);
        let center_hz = (wanted_hz / true_to_nominal(rest_ppm)).round();
        let (low_hz, high_hz) = TUNER_HZ;
        if !(low_hz..=high_hz).contains(&center_hz) {
            let problem = format!(
                "no tuner of an RTL-SDR reaches {:.6} MHz; they go from {} to {} MHz",
                wanted_hz / 1e6,
                low_hz / 1e6,
                high_hz / 1e6
            );
            return Err(Error::refused(name, problem));
        }
        Ok(Self { rate_hz, center_hz, told_ppm, rest_ppm })
    }

    /// What is left of the crystal's error is corrected here.
    fn info(&self) -> StreamInfo {
        let mut info = StreamInfo::new(self.rate_hz, SampleFormat::Cu8);
        info.center_hz = Some(self.center_hz);
        info.correct(self.rest_ppm);
        info
    }
}

impl RtlTcp {
    /// Checks what can be known without a server.
    ///
    /// # Errors
    /// [`Error::Refused`] for a rate or frequency that no RTL-SDR has.
    pub(crate) fn check(address: &str, tuning: &Tuning) -> Result<(), Error> {
        Setup::new(&name(address), tuning).map(drop)
    }

    /// Connects to `host:port` and sets the receiver; the server's header may take `header_within`.
    ///
    /// # Errors
    /// [`Error::Refused`] for a rate or frequency that no RTL-SDR has, [`Error::Io`] if nobody is there,
    /// [`Error::Radio`] if it is no rtl_tcp, or if its header does not come in time.
    pub fn connect(address: &str, tuning: &Tuning, header_within: Duration) -> Result<Self, Error> {
        let name = name(address);
        let setup = Setup::new(&name, tuning)?;
        let path = PathBuf::from(&name);
        let mut stream = connect(address, &path)?;
        read_header(&mut stream, &path, header_within)?;
        for (command, value) in commands(tuning, &setup) {
            let [a, b, c, d] = value.to_be_bytes();
            stream.write_all(&[command, a, b, c, d]).map_err(Error::io(&path, "set up"))?;
        }
        Ok(Self { info: setup.info(), bytes: SampleBytes::new(&path, stream) })
    }
}

fn name(address: &str) -> String {
    format!("rtl_tcp://{address}")
}

/// Reads the header, whose beginning tells an rtl_tcp from others.
fn read_header(stream: &mut TcpStream, path: &Path, within: Duration) -> Result<(), Error> {
    let name = || path.display().to_string();
    let within = within.max(MIN_TIMEOUT);
    stream.set_read_timeout(Some(within)).map_err(Error::io(path, "set up"))?;
    let mut header = [0; 12];
    if let Err(error) = stream.read_exact(&mut header) {
        if !is_timeout(&error) {
            return Err(Error::io(path, "read the header of")(error));
        }
        let reason =
            "the server is busy with another client, waits for its receiver, or is no rtl_tcp";
        let problem = format!("no header within {} s: {reason}", within.as_secs_f64());
        return Err(Error::radio(name(), problem));
    }
    if header[..4] != MAGIC {
        let advice = "raw samples without a header are read with tcp://";
        let found = header[..4].escape_ascii();
        let problem = format!("this is no rtl_tcp: it starts with \"{found}\"; {advice}");
        return Err(Error::radio(name(), problem));
    }
    Ok(())
}

/// The commands for a tuning. Frequencies are whole hertz, gains tenths of a decibel.
fn commands(tuning: &Tuning, setup: &Setup) -> Vec<(u8, u32)> {
    let mut commands = vec![
        (SET_SAMPLE_RATE, setup.rate_hz as u32),
        (SET_FREQUENCY, setup.center_hz as u32),
        // Negative numbers as two's complement.
        (SET_PPM, setup.told_ppm as i32 as u32),
        (SET_BIAS_TEE, u32::from(tuning.bias_tee)),
    ];
    let total_db = match &tuning.gain {
        Gain::Total(db) => Some(*db),
        Gain::Elements(elements) => Some(elements.values().sum()),
        // The tuner's own control follows every burst; it is better than nothing.
        Gain::Auto | Gain::Default => None,
    };
    commands.push((SET_GAIN_MODE, u32::from(total_db.is_some())));
    if let Some(db) = total_db {
        commands.push((SET_GAIN, (10.0 * db).round() as i32 as u32));
    }
    commands
}

impl LiveSource for RtlTcp {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        self.bytes.read(&self.info, samples, count, timeout)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Shutdown, TcpListener};
    use std::thread;

    use super::*;

    /// What is said of a server that waits so long, sends these bytes and no more, if its header may take
    /// `header_within`.
    fn error_of(wait: Duration, bytes: &'static [u8], header_within: Duration) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            thread::sleep(wait);
            drop(stream.write_all(bytes));
            drop(stream.shutdown(Shutdown::Write));
            // It takes commands until the client has gone.
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let tuning =
            Tuning { sample_rate_hz: Some(250e3), center_hz: Some(868.13e6), ..Tuning::default() };
        let error = RtlTcp::connect(&address, &tuning, header_within).err();
        server.join().unwrap();
        error.map(|error| error.nameless())
    }

    #[test]
    fn what_the_receiver_cannot_be_told_of_its_crystal_is_corrected() {
        let tuning = |ppm| Tuning {
            sample_rate_hz: Some(250e3),
            center_hz: Some(868.13e6),
            ppm,
            ..Tuning::default()
        };
        let setup = Setup::new("rtl_tcp://a:1", &tuning(-1.5)).unwrap();
        assert_eq!((setup.told_ppm, setup.rest_ppm), (-2.0, 0.5));
        // The receiver's frequencies are too high by half a millionth when it is told of two.
        assert_eq!(setup.center_hz, 868_129_566.0);
        let info = setup.info();
        assert!((info.center_hz.unwrap() - 868.13e6).abs() < 1.0, "{info:?}");
        assert!((info.sample_rate_hz - 250_000.125).abs() < 1e-6, "{info:?}");
        assert_eq!(Setup::new("", &tuning(3.0)).unwrap().info().sample_rate_hz, 250e3);
    }

    #[test]
    fn what_no_receiver_has_is_refused_before_it_is_asked() {
        let refused = |rate_hz, center_hz| {
            let tuning = Tuning { sample_rate_hz: Some(rate_hz), center_hz, ..Tuning::default() };
            RtlTcp::check("a:1", &tuning).unwrap_err().to_string()
        };
        let text = refused(500e3, Some(868e6));
        assert!(
            text.starts_with("rtl_tcp://a:1: an RTL-SDR has no sample rate of 500000"),
            "{text}"
        );
        let text = refused(250e3, Some(5e9));
        assert!(text.contains("no tuner of an RTL-SDR reaches 5000.000000 MHz"), "{text}");
    }

    #[test]
    fn a_header_that_does_not_come_is_told_in_words() {
        let text = error_of(Duration::from_millis(300), b"", Duration::from_millis(100)).unwrap();
        assert!(text.starts_with("no header within 0.1 s: the server is busy"), "{text}");
        let error_of = |bytes| error_of(Duration::ZERO, bytes, Duration::from_secs(10));
        assert_eq!(error_of(b"RTL0\0\0\0\x05\0\0\0\x1d"), None);
        let text = error_of(&[0x7f; 12]).unwrap();
        assert!(text.starts_with("this is no rtl_tcp: it starts with \"\\x7f"), "{text}");
        let text = error_of(b"HTTP/1.1 400").unwrap();
        assert!(text.starts_with("this is no rtl_tcp: it starts with \"HTTP\";"), "{text}");
        let text = error_of(b"RTL0").unwrap();
        assert!(text.starts_with("cannot read the header of"), "{text}");
    }
}
