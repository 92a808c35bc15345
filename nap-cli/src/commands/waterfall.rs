//! `nap waterfall`: a recording to a picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context, Result, bail};
use nap_dsp::spectrogram::{Spectrogram, SpectrogramArray, SpectrogramConfig};
use nap_io::StreamInfo;
use nap_phy::{DeviceTable, Event, Message, Receiver, ReceiverConfig};
use nap_plot::waterfall::{Figure, LARGEST_SIZE, LEAST_SIZE, Layout, Mark};

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
use crate::args::input::{InputArgs, Recording};
use crate::args::span::Span;
use crate::outcome::{Outcome, misuse};
use crate::output::log;

/// Bins of the transform for each pixel: their mean is smoother than a single one.
const BINS_A_PIXEL: f64 = 2.0;
/// Height of a time cell in pixels: two make half as many bytes of half as much noise, and no
/// burst is so short that it shows.
const PIXELS_A_ROW: f64 = 2.0;
/// The transform's length is rounded to a fast one, by less than this.
const ROUNDING: f64 = 1.05;
/// A bin much narrower than the symbol rate shows no more, and blurs the time.
const LEAST_RESOLUTION_HZ: f64 = 25.0;
/// However narrow the band, it is parted into so many bins.
const LEAST_BINS: f64 = 64.0;
/// Names of devices are cut to this.
const MAX_NAME_WIDTH: usize = 20;
/// Time cells of a pipe, of which the length is not known, before they are doubled.
const PIPE_TIME_STEP_S: f64 = 0.005;

/// Draws the power over time and frequency and marks the frames that are decoded from it.
///
/// The picture shows the receiver's channel, or the whole band of a recording that holds none, time
/// running downwards. Each box is a frame, labelled with the device, by its name if it has one, and the
/// frame's rank; frames of one device have one colour.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap waterfall capture.sigmf-meta -o waterfall.png
  nap waterfall capture.sigmf-meta -o detail.png --start 3 --duration 4 --span 868.12M..868.16M
  nap waterfall g001_868.13M_1M.cu8 -o band.png --span 1M --no-decode")]
pub struct Args {
    /// The recording; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The picture to write.
    #[arg(short, long, value_name = "PNG", value_parser = png)]
    output: PathBuf,

    /// Width and height of the picture in pixels.
    #[arg(long, value_name = "WxH", value_parser = size, default_value = "1600x900")]
    size: (u32, u32),

    /// Show this width around the middle of the channel, such as 50k, or a range, such as
    /// 868.1M..868.2M; if left out, what of the channel is in the recording.
    #[arg(long, value_name = "HZ|LOW..HIGH", allow_hyphen_values = true)]
    span: Option<Span>,

    /// Mark nothing.
    #[arg(long, conflicts_with_all = ["devices", "bit_rate", "false_messages_per_day"])]
    no_decode: bool,

    #[command(flatten)]
    devices: DevicesArg,

    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Names that promise another kind of picture are refused.
fn png(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("png") => Ok(path),
        _ => Err("the picture is PNG: give it a name that ends with .png".into()),
    }
}

/// Reads a picture's size.
fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed
        .filter(|&(width, height)| {
            (LEAST_SIZE.0..=LARGEST_SIZE.0).contains(&width)
                && (LEAST_SIZE.1..=LARGEST_SIZE.1).contains(&height)
        })
        .ok_or_else(|| {
            let (least, largest) = (LEAST_SIZE, LARGEST_SIZE);
            format!(
                "{text:?} is not a size from {}x{} to {}x{}, such as 1600x900",
                least.0, least.1, largest.0, largest.1
            )
        })
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let name = || args.file.display().to_string();
    let devices = args.devices.load()?;
    let recording = args.input.open(slice::from_ref(&args.file))?;
    let (start_s, centre_hz) = (recording.start_s(), recording.info().center_hz);
    let (config, receiver) = receiver(args, &name(), recording.info(), &devices)?;
    let coverage = config.coverage();
    let frequency_hz = match args.span {
        Some(span) => span.range_hz(&config),
        None => (coverage.lowest_hz, coverage.highest_hz),
    };
    let cells = spectrogram_config(args.size, frequency_hz, &config, &recording);
    let mut spectrogram = Spectrogram::new(cells).map_err(misuse).with_context(name)?;

    let has_decoded = receiver.is_some();
    let seen = watch(recording, &mut spectrogram, receiver);
    let array = spectrogram.array();
    if !array.power_db.is_empty() {
        let view = View {
            frequency_hz,
            start_s,
            duration_s: seen.samples as f64 / config.sample_rate_hz,
            centre_hz,
        };
        let marks = marks(&seen.messages, view.start_s, &devices);
        let messages = has_decoded.then_some(seen.messages.len());
        draw(args, &config, &view, &array, &marks, messages)?;
    }
    // A picture of what could be read is better than none.
    seen.read?;
    if array.power_db.is_empty() {
        bail!("{}: {} samples are too few for a line of the picture", name(), seen.samples);
    }
    let unusable = spectrogram.unusable_samples();
    if unusable > 0 {
        bail!(
            "{}: {unusable} of {} samples are no finite numbers or absurdly large and counted as \
             silence; check the sample format",
            name(),
            seen.samples
        );
    }
    Ok(Outcome::Done)
}

/// What is listened to, and the receiver for it. Where no channel was chosen and none can be received,
/// that is the whole band, without a receiver.
fn receiver(
    args: &Args,
    name: &str,
    info: &StreamInfo,
    devices: &DeviceTable,
) -> Result<(ReceiverConfig, Option<Receiver>)> {
    let listened = args.channel.receiver_config(name, info, devices).and_then(|config| {
        let receiver = (!args.no_decode).then(|| Receiver::new(config.clone())).transpose();
        Ok((config, receiver.with_context(|| name.to_owned())?))
    });
    listened.or_else(|error| {
        if args.channel.is_chosen() {
            return Err(error);
        }
        if !args.no_decode {
            tracing::warn!("{error:#}: drawing the whole band, nothing is decoded");
        }
        let mut band = ReceiverConfig::new(info.sample_rate_hz, info.center_hz.unwrap_or(0.0));
        band.channel_width_hz = info.sample_rate_hz;
        band.full_scale_dbm = args.channel.full_scale_dbm();
        Ok((band, None))
    })
}

/// What was found on the way through a recording.
struct Seen {
    messages: Vec<Message>,
    samples: u64,
    /// What kept the rest from being read.
    read: Result<(), nap_io::Error>,
}

/// Reads the recording once, for the spectrogram and for the receiver.
fn watch(
    recording: Recording,
    spectrogram: &mut Spectrogram,
    mut receiver: Option<Receiver>,
) -> Seen {
    let mut messages = Vec::new();
    let (samples, read) = recording.read_all(|block| {
        spectrogram.push(block);
        if let Some(receiver) = &mut receiver {
            messages.extend(receiver.push(block).into_iter().filter_map(Event::complete));
        }
    });
    if let Some(mut receiver) = receiver {
        messages.extend(receiver.flush().into_iter().filter_map(Event::complete));
    }
    Seen { messages, samples, read }
}

/// Cells as wide as a pixel and [`PIXELS_A_ROW`] high.
fn spectrogram_config(
    size: (u32, u32),
    frequency_hz: (f64, f64),
    receiver: &ReceiverConfig,
    recording: &Recording,
) -> SpectrogramConfig {
    let plot = Layout::new(size).plot;
    let rate_hz = receiver.sample_rate_hz;
    let (low_hz, high_hz) = frequency_hz;
    let rows = plot.height() / PIXELS_A_ROW;
    let duration_s = recording.samples_left().map(|samples| samples as f64 / rate_hz);
    let least_step_s = rate_hz.recip();
    let least_resolution_hz = LEAST_RESOLUTION_HZ.min(rate_hz / LEAST_BINS);
    let mut config = SpectrogramConfig::new(rate_hz);
    config.offset_hz = (low_hz + high_hz) / 2.0 - receiver.centre_hz;
    config.half_width_hz = (high_hz - low_hz) / 2.0;
    config.resolution_hz =
        ((high_hz - low_hz) / plot.width() / BINS_A_PIXEL * ROUNDING).max(least_resolution_hz);
    config.time_step_s = duration_s.map_or(PIPE_TIME_STEP_S, |s| s / rows).max(least_step_s);
    config.max_rows = rows as usize;
    config.max_columns = plot.width() as usize;
    config.full_scale_dbm = receiver.full_scale_dbm;
    config
}

/// What part of the air the picture shows.
struct View {
    /// The lowest and the highest frequency.
    frequency_hz: (f64, f64),
    /// From the start of the recording.
    start_s: f64,
    duration_s: f64,
    /// Centre of the recording, if known.
    centre_hz: Option<f64>,
}

/// Draws the picture and writes it.
fn draw(
    args: &Args,
    config: &ReceiverConfig,
    view: &View,
    array: &SpectrogramArray,
    marks: &[Mark],
    messages: Option<usize>,
) -> Result<()> {
    let found =
        messages.map(|messages| format!("{messages} messages, {} frames decoded", marks.len()));
    let figure = Figure {
        size: args.size,
        title: &title(&args.file),
        subtitle: &subtitle(config, view, found.as_deref()),
        array,
        density_unit: if config.full_scale_dbm.is_some() { "dBm/Hz" } else { "dBFS/Hz" },
        start_s: view.start_s,
        time_s: (view.start_s, view.start_s + view.duration_s),
        centre_hz: view.centre_hz,
        frequency_hz: view.frequency_hz,
        marks,
    };
    let rendered = figure.render()?;
    let output = args.output.display();
    fs::write(&args.output, &rendered.png)
        .with_context(|| format!("{output}: cannot write the picture"))?;
    let (width, height) = args.size;
    let found = found.map(|found| format!(", {found}")).unwrap_or_default();
    tracing::info!("{output}: {width} × {height} pixels{found}");
    if rendered.unlabelled > 0 {
        tracing::info!("frames without a label for lack of room: {}", rendered.unlabelled);
    }
    Ok(())
}

/// The name of the recording.
fn title(path: &Path) -> String {
    match path.file_name() {
        Some(name) if name != "-" => log::harmless(&name.to_string_lossy()),
        _ => "Standard input".to_owned(),
    }
}

/// What was listened to and what was found.
fn subtitle(config: &ReceiverConfig, view: &View, found: Option<&str>) -> String {
    let channel = match view.centre_hz {
        Some(_) => format!("Channel around {:.3} MHz", config.channel_centre_hz / 1e6),
        None => "Centre frequency unknown".to_owned(),
    };
    let radio_configuration = config.radio_configuration.map(|rc| format!("{rc} uplink"));
    let parts = [Some(channel), radio_configuration, found.map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A mark for each frame. Devices are numbered in the order of time.
fn marks(messages: &[Message], start_s: f64, known: &DeviceTable) -> Vec<Mark> {
    let mut devices = Vec::new();
    let mut marks = Vec::new();
    for message in messages {
        let device_id = message.uplink.device_id();
        let group = devices.iter().position(|&device| device == device_id);
        let group = group.unwrap_or_else(|| {
            devices.push(device_id);
            devices.len() - 1
        });
        let name = known.name(device_id).map(|name| log::cut(name, MAX_NAME_WIDTH));
        let name = name.unwrap_or_else(|| device_id.to_string());
        let extent = message.frame_extent();
        marks.extend(message.frames.iter().map(|frame| Mark {
            time_s: start_s + frame.signal.time_s,
            duration_s: extent.duration_s,
            frequency_hz: frame.signal.frequency_hz,
            width_hz: extent.width_hz,
            label: format!("{name} frame {}", frame.rank),
            group,
        }));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        assert_eq!(size("1600x900"), Ok((1600, 900)));
        for text in ["1600", "x", "1600x", "1600x900x3", "0x0", "479x900", "1600x100000", "-1x5"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn titles_say_what_is_shown() {
        assert_eq!(title(Path::new("a/b\u{1b}.cu8")), "b.cu8");
        assert_eq!(title(Path::new("-")), "Standard input");
        let config = ReceiverConfig::new(250e3, 868.1e6)
            .with_radio_configuration(nap_phy::RadioConfiguration::Rc1);
        let view = View {
            frequency_hz: (868.0e6, 868.2e6),
            start_s: 0.0,
            duration_s: 1.0,
            centre_hz: Some(868.1e6),
        };
        assert_eq!(
            subtitle(&config, &view, Some("1 messages")),
            "Channel around 868.130 MHz · RC1 uplink · 1 messages"
        );
        let unknown = View { centre_hz: None, ..view };
        let config = ReceiverConfig::new(250e3, 0.0);
        assert_eq!(subtitle(&config, &unknown, None), "Centre frequency unknown");
    }
}
