//! What firmware has to reckon with: how long a driver's thread is held, and how far the work gets behind.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use nap_benches::scenarios::crowd_scene;
use nap_benches::thread_timed;
use nap_phy::receiver::paced::{PacedEvent, PacedReceiver};
use nap_phy::{BitRate, Event, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rustix::time::{ClockId, clock_gettime};

/// Pushes a crowd in blocks, once with all the work in `push` and once spread, and prints the CPU time that the
/// thread was held for a block.
#[derive(Parser)]
struct Args {
    /// Messages that start within 30 s.
    #[arg(long, default_value_t = 100)]
    crowd: u32,
    /// Scenes, each of 40 s.
    #[arg(long, default_value_t = 10)]
    scenes: u64,
    /// Samples of a block.
    #[arg(long, default_value_t = 4096)]
    block: usize,
    /// Time for the work on a block, in ms.
    #[arg(long, default_value_t = 12.0)]
    budget_ms: f64,
    /// Samples that may wait.
    #[arg(long, default_value_t = 250_000)]
    backlog: usize,
}

/// CPU times of blocks, in ms.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn add(&mut self, time: Duration) {
        self.0.push(1e3 * time.as_secs_f64());
    }

    /// The time that this share of blocks takes at most.
    fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((share * last as f64).ceil() as usize).copied().unwrap_or(0.0)
    }

    fn print(mut self, name: &str, samples: f64) {
        self.0.sort_by(f64::total_cmp);
        let of_million = 1e6 * self.0.iter().sum::<f64>() / samples;
        let shares = [0.5, 0.9, 0.99, 0.999, 1.0].map(|share| format!("{:.2}", self.at(share)));
        println!("| {name} | {} | {of_million:.0} |", shares.join(" | "));
    }
}

/// What became of the crowd.
struct Crowd {
    samples: f64,
    plain: Times,
    spread: Times,
    parts: Times,
    max_behind: usize,
    sample_rate_hz: f64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut crowd = Crowd {
        samples: 0.0,
        plain: Times::default(),
        spread: Times::default(),
        parts: Times::default(),
        max_behind: 0,
        sample_rate_hz: 0.0,
    };
    for seed in 0..args.scenes {
        crowd.receive(seed, &args)?;
    }
    let block_ms = 1e3 * args.block as f64 / crowd.sample_rate_hz;
    println!("Blocks of {} samples last {block_ms:.2} ms. CPU time of the thread, ms:", args.block);
    println!();
    println!("| held by | half | 90 % | 99 % | 99.9 % | longest | ms a million samples |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    crowd.plain.print("`push` alone", crowd.samples);
    let spread = format!("`push` and `work` for {} ms", args.budget_ms);
    crowd.spread.print(&spread, crowd.samples);
    crowd.parts.print("a part of the work", crowd.samples);
    println!();
    let behind_s = crowd.max_behind as f64 / crowd.sample_rate_hz;
    println!(
        "The work was {behind_s:.3} s behind at most. The events were the same, in the same order."
    );
    Ok(())
}

impl Crowd {
    fn receive(&mut self, seed: u64, args: &Args) -> Result<()> {
        let scene = crowd_scene(args.crowd, &[BitRate::Bps100], seed);
        let (mut simulator, _) = scene.build()?;
        let mut samples = vec![Complex32::default(); scene.samples() as usize];
        simulator.render(&mut samples);
        self.samples += samples.len() as f64;
        self.sample_rate_hz = scene.sample_rate_hz;
        let config = ReceiverConfig::new(scene.sample_rate_hz, scene.center_hz());
        let expected = self.push(Receiver::new(config.clone())?, &samples, args);
        let spread = self.spread(PacedReceiver::new(config, args.backlog)?, &samples, args);
        ensure!(spread == expected, "scene {seed}: the events differ");
        Ok(())
    }

    /// With all the work in `push`.
    fn push(&mut self, mut receiver: Receiver, samples: &[Complex32], args: &Args) -> Vec<Event> {
        let mut events = Vec::new();
        for block in samples.chunks(args.block) {
            self.plain.add(thread_timed(|| events.extend(receiver.push(block))));
        }
        events.extend(receiver.flush());
        events
    }

    /// With the work spread.
    fn spread(
        &mut self,
        mut receiver: PacedReceiver,
        samples: &[Complex32],
        args: &Args,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let budget = Duration::from_secs_f64(1e-3 * args.budget_ms);
        for block in samples.chunks(args.block) {
            let parts = &mut self.parts;
            let mut last = thread_now();
            let start = last;
            let go_on = || {
                let now = thread_now();
                parts.add(now - std::mem::replace(&mut last, now));
                now - start < budget
            };
            let held = thread_timed(|| {
                receiver.push(block);
                receiver.work_while(go_on, |event| keep(&mut events, event));
            });
            self.parts.add(thread_now() - last);
            self.spread.add(held);
            self.max_behind = self.max_behind.max(receiver.backlog());
        }
        receiver.flush();
        receiver.work_while(|| true, |event| keep(&mut events, event));
        events
    }
}

fn keep(events: &mut Vec<Event>, event: PacedEvent<'_>) {
    if let PacedEvent::Received(event) = event {
        events.push(event.clone());
    }
}

fn thread_now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
