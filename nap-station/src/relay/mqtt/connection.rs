//! One connection to a broker.
//!
//! All waiting happens in [`Connection::turn`], which may be dropped at any time: what was read stays in one buffer,
//! what is to be written in another.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::relay::carrier::Fault;
use crate::relay::mqtt::address::Address;
use crate::relay::mqtt::packet::{self, Answer, Connect, Connected, Publish, Request};
use crate::relay::options::MqttVersion;

/// A broker that does not answer for so long is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerTimeout(pub Duration);

/// There is room for so much more at each read.
const READ_BYTES: usize = 4096;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection to a broker.
pub struct Connection {
    version: MqttVersion,
    answer_timeout: AnswerTimeout,
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    received: Vec<u8>,
    to_send: Vec<u8>,
    is_flushed: bool,
    keep_alive: Duration,
    last_sent: Instant,
    pinged: Option<Instant>,
    packet: u16,
    limits: Connected,
}

impl Connection {
    /// Connects, with TLS where the address says so, and opens the session.
    ///
    /// # Errors
    /// If any of it fails or takes too long.
    pub async fn open(
        address: &Address,
        connect: &Connect<'_>,
        version: MqttVersion,
        answer_timeout: AnswerTimeout,
    ) -> Result<Self, Fault> {
        let opened = timeout(
            answer_timeout.0,
            Self::open_patiently(address, connect, version, answer_timeout),
        )
        .await;
        opened.unwrap_or_else(|_| Err(answer_timeout.fault("a connection")))
    }

    async fn open_patiently(
        address: &Address,
        connect: &Connect<'_>,
        version: MqttVersion,
        answer_timeout: AnswerTimeout,
    ) -> Result<Self, Fault> {
        let at =
            |error| Fault::new(format!("{}:{}: {}", address.host, address.port, reason(&error)));
        let stream = stream(address).await.map_err(at)?;
        let (reader, writer) = split(stream);
        let limits = Connected {
            code: 0,
            receive_maximum: 1,
            maximum_packet_bytes: None,
            keep_alive_s: None,
        };
        let mut connection = Self {
            version,
            answer_timeout,
            reader,
            writer,
            received: Vec::new(),
            to_send: Vec::new(),
            is_flushed: true,
            keep_alive: Duration::from_secs(connect.keep_alive_s.into()),
            last_sent: Instant::now(),
            pinged: None,
            packet: 0,
            limits,
        };
        connection.send(&Request::Connect(connect.clone()));
        match connection.turn().await? {
            Answer::Connected(connected) if connected.code == 0 => {
                connection.follow(connected);
                Ok(connection)
            }
            Answer::Connected(connected) => Err(refused(connected.code)),
            _ => Err(Fault::new("the broker does not begin with an answer to the connection")),
        }
    }

    fn follow(&mut self, limits: Connected) {
        self.limits = limits;
        if let Some(seconds) = limits.keep_alive_s {
            self.keep_alive = Duration::from_secs(seconds.into());
        }
    }

    /// So many packets may be unacknowledged.
    #[must_use]
    pub fn receive_maximum(&self) -> u16 {
        self.limits.receive_maximum.max(1)
    }

    /// Puts something to be published in line; the packet's ID comes back, `None` if it is too large for the broker.
    pub fn publish(&mut self, publish: &Publish) -> Option<u16> {
        let bytes = publish.topic.len() + publish.payload.len() + 16;
        let most = self.limits.maximum_packet_bytes.map_or(usize::MAX, |most| most as usize);
        if bytes > most {
            return None;
        }
        let packet = self.next_packet();
        self.send(&Request::Publish { publish, packet });
        Some(packet)
    }

    /// Asks for a topic; the packet's ID comes back.
    pub fn subscribe(&mut self, topic: &str) -> u16 {
        let packet = self.next_packet();
        self.send(&Request::Subscribe { topic, packet });
        packet
    }

    /// Acknowledges something that was published.
    pub fn acknowledge(&mut self, packet: u16) {
        self.send(&Request::PublishAck { packet });
    }

    /// Takes leave.
    pub async fn disconnect(&mut self) {
        self.send(&Request::Disconnect);
        let leave = async {
            self.writer.write_all(&self.to_send).await?;
            self.writer.shutdown().await
        };
        // Whoever does not hear the farewell sees the connection end.
        let _ = timeout(self.answer_timeout.0, leave).await;
    }

    /// The broker's next packet. Writes what is to be written and keeps the connection alive meanwhile.
    ///
    /// # Errors
    /// If the connection has ended, or the broker does not answer.
    pub async fn turn(&mut self) -> Result<Answer, Fault> {
        loop {
            let answer = packet::read(&mut self.received, self.version);
            match answer.map_err(|error| Fault::new(error.to_string()))? {
                Some(Answer::Pong) => self.pinged = None,
                Some(Answer::Disconnected { code }) => return Err(disconnected(code)),
                Some(answer) => return Ok(answer),
                None => self.exchange().await?,
            }
        }
    }

    async fn exchange(&mut self) -> Result<(), Fault> {
        let wake = self.wake();
        let has_to_write = !self.to_send.is_empty() || !self.is_flushed;
        self.received.reserve(READ_BYTES);
        tokio::select! {
            read = self.reader.read_buf(&mut self.received) => match read {
                Ok(0) => Err(Fault::new("the broker has closed the connection")),
                Ok(_) => Ok(()),
                Err(error) => Err(Fault::new(reason(&error))),
            },
            written = write(&mut self.writer, &mut self.to_send, &mut self.is_flushed), if has_to_write => {
                self.last_sent = Instant::now();
                written.map_err(|error| Fault::new(reason(&error)))
            }
            () = sleep_until(wake) => self.keep_alive(),
        }
    }

    fn wake(&self) -> Instant {
        match self.pinged {
            Some(pinged) => pinged + self.answer_timeout.0,
            None if self.keep_alive.is_zero() => Instant::now() + Duration::from_secs(3600),
            None => self.last_sent + self.keep_alive,
        }
    }

    fn keep_alive(&mut self) -> Result<(), Fault> {
        if self.pinged.is_some() {
            return Err(self.answer_timeout.fault("a ping"));
        }
        if !self.keep_alive.is_zero() {
            self.pinged = Some(Instant::now());
            self.send(&Request::Ping);
        }
        Ok(())
    }

    fn send(&mut self, request: &Request<'_>) {
        request.write(self.version, &mut self.to_send);
        self.last_sent = Instant::now();
    }

    fn next_packet(&mut self) -> u16 {
        self.packet = self.packet.checked_add(1).unwrap_or(1);
        self.packet
    }
}

impl AnswerTimeout {
    /// It has come to an end.
    #[must_use]
    pub fn fault(self, asked: &str) -> Fault {
        Fault::new(format!("the broker does not answer {asked} within {} s", self.0.as_secs_f64()))
    }
}

/// Writes a part of what is to be written, or flushes what was.
async fn write(
    writer: &mut WriteHalf<Box<dyn Stream>>,
    to_send: &mut Vec<u8>,
    is_flushed: &mut bool,
) -> io::Result<()> {
    if to_send.is_empty() {
        writer.flush().await?;
        *is_flushed = true;
    } else {
        let written = writer.write(to_send).await?;
        to_send.drain(..written);
        *is_flushed = false;
    }
    Ok(())
}

async fn stream(address: &Address) -> io::Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = &address.tls else {
        return Ok(Box::new(tcp));
    };
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(tls.clone()).connect(name, tcp).await?))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => "the broker has reset the connection".into(),
        io::ErrorKind::UnexpectedEof => "the broker has closed the connection".into(),
        _ => error.to_string(),
    }
}

/// Reason codes of MQTT 5, and the six of MQTT 3.1.1.
fn refused(code: u8) -> Fault {
    let reason = match code {
        1 | 0x84 => "it does not speak this version of MQTT; try version = 3",
        2 | 0x85 => "it does not take the client's ID",
        3 | 0x88 => "it is unavailable",
        4 | 0x86 => "user or password is wrong",
        5 | 0x87 => "not authorized",
        0x89 => "it is busy",
        0x8A => "it has banned this client",
        0x9F => "too many connections",
        _ => "no reason that is known",
    };
    Fault::new(format!("the broker refuses the connection: {reason} (code {code})"))
}

fn disconnected(code: u8) -> Fault {
    let reason = match code {
        0x8B => "it shuts down",
        0x8D => "it has heard nothing for too long",
        0x8E => {
            "another client has connected with the same client ID: do two stations share an identity?"
        }
        0x97 => "a quota is exceeded",
        _ => "no reason that is known",
    };
    Fault::new(format!("the broker ends the connection: {reason} (code {code})"))
}
