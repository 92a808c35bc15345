//! Trying relays out: as far as the other side, without a message.

use std::time::Instant;

use crate::relay::carrier::Fault;
use crate::relay::context::Context;
use crate::relay::file::try_file;
use crate::relay::https::Https;
use crate::relay::mqtt::try_mqtt;
use crate::relay::options::Options;
use crate::relay::visitor::Visitor;

/// Goes as far as the other side and comes back: TLS, and who may enter. What was found, for people.
///
/// # Errors
/// What is wrong on the way.
pub async fn try_out(
    options: &Options,
    context: Context,
    visitor: &Visitor,
) -> Result<String, Fault> {
    let start = Instant::now();
    match options {
        Options::File(file) => return try_file(file, &context).map_err(Fault::of_disk),
        Options::Https(https) => {
            Https::new(https, context).map_err(Fault::of_disk)?.reach().await?
        }
        Options::Mqtt(mqtt) => try_mqtt(mqtt, &context, visitor).await?,
    }
    Ok(format!("it answers, after {:.2} s", start.elapsed().as_secs_f64()))
}
