//! Sources as people name them.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::Error;
use crate::live::driver_program::DriverProgram;
use crate::live::mirror::Mirror;
use crate::live::source::{LiveSource, Opener};
use crate::live::sources::replay::Replay;
use crate::live::sources::rtl_tcp::RtlTcp;
use crate::live::sources::socket::{RawTcp, RawUdp};
use crate::live::supervisor::policy::{OnError, Policy};
use crate::live::tuning::Tuning;
use crate::open::open;
use crate::open_options::OpenOptions;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

const RTL_TCP: &str = "rtl_tcp://";
const TCP: &str = "tcp://";
const UDP: &str = "udp://";
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
    /// How a radio is set.
    pub tuning: Tuning,
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
    /// Whether its samples are taken now; a recording's were taken when it says, or nobody knows.
    pub is_live: bool,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("is_live", &self.is_live)
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
            .unwrap_or_else(|| Self::Recording(text.into()))
    }

    /// Whether it has to be told where to tune to.
    #[must_use]
    pub fn is_tunable(&self) -> bool {
        matches!(self, Self::Radio(_) | Self::RtlTcp(_))
    }

    /// Whether it is a recording, or a pipe that takes the place of one.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        matches!(self, Self::Recording(_))
    }

    /// The source at this address. A recording is opened at once, so that what is wrong with it is told
    /// at once.
    ///
    /// # Errors
    /// Those of [`open`] for a recording; [`Error::Missing`] for raw samples whose rate or format is not
    /// given; [`Error::Unsupported`] for what is no recording with no `speed`; [`Error::Radio`] for a
    /// radio where the crate was built without the feature `soapy`.
    pub fn source(&self, settings: &SourceSettings) -> Result<Source, Error> {
        let opener = match self {
            Self::Recording(path) => return recording(path, settings),
            Self::Radio(arguments) => radio(arguments, settings)?,
            Self::RtlTcp(address) => {
                let (address, tuning) = (with_port(address), settings.tuning.clone());
                opener(move |header_within| RtlTcp::connect(&address, &tuning, header_within))
            }
            Self::Tcp(address) => {
                let (address, info) = (address.clone(), self.raw_info(&settings.samples)?);
                opener(move |_| RawTcp::connect(&address, info.clone()))
            }
            Self::Udp(address) => {
                let (address, info) = (address.clone(), self.raw_info(&settings.samples)?);
                opener(move |_| RawUdp::bind(&address, info.clone()))
            }
        };
        let opener = if settings.samples.swap_iq { mirrored(opener) } else { opener };
        let name = self.to_string();
        let Some(speed) = settings.speed else {
            let advice = "only recordings can be read as fast as can be; give a speed";
            return Err(Error::unsupported(Path::new(&name), "unlimited speed", advice));
        };
        Ok(Source { name, opener, policy: Policy::radio(settings.on_error, speed), is_live: true })
    }

    fn raw_info(&self, samples: &OpenOptions) -> Result<StreamInfo, Error> {
        let missing = |parameter| Error::Missing {
            path: self.to_string().into(),
            parameter,
            advice: "raw samples do not tell how they are made; give it",
        };
        let rate_hz = samples.sample_rate_hz.ok_or_else(|| missing("sample rate"))?;
        let format = samples.format.ok_or_else(|| missing("sample format"))?;
        let mut info = StreamInfo::new(rate_hz, format);
        info.center_hz = samples.center_hz;
        Ok(info)
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

fn recording(path: &Path, settings: &SourceSettings) -> Result<Source, Error> {
    let is_live = path.as_os_str() == "-";
    // What comes through a pipe comes at its own pace.
    let speed = settings.speed.filter(|_| !is_live);
    let (path, options) = (PathBuf::from(path), settings.samples);
    // A pipe can be opened once only.
    let first = open(&path, &options)?;
    if first.info().breaks.iter().any(|at| at.center_hz.is_some()) {
        let what = "a recording whose centre frequency changes, as a live source,";
        return Err(Error::unsupported(&path, what, "decode it as a file"));
    }
    let first = Mutex::new(Some(first));
    let name = path.display().to_string();
    let opener = opener(move |_| {
        let opened = first.lock().ok().and_then(|mut first| first.take());
        let source = opened.map_or_else(|| open(&path, &options), Ok)?;
        Ok(Replay::new(source, speed))
    });
    Ok(Source { name, opener, policy: Policy::recording(speed), is_live })
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
    use crate::format::SampleFormat;

    fn address(text: &str) -> SourceAddress {
        SourceAddress::parse(text)
    }

    #[test]
    fn the_scheme_says_what_it_is() {
        assert_eq!(address("rtl_tcp://a:1"), SourceAddress::RtlTcp("a:1".into()));
        assert_eq!(address("tcp://a:1"), SourceAddress::Tcp("a:1".into()));
        assert_eq!(address("udp://0.0.0.0:1"), SourceAddress::Udp("0.0.0.0:1".into()));
        assert_eq!(address("a.wav"), SourceAddress::Recording("a.wav".into()));
        for text in ["rtl_tcp://a:1", "tcp://a:1", "udp://0.0.0.0:1", "a.wav", "-"] {
            assert_eq!(address(text).to_string(), text);
        }
        let radio = SourceAddress::Radio("driver=rtlsdr,serial=1,direct_samp=2".into());
        assert_eq!(radio.to_string(), "driver=rtlsdr,serial=1");
    }

    #[test]
    fn rtl_tcp_has_a_port_of_its_own() {
        assert_eq!(with_port("radio.local"), "radio.local:1234");
        assert_eq!(with_port("radio.local:99"), "radio.local:99");
        assert_eq!(with_port("[::1]:99"), "[::1]:99");
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
        assert!(source.is_live && source.policy.watched);
        settings.speed = None;
        assert!(said(&settings).contains("only recordings"), "{}", said(&settings));
    }
}
