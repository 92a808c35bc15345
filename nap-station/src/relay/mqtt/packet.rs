//! The packets of MQTT 3.1.1 and 5 that a relay needs, as bytes.
//!
//! A client that only publishes with QoS 1 and reads one topic needs nine of the fifteen packets. The lists of
//! properties of MQTT 5 are read over but for what a relay goes by.

use crate::relay::options::MqttVersion;

/// Larger packets than this are not taken from a broker.
pub const MAX_BYTES: usize = 1 << 20;

/// What is written on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The topic.
    pub topic: String,
    /// The content.
    pub payload: Vec<u8>,
    /// The broker keeps it for those who come later.
    pub is_retained: bool,
}

/// A packet to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// Opens a connection.
    Connect(Connect<'a>),
    /// Publishes with QoS 1.
    Publish {
        /// What.
        publish: &'a Publish,
        /// The packet's ID.
        packet: u16,
    },
    /// Asks for a topic, with QoS 1.
    Subscribe {
        /// The topic.
        topic: &'a str,
        /// The packet's ID.
        packet: u16,
    },
    /// Acknowledges what was published with QoS 1.
    PublishAck {
        /// The packet's ID.
        packet: u16,
    },
    /// Are you there?
    Ping,
    /// Takes leave; the broker forgets the will.
    Disconnect,
}

/// What opens a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The client's ID.
    pub client: &'a str,
    /// Without any packet for one and a half times as long, the broker thinks that the client has gone.
    pub keep_alive_s: u16,
    /// The user.
    pub user: Option<&'a str>,
    /// The user's password.
    pub password: Option<&'a [u8]>,
    /// What the broker publishes when the client has gone.
    pub will: Option<&'a Publish>,
    /// The broker keeps the session for the client's next connection.
    pub is_lasting: bool,
}

/// A packet from a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To a connection.
    Connected(Connected),
    /// To something published; a code of 128 and more says that it was not taken.
    PublishAck {
        /// The packet's ID.
        packet: u16,
        /// The reason code.
        code: u8,
    },
    /// To a subscription; a code of 128 and more says that it was not granted.
    SubscribeAck {
        /// The packet's ID.
        packet: u16,
        /// The reason code.
        code: u8,
    },
    /// Something was published on a topic that was asked for.
    Published {
        /// What.
        publish: Publish,
        /// The packet's ID, if it wants to be acknowledged.
        packet: Option<u16>,
    },
    /// Yes.
    Pong,
    /// The broker ends the connection.
    Disconnected {
        /// The reason code.
        code: u8,
    },
}

/// A broker's answer to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// 0, or why there is no connection.
    pub code: u8,
    /// So many packets may be unacknowledged.
    pub receive_maximum: u16,
    /// Larger packets are not taken.
    pub maximum_packet_bytes: Option<u32>,
    /// The broker's wish, in place of the client's.
    pub keep_alive_s: Option<u16>,
}

/// Bytes that are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not MQTT: {0}")]
pub struct BadPacket(&'static str);

impl Request<'_> {
    /// Appends the packet's bytes.
    pub fn write(&self, version: MqttVersion, to: &mut Vec<u8>) {
        let is_v5 = version == MqttVersion::V5;
        let mut body = Vec::new();
        let first = match self {
            Self::Connect(connect) => {
                connect.write(version, &mut body);
                0x10
            }
            Self::Publish { publish, packet } => {
                write_text(publish.topic.as_bytes(), &mut body);
                body.extend(packet.to_be_bytes());
                write_no_properties(is_v5, &mut body);
                body.extend(&publish.payload);
                0x32 | u8::from(publish.is_retained)
            }
            Self::Subscribe { topic, packet } => {
                body.extend(packet.to_be_bytes());
                write_no_properties(is_v5, &mut body);
                write_text(topic.as_bytes(), &mut body);
                body.push(1);
                0x82
            }
            Self::PublishAck { packet } => {
                body.extend(packet.to_be_bytes());
                0x40
            }
            Self::Ping => 0xC0,
            Self::Disconnect => 0xE0,
        };
        to.push(first);
        write_length(body.len(), to);
        to.extend(body);
    }
}

impl Connect<'_> {
    fn write(&self, version: MqttVersion, to: &mut Vec<u8>) {
        let is_v5 = version == MqttVersion::V5;
        write_text(b"MQTT", to);
        to.push(if is_v5 { 5 } else { 4 });
        to.push(self.flags());
        to.extend(self.keep_alive_s.to_be_bytes());
        if is_v5 && self.is_lasting {
            // One property: the session never expires.
            to.extend([5, 0x11, 0xFF, 0xFF, 0xFF, 0xFF]);
        } else {
            write_no_properties(is_v5, to);
        }
        write_text(self.client.as_bytes(), to);
        if let Some(will) = self.will {
            write_no_properties(is_v5, to);
            write_text(will.topic.as_bytes(), to);
            write_text(&will.payload, to);
        }
        for text in [self.user.map(str::as_bytes), self.password].into_iter().flatten() {
            write_text(text, to);
        }
    }

    fn flags(&self) -> u8 {
        let clean = u8::from(!self.is_lasting) << 1;
        // A will has QoS 1.
        let will = self.will.map_or(0, |will| 0x04 | 0x08 | u8::from(will.is_retained) << 5);
        let user = u8::from(self.user.is_some()) << 7 | u8::from(self.password.is_some()) << 6;
        clean | will | user
    }
}

fn write_no_properties(is_v5: bool, to: &mut Vec<u8>) {
    if is_v5 {
        to.push(0);
    }
}

/// Texts longer than 65 535 bytes do not exist in MQTT; what makes topics and wills keeps far below.
fn write_text(text: &[u8], to: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    to.extend(length.to_be_bytes());
    to.extend(&text[..length.into()]);
}

fn write_length(mut length: usize, to: &mut Vec<u8>) {
    while length >= 0x80 {
        to.push(0x80 | (length & 0x7F) as u8);
        length >>= 7;
    }
    to.push(length as u8);
}

/// Takes the first packet off received bytes; `None` while it is not complete.
///
/// # Errors
/// If the bytes are no packet that a broker may send.
pub fn read(buffer: &mut Vec<u8>, version: MqttVersion) -> Result<Option<Answer>, BadPacket> {
    let mut head = Reader(buffer);
    let (Ok(first), Some(length)) = (head.byte(), head.length()?) else {
        return Ok(None);
    };
    if length > MAX_BYTES {
        return Err(BadPacket("a packet of more than a megabyte"));
    }
    let start = buffer.len() - head.0.len();
    let Some(body) = buffer.get(start..start + length) else {
        return Ok(None);
    };
    let answer = Reader(body).answer(first, version)?;
    buffer.drain(..start + length);
    Ok(Some(answer))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn answer(&mut self, first: u8, version: MqttVersion) -> Result<Answer, BadPacket> {
        let is_v5 = version == MqttVersion::V5;
        Ok(match first >> 4 {
            2 => Answer::Connected(self.connected(is_v5)?),
            3 => self.published(first, is_v5)?,
            4 => Answer::PublishAck { packet: self.short()?, code: self.byte().unwrap_or(0) },
            9 => {
                let packet = self.short()?;
                self.skip_properties(is_v5)?;
                Answer::SubscribeAck { packet, code: self.byte()? }
            }
            13 => Answer::Pong,
            14 => Answer::Disconnected { code: self.byte().unwrap_or(0) },
            _ => return Err(BadPacket("a packet that a broker does not send to this client")),
        })
    }

    fn connected(&mut self, is_v5: bool) -> Result<Connected, BadPacket> {
        let _session_present = self.byte()?;
        let code = self.byte()?;
        let mut connected = Connected {
            code,
            receive_maximum: u16::MAX,
            maximum_packet_bytes: None,
            keep_alive_s: None,
        };
        // A broker of another version answers in its own words, without properties.
        if is_v5 && !self.0.is_empty() {
            let mut properties = self.properties()?;
            while let Some((property, value)) = properties.property()? {
                match property {
                    0x13 => connected.keep_alive_s = Some(value as u16),
                    0x21 => connected.receive_maximum = value as u16,
                    0x27 => connected.maximum_packet_bytes = Some(value),
                    _ => {}
                }
            }
        }
        Ok(connected)
    }

    fn published(&mut self, first: u8, is_v5: bool) -> Result<Answer, BadPacket> {
        let topic = std::str::from_utf8(self.text()?)
            .map_err(|_| BadPacket("a topic that is not UTF-8"))?;
        let packet = match first >> 1 & 3 {
            0 => None,
            1 => Some(self.short()?),
            _ => return Err(BadPacket("a message of a QoS that was not asked for")),
        };
        self.skip_properties(is_v5)?;
        let publish =
            Publish { topic: topic.into(), payload: self.0.to_vec(), is_retained: first & 1 == 1 };
        Ok(Answer::Published { publish, packet })
    }

    fn skip_properties(&mut self, is_v5: bool) -> Result<(), BadPacket> {
        if is_v5 {
            self.properties()?;
        }
        Ok(())
    }

    fn properties(&mut self) -> Result<Reader<'a>, BadPacket> {
        let length = self.length()?.ok_or(BadPacket("properties without a length"))?;
        self.bytes(length).map(Reader)
    }

    /// The next property and its value, if that is a number.
    fn property(&mut self) -> Result<Option<(u8, u32)>, BadPacket> {
        let Ok(property) = self.byte() else { return Ok(None) };
        let value = match property {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2A => self.byte()?.into(),
            0x13 | 0x21 | 0x22 | 0x23 => self.short()?.into(),
            0x02 | 0x11 | 0x18 | 0x27 => {
                let bytes = self.bytes(4)?;
                bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
            }
            0x26 => {
                self.text()?;
                self.text().map(|_| 0)?
            }
            0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => {
                self.text().map(|_| 0)?
            }
            _ => return Err(BadPacket("a property that does not exist")),
        };
        Ok(Some((property, value)))
    }

    fn byte(&mut self) -> Result<u8, BadPacket> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn short(&mut self) -> Result<u16, BadPacket> {
        self.bytes(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn text(&mut self) -> Result<&'a [u8], BadPacket> {
        let length = self.short()?;
        self.bytes(length.into())
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], BadPacket> {
        let (bytes, rest) =
            self.0.split_at_checked(count).ok_or(BadPacket("a packet ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A number of one to four bytes; `None` while it is not complete.
    fn length(&mut self) -> Result<Option<usize>, BadPacket> {
        let mut length = 0;
        for place in 0..4 {
            let Ok(byte) = self.byte() else { return Ok(None) };
            length |= usize::from(byte & 0x7F) << (7 * place);
            if byte < 0x80 {
                return Ok(Some(length));
            }
        }
        Err(BadPacket("a length of more than four bytes"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(request: &Request<'_>, version: MqttVersion) -> Vec<u8> {
        let mut bytes = Vec::new();
        request.write(version, &mut bytes);
        bytes
    }

    fn publish() -> Publish {
        Publish { topic: "a/b".into(), payload: b"hi".to_vec(), is_retained: true }
    }

    /// Bytes laid out by hand from the standards' tables.
    #[test]
    fn packets_are_as_in_the_standards() {
        let publish = publish();
        let connect = Connect {
            client: "c",
            keep_alive_s: 30,
            user: Some("u"),
            password: Some(b"p"),
            will: Some(&publish),
            is_lasting: true,
        };
        // Somebody who only looks in: a clean start, and no will.
        let visit =
            Connect { will: None, is_lasting: false, user: None, password: None, ..connect };
        let visit = Request::Connect(visit);
        assert_eq!(written(&visit, MqttVersion::V3), b"\x10\x0d\0\x04MQTT\x04\x02\0\x1e\0\x01c");
        assert_eq!(written(&visit, MqttVersion::V5), b"\x10\x0e\0\x04MQTT\x05\x02\0\x1e\0\0\x01c");
        let connect = Request::Connect(connect);
        assert_eq!(
            written(&connect, MqttVersion::V3),
            b"\x10\x1c\0\x04MQTT\x04\xec\0\x1e\0\x01c\0\x03a/b\0\x02hi\0\x01u\0\x01p"
        );
        assert_eq!(
            written(&connect, MqttVersion::V5),
            b"\x10\x23\0\x04MQTT\x05\xec\0\x1e\x05\x11\xff\xff\xff\xff\0\x01c\0\0\x03a/b\0\x02hi\0\x01u\0\x01p"
        );
        let publish = Request::Publish { publish: &publish, packet: 7 };
        assert_eq!(written(&publish, MqttVersion::V3), b"\x33\x09\0\x03a/b\0\x07hi");
        assert_eq!(written(&publish, MqttVersion::V5), b"\x33\x0a\0\x03a/b\0\x07\0hi");
        let subscribe = Request::Subscribe { topic: "a", packet: 8 };
        assert_eq!(written(&subscribe, MqttVersion::V3), b"\x82\x06\0\x08\0\x01a\x01");
        assert_eq!(written(&subscribe, MqttVersion::V5), b"\x82\x07\0\x08\0\0\x01a\x01");
        assert_eq!(written(&Request::PublishAck { packet: 9 }, MqttVersion::V5), b"\x40\x02\0\x09");
        assert_eq!(written(&Request::Ping, MqttVersion::V5), b"\xc0\0");
        assert_eq!(written(&Request::Disconnect, MqttVersion::V3), b"\xe0\0");
    }

    #[test]
    fn answers_are_read_one_after_the_other() {
        let mut buffer = b"\x20\x0b\0\0\x08\x21\0\x0a\x27\0\0\x10\0\x40\x02\0\x07\x40\x03\0\x08\x87\x90\x04\0\x09\0\x01".to_vec();
        buffer.extend(b"\x32\x09\0\x01t\0\x05\0abc\xd0\0\xe0\x01\x8e\x40");
        let mut next = || read(&mut buffer, MqttVersion::V5).unwrap();
        let connected = Connected {
            code: 0,
            receive_maximum: 10,
            maximum_packet_bytes: Some(4096),
            keep_alive_s: None,
        };
        assert_eq!(next(), Some(Answer::Connected(connected)));
        assert_eq!(next(), Some(Answer::PublishAck { packet: 7, code: 0 }));
        assert_eq!(next(), Some(Answer::PublishAck { packet: 8, code: 0x87 }));
        assert_eq!(next(), Some(Answer::SubscribeAck { packet: 9, code: 1 }));
        let publish = Publish { topic: "t".into(), payload: b"abc".to_vec(), is_retained: false };
        assert_eq!(next(), Some(Answer::Published { publish, packet: Some(5) }));
        assert_eq!(next(), Some(Answer::Pong));
        assert_eq!(next(), Some(Answer::Disconnected { code: 0x8E }));
        assert_eq!(next(), None);
        assert_eq!(buffer, b"\x40");
    }

    #[test]
    fn a_packet_has_as_many_bytes_as_it_says() {
        for length in [0, 127, 128, 16_383, 16_384, 200_000] {
            let publish =
                Publish { topic: String::new(), payload: vec![7; length], is_retained: false };
            let mut bytes =
                written(&Request::Publish { publish: &publish, packet: 1 }, MqttVersion::V3);
            let last = bytes.pop().unwrap();
            assert_eq!(read(&mut bytes, MqttVersion::V3), Ok(None), "{length}");
            bytes.push(last);
            let answer = read(&mut bytes, MqttVersion::V3);
            assert_eq!(
                answer,
                Ok(Some(Answer::Published { publish, packet: Some(1) })),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, is_v5: bool) {
            let version = if is_v5 { MqttVersion::V5 } else { MqttVersion::V3 };
            let mut buffer = bytes;
            while let Ok(Some(_)) = read(&mut buffer, version) {}
        }
    }
}
