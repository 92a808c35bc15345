//! What to listen to.

use std::io::ErrorKind;

use anyhow::{Context, Result, anyhow};
use nap_io::live::{
    DriverProgram, Gain, OnError, Source, SourceAddress, SourceKind, SourceSettings, Tuning,
};
use nap_io::{OpenOptions, SampleFormat};
use nap_phy::MACRO_CHANNEL_WIDTH_HZ;

use crate::args::channel::ChannelArgs;
use crate::args::input::with_flags;
use crate::args::quantity;
use crate::outcome::misuse;

/// What to listen to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
#[group(id = "what", required = true, multiple = false, args = ["source", "radio"])]
pub struct SourceArgs {
    /// A recording, `-` for raw samples from standard input, `rtl_tcp://HOST[:PORT]`, `zmq://HOST:PORT` for
    /// a ZMQ PUB or PUSH sink of GNU Radio, `tcp://HOST:PORT` or `udp://ADDRESS:PORT` for raw samples.
    #[arg(value_name = "SOURCE")]
    source: Option<String>,

    /// A radio, as SoapySDR names it: driver=rtlsdr. `nap radios` lists them.
    #[arg(long, value_name = "ARGS")]
    radio: Option<String>,

    /// Play a recording at so many times its own speed, or `max` for as fast as can be; of a radio,
    /// how fast the recording plays that it simulates. If left out, 1; `nap doctor` reads recordings as
    /// fast as can be.
    #[arg(long, value_name = "SPEED", value_parser = replay_speed)]
    replay: Option<Speed>,

    /// Samples a second, such as 250k; if left out for a radio, the lowest that leaves the channel
    /// free of the DC spike.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    sample_rate: Option<f64>,

    /// Where to tune to; if left out, beside the channel, so that the DC spike is outside. Of raw samples,
    /// their centre.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    center_frequency: Option<f64>,

    /// How raw samples are stored: cu8, cs8, cs16, cf32 or a SigMF data type. From ZMQ, cf32 if left out.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    /// Swap I and Q, of a source whose spectrum is mirrored.
    #[arg(long)]
    swap_iq: bool,

    /// By how many millionths the radio's crystal is too fast, or that of the radio which made a recording:
    /// corrects frequencies and sample rate.
    #[arg(long, value_name = "PPM", value_parser = quantity::ppm, default_value = "0",
        allow_negative_numbers = true)]
    ppm: f64,

    /// Another program is writing the recording: read what is there, then what comes.
    #[arg(long, conflicts_with_all = ["replay", "radio"])]
    follow: bool,

    /// Bytes at the beginning of each datagram that are no samples, such as a number.
    #[arg(long, value_name = "BYTES", conflicts_with = "radio",
        value_parser = clap::value_parser!(u16).range(0..=1024))]
    datagram_header: Option<u16>,

    #[command(flatten)]
    tuning: TuningArgs,
}

/// How to set a radio.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Radio")]
struct TuningArgs {
    /// Gain in dB: 30 in all, LNA=20,VGA=10 by element, or auto to find it by trying.
    #[arg(long, value_name = "DB|NAME=DB,...|auto")]
    gain: Option<Gain>,

    /// Antenna connector.
    #[arg(long, value_name = "NAME")]
    antenna: Option<String>,

    /// Bandwidth of the analogue filter.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz)]
    bandwidth: Option<f64>,

    /// Feed an amplifier at the antenna.
    #[arg(long)]
    bias_tee: bool,

    /// Which channel of a radio that has several; if left out, the first, 0.
    #[arg(long, value_name = "N")]
    radio_channel: Option<usize>,

    /// A setting of the driver; may be given several times. One that the driver does not read back is told.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    setting: Vec<(String, String)>,
}

/// How fast to play.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as can be.
    Max,
    /// So many times its own speed.
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

impl Speed {
    /// How many seconds of signal a second brings; `None` for as many as can be.
    fn times(self) -> Option<f64> {
        match self {
            Self::Max => None,
            Self::Times(times) => Some(times),
        }
    }
}

impl SourceArgs {
    /// Which channel to listen to: where nothing was chosen, a radio has to be tuned all the same.
    pub fn channel(&self, args: &ChannelArgs) -> ChannelArgs {
        if self.address().is_tunable() { args.or_default() } else { args.clone() }
    }

    /// Finds out what the source is and how to open it. A recording plays at `recording_speed` unless the
    /// user says otherwise.
    ///
    /// # Errors
    /// Flags that are missing or do not fit; a recording that cannot be opened.
    pub fn prepare(
        &self,
        channel: &ChannelArgs,
        on_error: OnError,
        recording_speed: Speed,
    ) -> Result<Source> {
        let address = self.address();
        self.check(&address)?;
        let is_recording = matches!(address, SourceAddress::Recording(_));
        let own_speed = if is_recording { recording_speed } else { Speed::Times(1.0) };
        let mut settings = SourceSettings::default();
        settings.on_error = on_error;
        settings.speed = self.replay.unwrap_or(own_speed).times();
        settings.samples = OpenOptions {
            format: self.sample_format,
            sample_rate_hz: self.sample_rate,
            center_hz: self.center_frequency,
            start: None,
            swap_iq: self.swap_iq,
        };
        settings.tuning = self.tuning(channel);
        settings.is_growing = self.follow;
        settings.datagram_header_bytes = self.datagram_header.unwrap_or(0).into();
        if matches!(address, SourceAddress::Radio(_)) {
            settings.driver = Some(driver()?);
        }
        address.source(&settings).map_err(|error| match address.meant() {
            Some(meant) if error.io_kind() == Some(ErrorKind::NotFound) => {
                misuse(anyhow!("{error}; did you mean {}?", as_argument(&meant)))
            }
            _ => with_flags(error),
        })
    }

    /// Refuses flags that would have no effect.
    fn check(&self, address: &SourceAddress) -> Result<()> {
        let flags: Vec<&str> = self.tuning.given().chain(self.given()).collect();
        let idle: Vec<&str> = flags.into_iter().filter(|flag| !has_effect(flag, address)).collect();
        if idle.is_empty() {
            return Ok(());
        }
        let kind = match address {
            SourceAddress::Radio(_) => "a radio",
            SourceAddress::RtlTcp(_) => "an rtl_tcp server",
            SourceAddress::Recording(_) if address.kind() == SourceKind::Pipe => "a pipe",
            SourceAddress::Recording(_) => "a recording",
            _ => "a stream of raw samples",
        };
        let flags = idle.join(", ");
        Err(misuse(anyhow!("{address}: {flags}: without effect on {kind}; leave that out")))
    }

    /// The flags given that not every source heeds, beside those that set a radio.
    fn given(&self) -> impl Iterator<Item = &'static str> + use<> {
        // A pipe comes as fast as can be.
        let replay = self.replay.is_some_and(|speed| speed != Speed::Max);
        let all = [
            ("--replay", replay),
            ("--sample-format", self.sample_format.is_some()),
            ("--follow", self.follow),
            ("--datagram-header", self.datagram_header.is_some()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }

    fn address(&self) -> SourceAddress {
        match (&self.radio, &self.source) {
            (Some(arguments), _) => SourceAddress::Radio(arguments.clone()),
            (None, source) => SourceAddress::parse(source.as_deref().unwrap_or_default()),
        }
    }

    fn tuning(&self, channel: &ChannelArgs) -> Tuning {
        let args = &self.tuning;
        Tuning {
            sample_rate_hz: self.sample_rate,
            channel_center_hz: channel.center_hz().unwrap_or_default(),
            channel_width_hz: f64::from(MACRO_CHANNEL_WIDTH_HZ),
            center_hz: self.center_frequency,
            gain: args.gain.clone().unwrap_or_default(),
            antenna: args.antenna.clone(),
            bandwidth_hz: args.bandwidth,
            ppm: self.ppm,
            bias_tee: args.bias_tee,
            channel: args.radio_channel.unwrap_or(0),
            settings: args.setting.clone(),
        }
    }
}

impl TuningArgs {
    /// The flags given.
    fn given(&self) -> impl Iterator<Item = &'static str> + use<> {
        let all = [
            ("--gain", self.gain.is_some()),
            ("--antenna", self.antenna.is_some()),
            ("--bandwidth", self.bandwidth.is_some()),
            ("--bias-tee", self.bias_tee),
            ("--radio-channel", self.radio_channel.is_some()),
            ("--setting", !self.setting.is_empty()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

/// Whether a source heeds a flag.
fn has_effect(flag: &str, address: &SourceAddress) -> bool {
    use SourceAddress::{Radio, RtlTcp, Udp};
    match flag {
        "--gain" | "--bias-tee" => matches!(address, Radio(_) | RtlTcp(_)),
        "--antenna" | "--bandwidth" | "--radio-channel" | "--setting" => {
            matches!(address, Radio(_))
        }
        "--replay" => address.kind() != SourceKind::Pipe,
        "--sample-format" => !matches!(address, Radio(_) | RtlTcp(_)),
        "--follow" => address.kind() == SourceKind::Recording,
        "--datagram-header" => matches!(address, Udp(_)),
        _ => true,
    }
}

/// An address as it is given on the command line.
fn as_argument(address: &SourceAddress) -> String {
    match address {
        SourceAddress::Radio(arguments) => format!("--radio {arguments}"),
        address => address.to_string(),
    }
}

/// This program, as another process, with its hidden command.
pub fn driver() -> Result<DriverProgram> {
    let path = std::env::current_exe().context("cannot find this program")?;
    Ok(DriverProgram { path, arguments: vec!["--quiet".into(), "drive".into()] })
}
