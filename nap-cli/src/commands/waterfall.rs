//! `nap waterfall`: a recording to a picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context, Result, anyhow, bail};
use nap_dsp::spectrogram::{Spectrogram, SpectrogramConfig};
use nap_io::{StreamInfo, Stretch, counted};
use nap_phy::{DeviceTable, Event, Message, Receiver, ReceiverConfig};
use nap_plot::waterfall::{Figure, Layout, MAX_SIZE, MIN_SIZE, Mark, Panel};
use num_complex::Complex32;

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
use crate::args::input::{InputArgs, Recording};
use crate::args::span::Span;
use crate::outcome::{Outcome, misuse};
use crate::output::log;

/// Bins of the transform for each pixel: their mean is smoother than a single one.
const BINS_PER_PIXEL: f64 = 2.0;
/// Height of a time cell in pixels: two make half as many bytes of half as much noise, and no
/// burst is so short that it shows.
const PIXELS_PER_ROW: f64 = 2.0;
/// The transform's length is rounded to a fast one, by less than this.
const ROUNDING: f64 = 1.05;
/// A bin much narrower than the symbol rate shows no more, and blurs the time.
const MIN_RESOLUTION_HZ: f64 = 25.0;
/// However narrow the band, it is parted into so many bins.
const MIN_BINS: f64 = 64.0;
/// Names of devices are cut to this.
const MAX_NAME_WIDTH: usize = 20;
/// Time cells of a pipe, of which the length is not known, before they are doubled.
const PIPE_TIME_STEP_S: f64 = 0.005;

/// Draws the power over time and frequency and marks the frames that are decoded from it.
///
/// The picture shows the receiver's channel, or the whole band of a recording that holds none, time
/// running downwards. Each box is a frame, labelled with the device, by its name if it has one, and the
/// frame's rank; frames of one device have one colour. Of a recording that was tuned elsewhere for a while, each
/// part is drawn as far as its band reaches; what was not received is grey.
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
            (MIN_SIZE.0..=MAX_SIZE.0).contains(&width)
                && (MIN_SIZE.1..=MAX_SIZE.1).contains(&height)
        })
        .ok_or_else(|| {
            let (least, largest) = (MIN_SIZE, MAX_SIZE);
            format!(
                "{text:?} is not a size from {}x{} to {}x{}, such as 1600x900",
                least.0, least.1, largest.0, largest.1
            )
        })
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let name = args.file.display().to_string();
    let devices = args.devices.load()?;
    let recording = args.input.open(slice::from_ref(&args.file))?;
    let listened = listened(args, &recording, &devices)?;
    let stretches = recording.stretches();
    let view = View::new(args, &recording, &listened);
    let view = view.with_context(|| format!("{name}: there is nothing to draw"))?;
    let parts = stretches.iter().zip(listened).map(|(stretch, listened)| {
        view.part(args, stretch, listened, stretches.len() == 1).with_context(|| name.clone())
    });
    let mut drawn = parts.collect::<Result<Vec<Part>>>()?;
    if drawn.iter().all(|part| part.spectrogram.is_none()) {
        let (low, high) = view.frequency_hz;
        return Err(misuse(anyhow!(
            "{name}: {:.6} to {:.6} MHz lie outside the sampled band",
            low / 1e6,
            high / 1e6
        )));
    }
    let (counts, read) = recording.read_all(|index, block| drawn[index].push(block));
    let samples: u64 = counts.iter().sum();
    let spectrograms = drawn.iter().filter_map(|part| part.spectrogram.as_ref());
    let unusable: u64 = spectrograms.map(Spectrogram::unusable_samples).sum();
    let has_rows = draw(args, &view, drawn, &counts, &devices)?;
    // A picture of what could be read is better than none.
    read?;
    if !has_rows {
        bail!("{name}: {samples} samples are too few for a line of the picture");
    }
    if unusable > 0 {
        bail!(
            "{name}: {unusable} of {samples} samples are no finite numbers or absurdly large and counted as \
             silence; check the sample format"
        );
    }
    Ok(Outcome::Done)
}

/// What is listened to in each stretch of a recording, or its whole band, and whether that is a channel.
type Listened = Vec<(ReceiverConfig, bool)>;

/// Chooses what is listened to. Where no channel was asked for and none can be received, that is nothing.
fn listened(args: &Args, recording: &Recording, devices: &DeviceTable) -> Result<Listened> {
    let (mut listened, mut problem) = (Vec::new(), None);
    for stretch in recording.stretches() {
        let info = StreamInfo { center_hz: stretch.center_hz, ..recording.info().clone() };
        match args.channel.receiver_config(recording.name(), &info, devices) {
            Ok(config) => listened.push((config, true)),
            Err(error) => {
                let mut band =
                    ReceiverConfig::new(info.sample_rate_hz, info.center_hz.unwrap_or(0.0));
                band.channel_width_hz = info.sample_rate_hz;
                band.full_scale_dbm = args.channel.full_scale_dbm();
                listened.push((band, false));
                problem.get_or_insert(error);
            }
        }
    }
    match problem.filter(|_| listened.iter().all(|(_, is_heard)| !is_heard)) {
        Some(error) if args.channel.is_chosen() => return Err(error),
        Some(error) if !args.no_decode => {
            tracing::warn!("{error:#}: drawing the whole band, nothing is decoded");
        }
        _ => {}
    }
    Ok(listened)
}

/// What part of the air the picture shows.
struct View {
    /// What is listened to where a channel is heard first.
    config: ReceiverConfig,
    /// The lowest and the highest frequency.
    frequency_hz: (f64, f64),
    /// From the start of the recording.
    start_s: f64,
    /// Whether the recording tells its centre.
    has_center: bool,
    /// Length of a time cell.
    time_step_s: f64,
}

impl View {
    /// The channel of the first stretch that holds one, or the whole band of the first.
    fn new(args: &Args, recording: &Recording, listened: &Listened) -> Option<Self> {
        let heard = listened.iter().find(|(_, is_heard)| *is_heard);
        let (config, _) = heard.or(listened.first())?.clone();
        let coverage = config.coverage();
        let frequency_hz = match args.span {
            Some(span) => span.range_hz(&config),
            None => (coverage.lowest_hz, coverage.highest_hz),
        };
        let rate_hz = config.sample_rate_hz;
        let rows = Layout::new(args.size).plot.height() / PIXELS_PER_ROW;
        let duration_s = recording.length().map(|samples| samples as f64 / rate_hz);
        let time_step_s = duration_s.map_or(PIPE_TIME_STEP_S, |s| s / rows).max(rate_hz.recip());
        let (start_s, has_center) = (recording.start_s(), recording.info().center_hz.is_some());
        Some(Self { config, frequency_hz, start_s, has_center, time_step_s })
    }

    /// What is drawn and decoded of a stretch, which is the only one or not.
    fn part(
        &self,
        args: &Args,
        stretch: &Stretch,
        (config, is_heard): (ReceiverConfig, bool),
        is_only: bool,
    ) -> Result<Part> {
        let start_s = stretch.position as f64 / self.config.sample_rate_hz;
        let center_hz = stretch.center_hz.unwrap_or(0.0);
        let frequency_hz = if is_only { self.frequency_hz } else { self.within(center_hz) };
        let is_seen = frequency_hz.0 < frequency_hz.1;
        if !is_seen {
            tracing::warn!("the part from {start_s:.3} s on was tuned elsewhere and stays grey");
        }
        let spectrogram = is_seen.then(|| self.spectrogram(args, frequency_hz, center_hz));
        let spectrogram = spectrogram.transpose().map_err(misuse)?;
        let is_decoded = is_seen && is_heard && !args.no_decode;
        let receiver = is_decoded.then(|| Receiver::new(config)).transpose()?;
        let messages = Vec::new();
        Ok(Part { start_s, center_hz, frequency_hz, spectrogram, receiver, messages })
    }

    /// What of the frequencies shown is in the band around a centre.
    fn within(&self, center_hz: f64) -> (f64, f64) {
        let half_hz = self.config.sample_rate_hz / 2.0;
        (self.frequency_hz.0.max(center_hz - half_hz), self.frequency_hz.1.min(center_hz + half_hz))
    }

    /// Cells as wide as a pixel and [`PIXELS_PER_ROW`] high.
    fn spectrogram(
        &self,
        args: &Args,
        (low_hz, high_hz): (f64, f64),
        center_hz: f64,
    ) -> Result<Spectrogram, nap_dsp::Error> {
        let plot = Layout::new(args.size).plot;
        let rate_hz = self.config.sample_rate_hz;
        let shown_hz = self.frequency_hz.1 - self.frequency_hz.0;
        let min_resolution_hz = MIN_RESOLUTION_HZ.min(rate_hz / MIN_BINS);
        let mut config = SpectrogramConfig::new(rate_hz);
        config.offset_hz = (low_hz + high_hz) / 2.0 - center_hz;
        config.half_width_hz = (high_hz - low_hz) / 2.0;
        config.resolution_hz =
            (shown_hz / plot.width() / BINS_PER_PIXEL * ROUNDING).max(min_resolution_hz);
        config.time_step_s = self.time_step_s;
        config.max_rows = (plot.height() / PIXELS_PER_ROW) as usize;
        config.max_columns = plot.width() as usize;
        config.full_scale_dbm = self.config.full_scale_dbm;
        Spectrogram::new(config)
    }
}

/// A stretch of the recording on its way into the picture.
struct Part {
    /// From the start of the recording.
    start_s: f64,
    center_hz: f64,
    /// What of the frequencies shown is in its band.
    frequency_hz: (f64, f64),
    /// `None` where nothing of them is.
    spectrogram: Option<Spectrogram>,
    receiver: Option<Receiver>,
    messages: Vec<Message>,
}

impl Part {
    fn push(&mut self, block: &[Complex32]) {
        if let Some(spectrogram) = &mut self.spectrogram {
            spectrogram.push(block);
        }
        let events = self.receiver.as_mut().map(|receiver| receiver.push(block));
        self.messages.extend(events.into_iter().flatten().filter_map(Event::complete));
    }

    /// Its messages, at times from the start of the recording; `None` if nothing was listened to.
    fn messages(&mut self) -> Option<Vec<Message>> {
        let events = self.receiver.as_mut()?.flush();
        self.messages.extend(events.into_iter().filter_map(Event::complete));
        Some(self.messages.drain(..).map(|message| message.moved_by(self.start_s)).collect())
    }
}

/// Draws the picture and writes it, if there is a line of it; returns whether there was.
fn draw(
    args: &Args,
    view: &View,
    mut parts: Vec<Part>,
    counts: &[u64],
    devices: &DeviceTable,
) -> Result<bool> {
    let found: Vec<Option<Vec<Message>>> = parts.iter_mut().map(Part::messages).collect();
    let has_decoded = found.iter().any(Option::is_some);
    let messages: Vec<Message> = found.into_iter().flatten().flatten().collect();
    let marks = marks(&messages, devices);
    let arrays: Vec<_> =
        parts.iter().map(|part| part.spectrogram.as_ref().map(Spectrogram::array)).collect();
    let ends_s = parts
        .iter()
        .zip(counts)
        .map(|(part, &count)| part.start_s + count as f64 / view.config.sample_rate_hz);
    let end_s = ends_s.clone().next_back().unwrap_or(view.start_s);
    let shown = parts.iter().zip(&arrays).zip(ends_s);
    let panels: Vec<Panel<'_>> = shown
        .filter_map(|((part, array), end_s)| {
            let array = array.as_ref().filter(|array| !array.power_db.is_empty())?;
            let (center_hz, frequency_hz) = (part.center_hz, part.frequency_hz);
            Some(Panel { array, center_hz, time_s: (part.start_s, end_s), frequency_hz })
        })
        .collect();
    if panels.is_empty() {
        return Ok(false);
    }
    let found = has_decoded.then(|| {
        let (messages, frames) =
            (counted(messages.len(), "message"), counted(marks.len(), "frame"));
        format!("{messages}, {frames} decoded")
    });
    let figure = Figure {
        size: args.size,
        title: &title(&args.file),
        subtitle: &subtitle(view, found.as_deref()),
        panels: &panels,
        density_unit: if view.config.full_scale_dbm.is_some() { "dBm/Hz" } else { "dBFS/Hz" },
        time_s: (view.start_s, end_s),
        has_center: view.has_center,
        frequency_hz: view.frequency_hz,
        marks: &marks,
    };
    write(args, &figure, found.as_deref())?;
    Ok(true)
}

fn write(args: &Args, figure: &Figure<'_>, found: Option<&str>) -> Result<()> {
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
        Some(name) if name != "-" => log::strip_control(&name.to_string_lossy()),
        _ => "Standard input".to_owned(),
    }
}

/// What was listened to and what was found.
fn subtitle(view: &View, found: Option<&str>) -> String {
    let config = &view.config;
    let channel = match view.has_center {
        true => format!("Channel around {:.3} MHz", config.channel_center_hz / 1e6),
        false => "Centre frequency unknown".to_owned(),
    };
    let radio_configuration = config.radio_configuration.map(|rc| format!("{rc} uplink"));
    let parts = [Some(channel), radio_configuration, found.map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A mark for each frame. Devices are numbered in the order of time.
fn marks(messages: &[Message], known: &DeviceTable) -> Vec<Mark> {
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
            time_s: frame.signal.time_s,
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
            config,
            frequency_hz: (868.0e6, 868.2e6),
            start_s: 0.0,
            has_center: true,
            time_step_s: 0.01,
        };
        assert_eq!(
            subtitle(&view, Some("1 message")),
            "Channel around 868.130 MHz · RC1 uplink · 1 message"
        );
        let config = ReceiverConfig::new(250e3, 0.0);
        let unknown = View { config, has_center: false, ..view };
        assert_eq!(subtitle(&unknown, None), "Centre frequency unknown");
    }
}
