//! `nap simulate`: a scene to a recording.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nap_io::{FileName, RawWriter, SampleFormat, SampleSink, StreamInfo, counted};
use nap_phy::scene::{Scene, Truth};
use num_complex::Complex32;

use crate::outcome::{Outcome, misuse};
use crate::terminal::sample_bar;

/// Samples rendered at once.
const BLOCK: usize = 1 << 16;

/// A scene to a recording.
///
/// Renders a scene and says what is in it.
///
/// The recording is written as SigMF, WAV or raw samples, as its name says; what else a name says has to be what
/// the scene says. Beside it, `OUT.truth.json` lists every message and frame; it also holds the keys of the scene.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap simulate examples/scenes/two_devices.toml -o out.sigmf-meta
  nap simulate scene.toml -o out_868.13M_250k.cs16 --seed 7
  nap simulate scene.toml -o - --sample-format cs16 |
    nap decode - --sample-format cs16 --sample-rate 250k --center-frequency 868.13M")]
pub struct Args {
    /// The scene, TOML.
    #[arg(value_name = "SCENE.toml")]
    scene: PathBuf,

    /// The recording: `x.sigmf-meta`, `x.wav`, a raw file such as `x_868.13M_250k.cu8`, or `-` for raw
    /// samples to standard output.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// How samples are stored; if left out as the name says, else cs8 for scenes of up to 8 bits
    /// and cs16 for others.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    /// Where to write what is in the recording; if left out, beside it, of standard output nowhere.
    #[arg(long, value_name = "OUT.json")]
    truth: Option<PathBuf>,

    /// Start of all randomness, instead of the scene's.
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let name = || args.scene.display().to_string();
    let mut scene = read_scene(&args.scene).with_context(name)?;
    scene.seed = args.seed.unwrap_or(scene.seed);
    args.check_name(&scene)?;
    let truth = render(&scene, args).with_context(name)?;
    let truth_path = args.truth_path();
    if let Some(path) = &truth_path {
        fs::write(path, serde_json::to_string_pretty(&truth)? + "\n")
            .with_context(|| format!("{}: cannot write the truth", path.display()))?;
    }
    let frames: usize = truth.messages.iter().map(|message| message.frames.len()).sum();
    tracing::info!(
        "{}{}: {}, {} in {} s",
        args.output.display(),
        truth_path.map(|path| format!(" and {}", path.display())).unwrap_or_default(),
        counted(truth.messages.len(), "message"),
        counted(frames, "frame"),
        scene.duration_s
    );
    Ok(Outcome::Done)
}

impl Args {
    fn is_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    fn truth_path(&self) -> Option<PathBuf> {
        let beside = || (!self.is_stdout()).then(|| self.output.with_extension("truth.json"));
        self.truth.clone().or_else(beside)
    }

    fn name(&self) -> String {
        self.output.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whoever reads the recording believes its name.
    fn check_name(&self, scene: &Scene) -> Result<()> {
        let told = FileName::parse(&self.name());
        let differs = |told: Option<f64>, is: f64| told.filter(|told| (told - is).abs() > 0.5);
        let (rate_hz, center_hz) = (scene.sample_rate_hz, scene.center_hz());
        let problem = if let Some(told_hz) = differs(told.sample_rate_hz, rate_hz) {
            format!("a sample rate of {told_hz} S/s, but the scene has {rate_hz} S/s")
        } else if let Some(told_hz) = differs(told.center_hz, center_hz) {
            format!("a centre of {told_hz} Hz, but the scene has {center_hz} Hz")
        } else if let (Some(named), Some(given)) = (told.format, self.sample_format)
            && named != given
        {
            format!("the format {named}, but --sample-format is {given}")
        } else {
            return Ok(());
        };
        let output = self.output.display();
        Err(misuse(anyhow!("{output}: the name says {problem}; give it another name")))
    }

    /// Opens the recording for writing.
    fn create(&self, info: &StreamInfo) -> Result<Box<dyn SampleSink>> {
        if self.is_stdout() {
            tell_of_raw(info);
            return Ok(Box::new(RawWriter::new(io::stdout(), &self.output, info.format)));
        }
        let sink = nap_io::create(&self.output, info)?;
        let name = self.name().to_ascii_lowercase();
        let told = FileName::parse(&name);
        let is_container = name.contains(".sigmf") || name.ends_with(".wav");
        if !is_container && (told.format.is_none() || told.sample_rate_hz.is_none()) {
            tell_of_raw(info);
        }
        Ok(sink)
    }
}

/// Says how to read samples of which no name tells it.
fn tell_of_raw(info: &StreamInfo) {
    let center_hz = info.center_hz.unwrap_or_default();
    tracing::info!(
        "raw samples: {}, {} S/s around {center_hz} Hz",
        info.format,
        info.sample_rate_hz
    );
}

/// Reads a scene. Errors name the line but do not show it: it may hold a key.
fn read_scene(path: &Path) -> Result<Scene> {
    let text = fs::read_to_string(path).context("cannot read the scene").map_err(misuse)?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        misuse(anyhow!("{place}{}", error.message()))
    })
}

/// Renders the scene into the recording.
fn render(scene: &Scene, args: &Args) -> Result<Truth> {
    let (mut simulator, truth) = scene.build()?;
    let mut info = StreamInfo::new(scene.sample_rate_hz, format(scene, args));
    info.center_hz = Some(scene.center_hz());
    info.description = Some(format!(
        "simulated, {}, seed {}, full scale {} dBm, noise figure {} dB",
        counted(truth.messages.len(), "message"),
        scene.seed,
        scene.full_scale_dbm,
        scene.noise_figure_db
    ));
    let mut sink = args.create(&info)?;
    let mut left = scene.samples();
    let bar = sample_bar("simulating".into(), Some(left), scene.sample_rate_hz);
    let mut block = vec![Complex32::ZERO; BLOCK];
    while left > 0 {
        let count = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK));
        simulator.render(&mut block[..count]);
        sink.write(&block[..count])?;
        left -= count as u64;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    sink.finish()?;
    let clipped = sink.clipped_components();
    if clipped > 0 {
        tracing::warn!("{clipped} values of I or Q were clipped; raise the scene's full_scale_dbm");
    }
    Ok(truth)
}

fn format(scene: &Scene, args: &Args) -> SampleFormat {
    let name = args.name();
    // WAV has no signed 8 bit.
    let is_wav = name.to_ascii_lowercase().ends_with(".wav");
    let usual = match scene.quantisation_bits {
        Some(..=8) if !is_wav => SampleFormat::Cs8,
        _ => SampleFormat::Cs16Le,
    };
    args.sample_format.or(FileName::parse(&name).format).unwrap_or(usual)
}
