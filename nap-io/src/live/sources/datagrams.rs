//! Raw samples in datagrams.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::Duration;

use num_complex::Complex32;

use super::sequence_number::SequenceNumber;
use super::socket::{MIN_TIMEOUT, is_timeout};
use crate::convert::decode;
use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::stream_info::StreamInfo;

/// The largest datagram there is.
const DATAGRAM: usize = 65_536;
/// Longer than any header that somebody puts before samples.
pub(crate) const MAX_HEADER: usize = 1024;

/// Raw samples in datagrams, as GNU Radio and SDR programs send them, one after the other: a sample may
/// begin in one and end in the next. Datagrams that are lost are seen by the number in the header, where
/// there is one, else by the clock only.
pub struct RawUdp {
    info: StreamInfo,
    name: PathBuf,
    socket: UdpSocket,
    header_bytes: usize,
    number: SequenceNumber,
    datagram: Vec<u8>,
    /// The datagram is there, but the samples before what is missing go first.
    held: Option<Held>,
    /// The beginning of a sample whose end is in the next datagram.
    begun: Vec<u8>,
}

/// A datagram that waits, and how many are missing before it.
struct Held {
    bytes: usize,
    missing: u32,
}

impl RawUdp {
    /// Listens at `address:port`; `info` says what the datagrams hold after `header_bytes` that are no
    /// samples.
    ///
    /// # Errors
    /// [`Error::Io`] if the port cannot be had.
    pub fn bind(address: &str, info: StreamInfo, header_bytes: usize) -> Result<Self, Error> {
        let name = PathBuf::from(format!("udp://{address}"));
        let socket = UdpSocket::bind(address).map_err(Error::io(&name, "listen at"))?;
        Ok(Self {
            info,
            name,
            socket,
            header_bytes,
            number: SequenceNumber::default(),
            datagram: vec![0; DATAGRAM],
            held: None,
            begun: Vec::new(),
        })
    }

    /// The next datagram; `None` if none comes in time.
    fn receive(&mut self) -> Result<Option<Held>, Error> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let bytes = match self.socket.recv(&mut self.datagram) {
            Ok(bytes) => bytes,
            Err(error) if is_timeout(&error) => return Ok(None),
            Err(error) => return Err(Error::io(&self.name, "read")(error)),
        };
        let missing = self.number.follow(&self.datagram[..bytes]);
        if let (0, Some(width)) = (self.header_bytes, self.number.width()) {
            let problem = format!(
                "each datagram begins with a number that counts them, {width} bytes that are no samples; \
                 have them skipped (--datagram-header {width}), or the sender leave them out"
            );
            return Err(Error::refused(self.name.display().to_string(), problem));
        }
        Ok(Some(Held { bytes, missing }))
    }

    /// What is missing of samples when so many datagrams of this size are, and where the next whole sample
    /// begins in it.
    fn advance_over(&mut self, missing: u32, payload_bytes: usize) -> (u64, usize) {
        let size = self.info.format.bytes_per_sample() as u64;
        let gap = self.begun.len() as u64 + u64::from(missing) * payload_bytes as u64;
        self.begun.clear();
        let lost = gap.div_ceil(size);
        (lost, (lost * size - gap) as usize)
    }

    /// Appends the samples of bytes that follow those of before.
    fn convert(&mut self, from: usize, to: usize, samples: &mut Vec<Complex32>) {
        let size = self.info.format.bytes_per_sample();
        let mut bytes = self.datagram.get(from..to).unwrap_or_default();
        if !self.begun.is_empty() {
            let (end, rest) = bytes.split_at(bytes.len().min(size - self.begun.len()));
            self.begun.extend_from_slice(end);
            bytes = rest;
            if self.begun.len() < size {
                return;
            }
            append(&self.info, &self.begun, samples);
            self.begun.clear();
        }
        let used = append(&self.info, bytes, samples);
        self.begun.extend_from_slice(&bytes[used..]);
    }
}

/// Appends whole samples and returns how many bytes they took.
fn append(info: &StreamInfo, bytes: &[u8], samples: &mut Vec<Complex32>) -> usize {
    let (start, size) = (samples.len(), info.format.bytes_per_sample());
    samples.resize(start + bytes.len() / size, Complex32::ZERO);
    size * decode(info.format, bytes, &mut samples[start..])
}

impl LiveSource for RawUdp {
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
        let mut loss = Loss::None;
        self.socket
            .set_read_timeout(Some(timeout.max(MIN_TIMEOUT)))
            .map_err(Error::io(&self.name, "set up"))?;
        while samples.len() < count {
            let Some(held) = self.receive()? else { break };
            let mut from = self.header_bytes;
            if held.missing > 0 {
                if !samples.is_empty() {
                    self.held = Some(held);
                    break;
                }
                let payload_bytes = held.bytes.saturating_sub(from);
                let (lost, skipped) = self.advance_over(held.missing, payload_bytes);
                loss = Loss::Samples(lost);
                from += skipped;
            }
            self.convert(from, held.bytes, samples);
        }
        let is_nothing = samples.is_empty() && loss == Loss::None;
        Ok(if is_nothing { Reading::Nothing } else { Reading::Samples(loss) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::SampleFormat;

    const SECOND: Duration = Duration::from_secs(1);

    /// A receiver and what sends to it.
    struct Pair {
        receiver: RawUdp,
        sender: UdpSocket,
    }

    impl Pair {
        fn new(header_bytes: usize) -> Self {
            let info = StreamInfo::new(1e6, SampleFormat::Cs16Le);
            let receiver = RawUdp::bind("127.0.0.1:0", info, header_bytes).unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.connect(receiver.socket.local_addr().unwrap()).unwrap();
            Self { receiver, sender }
        }

        fn read(&mut self, count: usize) -> (Result<Reading, String>, Vec<Complex32>) {
            let mut samples = Vec::new();
            let reading = self.receiver.read(&mut samples, count, SECOND);
            (reading.map_err(|error| error.to_string()), samples)
        }
    }

    /// The stored bytes of so many samples, each another one, and the samples.
    fn ramp(count: usize) -> (Vec<u8>, Vec<Complex32>) {
        let bytes: Vec<u8> = (0..2 * count).flat_map(|n| ((37 * n) as u16).to_le_bytes()).collect();
        let mut samples = vec![Complex32::ZERO; count];
        decode(SampleFormat::Cs16Le, &bytes, &mut samples);
        (bytes, samples)
    }

    #[test]
    fn samples_that_two_datagrams_share_are_whole() {
        let (bytes, expected) = ramp(1000);
        for size in [1, 2, 3, 5, 7, 1001, 1472] {
            let mut pair = Pair::new(0);
            let (mut found, mut sent_bytes) = (Vec::new(), 0);
            for piece in bytes.chunks(size) {
                pair.sender.send(piece).unwrap();
                sent_bytes += piece.len();
                while found.len() < sent_bytes / 4 {
                    let (reading, mut samples) = pair.read(1);
                    assert_eq!(reading, Ok(Reading::Samples(Loss::None)), "size {size}");
                    found.append(&mut samples);
                }
            }
            assert_eq!(found, expected, "size {size}");
        }
    }

    #[test]
    fn headers_are_skipped_and_what_they_count_as_missing_is_lost() {
        let mut pair = Pair::new(8);
        let (bytes, expected) = ramp(1000);
        let mut found = Vec::new();
        // Six and a half samples each: what is missing would tear all that follow.
        for (number, piece) in bytes.chunks(26).enumerate() {
            if (50..53).contains(&number) {
                continue;
            }
            pair.sender.send(&[&(number as u64).to_be_bytes(), piece].concat()).unwrap();
            let (reading, mut samples) = pair.read(1);
            let lost = match reading {
                Ok(Reading::Samples(Loss::Samples(lost))) => lost,
                reading => {
                    assert_eq!(reading, Ok(Reading::Samples(Loss::None)), "{number}");
                    0
                }
            };
            found.resize(found.len() + lost as usize, Complex32::ZERO);
            found.append(&mut samples);
        }
        let lost = 325..345;
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let is_lost = lost.contains(&index);
            assert_eq!(*found, if is_lost { Complex32::ZERO } else { *expected }, "{index}");
        }
        assert_eq!(found.len(), 1000);
    }

    #[test]
    fn a_number_that_nobody_has_told_of_is_told() {
        let mut pair = Pair::new(0);
        let (bytes, _) = ramp(20);
        for number in 0_u32..40 {
            pair.sender.send(&[&number.to_le_bytes(), &bytes[..]].concat()).unwrap();
        }
        let told = (0..40).find_map(|_| pair.read(1).0.err()).unwrap();
        assert!(told.contains("4 bytes that are no samples"), "{told}");
        assert!(told.contains("--datagram-header 4"), "{told}");
    }
}
