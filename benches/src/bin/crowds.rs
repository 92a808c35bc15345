//! Crowds for a program that receives: what it tells of is held against what was sent.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use nap_benches::empty_scene;
use nap_benches::scenarios::crowd_scene;
use nap_io::{SampleFormat, convert};
use nap_phy::BitRate;
use nap_phy::scene::{Scene, TruthMessage};
use num_complex::Complex32;

/// Samples rendered at once.
const BLOCK: usize = 1 << 16;
/// What a line of a message begins with.
const TOLD: &str = "told ";
/// A message is told of with the time of one of its frames, which is known to within this.
const SAME_TIME_S: f64 = 0.1;

/// Renders scenes of an RC1 channel one after the other, each of another seed, into the standard input of a program, as
/// samples of 16 bits. Prints what it prints, but for lines such as `told TIME_S DEVICE SEQUENCE_NUMBER KIND PAYLOAD`:
/// these are counted, and printed where they tell of a message twice or of one that was not sent.
#[derive(Parser)]
struct Args {
    /// Messages of each scene, from -130 to -100 dBm.
    #[arg(long, default_value_t = 100)]
    messages: u32,
    /// Length of a scene.
    #[arg(long, default_value_t = 40.0)]
    seconds: f64,
    /// How many scenes.
    #[arg(long, default_value_t = 1)]
    scenes: u64,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

impl Args {
    fn scene(&self, seed: u64) -> Scene {
        let mut scene = match self.messages {
            0 => empty_scene(self.seconds, seed),
            messages => crowd_scene(messages, &[BitRate::Bps100], seed),
        };
        scene.duration_s = self.seconds;
        if let Some(traffic) = &mut scene.traffic {
            traffic.payload_bytes = [1, 12];
        }
        scene
    }
}

/// The messages that were sent, by what they say.
#[derive(Default)]
struct Sent(HashMap<String, Message>);

/// One that was sent.
struct Message {
    frames_s: Vec<f64>,
    told: usize,
}

/// What became of the messages.
#[derive(Default)]
struct Counts {
    told: usize,
    twice: usize,
    never_sent: usize,
}

impl Sent {
    /// Adds the messages of a scene that begins then.
    fn add(&mut self, messages: &[TruthMessage], begin_s: f64) {
        for sent in messages {
            let TruthMessage { device_id, sequence_number, kind, payload, frames, .. } = sent;
            let number = sequence_number.value();
            let payload = payload.as_deref().unwrap_or_default();
            let frames_s = frames.iter().map(|frame| begin_s + frame.time_s).collect();
            let message = Message { frames_s, told: 0 };
            self.0.insert(format!("{device_id} {number} {kind} {payload}"), message);
        }
    }

    /// Counts a message that was told of, and says what is wrong with it, if anything is.
    fn take(&mut self, line: &str, counts: &mut Counts) -> Result<Option<&'static str>> {
        let (time_s, content) = line.split_once(' ').context("no time")?;
        let time_s: f64 = time_s.parse().with_context(|| format!("{line}: no time"))?;
        counts.told += 1;
        let same_time = |frame_s: &f64| (frame_s - time_s).abs() < SAME_TIME_S;
        let Some(sent) = self.0.get_mut(content) else {
            counts.never_sent += 1;
            return Ok(Some("never sent"));
        };
        sent.told += 1;
        if sent.told > 1 {
            counts.twice += 1;
            return Ok(Some("told before"));
        }
        Ok((!sent.frames_s.iter().any(same_time)).then_some("sent at another time"))
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let (program, rest) = args.program.split_first().context("no program")?;
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program.clone())?;
    let mut samples = child.stdin.take().context("no standard input")?;
    let mut sent = Sent::default();
    for seed in 1..=args.scenes {
        let begin_s = (seed - 1) as f64 * args.seconds;
        sent.add(&render(&args.scene(seed), &mut samples)?, begin_s);
    }
    drop(samples);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{program}: {}", output.status);
    let mut counts = Counts::default();
    for line in String::from_utf8(output.stdout)?.lines() {
        let Some(told) = line.strip_prefix(TOLD) else {
            println!("{line}");
            continue;
        };
        if let Some(problem) = sent.take(told, &mut counts)? {
            println!("{problem}: {told}");
        }
    }
    let Counts { told, twice, never_sent } = counts;
    let missed = sent.0.values().filter(|message| message.told == 0).count();
    println!(
        "{} messages sent, {told} told of: {missed} missed, {twice} told twice, {never_sent} never sent",
        sent.0.len()
    );
    Ok(())
}

/// Writes a scene's samples and returns what was sent in it.
fn render(scene: &Scene, samples: &mut impl Write) -> Result<Vec<TruthMessage>> {
    let (mut simulator, truth) = scene.build()?;
    let mut left = scene.samples() as usize;
    let mut block = vec![Complex32::default(); BLOCK];
    let mut bytes = Vec::new();
    while left > 0 {
        let count = left.min(BLOCK);
        simulator.render(&mut block[..count]);
        bytes.clear();
        convert::encode(SampleFormat::Cs16Le, &block[..count], &mut bytes);
        samples.write_all(&bytes)?;
        left -= count;
    }
    Ok(truth.messages)
}
