//! `nap simulate`: a scene to a recording.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nap_io::{FileName, SampleFormat, StreamInfo};
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
/// The recording is written as SigMF, WAV or raw samples, as its name says. Beside it,
/// `OUT.truth.json` lists every message and frame; it also holds the keys of the scene.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap simulate examples/scenes/two_devices.toml -o out.sigmf-meta
  nap simulate scene.toml -o out_868.13M_250k.cs16 --seed 7")]
pub struct Args {
    /// The scene, TOML.
    #[arg(value_name = "SCENE.toml")]
    scene: PathBuf,

    /// The recording: `x.sigmf-meta`, `x.wav`, or a raw file such as `x_868.13M_250k.cu8`.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// How samples are stored; if left out as the name says, else cs8 for scenes of up to 8 bits
    /// and cs16 for others.
    #[arg(long, value_name = "FORMAT")]
    sample_format: Option<SampleFormat>,

    /// Start of all randomness, instead of the scene's.
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let name = || args.scene.display().to_string();
    let mut scene = read_scene(&args.scene).with_context(name)?;
    scene.seed = args.seed.unwrap_or(scene.seed);
    let truth = render(&scene, args).with_context(name)?;
    let truth_path = args.output.with_extension("truth.json");
    fs::write(&truth_path, serde_json::to_string_pretty(&truth)? + "\n")
        .with_context(|| format!("{}: cannot write the truth", truth_path.display()))?;
    let frames: usize = truth.messages.iter().map(|message| message.frames.len()).sum();
    tracing::info!(
        "{} and {}: {} messages, {frames} frames in {} s",
        args.output.display(),
        truth_path.display(),
        truth.messages.len(),
        scene.duration_s
    );
    Ok(Outcome::Done)
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
        "simulated, {} messages, seed {}, full scale {} dBm, noise figure {} dB",
        truth.messages.len(),
        scene.seed,
        scene.full_scale_dbm,
        scene.noise_figure_db
    ));
    let mut sink = nap_io::create(&args.output, &info)?;
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
    let name = args.output.file_name().unwrap_or_default().to_string_lossy();
    // WAV has no signed 8 bit.
    let is_wav = name.to_ascii_lowercase().ends_with(".wav");
    let usual = match scene.quantisation_bits {
        Some(..=8) if !is_wav => SampleFormat::Cs8,
        _ => SampleFormat::Cs16Le,
    };
    args.sample_format.or(FileName::parse(&name).format).unwrap_or(usual)
}
