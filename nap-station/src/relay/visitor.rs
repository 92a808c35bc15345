//! Who looks in at a relay's other side.

/// Whom the other side sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The station's ID, if it has one yet; else zeros.
    pub station: String,
    /// The client's ID at a broker.
    pub client: String,
    /// Whether that is the station's own, which has a session at the broker that lasts.
    pub is_own: bool,
}

impl Visitor {
    /// A station itself, if it has an ID and does not run: a broker may let nobody else in. One that runs would be
    /// thrown out by a second client with its ID.
    #[must_use]
    pub fn of(station: Option<String>, is_running: bool) -> Self {
        let is_own = station.is_some() && !is_running;
        let suffix = if is_own { "" } else { "-c" };
        let station = station.unwrap_or_else(|| "0".repeat(16));
        let client = format!("nap-{station}{suffix}");
        Self { station, client, is_own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_that_runs_is_not_thrown_out_by_a_visitor() {
        let client = |station: Option<&str>, is_running| {
            let visitor = Visitor::of(station.map(str::to_owned), is_running);
            (visitor.client, visitor.is_own)
        };
        let station = Some("0011223344556677");
        assert_eq!(client(station, false), ("nap-0011223344556677".into(), true));
        assert_eq!(client(station, true), ("nap-0011223344556677-c".into(), false));
        assert_eq!(client(None, false), ("nap-0000000000000000-c".into(), false));
        // Brokers of MQTT 3.1.1 need not take longer ones.
        assert!(client(station, true).0.len() <= 23);
    }
}
