//! Samples from a ZeroMQ socket, as the blocks "ZMQ PUB Sink" and "ZMQ PUSH Sink" of GNU Radio send them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use num_complex::Complex32;

use super::socket::{MIN_TIMEOUT, connect, is_timeout};
use super::zmtp::{
    Command, Frames, GREETING_BYTES, check_greeting, greeting, pong, ready, subscription,
};
use crate::convert::decode;
use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::stream_info::StreamInfo;

/// What messages with tags begin with (GNU Radio, `gr-zeromq/lib/tag_headers.cc`).
const TAGS: [u8; 3] = [0xf0, 0x5f, 0x01];
/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// A receiver of what a ZeroMQ socket sends: whether it publishes or pushes, it says itself. Messages that
/// it drops are seen by the clock only.
pub struct Zmq {
    info: StreamInfo,
    stream: TcpStream,
    name: PathBuf,
    frames: Frames,
    chunk: Vec<u8>,
    /// Stored samples that were not handed out yet, the last one not whole.
    payload: Vec<u8>,
    /// Whether the beginning of the first message has been seen.
    has_begun: bool,
}

impl Zmq {
    /// Connects to `host:port`, where a socket is bound; its greeting may take `greeting_within`. `info`
    /// says what the messages hold.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody is there, [`Error::Refused`] if it is no socket that sends samples,
    /// [`Error::Radio`] if it does not answer in time.
    pub fn connect(
        address: &str,
        info: StreamInfo,
        greeting_within: Duration,
    ) -> Result<Self, Error> {
        let name = PathBuf::from(format!("zmq://{address}"));
        let stream = connect(address, &name)?;
        let mut zmq = Self {
            info,
            stream,
            name,
            frames: Frames::default(),
            chunk: vec![0; CHUNK],
            payload: Vec::new(),
            has_begun: false,
        };
        zmq.shake_hands(Instant::now() + greeting_within, greeting_within)?;
        Ok(zmq)
    }

    /// Both sides say who they are.
    fn shake_hands(&mut self, deadline: Instant, within: Duration) -> Result<(), Error> {
        self.set_timeout(within)?;
        self.send(&greeting())?;
        let mut theirs = [0; GREETING_BYTES];
        self.stream.read_exact(&mut theirs).map_err(|error| {
            if is_timeout(&error) {
                self.silent(within)
            } else {
                self.io("read the greeting of")(error)
            }
        })?;
        check_greeting(&theirs).map_err(|problem| self.refused(problem))?;
        while Instant::now() < deadline {
            for command in self.receive(deadline.saturating_duration_since(Instant::now()))? {
                if let Command::Ready { socket_type } = command {
                    return self.answer(&socket_type);
                }
            }
            if !self.payload.is_empty() {
                return Err(self.radio("it sends before it says what it is"));
            }
        }
        Err(self.silent(within))
    }

    fn answer(&mut self, socket_type: &str) -> Result<(), Error> {
        match socket_type {
            "PUB" | "XPUB" => {
                self.send(&ready("SUB"))?;
                self.send(&subscription())
            }
            "PUSH" => self.send(&ready("PULL")),
            other => Err(self.refused(format!(
                "this is a ZeroMQ socket of the kind {other:?}, which sends nothing unasked; use a PUB or \
                 PUSH sink"
            ))),
        }
    }

    /// Takes in what has come, and returns the commands that concern the handshake.
    fn receive(&mut self, timeout: Duration) -> Result<Vec<Command>, Error> {
        self.set_timeout(timeout)?;
        let got = match self.stream.read(&mut self.chunk) {
            Ok(0) => return Err(self.radio("the socket was closed")),
            Ok(got) => got,
            Err(error) if is_timeout(&error) => return Ok(Vec::new()),
            Err(error) => return Err(self.io("read")(error)),
        };
        let taken = self.frames.take(&self.chunk[..got], &mut self.payload);
        let commands = taken.map_err(|problem| self.radio(&problem))?;
        for command in &commands {
            match command {
                Command::Ping { context } => self.send(&pong(context))?,
                Command::Error { reason } => {
                    return Err(self.refused(format!("it refuses: {reason}")));
                }
                Command::Ready { .. } | Command::Other => {}
            }
        }
        Ok(commands)
    }

    /// Looks at the beginning of the first message.
    fn check_first_message(&mut self) -> Result<(), Error> {
        if self.has_begun || self.payload.len() < TAGS.len() {
            return Ok(());
        }
        self.has_begun = true;
        if self.payload.starts_with(&TAGS) {
            let problem =
                "the messages hold tags beside samples; switch off \"Pass Tags\" of the sink";
            return Err(self.refused(problem.to_owned()));
        }
        Ok(())
    }

    fn set_timeout(&self, timeout: Duration) -> Result<(), Error> {
        let result = self.stream.set_read_timeout(Some(timeout.max(MIN_TIMEOUT)));
        result.map_err(self.io("set up"))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).map_err(Error::io(&self.name, "write to"))
    }

    fn io(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        Error::io(&self.name, action)
    }

    fn radio(&self, problem: &str) -> Error {
        Error::radio(name(&self.name), problem)
    }

    fn refused(&self, problem: String) -> Error {
        Error::refused(name(&self.name), problem)
    }

    fn silent(&self, within: Duration) -> Error {
        let problem =
            format!("no answer within {} s: is this a ZeroMQ socket?", within.as_secs_f64());
        self.radio(&problem)
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

impl LiveSource for Zmq {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        let size = self.info.format.bytes_per_sample();
        if self.payload.len() < size {
            self.receive(timeout)?;
        }
        self.check_first_message()?;
        samples.resize(count.min(self.payload.len() / size), Complex32::ZERO);
        let used = size * decode(self.info.format, &self.payload, samples);
        self.payload.drain(..used);
        Ok(if samples.is_empty() { Reading::Nothing } else { Reading::Samples(Loss::None) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::format::SampleFormat;

    const SECOND: Duration = Duration::from_secs(1);

    /// Talks to a server that sends these bytes at once; returns what was read, or said, and what the server
    /// was sent.
    fn talk(bytes: Vec<u8>) -> (Result<Vec<Complex32>, Error>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&bytes).unwrap();
            let mut sent = Vec::new();
            drop(stream.read_to_end(&mut sent));
            sent
        });
        let info = StreamInfo::new(250e3, SampleFormat::Cf32Le);
        let read = Zmq::connect(&address, info, SECOND / 5).and_then(|mut zmq| {
            let (mut all, mut samples) = (Vec::new(), Vec::new());
            while zmq.read(&mut samples, 1, SECOND / 5)? != Reading::Nothing {
                all.append(&mut samples);
            }
            Ok(all)
        });
        (read, server.join().unwrap())
    }

    fn message(samples: &[Complex32]) -> Vec<u8> {
        let mut body = Vec::new();
        crate::convert::encode(SampleFormat::Cf32Le, samples, &mut body);
        [&[0, body.len() as u8], body.as_slice()].concat()
    }

    #[test]
    fn what_is_published_or_pushed_is_read() {
        let expected: Vec<_> = (0..6_u8).map(|n| Complex32::new(n.into(), 0.5)).collect();
        for (theirs, ours, more) in [("PUB", "SUB", &subscription()[..]), ("PUSH", "PULL", &[])] {
            let messages: Vec<u8> = expected.chunks(2).flat_map(message).collect();
            let (read, sent) = talk([&greeting()[..], &ready(theirs), &messages].concat());
            assert_eq!(read.unwrap(), expected);
            assert_eq!(sent, [&greeting()[..], &ready(ours), more].concat());
        }
    }

    #[test]
    fn what_can_never_work_is_refused() {
        let said = |bytes: &[&[u8]]| {
            let error = talk(bytes.concat()).0.unwrap_err();
            (matches!(error, Error::Refused { .. }), error.nameless())
        };
        let (is_refused, text) = said(&[&[b'H'; 64]]);
        assert!(is_refused && text.contains("no ZeroMQ socket"), "{text}");
        let (is_refused, text) = said(&[&greeting(), &ready("REP")]);
        assert!(is_refused && text.contains("of the kind \"REP\""), "{text}");
        let tagged = [&TAGS[..], &[0; 16]].concat();
        let tagged = [&[0, tagged.len() as u8], tagged.as_slice()].concat();
        let (is_refused, text) = said(&[&greeting(), &ready("PUB"), &tagged]);
        assert!(is_refused && text.contains("Pass Tags"), "{text}");
        // A server that says nothing may have another one before it.
        let (is_refused, text) = said(&[]);
        assert!(!is_refused && text.contains("no answer within 0.2 s"), "{text}");
    }
}
