//! Sources as people name them.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::crystal::CrystalCorrected;
use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::driver_program::DriverProgram;
use crate::live::mirror::Mirror;
use crate::live::source::{LiveSource, Opener};
use crate::live::source_kind::SourceKind;
use crate::live::sources::datagrams::{MAX_HEADER, RawUdp};
use crate::live::sources::growing::Growing;
use crate::live::sources::replay::{Replay, check_one_center};
use crate::live::sources::rtl_tcp::RtlTcp;
use crate::live::sources::socket::RawTcp;
use crate::live::sources::zmq::Zmq;
use crate::live::supervisor::policy::{OnError, Policy};
use crate::live::tuning::Tuning;
use crate::open::{exists, is_standard_input, open};
use crate::open_options::OpenOptions;
use crate::source::SampleSource;
use crate::stream_info::{StreamInfo, check_center, check_sample_rate};

const RTL_TCP: &str = "rtl_tcp://";
const TCP: &str = "tcp://";
const UDP: &str = "udp://";
const ZMQ: &str = "zmq://";
/// The port of rtl_tcp.
const RTL_TCP_PORT: u16 = 1234;

/// Where samples come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceAddress {
    /// A radio, by the arguments that SoapySDR chooses it by: `driver=rtlsdr,serial=1`.
    Radio(String),
    /// A server of rtl_tcp, `HOST[:PORT]`.
    RtlTcp(String),
    /// A server of raw samples, `HOST:PORT`.
    Tcp(String),
    /// The address at which datagrams of raw samples arrive, `ADDRESS:PORT`.
    Udp(String),
    /// A ZeroMQ socket that publishes or pushes raw samples, `HOST:PORT`.
    Zmq(String),
    /// A recording; `-` is raw samples from standard input.
    Recording(PathBuf),
}

/// What has to be known to open a source, beside its address.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceSettings {
    /// What to do when it fails; a recording that fails is over.
    pub on_error: OnError,
    /// How many seconds of signal a second brings, of recordings and of radios that play one; `None`
    /// for as fast as a recording can be read.
    pub speed: Option<f64>,
    /// How raw samples and recordings are stored; of any source, whether its I and Q are swapped.
    pub samples: OpenOptions,
    /// How a radio is set; its error in millionths is that of what made a recording or raw samples, too.
    pub tuning: Tuning,
    /// Whether a recording is one that another program is writing.
    pub is_growing: bool,
    /// Bytes at the beginning of each datagram that are no samples.
    pub datagram_header_bytes: usize,
    /// In whose process a radio's driver runs; `None` for this one, which does not outlive a driver
    /// that crashes.
    pub driver: Option<DriverProgram>,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            on_error: OnError::Restart,
            speed: Some(1.0),
            samples: OpenOptions::default(),
            tuning: Tuning::default(),
            is_growing: false,
            datagram_header_bytes: 0,
            driver: None,
        }
    }
}

/// A source, ready to be opened.
#[derive(Clone)]
pub struct Source {
    /// For messages.
    pub name: String,
    /// Opens it.
    pub opener: Opener,
    /// How it is run.
    pub policy: Policy,
    /// What kind of source it is.
    pub kind: SourceKind,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Radio(arguments) => f.write_str(&short_name(arguments)),
            Self::RtlTcp(address) => write!(f, "{RTL_TCP}{address}"),
            Self::Tcp(address) => write!(f, "{TCP}{address}"),
            Self::Udp(address) => write!(f, "{UDP}{address}"),
            Self::Zmq(address) => write!(f, "{ZMQ}{address}"),
            Self::Recording(path) => path.display().fmt(f),
        }
    }
}

impl SourceAddress {
    /// Reads an address as people write it. Any text is one: what has no scheme is the path of a
    /// recording. A radio has none, so that no file has to be called otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let rest = |scheme: &str| text.strip_prefix(scheme).map(str::to_owned);
        rest(RTL_TCP)
            .map(Self::RtlTcp)
            .or_else(|| rest(TCP).map(Self::Tcp))
            .or_else(|| rest(UDP).map(Self::Udp))
            .or_else(|| rest(ZMQ).map(Self::Zmq))
            .unwrap_or_else(|| Self::Recording(text.into()))
    }

    /// Whether it has to be told where to tune to.
    #[must_use]
    pub fn is_tunable(&self) -> bool {
        matches!(self, Self::Radio(_) | Self::RtlTcp(_))
    }

    /// What kind of source it is.
    #[must_use]
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Radio(_) => SourceKind::Radio,
            Self::RtlTcp(_) | Self::Tcp(_) | Self::Udp(_) | Self::Zmq(_) => SourceKind::Network,
            Self::Recording(path) if is_standard_input(path) => SourceKind::Pipe,
            Self::Recording(_) => SourceKind::Recording,
        }
    }

    /// The address that somebody may have meant who has written this one, if there is no such file.
    #[must_use]
    pub fn meant(&self) -> Option<Self> {
        let Self::Recording(path) = self else { return None };
        let (scheme, rest) = path.to_str()?.split_once([':', '='])?;
        let rest = rest.trim_start_matches('/').to_owned();
        match scheme.to_ascii_lowercase().as_str() {
            _ if rest.is_empty() => None,
            "rtl_tcp" | "rtltcp" | "rtl-tcp" => Some(Self::RtlTcp(rest)),
            "tcp" => Some(Self::Tcp(rest)),
            "udp" => Some(Self::Udp(rest)),
            "zmq" | "zeromq" | "zmq+tcp" => Some(Self::Zmq(rest)),
            "soapy" => Some(Self::Radio(rest)),
            "driver" => Some(Self::Radio(format!("driver={rest}"))),
            _ => None,
        }
    }

    /// The source at this address. A recording is opened at once, so that what is wrong with it is told
    /// at once; so is what can never work.
    ///
    /// # Errors
    /// Those of [`open`] for a recording; [`Error::Missing`] for raw samples whose rate or format is not
    /// given; [`Error::Refused`] for what no such source can do; [`Error::Unsupported`] for what is no
    /// recording with no `speed`; [`Error::Radio`] for a radio where the crate was built without the
    /// feature `soapy`.
    pub fn source(&self, settings: &SourceSettings) -> Result<Source, Error> {
        let opener = match self {
            Self::Recording(path) if settings.is_growing => return growing(path, settings),
            Self::Recording(path) => return self.recording(path, settings),
            Self::Radio(arguments) => radio(arguments, settings)?,
            Self::RtlTcp(address) => {
                let (address, tuning) = (with_port(address), settings.tuning.clone());
                self.check(&address)?;
                RtlTcp::check(&address, &tuning)?;
                opener(move |header_within| RtlTcp::connect(&address, &tuning, header_within))
            }
            Self::Tcp(address) => {
                self.check(address)?;
                let (address, info) = (address.clone(), self.raw_info(settings, None)?);
                opener(move |_| RawTcp::connect(&address, info.clone()))
            }
            Self::Udp(address) => {
                self.check(address)?;
                let (address, info) = (address.clone(), self.raw_info(settings, None)?);
                let header_bytes = settings.datagram_header_bytes.min(MAX_HEADER);
                opener(move |_| RawUdp::bind(&address, info.clone(), header_bytes))
            }
            Self::Zmq(address) => {
                // GNU Radio's own.
                let usual = Some(SampleFormat::Cf32Le);
                self.check(address)?;
                let (address, info) = (address.clone(), self.raw_info(settings, usual)?);
                opener(move |within| Zmq::connect(&address, info.clone(), within))
            }
        };
        let opener = if settings.samples.swap_iq { mirrored(opener) } else { opener };
        let name = self.to_string();
        let Some(speed) = settings.speed else {
            let advice = "only recordings can be read as fast as can be; give a speed";
            return Err(Error::unsupported(Path::new(&name), "unlimited speed", advice));
        };
        let policy = Policy::radio(settings.on_error, speed);
        Ok(Source { name, opener, policy, kind: self.kind() })
    }

    /// Refuses what is no address of the network: no host will ever be found there.
    fn check(&self, address: &str) -> Result<(), Error> {
        let is_host = |host: &str| match host.strip_prefix('[') {
            Some(host) => host.ends_with(']'),
            None if host.contains(':') => host.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/'),
        };
        let parts = address.rsplit_once(':');
        if parts.is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok()) {
            return Ok(());
        }
        let problem = "no address; it takes HOST:PORT, with a port up to 65535";
        Err(Error::refused(self.to_string(), problem))
    }

    fn raw_info(
        &self,
        settings: &SourceSettings,
        usual: Option<SampleFormat>,
    ) -> Result<StreamInfo, Error> {
        let path = PathBuf::from(self.to_string());
        let missing = |parameter| Error::Missing {
            path: path.clone(),
            parameter,
            advice: "raw samples do not tell how they are made; give it",
        };
        let samples = &settings.samples;
        let rate_hz = samples.sample_rate_hz.ok_or_else(|| missing("sample rate"))?;
        let format = samples.format.or(usual).ok_or_else(|| missing("sample format"))?;
        let mut info = StreamInfo::new(check_sample_rate(&path, rate_hz)?, format);
        info.center_hz = samples.center_hz.map(|hz| check_center(&path, hz)).transpose()?;
        info.correct(settings.tuning.ppm);
        Ok(info)
    }

    fn recording(&self, path: &Path, settings: &SourceSettings) -> Result<Source, Error> {
        let kind = self.kind();
        // What comes through a pipe comes at its own pace.
        let speed = settings.speed.filter(|_| kind != SourceKind::Pipe);
        let (path, options, ppm) = (PathBuf::from(path), settings.samples, settings.tuning.ppm);
        // A pipe can be opened once only.
        let first = open(&path, &options)?;
        check_one_center(&path, first.info())?;
        let first = Mutex::new(Some(first));
        let name = path.display().to_string();
        let opener = opener(move |_| {
            let opened = first.lock().ok().and_then(|mut first| first.take());
            let source = opened.map_or_else(|| open(&path, &options), Ok)?;
            Ok(Replay::new(CrystalCorrected::new(source, ppm), speed))
        });
        Ok(Source { name, opener, policy: Policy::recording(speed), kind })
    }
}

fn opener<S: LiveSource + 'static>(
    open: impl Fn(Duration) -> Result<S, Error> + Send + Sync + 'static,
) -> Opener {
    Arc::new(move |within| Ok(Box::new(open(within)?) as Box<dyn LiveSource>))
}

/// Opens the source with I and Q swapped.
fn mirrored(inner: Opener) -> Opener {
    opener(move |within| Ok(Mirror(inner(within)?)))
}

/// A file that another program is writing, at its pace. It has to be there.
fn growing(path: &Path, settings: &SourceSettings) -> Result<Source, Error> {
    if !exists(path) {
        return Err(Error::io(path, "open")(io::ErrorKind::NotFound.into()));
    }
    let name = path.display().to_string();
    let (path, options, ppm) = (PathBuf::from(path), settings.samples, settings.tuning.ppm);
    let opener = opener(move |within| Growing::open(&path, &options, ppm, within));
    Ok(Source { name, opener, policy: Policy::recording(None), kind: SourceKind::Recording })
}

#[cfg(feature = "soapy")]
fn radio(arguments: &str, settings: &SourceSettings) -> Result<Opener, Error> {
    use crate::live::soapy::isolation::isolated;
    use crate::live::soapy::source::Soapy;
    let (arguments, tuning) = (arguments.to_owned(), settings.tuning.clone());
    Ok(match settings.driver.clone() {
        Some(program) => isolated(&arguments, &tuning, program),
        None => opener(move |_| Soapy::open(&arguments, &tuning)),
    })
}

#[cfg(not(feature = "soapy"))]
fn radio(arguments: &str, _: &SourceSettings) -> Result<Opener, Error> {
    let problem =
        "this program was built without SoapySDR, the feature `soapy`; rtl_tcp:// needs none";
    Err(Error::radio(arguments, problem))
}

/// What names a radio, without what only sets it.
fn short_name(arguments: &str) -> String {
    let names = |part: &&str| {
        let key = part.split('=').next().unwrap_or_default().trim();
        ["driver", "serial", "label", "remote"].contains(&key)
    };
    let name = arguments.split(',').filter(names).collect::<Vec<_>>().join(",");
    if name.is_empty() { arguments.to_owned() } else { name }
}

/// The address with the port of rtl_tcp, if it has none.
fn with_port(address: &str) -> String {
    let has_port = address.parse::<SocketAddr>().is_ok()
        || address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { address.to_owned() } else { format!("{address}:{RTL_TCP_PORT}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SourceAddress {
        SourceAddress::parse(text)
    }

    #[test]
    fn the_scheme_says_what_it_is() {
        assert_eq!(address("rtl_tcp://a:1"), SourceAddress::RtlTcp("a:1".into()));
        assert_eq!(address("tcp://a:1"), SourceAddress::Tcp("a:1".into()));
        assert_eq!(address("udp://0.0.0.0:1"), SourceAddress::Udp("0.0.0.0:1".into()));
        assert_eq!(address("a.wav"), SourceAddress::Recording("a.wav".into()));
        for text in ["rtl_tcp://a:1", "tcp://a:1", "udp://0.0.0.0:1", "zmq://a:1", "a.wav", "-"] {
            assert_eq!(address(text).to_string(), text);
        }
        assert_eq!(address("cu8:250k:868.13M:-").kind(), SourceKind::Pipe);
        let radio = SourceAddress::Radio("driver=rtlsdr,serial=1,direct_samp=2".into());
        assert_eq!(radio.to_string(), "driver=rtlsdr,serial=1");
    }

    #[test]
    fn what_other_programs_write_is_known() {
        let meant = |text: &str| address(text).meant().map(|meant| meant.to_string());
        for text in ["rtl_tcp:a:1", "rtl_tcp=a:1", "rtl_tcp:/a:1", "RTL_TCP://a:1", "rtltcp:a:1"] {
            assert_eq!(meant(text).as_deref(), Some("rtl_tcp://a:1"), "{text}");
        }
        assert_eq!(meant("zmq+tcp://a:1").as_deref(), Some("zmq://a:1"));
        assert_eq!(meant("driver=rtlsdr").as_deref(), Some("driver=rtlsdr"));
        for text in ["x", "C:/x.wav", "cu8:250k:x", "tcp:", "rtl_tcp://a:1", "-"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }

    #[test]
    fn rtl_tcp_has_a_port_of_its_own() {
        assert_eq!(with_port("radio.local"), "radio.local:1234");
        assert_eq!(with_port("radio.local:99"), "radio.local:99");
        assert_eq!(with_port("[::1]:99"), "[::1]:99");
        assert!(address("rtl_tcp://[::1]").check(&with_port("[::1]")).is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused_at_once() {
        let mut settings = SourceSettings::default();
        settings.samples.sample_rate_hz = Some(250e3);
        settings.samples.format = Some(SampleFormat::Cu8);
        for text in [
            "tcp://a",
            "tcp://:5000",
            "tcp://a:70000",
            "udp://0.0.0.0",
            "zmq://a",
            "rtl_tcp://a:99999",
            "rtl_tcp://a:1234/x",
            "rtl_tcp://a:1234 ",
            "rtl_tcp://",
        ] {
            let error = address(text).source(&settings).map(drop).unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{text}: {error}");
        }
        for text in ["tcp://a:1", "udp://[::]:1", "tcp://::1:1", "zmq://a.b:1"] {
            assert!(address(text).source(&settings).is_ok(), "{text}");
        }
    }

    #[test]
    fn raw_samples_have_to_be_described() {
        let mut settings = SourceSettings::default();
        let said = |settings: &SourceSettings| {
            address("tcp://a:1").source(settings).map(drop).unwrap_err().to_string()
        };
        assert!(said(&settings).contains("sample rate is not known"), "{}", said(&settings));
        settings.samples.sample_rate_hz = Some(250e3);
        assert!(said(&settings).contains("sample format is not known"), "{}", said(&settings));
        settings.samples.format = Some(SampleFormat::Cu8);
        let source = address("tcp://a:1").source(&settings).unwrap();
        assert!(source.kind.is_live() && source.policy.watched);
        settings.tuning.ppm = 4.0;
        let source = address("udp://127.0.0.1:0").source(&settings).unwrap();
        let opened = (source.opener)(Duration::ZERO).unwrap();
        assert!((opened.info().sample_rate_hz - 250_001.0).abs() < 1e-6);
        settings.speed = None;
        assert!(said(&settings).contains("only recordings"), "{}", said(&settings));
    }
}
