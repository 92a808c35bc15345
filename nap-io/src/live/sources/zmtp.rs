//! ZMTP 3.0, the protocol of ZeroMQ sockets (<https://rfc.zeromq.org/spec/23/>), as far as a receiver of
//! samples needs it. Messages are not held: what has come of one is handed on at once, so that a length in
//! a message takes no memory. The libraries for Rust hold whole messages, and need an asynchronous runtime.

/// What both sides send first.
pub(super) const GREETING_BYTES: usize = 64;
const SIGNATURE_START: u8 = 0xff;
const SIGNATURE_END: u8 = 0x7f;
const VERSION: u8 = 3;
const NULL_MECHANISM: &[u8] = b"NULL";
/// Bits of the flags before each frame.
const HAS_MORE: u8 = 1;
const IS_LONG: u8 = 2;
const IS_COMMAND: u8 = 4;
/// Commands to a receiver are some words.
const MAX_COMMAND: u64 = 4096;

/// What this side sends first: a client without a password.
pub(super) fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    (bytes[0], bytes[9], bytes[10]) = (SIGNATURE_START, SIGNATURE_END, VERSION);
    bytes[12..16].copy_from_slice(NULL_MECHANISM);
    bytes
}

/// Looks at what the other side has sent first, and says what is wrong with it.
pub(super) fn check_greeting(bytes: &[u8; GREETING_BYTES]) -> Result<(), String> {
    if bytes[0] != SIGNATURE_START || bytes[9] != SIGNATURE_END {
        let found = &bytes[..4];
        return Err(format!("this is no ZeroMQ socket: it starts with {found:02x?}"));
    }
    if bytes[10] < VERSION {
        return Err(format!("it speaks ZMTP {}, of ZeroMQ before 4.0; use a newer one", bytes[10]));
    }
    let mechanism = bytes[12..32].split(|&byte| byte == 0).next().unwrap_or_default();
    if mechanism != NULL_MECHANISM {
        let name = String::from_utf8_lossy(mechanism);
        return Err(format!("it asks for {name:?} keys or passwords; switch that off"));
    }
    Ok(())
}

/// The command with which this side says what kind of socket it is.
pub(super) fn ready(socket_type: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend((socket_type.len() as u32).to_be_bytes());
    body.extend(socket_type.as_bytes());
    command(&body)
}

/// The message with which a subscriber asks for everything.
pub(super) fn subscription() -> [u8; 3] {
    [0, 1, 1]
}

/// The answer to a PING, with its context.
pub(super) fn pong(context: &[u8]) -> Vec<u8> {
    command(&[b"\x04PONG", context].concat())
}

/// A command of less than 256 bytes.
fn command(body: &[u8]) -> Vec<u8> {
    [&[IS_COMMAND, body.len() as u8], body].concat()
}

/// What the other side has to say beside messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// What kind of socket it is.
    Ready { socket_type: String },
    /// Why it will not talk.
    Error { reason: String },
    /// It wants to know whether somebody is there.
    Ping { context: Vec<u8> },
    /// Nothing that concerns a receiver.
    Other,
}

impl Command {
    fn parse(body: &[u8]) -> Self {
        let Some((name, rest)) = short_text(body) else { return Self::Other };
        match name {
            b"READY" => Self::Ready { socket_type: socket_type(rest).unwrap_or_default() },
            b"ERROR" => {
                let reason = short_text(rest).map_or(rest, |(reason, _)| reason);
                Self::Error { reason: String::from_utf8_lossy(reason).into_owned() }
            }
            // Two bytes say how long to wait for the answer.
            b"PING" => Self::Ping { context: rest.iter().skip(2).take(16).copied().collect() },
            _ => Self::Other,
        }
    }
}

/// A text with its length before it, in a byte, and what follows.
fn short_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(length.into())
}

/// The value of the property that says what kind of socket it is.
fn socket_type(mut properties: &[u8]) -> Option<String> {
    loop {
        let (name, rest) = short_text(properties)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        properties = rest;
    }
}

/// Takes frames apart as their bytes come.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// What has come of flags and length.
    head: Vec<u8>,
    /// The frame that is being read.
    frame: Option<Frame>,
    command: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    left: u64,
    is_command: bool,
    /// Parts of a message before the last one are keys and the like.
    has_more: bool,
}

impl Frames {
    /// Takes in bytes of the connection: appends what they hold of messages, of their last parts, to
    /// `payload` and returns the commands that are complete.
    ///
    /// # Errors
    /// What breaks the protocol.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        payload: &mut Vec<u8>,
    ) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        while !bytes.is_empty() || self.frame.is_some_and(|frame| frame.left == 0) {
            let Some(frame) = &mut self.frame else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                self.begin()?;
                continue;
            };
            let count =
                usize::try_from(frame.left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let (now, rest) = bytes.split_at(count);
            bytes = rest;
            frame.left -= count as u64;
            if frame.is_command {
                self.command.extend_from_slice(now);
            } else if !frame.has_more {
                payload.extend_from_slice(now);
            }
            if frame.left == 0 {
                if frame.is_command {
                    commands.push(Command::parse(&self.command));
                    self.command.clear();
                }
                self.frame = None;
            }
        }
        Ok(commands)
    }

    /// Begins a frame if flags and length are there.
    fn begin(&mut self) -> Result<(), String> {
        let flags = self.head[0];
        if flags & !(HAS_MORE | IS_LONG | IS_COMMAND) != 0 {
            return Err(format!("a frame begins with {flags:#04x}, which no ZeroMQ socket sends"));
        }
        let left = match *self.head.as_slice() {
            [_, length] if flags & IS_LONG == 0 => u64::from(length),
            [_, a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => return Ok(()),
        };
        self.head.clear();
        let is_command = flags & IS_COMMAND != 0;
        if is_command && left > MAX_COMMAND {
            return Err(format!("a command of {left} bytes, which no ZeroMQ socket sends"));
        }
        self.frame = Some(Frame { left, is_command, has_more: flags & HAS_MORE != 0 });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(flags: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![flags | IS_LONG];
        bytes.extend((body.len() as u64).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn the_own_greeting_is_one() {
        assert_eq!(check_greeting(&greeting()), Ok(()));
        let with = |place: usize, byte: u8| {
            let mut bytes = greeting();
            bytes[place] = byte;
            check_greeting(&bytes).unwrap_err()
        };
        assert!(with(0, b'H').contains("no ZeroMQ socket"));
        assert!(with(10, 2).contains("ZMTP 2"));
        assert!(with(12, b'P').contains("\"PULL\" keys"));
    }

    #[test]
    fn commands_are_understood() {
        let mut frames = Frames::default();
        let mut payload = Vec::new();
        let mut bytes = ready("PUB");
        bytes.extend(message(0, b"samples"));
        bytes.extend(command(b"\x04PING\0\x10context"));
        bytes.extend(command(b"\x05ERROR\x02no"));
        let expected = [
            Command::Ready { socket_type: "PUB".into() },
            Command::Ping { context: b"context".into() },
            Command::Error { reason: "no".into() },
        ];
        assert_eq!(frames.take(&bytes, &mut payload).unwrap(), expected);
        assert_eq!(payload, b"samples");
        assert_eq!(pong(b"context"), b"\x04\x0c\x04PONGcontext");
    }

    #[test]
    fn keys_before_samples_are_left_out_and_lengths_take_no_memory() {
        let mut frames = Frames::default();
        let mut payload = Vec::new();
        let bytes = [message(HAS_MORE, b"key"), message(0, b"samples")].concat();
        assert_eq!(frames.take(&bytes, &mut payload), Ok(vec![]));
        assert_eq!(payload, b"samples");
        let longest = [&[IS_LONG][..], &u64::MAX.to_be_bytes(), b"x"].concat();
        assert_eq!(frames.take(&longest, &mut payload), Ok(vec![]));
        assert_eq!(payload, b"samplesx");
        let mut frames = Frames::default();
        let command = [&[IS_LONG | IS_COMMAND][..], &u64::MAX.to_be_bytes()].concat();
        assert!(frames.take(&command, &mut payload).is_err());
        assert!(Frames::default().take(b"HTTP/1.1", &mut payload).is_err());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_come(
            bodies in prop::collection::vec((0_u8..2, prop::collection::vec(any::<u8>(), 0..300)), 1..8),
            sizes in prop::collection::vec(1_usize..50, 1..5),
        ) {
            let mut stream = Vec::new();
            let mut expected = Vec::new();
            for (has_more, body) in &bodies {
                stream.extend(message(*has_more, body));
                stream.extend(command(b"\x04PING\0\0"));
                if *has_more == 0 {
                    expected.extend(body);
                }
            }
            let (mut frames, mut payload, mut pings) = (Frames::default(), Vec::new(), 0);
            let (mut rest, mut turn) = (stream.as_slice(), 0);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
                pings += frames.take(now, &mut payload).unwrap().len();
                (rest, turn) = (later, turn + 1);
            }
            prop_assert_eq!((payload, pings), (expected, bodies.len()));
        }

        #[test]
        fn whatever_comes_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut payload = Vec::new();
            drop(Frames::default().take(&bytes, &mut payload));
            prop_assert!(payload.len() <= bytes.len());
            Command::parse(&bytes);
        }
    }
}
