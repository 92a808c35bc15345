//! `nap devices`: the receivers that are plugged in.

use anyhow::Result;

use crate::outcome::Outcome;

/// Receivers that are plugged in, and what they can do.
#[derive(clap::Args)]
pub struct Args {
    /// Only those that fit, such as driver=rtlsdr.
    #[arg(value_name = "ARGS", default_value = "")]
    #[cfg_attr(not(feature = "soapy"), allow(dead_code, reason = "nobody to hand it to"))]
    arguments: String,

    /// One JSON object a line.
    #[arg(long)]
    #[cfg_attr(not(feature = "soapy"), allow(dead_code, reason = "nothing to write"))]
    json: bool,
}

/// Runs the command.
#[cfg(feature = "soapy")]
pub fn run(args: &Args) -> Result<Outcome> {
    let found = nap_io::live::soapy::list(&args.arguments)?;
    if found.is_empty() {
        tracing::warn!(
            "no receiver found; is it plugged in, is its SoapySDR module installed \
             (`SoapySDRUtil --info`), and may you use it?"
        );
        return Ok(Outcome::Failed);
    }
    for device in &found {
        let text = if args.json { serde_json::to_string(device)? } else { text(device) };
        anstream::println!("{text}");
    }
    Ok(Outcome::Done)
}

/// Runs the command.
#[cfg(not(feature = "soapy"))]
pub fn run(_: &Args) -> Result<Outcome> {
    Err(crate::outcome::misuse(anyhow::anyhow!(
        "this program was built without SoapySDR; build it with \
         `cargo install --path nap-cli --features soapy`"
    )))
}

#[cfg(feature = "soapy")]
fn text(device: &nap_io::live::soapy::Found) -> String {
    use nap_io::live::soapy::Range;
    let range = |range: &Range, scale: f64| {
        let (low, high) = (range.low / scale, range.high / scale);
        if low == high { format!("{low}") } else { format!("{low} to {high}") }
    };
    let ranges = |ranges: &[Range], scale: f64| {
        ranges.iter().map(|r| range(r, scale)).collect::<Vec<_>>().join(", ")
    };
    let gains = device.gains_db.iter().map(|(name, gain)| format!("{name} {}", range(gain, 1.0)));
    let fields = [
        ("label", device.label.clone()),
        ("channels", device.channels.to_string()),
        ("antennas", device.antennas.join(", ")),
        ("gains, dB", gains.collect::<Vec<_>>().join(", ")),
        ("sample rates, MS/s", ranges(&device.sample_rates_hz, 1e6)),
        ("frequencies, MHz", ranges(&device.frequencies_hz, 1e6)),
        ("bandwidths, MHz", ranges(&device.bandwidths_hz, 1e6)),
        ("cannot be asked", device.problem.clone().unwrap_or_default()),
    ];
    let lines = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines = lines.map(|(name, value)| format!("\n  {name:<20}{value}"));
    format!("--device {}{}", device.arguments, lines.collect::<String>())
}
