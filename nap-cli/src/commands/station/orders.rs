//! What an operator tells a station, whether it runs or not.

use anyhow::{Context, Result};
use nap_phy::DeviceId;
use nap_station::station::carry_out;
use nap_station::station::order::{DeadLetters, Order};
use nap_station::store::views;

use crate::commands::station::config::ConfigArg;
use crate::commands::station::rows;
use crate::outcome::Outcome;

/// Devices, and where the station is.
#[derive(clap::Args)]
pub struct DevicesArgs {
    /// The devices' IDs, in hexadecimal.
    #[arg(value_name = "DEVICE", required = true)]
    devices: Vec<DeviceId>,

    #[command(flatten)]
    config: ConfigArg,
}

/// Devices to block, and for how long.
#[derive(clap::Args)]
pub struct BlockArgs {
    /// For so many minutes; if left out, until they are unblocked.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,

    #[command(flatten)]
    devices: DevicesArgs,
}

/// What could not be delivered.
#[derive(clap::Subcommand)]
pub enum LettersCommand {
    /// Print them, one JSON object a line, the oldest first.
    List(ConfigArg),
    /// Try them again.
    Again(LettersArgs),
    /// Try them no more.
    Drop(LettersArgs),
}

/// Which dead letters.
#[derive(clap::Args)]
pub struct LettersArgs {
    /// The IDs of messages or events; if left out, all.
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// Those of one relay; if left out, of all.
    #[arg(long, value_name = "NAME")]
    relay: Option<String>,

    #[command(flatten)]
    config: ConfigArg,
}

/// Says the same of some devices, one after the other.
pub fn devices(args: &DevicesArgs, order: impl Fn(DeviceId) -> Order) -> Result<Outcome> {
    let config = args.config.load()?;
    for device_id in &args.devices {
        carry_out(&config, order(*device_id)).with_context(|| device_id.to_string())?;
    }
    Ok(Outcome::Done)
}

/// Blocks devices.
pub fn block(args: &BlockArgs) -> Result<Outcome> {
    let minutes = args.minutes;
    devices(&args.devices, |device_id| Order::Block { device_id, minutes })
}

/// Prints who was refused.
pub fn refused(config: &ConfigArg) -> Result<Outcome> {
    let state = config.load()?.station.state;
    rows::print(&views::refused(&state).with_context(|| state.display().to_string())?)?;
    Ok(Outcome::Done)
}

fn list(config: &ConfigArg) -> Result<Outcome> {
    let state = config.load()?.station.state;
    rows::print(&views::dead_letters(&state).with_context(|| state.display().to_string())?)?;
    Ok(Outcome::Done)
}

/// Looks at dead letters, or says what becomes of them.
pub fn letters(command: &LettersCommand) -> Result<Outcome> {
    let (args, order): (_, fn(DeadLetters) -> Order) = match command {
        LettersCommand::List(config) => return list(config),
        LettersCommand::Again(args) => (args, Order::Again),
        LettersCommand::Drop(args) => (args, Order::Drop),
    };
    let which = DeadLetters { relay: args.relay.clone(), ids: args.ids.clone() };
    let count = carry_out(&args.config.load()?, order(which))?;
    tracing::info!("dead letters: {count}");
    Ok(Outcome::Done)
}
