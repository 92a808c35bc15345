//! What to listen to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use nap_io::live::{
    Gain, LiveSource, OnError, Opener, Policy, RawTcp, RawUdp, Replay, RtlTcp, Tuning,
};
use nap_io::{OpenOptions, SampleFormat, StreamInfo};
use nap_phy::MACRO_CHANNEL_WIDTH_HZ;

use crate::channel::ChannelArgs;
use crate::outcome::misuse;
use crate::quantity;

const RTL_TCP: &str = "rtl_tcp://";
/// The port of rtl_tcp.
const RTL_TCP_PORT: u16 = 1234;

/// What to listen to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
#[group(id = "what", required = true, multiple = false, args = ["source", "device"])]
pub struct SourceArgs {
    /// A recording, `-` for raw samples from standard input, `rtl_tcp://HOST[:PORT]`,
    /// `tcp://HOST:PORT` or `udp://ADDRESS:PORT` for raw samples.
    #[arg(value_name = "SOURCE")]
    source: Option<String>,

    /// A receiver, as SoapySDR names it: driver=rtlsdr. `nap devices` lists them.
    #[arg(long, value_name = "ARGS")]
    device: Option<String>,

    /// Play a recording at so many times its own speed, or `max` for as fast as can be; of a device,
    /// how fast the recording plays that it simulates.
    #[arg(long, value_name = "SPEED", value_parser = replay_speed, default_value = "1")]
    replay: Speed,

    /// Samples a second, such as 250k; if left out for a device, the lowest that leaves the channel
    /// free of the DC spike.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    sample_rate: Option<f64>,

    /// Where to tune to; if left out, beside the channel, so that the DC spike is outside. Of raw samples,
    /// their centre.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    center_frequency: Option<f64>,

    /// How raw samples are stored: cu8, cs8, cs16, cf32 or a SigMF data type.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    #[command(flatten)]
    receiver: ReceiverArgs,
}

/// How to set a receiver.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Receiver")]
struct ReceiverArgs {
    /// Gain in dB: 30 in all, LNA=20,VGA=10 by element, or auto to find it by trying.
    #[arg(long, value_name = "DB|NAME=DB,...|auto")]
    gain: Option<Gain>,

    /// Antenna connector.
    #[arg(long, value_name = "NAME")]
    antenna: Option<String>,

    /// Bandwidth of the analogue filter.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    bandwidth: Option<f64>,

    /// By how many millionths the receiver's crystal is too fast.
    #[arg(long, value_name = "PPM", value_parser = quantity::number, default_value = "0",
        allow_negative_numbers = true)]
    ppm: f64,

    /// Feed an amplifier at the antenna.
    #[arg(long)]
    bias_tee: bool,

    /// Which channel of a receiver that has several.
    #[arg(long, value_name = "N", default_value = "0")]
    channel: usize,

    /// A setting of the driver; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    setting: Vec<(String, String)>,
}

/// How fast to play.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speed {
    Max,
    Times(f64),
}

fn replay_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.parse().ok().filter(|times: &f64| times.is_finite() && *times > 0.0);
    times.map(Speed::Times).ok_or_else(|| format!("{text:?} is not a speed such as 1, 10 or max"))
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A source, ready to be opened.
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

impl SourceArgs {
    /// Which channel to listen to: where nothing was chosen, a receiver has to be tuned all the same.
    pub fn channel(&self, args: &ChannelArgs) -> ChannelArgs {
        let is_rtl_tcp = |source: &String| source.starts_with(RTL_TCP);
        let is_receiver = self.device.is_some() || self.source.as_ref().is_some_and(is_rtl_tcp);
        if is_receiver { args.or_default() } else { args.clone() }
    }

    /// Finds out what the source is and how to open it.
    ///
    /// # Errors
    /// Flags that are missing or do not fit; a recording that cannot be opened.
    pub fn prepare(&self, channel: &ChannelArgs, on_error: OnError) -> Result<Source> {
        if let Some(arguments) = &self.device {
            return self.device(arguments, channel, on_error);
        }
        let text = self.source.clone().unwrap_or_default();
        if let Some(address) = text.strip_prefix(RTL_TCP) {
            let tuning = self.tuning(channel);
            let address = with_port(address);
            let opener: Opener = Arc::new(move |header_within| {
                Ok(Box::new(RtlTcp::connect(&address, &tuning, header_within)?)
                    as Box<dyn LiveSource>)
            });
            return self.radio(text, opener, on_error);
        }
        if let Some(address) = text.strip_prefix("tcp://").map(str::to_owned) {
            let info = self.raw_info(&text)?;
            let opener: Opener = Arc::new(move |_| {
                Ok(Box::new(RawTcp::connect(&address, info.clone())?) as Box<dyn LiveSource>)
            });
            return self.radio(text, opener, on_error);
        }
        if let Some(address) = text.strip_prefix("udp://").map(str::to_owned) {
            let info = self.raw_info(&text)?;
            let opener: Opener = Arc::new(move |_| {
                Ok(Box::new(RawUdp::bind(&address, info.clone())?) as Box<dyn LiveSource>)
            });
            return self.radio(text, opener, on_error);
        }
        self.recording(Path::new(&text))
    }

    fn radio(&self, name: String, opener: Opener, on_error: OnError) -> Result<Source> {
        let Speed::Times(speed) = self.replay else {
            return Err(misuse(anyhow!("--replay max is for recordings only")));
        };
        Ok(Source { name, opener, policy: Policy::radio(on_error, speed), is_live: true })
    }

    fn recording(&self, path: &Path) -> Result<Source> {
        let is_live = path.as_os_str() == "-";
        let speed = match self.replay {
            // What comes through a pipe comes at its own pace.
            _ if is_live => None,
            Speed::Max => None,
            Speed::Times(times) => Some(times),
        };
        let options = OpenOptions {
            format: self.sample_format,
            sample_rate_hz: self.sample_rate,
            center_hz: self.center_frequency,
            start: None,
        };
        // What is wrong with a recording is better said at once. A pipe can be opened once only.
        let path = PathBuf::from(path);
        let mut first = Some(nap_io::open(&path, &options)?);
        for warning in first.iter().flat_map(|source| &source.info().warnings) {
            tracing::warn!("{}: {warning}", path.display());
        }
        let first = std::sync::Mutex::new(first.take());
        let name = path.display().to_string();
        let opener: Opener = Arc::new(move |_| {
            let opened = first.lock().ok().and_then(|mut first| first.take());
            let source = opened.map_or_else(|| nap_io::open(&path, &options), Ok)?;
            Ok(Box::new(Replay::new(source, speed)) as Box<dyn LiveSource>)
        });
        Ok(Source { name, opener, policy: Policy::recording(speed), is_live })
    }

    fn raw_info(&self, name: &str) -> Result<StreamInfo> {
        let (Some(rate_hz), Some(format)) = (self.sample_rate, self.sample_format) else {
            return Err(misuse(anyhow!(
                "{name}: raw samples do not tell how they are made; give --sample-rate and \
                 --sample-format"
            )));
        };
        let mut info = StreamInfo::new(rate_hz, format);
        info.center_hz = self.center_frequency;
        Ok(info)
    }

    fn tuning(&self, channel: &ChannelArgs) -> Tuning {
        let receiver = &self.receiver;
        Tuning {
            sample_rate_hz: self.sample_rate,
            channel_center_hz: channel.center_hz().unwrap_or_default(),
            channel_width_hz: f64::from(MACRO_CHANNEL_WIDTH_HZ),
            center_hz: self.center_frequency,
            gain: receiver.gain.clone().unwrap_or_default(),
            antenna: receiver.antenna.clone(),
            bandwidth_hz: receiver.bandwidth,
            ppm: receiver.ppm,
            bias_tee: receiver.bias_tee,
            channel: receiver.channel,
            settings: receiver.setting.clone(),
        }
    }

    #[cfg(feature = "soapy")]
    fn device(&self, arguments: &str, channel: &ChannelArgs, on_error: OnError) -> Result<Source> {
        let tuning = self.tuning(channel);
        let opener = super::drive::opener(arguments, &tuning)?;
        self.radio(short_name(arguments), opener, on_error)
    }

    #[cfg(not(feature = "soapy"))]
    fn device(&self, arguments: &str, _: &ChannelArgs, _: OnError) -> Result<Source> {
        Err(misuse(anyhow!(
            "{arguments}: this program was built without SoapySDR; build it with \
             `cargo install --path nap-cli --features soapy`, or use rtl_tcp://"
        )))
    }
}

/// What names a device, without what only sets it.
#[cfg(feature = "soapy")]
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
