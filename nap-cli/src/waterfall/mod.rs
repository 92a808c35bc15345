//! `nap waterfall`: a recording to a picture.

mod axis;
mod color_scale;
mod figure;
mod labels;
mod rectangle;
mod span;
mod svg;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, anyhow};
use nap_dsp::spectrogram::{Spectrogram, SpectrogramArray, SpectrogramConfig};
use nap_phy::{Event, Message, Receiver, ReceiverConfig};

use crate::burst::Extent;
use crate::channel::ChannelArgs;
use crate::devices::DevicesArg;
use crate::input::{InputArgs, Recording};
use crate::outcome::{Outcome, misuse};
use crate::output::log;
use figure::{Figure, LARGEST_SIZE, LEAST_SIZE, Layout, Mark};
use span::Span;

/// Bins of the transform for each pixel: their mean is smoother than a single one.
const BINS_A_PIXEL: f64 = 2.0;
/// The transform's length is rounded to a fast one, by less than this.
const ROUNDING: f64 = 1.05;
/// Time cells of a pipe, of which the length is not known, before they are doubled.
const PIPE_TIME_STEP_S: f64 = 0.005;

/// Draws the power over time and frequency and marks the frames that are decoded from it.
///
/// The picture shows the receiver's channel, time running downwards. Each box is a frame, labelled
/// with the device and the frame's rank; frames of one device have one colour.
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
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,

    /// Width and height of the picture in pixels.
    #[arg(long, value_name = "WxH", value_parser = size, default_value = "1600x900")]
    size: (u32, u32),

    /// Show this width around the middle of the channel, such as 50k, or a range, such as
    /// 868.1M..868.2M; if left out, the channel.
    #[arg(long, value_name = "HZ|LOW..HIGH", allow_hyphen_values = true)]
    span: Option<Span>,

    /// Mark nothing.
    #[arg(long)]
    no_decode: bool,

    #[command(flatten)]
    devices: DevicesArg,

    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    channel: ChannelArgs,
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
    let mut recording = args.input.open(&args.file)?;
    let config = args.channel.receiver_config(&recording, &devices)?;
    let frequency_hz = args.span.unwrap_or(Span::Width(config.channel_width_hz)).range_hz(&config);
    let spectrogram_config = spectrogram_config(args.size, frequency_hz, &config, &recording);
    let mut spectrogram =
        Spectrogram::new(spectrogram_config).map_err(misuse).with_context(name)?;
    let mut receiver =
        (!args.no_decode).then(|| Receiver::new(config.clone())).transpose().with_context(name)?;

    let mut messages = Vec::new();
    let (samples, read) = recording.read_all(&AtomicBool::new(false), |block| {
        spectrogram.push(block);
        messages.extend(receiver.iter_mut().flat_map(|receiver| complete(receiver.push(block))));
    });
    messages.extend(receiver.iter_mut().flat_map(|receiver| complete(receiver.flush())));

    let array = spectrogram.array();
    if array.rows == 0 {
        // What was wrong with the recording explains why so little of it could be read.
        read.with_context(name)?;
        return Err(anyhow!(
            "{}: {samples} samples are not enough for a single line of the picture",
            name()
        ));
    }
    let view = View {
        frequency_hz,
        start_s: recording.start_s(),
        duration_s: samples as f64 / config.sample_rate_hz,
        centre_hz: recording.info().center_hz,
    };
    draw(args, &config, &view, &array, &messages)?;
    let mut outcome = Outcome::Done;
    if spectrogram.unusable_samples() > 0 {
        tracing::error!(
            "{}: {} of {samples} samples are no finite numbers or absurdly large and counted as \
             silence; check the sample format",
            name(),
            spectrogram.unusable_samples()
        );
        outcome = Outcome::Failed;
    }
    if let Err(error) = read {
        tracing::error!("{error}");
        outcome = Outcome::Failed;
    }
    Ok(outcome)
}

/// The messages that are complete.
fn complete(events: Vec<Event>) -> impl Iterator<Item = Message> {
    events.into_iter().filter_map(|event| match event {
        Event::Complete(message) => Some(message),
        _ => None,
    })
}

/// A cell for each pixel.
fn spectrogram_config(
    size: (u32, u32),
    frequency_hz: (f64, f64),
    receiver: &ReceiverConfig,
    recording: &Recording,
) -> SpectrogramConfig {
    let plot = Layout::new(size).plot;
    let rate_hz = receiver.sample_rate_hz;
    let (low_hz, high_hz) = frequency_hz;
    let duration_s = recording.samples_left().map(|samples| samples as f64 / rate_hz);
    let least_step_s = rate_hz.recip();
    let mut config = SpectrogramConfig::new(rate_hz);
    config.offset_hz = (low_hz + high_hz) / 2.0 - receiver.centre_hz;
    config.half_width_hz = (high_hz - low_hz) / 2.0;
    config.resolution_hz = (high_hz - low_hz) / plot.width() / BINS_A_PIXEL * ROUNDING;
    config.time_step_s =
        duration_s.map_or(PIPE_TIME_STEP_S, |s| s / plot.height()).max(least_step_s);
    config.max_rows = plot.height() as usize;
    config.max_columns = plot.width() as usize;
    config.full_scale_dbm = receiver.full_scale_dbm;
    config
}

/// What part of the air the picture shows.
struct View {
    frequency_hz: (f64, f64),
    start_s: f64,
    duration_s: f64,
    centre_hz: Option<f64>,
}

/// Draws the picture and writes it.
fn draw(
    args: &Args,
    config: &ReceiverConfig,
    view: &View,
    array: &SpectrogramArray,
    messages: &[Message],
) -> Result<()> {
    let title = args.file.file_name().unwrap_or(args.file.as_os_str()).to_string_lossy();
    let marks = marks(messages, view.start_s);
    let figure = Figure {
        size: args.size,
        title: &log::harmless(&title),
        subtitle: &subtitle(args, config, messages, marks.len()),
        array,
        density_unit: if config.full_scale_dbm.is_some() { "dBm/Hz" } else { "dBFS/Hz" },
        start_s: view.start_s,
        time_s: (view.start_s, view.start_s + view.duration_s),
        centre_hz: view.centre_hz,
        frequency_hz: view.frequency_hz,
        marks: &marks,
    };
    let rendered = figure.render()?;
    let output = args.output.display();
    fs::write(&args.output, &rendered.png)
        .with_context(|| format!("{output}: cannot write the picture"))?;
    let (columns, rows) = args.size;
    tracing::info!("{output}: {columns} × {rows} pixels, {} frames marked", marks.len());
    if rendered.unlabelled > 0 {
        tracing::info!("{} of them have no label: there was no room", rendered.unlabelled);
    }
    Ok(())
}

/// What was listened to and what was found.
fn subtitle(args: &Args, config: &ReceiverConfig, messages: &[Message], frames: usize) -> String {
    let radio_configuration = config.radio_configuration.map(|rc| format!("{rc} uplink, "));
    let centre = match config.centre_hz {
        0.0 => "centre frequency unknown".to_owned(),
        _ => format!("channel around {:.3} MHz", config.channel_centre_hz / 1e6),
    };
    let found = match args.no_decode {
        true => String::new(),
        false => format!(": {} messages, {frames} frames decoded", messages.len()),
    };
    radio_configuration.unwrap_or_default() + &centre + &found
}

/// A mark for each frame. Devices are numbered in the order of time.
fn marks(messages: &[Message], start_s: f64) -> Vec<Mark> {
    let mut devices = Vec::new();
    let mut marks = Vec::new();
    for message in messages {
        let device_id = message.uplink.device_id();
        let known = devices.iter().position(|&device| device == device_id);
        let group = known.unwrap_or_else(|| {
            devices.push(device_id);
            devices.len() - 1
        });
        let extent = Extent::of(message);
        marks.extend(message.frames.iter().map(|frame| Mark {
            time_s: start_s + frame.signal.time_s,
            duration_s: extent.duration_s,
            frequency_hz: frame.signal.frequency_hz,
            width_hz: extent.width_hz,
            label: format!("{device_id} frame {}", frame.rank),
            group,
        }));
    }
    marks
}
