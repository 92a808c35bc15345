//! The time of day of the computer, and how far it can be trusted.

use std::path::Path;

use jiff::Timestamp;

use crate::rules::utc::Utc;

/// A clock that is earlier is wrong: the program was not written yet. 1 November 2026.
const FLOOR: Utc = Utc(1_793_491_200_000_000);
/// There once systemd's time service has set the clock.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Now.
#[must_use]
pub fn now() -> Utc {
    Timestamp::now().into()
}

/// What the clock goes by, as records have it: `ntp` where a time service has set it, `none` where it cannot
/// be right, else `rtc`.
#[must_use]
pub fn clock_name(now: Utc) -> &'static str {
    name(now, Path::new(SYNCHRONIZED).exists())
}

fn name(now: Utc, is_synchronized: bool) -> &'static str {
    if now < FLOOR {
        "none"
    } else if is_synchronized {
        "ntp"
    } else {
        "rtc"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_at_1970_is_none() {
        assert_eq!(FLOOR.text(), "2026-11-01T00:00:00.000000Z");
        assert_eq!(name(Utc(0), false), "none");
        assert_eq!(name(Utc(0), true), "none");
        assert_eq!(name(FLOOR, true), "ntp");
        assert_eq!(name(FLOOR, false), "rtc");
    }
}
