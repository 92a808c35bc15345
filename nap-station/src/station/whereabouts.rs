//! Where the station is, as a GPS receiver says: for the records of messages, and for the status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::position::PositionConfig;
use crate::rules::gps::Position;
use crate::station::gpsd::Gpsd;
use crate::station::keeper::Command;
use crate::station::uptime::Uptime;

/// How often is looked.
const TICK: Duration = Duration::from_secs(1);
/// The status tells of a way of so many metres at once: those who stand still wander less.
const TOLD_M: f64 = 100.0;
/// It tells that nobody knows any more after so many seconds: a bridge is not worth a word.
const TOLD_LOST_S: f64 = 60.0;

/// Where the station is, if it is not always at the same place.
#[derive(Debug)]
pub struct Whereabouts {
    gpsd: Option<Arc<Gpsd>>,
    uptime: Uptime,
    tick: Option<Instant>,
    recorded: Option<Position>,
    told: Told,
}

/// What the status says.
#[derive(Debug, Clone, Default)]
struct Told {
    position: Option<Position>,
    /// When there was a position last, by the uptime in seconds.
    known_at_s: f64,
}

impl Whereabouts {
    /// Listens to a GPS receiver, where the configuration has one.
    #[must_use]
    pub fn start(config: &PositionConfig) -> Self {
        let uptime = Uptime::read();
        let gpsd = match config {
            PositionConfig::Gpsd { address } => Some(Gpsd::listen(address, uptime)),
            PositionConfig::None | PositionConfig::Fixed { .. } => None,
        };
        Self { gpsd, uptime, tick: None, recorded: None, told: Told::default() }
    }

    /// The receiver.
    #[must_use]
    pub fn gpsd(&self) -> Option<&Arc<Gpsd>> {
        self.gpsd.as_ref()
    }

    /// Looks where the station is: what the one who writes is to know, and what the status is to say from now on.
    pub fn look(&mut self) -> (Option<Command>, Option<Value>) {
        let Some(gpsd) = self.gpsd.as_ref().filter(|_| self.tick.is_none_or(is_due)) else {
            return (None, None);
        };
        self.tick = Some(Instant::now());
        let position = gpsd.position();
        let is_news = std::mem::replace(&mut self.recorded, position) != position;
        let json = position.map(|position| position.json().to_string());
        let command = is_news.then_some(Command::Position(json));
        let told = self.told.look(position, self.uptime.seconds());
        (command, told.map(|position| json!(position.map(Position::json))))
    }
}

fn is_due(tick: Instant) -> bool {
    tick.elapsed() >= TICK
}

impl Told {
    /// What is to be said, if it is worth it.
    fn look(&mut self, position: Option<Position>, uptime_s: f64) -> Option<Option<Position>> {
        let is_news = match (self.position, position) {
            (None, None) => false,
            (None, Some(_)) => true,
            (Some(_), None) => uptime_s - self.known_at_s >= TOLD_LOST_S,
            (Some(told), Some(position)) => told.distance_m(position) >= TOLD_M,
        };
        if position.is_some() {
            self.known_at_s = uptime_s;
        }
        is_news.then(|| {
            self.position = position;
            position
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_tells_of_ways_and_not_of_wandering() {
        let mut told = Told::default();
        let at = |latitude| Some(Position { latitude, longitude: 11.5 });
        assert_eq!(told.look(None, 0.0), None);
        assert_eq!(told.look(at(48.0), 10.0), Some(at(48.0)));
        // 11 m, again and again.
        for second in 11..100_u32 {
            let latitude = 48.0 + f64::from(second % 2) * 1e-4;
            assert_eq!(told.look(at(latitude), second.into()), None);
        }
        assert_eq!(told.look(at(48.001), 100.0), Some(at(48.001)));
        assert_eq!(told.look(None, 159.9), None);
        assert_eq!(told.look(at(48.001), 160.0), None);
        assert_eq!(told.look(None, 219.9), None);
        assert_eq!(told.look(None, 220.0), Some(None));
        assert_eq!(told.look(None, 221.0), None);
    }
}
