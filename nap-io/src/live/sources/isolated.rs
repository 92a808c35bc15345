//! A source in a process of its own: what hangs or crashes there is killed and started again.
//!
//! The process is told an address to connect to, and sends: a line of JSON with what is known about
//! the stream, or why it could not be opened; then blocks of a head of thirteen bytes, `kind` (u8),
//! `lost` (u64) and `count` (u32), little-endian, with `count` samples as `cf32` or, for the kind
//! [`Head::ERROR`], `count` bytes of text. Standard output is not used: drivers write to it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::socket::is_timeout;
use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::stream_info::StreamInfo;

/// Opening may mean to load firmware.
const OPENING: Duration = Duration::from_secs(30);
/// How long a process that has sent the head of a block may take for the rest.
const REST: Duration = Duration::from_secs(2);
/// A block that is larger is no block.
const MAX_BLOCK: u32 = 1 << 20;
/// Samples that a process reads at once, at most, and how long it waits for them.
const SERVED_BLOCK: usize = 1 << 14;
const SERVED_TIMEOUT: Duration = Duration::from_millis(200);

/// What a process says first.
#[derive(Serialize, Deserialize)]
struct Greeting {
    sample_rate_hz: f64,
    center_hz: Option<f64>,
    description: Option<String>,
    warnings: Vec<String>,
    error: Option<String>,
    /// Whether the error is a refusal.
    is_refused: bool,
}

/// The head of a block.
struct Head {
    kind: u8,
    lost: u64,
    count: u32,
}

impl Head {
    const BYTES: usize = 13;
    const SAMPLES: u8 = 0;
    const SAMPLES_AFTER_UNKNOWN_LOSS: u8 = 1;
    const SAMPLES_AFTER_LOSS: u8 = 2;
    /// Nothing came; the process is well.
    const NOTHING: u8 = 3;
    const END: u8 = 4;
    const ERROR: u8 = 5;

    fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.kind;
        bytes[1..9].copy_from_slice(&self.lost.to_le_bytes());
        bytes[9..].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [kind, a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let lost = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self { kind, lost, count: u32::from_le_bytes([i, j, k, l]) }
    }
}

/// A source that runs in a process, which is killed when this is dropped.
pub struct Isolated {
    info: StreamInfo,
    name: PathBuf,
    stream: BufReader<TcpStream>,
    process: Process,
    /// What has come of the next head.
    head: Vec<u8>,
    bytes: Vec<u8>,
}

/// A process that does not survive its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Isolated {
    /// Starts a process that calls [`serve`], and waits until its source is open. The address to
    /// connect to is added to the command as its last argument. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::Radio`] if the process says so, [`Error::Radio`] if it ends or hangs; [`Error::Io`] if it cannot be started.
    pub fn start(mut command: Command, name: &str) -> Result<Self, Error> {
        let path = PathBuf::from(name);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(Error::io(&path, "listen for"))?;
        let address = listener.local_addr().map_err(Error::io(&path, "listen for"))?;
        command.arg(address.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().map_err(Error::io(&path, "start the process for"))?;
        let mut process = Process(child);
        let deadline = Instant::now() + OPENING;
        let stream = accept(&listener, &mut process, name, deadline)?;
        stream.set_read_timeout(Some(OPENING)).map_err(Error::io(&path, "set up"))?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).map_err(|_| Error::radio(name, "opening the radio hangs"))?;
        let greeting: Greeting = serde_json::from_str(&line)
            .map_err(|_| Error::radio(name, "the driver has crashed while opening the radio"))?;
        match greeting.error {
            Some(text) if greeting.is_refused => return Err(Error::refused(name, text)),
            Some(text) => return Err(Error::radio(name, text)),
            None => {}
        }
        let mut info = StreamInfo::new(greeting.sample_rate_hz, SampleFormat::Cf32Le);
        info.center_hz = greeting.center_hz;
        info.description = greeting.description;
        info.warnings = greeting.warnings;
        Ok(Self { info, name: path, stream, process, head: Vec::new(), bytes: Vec::new() })
    }

    /// Reads the head of the next block; `None` if it is not there yet.
    fn head(&mut self, timeout: Duration) -> Result<Option<Head>, Error> {
        self.set_timeout(timeout.max(Duration::from_millis(1)))?;
        while self.head.len() < Head::BYTES {
            let mut rest = [0; Head::BYTES];
            let wanted = Head::BYTES - self.head.len();
            match self.stream.read(&mut rest[..wanted]) {
                Ok(0) => return Err(self.ended()),
                Ok(got) => self.head.extend_from_slice(&rest[..got]),
                Err(error) if is_timeout(&error) => return Ok(None),
                Err(_) => return Err(self.ended()),
            }
        }
        let bytes = self.head.first_chunk().copied().unwrap_or_default();
        self.head.clear();
        Ok(Some(Head::from_bytes(bytes)))
    }

    fn set_timeout(&self, timeout: Duration) -> Result<(), Error> {
        let result = self.stream.get_ref().set_read_timeout(Some(timeout));
        result.map_err(Error::io(&self.name, "set up"))
    }

    fn body(&mut self, bytes: usize) -> Result<(), Error> {
        self.set_timeout(REST)?;
        self.bytes.resize(bytes, 0);
        let result = self.stream.read_exact(&mut self.bytes);
        result.map_err(|_| self.ended())
    }

    /// The connection is gone: says how the process ended.
    fn ended(&mut self) -> Error {
        thread::sleep(Duration::from_millis(20));
        let how = match self.process.0.try_wait() {
            Ok(Some(status)) => format!("the driver's process has ended: {status}"),
            _ => "the driver's process has closed the connection".into(),
        };
        Error::radio(self.name.display().to_string(), how)
    }
}

fn accept(
    listener: &TcpListener,
    process: &mut Process,
    name: &str,
    deadline: Instant,
) -> Result<TcpStream, Error> {
    let path = Path::new(name);
    listener.set_nonblocking(true).map_err(Error::io(path, "listen for"))?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).map_err(Error::io(path, "set up"))?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Error::io(path, "listen for")(error)),
        }
        if let Ok(Some(status)) = process.0.try_wait() {
            return Err(Error::radio(name, format!("the driver's process has ended: {status}")));
        }
        if Instant::now() > deadline {
            return Err(Error::radio(name, "the driver's process does not start"));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

impl LiveSource for Isolated {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        _count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        let Some(head) = self.head(timeout)? else { return Ok(Reading::Nothing) };
        if head.count > MAX_BLOCK {
            return Err(self.ended());
        }
        let loss = match head.kind {
            Head::SAMPLES => Loss::None,
            Head::SAMPLES_AFTER_UNKNOWN_LOSS => Loss::Unknown,
            Head::SAMPLES_AFTER_LOSS => Loss::Samples(head.lost),
            Head::NOTHING => return Ok(Reading::Nothing),
            Head::END => return Ok(Reading::End),
            _ => {
                self.body(head.count as usize)?;
                let text = String::from_utf8_lossy(&self.bytes);
                return Err(Error::radio(self.name.display().to_string(), text));
            }
        };
        self.body(head.count as usize * size_of::<Complex32>())?;
        let parts = self.bytes.as_chunks::<4>().0.as_chunks::<2>().0;
        samples.extend(
            parts
                .iter()
                .map(|&[re, im]| Complex32::new(f32::from_ne_bytes(re), f32::from_ne_bytes(im))),
        );
        Ok(Reading::Samples(loss))
    }
}

/// Opens a source and sends its samples to an [`Isolated`] at `address`, until the source or the
/// connection ends.
///
/// # Errors
/// [`Error::Io`] if nobody listens at `address` (any more).
pub fn serve(
    address: &str,
    open: impl FnOnce() -> Result<Box<dyn LiveSource>, Error>,
) -> Result<(), Error> {
    let path = PathBuf::from(address);
    let mut stream = TcpStream::connect(address).map_err(Error::io(&path, "connect to"))?;
    stream.set_nodelay(true).map_err(Error::io(&path, "set up"))?;
    let mut send = |bytes: &[u8]| stream.write_all(bytes).map_err(Error::io(&path, "write"));
    let mut source = match open() {
        Ok(source) => source,
        Err(error) => {
            let greeting = Greeting {
                sample_rate_hz: 0.0,
                center_hz: None,
                description: None,
                warnings: Vec::new(),
                error: Some(problem(&error)),
                is_refused: matches!(error, Error::Refused { .. }),
            };
            return send(&line(&greeting));
        }
    };
    let info = source.info();
    send(&line(&Greeting {
        sample_rate_hz: info.sample_rate_hz,
        center_hz: info.center_hz,
        description: info.description.clone(),
        warnings: info.warnings.clone(),
        error: None,
        is_refused: false,
    }))?;
    let mut samples = Vec::new();
    let mut bytes = Vec::new();
    loop {
        let reading = source.read(&mut samples, SERVED_BLOCK, SERVED_TIMEOUT);
        bytes.clear();
        let is_last = pack(&reading, &samples, &mut bytes);
        send(&bytes)?;
        if is_last {
            return Ok(());
        }
    }
}

/// The other process knows the name of the radio.
fn problem(error: &Error) -> String {
    match error {
        Error::Radio { problem, .. } | Error::Refused { problem, .. } => problem.clone(),
        error => error.to_string(),
    }
}

fn line(greeting: &Greeting) -> Vec<u8> {
    // Numbers and texts cannot fail to be JSON.
    let mut line = serde_json::to_vec(greeting).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Appends a block; returns whether it is the last.
fn pack(reading: &Result<Reading, Error>, samples: &[Complex32], bytes: &mut Vec<u8>) -> bool {
    let text = reading.as_ref().err().map(problem).unwrap_or_default();
    let (kind, lost) = match reading {
        Ok(Reading::Samples(Loss::None)) => (Head::SAMPLES, 0),
        Ok(Reading::Samples(Loss::Unknown)) => (Head::SAMPLES_AFTER_UNKNOWN_LOSS, 0),
        Ok(Reading::Samples(Loss::Samples(lost))) => (Head::SAMPLES_AFTER_LOSS, *lost),
        Ok(Reading::Nothing) => (Head::NOTHING, 0),
        Ok(Reading::End) => (Head::END, 0),
        Err(_) => (Head::ERROR, 0),
    };
    let body: &[u8] = match reading {
        Ok(Reading::Samples(_)) => bytemuck::cast_slice(samples),
        _ => text.as_bytes(),
    };
    let count = match reading {
        Ok(Reading::Samples(_)) => samples.len(),
        _ => body.len(),
    };
    let head = Head { kind, lost, count: u32::try_from(count).unwrap_or(0) };
    bytes.extend_from_slice(&head.to_bytes());
    bytes.extend_from_slice(body);
    matches!(reading, Ok(Reading::End) | Err(_))
}
