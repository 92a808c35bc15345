//! When a transmitter is on.

use rand::{Rng, RngExt};

use crate::error::Error;

/// The most bursts that are drawn.
const MAX_BURSTS: f64 = 1e6;
/// The longest time that is accepted, in seconds: four months.
pub(super) const LONGEST_S: f64 = 1e7;

/// Starts of bursts of `burst_s` seconds that fill the part `duty` of a time of `duration_s` seconds,
/// which none of them exceeds. Between two of them lies a pause of exponentially distributed length.
///
/// # Errors
/// [`Error::OutOfRange`] if a length is not above 0, the duty not above 0 and up to 1, or there is
/// room for more than a million bursts.
pub fn burst_starts_s<R: Rng>(
    duration_s: f64,
    burst_s: f64,
    duty: f64,
    rng: &mut R,
) -> Result<Vec<f64>, Error> {
    Error::check_range("duration_s", duration_s, 0.0, LONGEST_S)?;
    Error::check_range("burst_s", burst_s, (duration_s / MAX_BURSTS).max(1e-6), f64::MAX)?;
    Error::check_range("duty", duty, f64::MIN_POSITIVE, 1.0)?;
    let pause_s = burst_s * (1.0 - duty) / duty;
    let mut starts_s = Vec::new();
    let mut time_s = 0.0;
    loop {
        time_s -= pause_s * (1.0 - rng.random::<f64>()).ln();
        if time_s + burst_s > duration_s {
            return Ok(starts_s);
        }
        starts_s.push(time_s);
        time_s += burst_s;
    }
}

/// Events that arrive as a Poisson process, `rate_hz` a second, for `duration_s` seconds: when each
/// starts, and what is drawn of it.
pub(super) fn poisson<R: Rng, T>(
    duration_s: f64,
    rate_hz: f64,
    rng: &mut R,
    draw: impl Fn(&mut R) -> T,
) -> Result<Vec<(f64, T)>, Error> {
    Error::check_range("duration_s", duration_s, f64::MIN_POSITIVE, LONGEST_S)?;
    Error::check_range("rate_hz", rate_hz, f64::MIN_POSITIVE, MAX_BURSTS / duration_s)?;
    let mut events = Vec::new();
    let mut start_s = 0.0;
    loop {
        // The gap between two arrivals is exponential.
        start_s -= (1.0 - rng.random::<f64>()).ln() / rate_hz;
        if start_s >= duration_s {
            return Ok(events);
        }
        events.push((start_s, draw(rng)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    #[test]
    fn bursts_fill_their_part_of_the_time_and_do_not_meet() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        for duty in [0.05, 0.33, 0.9, 1.0] {
            let starts_s = burst_starts_s(10_000.0, 0.5, duty, &mut rng).unwrap();
            let share = starts_s.len() as f64 * 0.5 / 10_000.0;
            assert!((share - duty).abs() < 0.1 * duty * (1.0 - duty) + 1e-3, "{duty}: {share}");
            assert!(starts_s.windows(2).all(|pair| pair[1] - pair[0] >= 0.5 - 1e-9));
            assert!(starts_s.iter().all(|start_s| (0.0..=9_999.5).contains(start_s)));
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let mut error = |duration_s, burst_s, duty| {
            burst_starts_s(duration_s, burst_s, duty, &mut rng).unwrap_err().to_string()
        };
        assert!(error(f64::NAN, 1.0, 0.5).starts_with("duration_s is NaN"));
        assert!(error(1e7, 1.0, 0.5).starts_with("burst_s is 1, but must lie between 10"));
        assert!(error(1.0, 0.0, 0.5).starts_with("burst_s is 0"));
        assert!(error(1.0, 1.0, 0.0).starts_with("duty is 0"));
    }
}
