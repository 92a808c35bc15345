//! Loss of messages under conditions of one's choice.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::{LossArgs, measure};

fn main() -> Result<()> {
    let args = LossArgs::parse();
    for &eb_over_n0_db in &args.eb_over_n0 {
        let conditions = args.conditions(eb_over_n0_db)?;
        let outcome = measure(&conditions, &args.impairments, args.messages, args.seed)?;
        let counts = outcome.messages;
        let frames = counts.sent * usize::from(args.frames);
        println!(
            "{eb_over_n0_db:5.1} dB  loss {:5.1} % of {} messages, {:5.1} % without a frame that \
             decodes alone, {:5.1} % of frames do; false positives {}, repeated {}",
            100.0 * outcome.loss(),
            counts.sent,
            100.0 * outcome.any_frame_loss(),
            100.0 * outcome.frames as f64 / frames as f64,
            counts.false_positives,
            counts.repeated
        );
    }
    Ok(())
}
