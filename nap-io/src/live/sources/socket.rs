//! Raw samples over a connection.

use std::io::{self, ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use num_complex::Complex32;

use crate::convert::decode;
use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::stream_info::StreamInfo;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Sockets take no shorter wait for a timeout; none at all would be for ever.
pub(super) const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// Connects to an address such as `host:1234`.
pub(super) fn connect(address: &str, name: &Path) -> Result<TcpStream, Error> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in address.to_socket_addrs().map_err(Error::io(name, "find"))? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(Error::io(name, "connect to")(last))
}

/// Whether a read has only run into its timeout.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Bytes of a connection, converted to samples; a sample may arrive in pieces.
pub(super) struct SampleBytes {
    name: PathBuf,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of an incomplete sample at the front of the buffer.
    leftover: usize,
}

impl SampleBytes {
    pub(super) fn new(name: &Path, stream: TcpStream) -> Self {
        Self { name: name.into(), stream, buffer: Vec::new(), leftover: 0 }
    }

    pub(super) fn read(
        &mut self,
        info: &StreamInfo,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        let size = info.format.bytes_per_sample();
        self.buffer.resize((count * size).max(self.leftover + 1), 0);
        self.stream
            .set_read_timeout(Some(timeout.max(MIN_TIMEOUT)))
            .map_err(Error::io(&self.name, "set up"))?;
        let got = match self.stream.read(&mut self.buffer[self.leftover..]) {
            Ok(0) => return Ok(Reading::End),
            Ok(got) => got,
            Err(error) if is_timeout(&error) => return Ok(Reading::Nothing),
            Err(error) => return Err(Error::io(&self.name, "read")(error)),
        };
        let filled = self.leftover + got;
        samples.resize(filled / size, Complex32::ZERO);
        let used = size * decode(info.format, &self.buffer[..filled], samples);
        self.buffer.copy_within(used..filled, 0);
        self.leftover = filled - used;
        Ok(if samples.is_empty() { Reading::Nothing } else { Reading::Samples(Loss::None) })
    }
}

/// A client of a server that sends raw samples as soon as somebody connects.
pub struct RawTcp {
    info: StreamInfo,
    bytes: SampleBytes,
}

impl RawTcp {
    /// Connects to `host:port`; `info` says what the server sends.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody is there.
    pub fn connect(address: &str, info: StreamInfo) -> Result<Self, Error> {
        let name = PathBuf::from(format!("tcp://{address}"));
        let stream = connect(address, &name)?;
        Ok(Self { info, bytes: SampleBytes::new(&name, stream) })
    }
}

impl LiveSource for RawTcp {
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
