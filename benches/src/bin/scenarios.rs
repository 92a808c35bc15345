//! Who is heard in crowded and disturbed channels, and how fast.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::{Parser, ValueEnum};
use nap_benches::scenarios::{Disturbance, Pairs, Tally, crowd, faint, noise};
use nap_benches::{Impairments, parse_shape};
use nap_phy::scene::Shape;
use nap_phy::{BitRate, Rank};

/// Sends messages under hard conditions, receives them blindly and counts.
#[derive(Parser)]
struct Args {
    /// Which scenes; all but noise if left out.
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Messages a line, at least.
    #[arg(long, default_value_t = 400)]
    messages: usize,
    /// How the devices of pairs turn the phase: `rect`, `hann` or `s2lp`.
    #[arg(long, default_value = "rect", value_parser = parse_shape)]
    shape: Shape,
    /// Hours of noise.
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Start of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What else happens to the signals.
    #[command(flatten)]
    impairments: Impairments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// A device 30 dB stronger, 150 to 300 Hz beside, all the time.
    #[value(name = "near_far")]
    NearFar,
    /// Carriers within 20 Hz, 10 dB apart in level, half a frame apart in time.
    #[value(name = "co_channel")]
    CoChannel,
    /// LoRa bursts 25 dB stronger for a third of the time.
    #[value(name = "lora")]
    Lora,
    /// FSK bursts 30 dB stronger for a third of the time.
    #[value(name = "fsk")]
    Fsk,
    /// 100 messages that start within 30 s.
    #[value(name = "crowd_100")]
    Crowd100,
    /// 400 messages that start within 30 s.
    #[value(name = "crowd_400")]
    Crowd400,
    /// Messages of three frames at 0 dB, one way and asking for a downlink.
    #[value(name = "faint")]
    Faint,
    /// Nothing is sent.
    #[value(name = "noise")]
    Noise,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let default = Scenario::value_variants().iter().filter(|&&s| s != Scenario::Noise);
    let chosen: Vec<Scenario> =
        if args.scenario.is_empty() { default.copied().collect() } else { args.scenario.clone() };
    for scenario in chosen {
        run(scenario, &args)?;
    }
    Ok(())
}

fn run(scenario: Scenario, args: &Args) -> Result<()> {
    let Args { messages, seed, impairments, .. } = args;
    let (messages, seed) = (*messages, *seed);
    let pairs =
        |pairs: Pairs| Pairs { shape: args.shape, ..pairs }.tally(messages, seed, impairments);
    let both_rates = [BitRate::Bps100, BitRate::Bps600];
    let frames = [(Rank::First, "one frame"), (Rank::Third, "three frames")];
    match scenario {
        Scenario::NearFar => {
            for (last, name) in frames {
                print(&format!("near_far, {name}"), &pairs(Pairs::near_far(last))?);
            }
        }
        Scenario::CoChannel => {
            for (last, name) in frames {
                print(&format!("co_channel, {name}"), &pairs(Pairs::co_channel(last))?);
            }
        }
        Scenario::Lora | Scenario::Fsk => {
            let (system, bursts) = if scenario == Scenario::Lora {
                ("lora", Disturbance::lora())
            } else {
                ("fsk", Disturbance::fsk())
            };
            for (last, name) in frames {
                print(
                    &format!("{system}, {name}"),
                    &bursts.tally(last, messages, seed, impairments)?,
                );
            }
        }
        Scenario::Faint => {
            for (bidirectional, name) in [(false, "one way"), (true, "for a downlink")] {
                print(
                    &format!("faint, {name}"),
                    &faint(bidirectional, messages, seed, impairments)?,
                );
            }
        }
        Scenario::Crowd100 | Scenario::Crowd400 => {
            let size = if scenario == Scenario::Crowd100 { 100 } else { 400 };
            for rates in [&both_rates[..1], &both_rates] {
                let names: Vec<String> = rates.iter().map(ToString::to_string).collect();
                let name = format!("crowd_{size}, {} bit/s", names.join(" and "));
                print(&name, &crowd(size, rates, messages, seed, impairments)?);
            }
        }
        Scenario::Noise => print("noise", &noise(args.hours * 3600.0, seed, impairments)?),
    }
    Ok(())
}

fn print(name: &str, tally: &Tally) {
    println!(
        "{name}: {:.0} s on the air, {:.1} x real time, false positives {}, repeated {}",
        tally.air_s,
        tally.times_real_time(),
        tally.false_positives,
        tally.repeated
    );
    for part in &tally.parts {
        let percent = 100.0 * (1.0 - part.loss());
        println!("    {:8} heard {:5} of {:5}, {percent:5.1} %", part.name, part.heard, part.sent);
    }
    let counters = tally.statistics.counters();
    let counts: Vec<String> = counters.map(|c| format!("{} {}", c.name, c.value)).collect();
    println!("    {}", counts.join(", "));
}
