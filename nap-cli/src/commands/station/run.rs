//! A station at work.

use std::time::Duration;

use anyhow::Result;
use nap_station::Monitor;
use nap_station::config::Config;
use nap_station::relay::outbox::Level;
use nap_station::station::event::Event;
use nap_station::station::remark::{Remark, Say};
use nap_station::station::{Ending, Station, StationOptions};

use sd_notify::NotifyState;

use crate::args::source::driver;
use crate::outcome::Outcome;
use crate::signals::{reload_on_signal, stop_on_signals};

/// Runs a station until it ends.
pub fn run(config: Config, drain_timeout_s: f64) -> Result<Outcome> {
    let monitor = Monitor::new()?;
    let options = StationOptions {
        drain_timeout: Duration::from_secs_f64(drain_timeout_s),
        stop: stop_on_signals()?,
        reload: reload_on_signal()?,
        say: Say::new(|remark| log(&remark)),
        driver: Some(driver()?),
    };
    let station = Station::open(config, options, monitor)?;
    tell_systemd(NotifyState::Ready);
    let ending = station.run()?;
    tell_systemd(NotifyState::Stopping);
    Ok(end(&ending))
}

/// Tells systemd, where it has started the station.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!("systemd cannot be told: {error}");
    }
}

fn end(ending: &Ending) -> Outcome {
    match ending {
        Ending::Done => Outcome::Done,
        Ending::Undelivered(left) => {
            for (relay, left) in left {
                tracing::error!("relay {relay:?}: {left} not delivered in time; they are kept");
            }
            Outcome::Failed
        }
        Ending::SourceFailed => Outcome::Misused,
    }
}

fn log(remark: &Remark) {
    match remark {
        Remark::Alive => tell_systemd(NotifyState::Watchdog),
        Remark::Fault(_, false) => tracing::debug!("{remark}"),
        Remark::Event(event) => log_event(event, remark),
        Remark::Station(_)
        | Remark::Started(_)
        | Remark::Listening(_)
        | Remark::Note(_)
        | Remark::Recovered(_)
        | Remark::StoredAgain { lost: 0 }
        | Remark::Judged(_)
        | Remark::Devices(_) => tracing::info!("{remark}"),
        Remark::NotStored(_)
        | Remark::StoredAgain { .. }
        | Remark::BadDevices(_)
        | Remark::Dropped(_) => {
            tracing::error!("{remark}");
        }
        _ => tracing::warn!("{remark}"),
    }
}

/// Strangers are told of as refused by the hundred.
fn log_event(event: &Event, remark: &Remark) {
    match event.level {
        Level::Info if event.event_type == "refused" => tracing::debug!("{remark}"),
        Level::Info => tracing::info!("{remark}"),
        Level::Warning => tracing::warn!("{remark}"),
        Level::Alarm => tracing::error!("{remark}"),
    }
}
