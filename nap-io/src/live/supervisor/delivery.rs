//! Made-up deliveries: when samples arrive from a source that pauses, catches up, loses and jitters.

use std::time::{Duration, Instant};

/// Samples a second that the source says it gives.
pub(super) const RATE_HZ: f64 = 100_000.0;
/// What a sample takes to arrive at least, in seconds.
const DELAY_S: f64 = 0.02;

/// Something between source and receiver stops for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// How long after the end of the one before, in seconds.
    pub(super) after_s: f64,
    pub(super) duration_s: f64,
    /// How many seconds of signal a second brings afterwards, until nothing is held back any more.
    pub(super) catch_up: f64,
    /// Whether what the source gives meanwhile is lost instead of held back.
    pub(super) loses: bool,
}

impl Pause {
    /// A pause that loses nothing.
    pub(super) fn held_back(after_s: f64, duration_s: f64, catch_up: f64) -> Self {
        Self { after_s, duration_s, catch_up, loses: false }
    }

    /// A pause that loses all.
    pub(super) fn lost(after_s: f64, duration_s: f64) -> Self {
        Self { after_s, duration_s, catch_up: 10.0, loses: true }
    }
}

/// A source and the way from there.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// Samples a second over what the source says.
    pub(super) clock: f64,
    /// What arrives at a time, in seconds.
    pub(super) block_s: f64,
    /// By how much blocks are late at most, in seconds.
    pub(super) jitter_s: f64,
    pub(super) pauses: Vec<Pause>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { clock: 1.0, block_s: 0.02, jitter_s: 0.0, pauses: Vec::new() }
    }
}

/// A block that has arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) samples: u64,
    /// When its first sample was taken, and its last.
    pub(super) first: Instant,
    pub(super) taken: Instant,
}

impl Delivery {
    /// All that arrives in so many seconds of a source that is opened at `opened`.
    pub(super) fn run(&self, opened: Instant, duration_s: f64) -> Vec<Arrival> {
        let samples = (self.block_s * RATE_HZ).round();
        let at = |s: f64| opened + Duration::from_secs_f64(s);
        let mut arrivals: Vec<Arrival> = Vec::new();
        let (mut sent_s, mut arrived_s, mut catch_up) = (0.0_f64, 0.0_f64, 10.0);
        let mut pauses = self.pauses.iter();
        let mut pause = pauses.next();
        let mut pause_s = pause.map_or(f64::INFINITY, |pause| pause.after_s);
        for number in 1_u32.. {
            let taken_s = f64::from(number) * samples / (RATE_HZ * self.clock);
            if taken_s > duration_s {
                break;
            }
            sent_s = taken_s.max(sent_s + samples / (RATE_HZ * catch_up));
            if let Some(now) = pause.filter(|_| sent_s >= pause_s) {
                let end_s = pause_s + now.duration_s;
                if now.loses && taken_s < end_s {
                    continue;
                }
                sent_s = sent_s.max(end_s);
                catch_up = now.catch_up;
                pause = pauses.next();
                pause_s = end_s + pause.map_or(f64::INFINITY, |next| next.after_s);
            }
            let late_s = self.jitter_s * share(number);
            arrived_s = arrived_s.max(sent_s + DELAY_S + late_s);
            arrivals.push(Arrival {
                at: at(arrived_s),
                samples: samples as u64,
                first: at(taken_s - samples / (RATE_HZ * self.clock)),
                taken: at(taken_s),
            });
        }
        arrivals
    }
}

/// A number from 0 to 1 that looks random, the same every time (the finalizer of MurmurHash3).
fn share(number: u32) -> f64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9);
    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    f64::from(mixed ^ (mixed >> 16)) / f64::from(u32::MAX)
}
