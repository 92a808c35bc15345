//! The protocol of rtl_tcp: the server sends twelve bytes of header and then samples (`cu8`); the
//! client sends commands of five bytes (Osmocom, rtl-sdr, `src/rtl_tcp.c`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use num_complex::Complex32;

use super::socket::{LEAST_TIMEOUT, SampleBytes, connect, is_timeout};
use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::source::{LiveSource, Reading};
use crate::live::tuning::{Gain, Tuning};
use crate::stream_info::StreamInfo;

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

/// A client of rtl_tcp. The server never says what it has set: rate and frequency are as asked for,
/// and the watchdog sees whether the rate is true.
pub struct RtlTcp {
    info: StreamInfo,
    bytes: SampleBytes,
}

impl RtlTcp {
    /// Connects to `host:port` and sets the receiver; the server's header may take `header_within`.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody is there, [`Error::Radio`] if it is no rtl_tcp, if its header does not come
    /// in time, or for a setting that it does not have.
    pub fn connect(address: &str, tuning: &Tuning, header_within: Duration) -> Result<Self, Error> {
        let name = format!("rtl_tcp://{address}");
        let path = PathBuf::from(&name);
        let rate_hz = tuning.sample_rate_hz.or_else(|| tuning.choose_rate(&RATES_HZ));
        let rate_hz = rate_hz.unwrap_or(1_024_000.0).round();
        if !RATES_HZ.iter().any(|&(low, high)| (low..=high).contains(&rate_hz)) {
            let advice = "take one of 225001 to 300000 or 900001 to 3200000";
            let problem = format!("an RTL-SDR has no sample rate of {rate_hz}; {advice}");
            return Err(Error::radio(name, problem));
        }
        let center_hz = tuning.center_hz(rate_hz).round();
        let mut stream = connect(address, &path)?;
        read_header(&mut stream, &path, header_within)?;
        for (command, value) in commands(tuning, rate_hz, center_hz) {
            let [a, b, c, d] = value.to_be_bytes();
            stream.write_all(&[command, a, b, c, d]).map_err(Error::io(&path, "set up"))?;
        }
        Ok(Self::new(stream, path, rate_hz, center_hz))
    }

    fn new(stream: TcpStream, path: PathBuf, rate_hz: f64, center_hz: f64) -> Self {
        let mut info = StreamInfo::new(rate_hz, SampleFormat::Cu8);
        info.center_hz = Some(center_hz);
        Self { info, bytes: SampleBytes::new(&path, stream) }
    }
}

/// Reads the header, whose beginning tells an rtl_tcp from others.
fn read_header(stream: &mut TcpStream, path: &Path, within: Duration) -> Result<(), Error> {
    let name = || path.display().to_string();
    let within = within.max(LEAST_TIMEOUT);
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
        let found = &header[..4];
        let problem = format!("this is no rtl_tcp: it starts with {found:02x?}; {advice}");
        return Err(Error::radio(name(), problem));
    }
    Ok(())
}

/// The commands for a tuning. Frequencies are whole hertz, gains tenths of a decibel.
fn commands(tuning: &Tuning, rate_hz: f64, center_hz: f64) -> Vec<(u8, u32)> {
    let mut commands = vec![
        (SET_SAMPLE_RATE, rate_hz as u32),
        (SET_FREQUENCY, center_hz as u32),
        // Negative numbers as two's complement.
        (SET_PPM, tuning.ppm.round() as i32 as u32),
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
        let tuning = Tuning { sample_rate_hz: Some(250e3), ..Tuning::default() };
        let error = RtlTcp::connect(&address, &tuning, header_within).err();
        server.join().unwrap();
        error.map(|error| error.nameless())
    }

    #[test]
    fn a_header_that_does_not_come_is_told_in_words() {
        let text = error_of(Duration::from_millis(300), b"", Duration::from_millis(100)).unwrap();
        assert!(text.starts_with("no header within 0.1 s: the server is busy"), "{text}");
        let error_of = |bytes| error_of(Duration::ZERO, bytes, Duration::from_secs(10));
        assert_eq!(error_of(b"RTL0\0\0\0\x05\0\0\0\x1d"), None);
        let text = error_of(&[0x7f; 12]).unwrap();
        assert!(text.starts_with("this is no rtl_tcp: it starts with"), "{text}");
        let text = error_of(b"RTL0").unwrap();
        assert!(text.starts_with("cannot read the header of"), "{text}");
    }
}
