//! The loss of messages over Eb/N0, as far as it is of interest.

use anyhow::Result;
use nap_phy::Rank;

use crate::conditions::{Conditions, Outcome, measure};
use crate::impairments::Impairments;

/// Losses below this are not followed further up.
const MIN_LOSS: f64 = 0.003;
/// Losses above this are not followed further down.
const MAX_LOSS: f64 = 0.95;
/// The farthest from its start that a sweep goes.
const REACH_DB: f64 = 14.0;

/// Outcomes at some Eb/N0, other conditions the same.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The conditions; their Eb/N0 is where the sweep began.
    pub conditions: Conditions,
    /// Eb/N0 in dB and what came of it, in ascending order.
    pub points: Vec<(f64, Outcome)>,
}

impl Sweep {
    /// Measures at steps of `step_db`, up until fewer than 0.3 % are lost and down until more than
    /// 95 % are. With `follow_single_frames` it goes up until as few are lost when frames only count
    /// where they decode alone.
    ///
    /// # Errors
    /// When a scene or the receiver cannot be set up.
    pub fn run(
        conditions: Conditions,
        step_db: f64,
        messages: usize,
        follow_single_frames: bool,
    ) -> Result<Self> {
        let at = |eb_over_n0_db| -> Result<(f64, Outcome)> {
            let conditions = Conditions { eb_over_n0_db, ..conditions };
            let outcome = measure(&conditions, &Impairments::default(), messages, 1)?;
            Ok((eb_over_n0_db, outcome))
        };
        let upper_loss = |outcome: &Outcome| {
            if follow_single_frames { outcome.any_frame_loss() } else { outcome.loss() }
        };
        let steps = (REACH_DB / step_db) as u32;
        let start_db = conditions.eb_over_n0_db;
        let mut points = Vec::new();
        for n in 0..=steps {
            points.push(at(start_db + f64::from(n) * step_db)?);
            if points.last().is_some_and(|(_, outcome)| upper_loss(outcome) < MIN_LOSS) {
                break;
            }
        }
        for n in 1..=steps {
            if points[0].1.loss() > MAX_LOSS {
                break;
            }
            points.insert(0, at(start_db - f64::from(n) * step_db)?);
        }
        Ok(Self { conditions, points })
    }

    /// The Eb/N0 at which this share of the messages is lost, between the points; a point without a
    /// loss counts as half a message lost. `None` if the sweep does not reach it.
    #[must_use]
    pub fn threshold_db(&self, loss: f64) -> Option<f64> {
        let points = self.points.iter().map(|(db, outcome)| {
            let least = 0.5 / outcome.messages.sent.max(1) as f64;
            (*db, outcome.loss().max(least))
        });
        crossing(&points.collect::<Vec<_>>(), loss)
    }

    /// A good start for a sweep: where about half of the messages are lost.
    #[must_use]
    pub fn start_db(frames: Rank) -> f64 {
        match frames {
            Rank::First => 4.0,
            Rank::Second => 1.0,
            Rank::Third => 0.0,
        }
    }
}

/// Where a falling curve of losses above 0 crosses a loss; straight lines between the points on a
/// logarithmic scale. `None` if it does not.
#[must_use]
pub fn crossing(points: &[(f64, f64)], loss: f64) -> Option<f64> {
    points.windows(2).find_map(|pair| {
        let [(low, before), (high, after)] = [pair[0], pair[1]].map(|(x, loss)| (x, loss.ln()));
        let wanted = loss.ln();
        (before >= wanted && after < wanted)
            .then(|| low + (high - low) * (before - wanted) / (before - after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nap_phy::BitRate;
    use nap_phy::scene::ReceptionCounts;

    #[test]
    fn thresholds_lie_between_points_on_a_logarithmic_scale() {
        let outcome = |lost: usize| Outcome {
            messages: ReceptionCounts {
                sent: 1000,
                heard: 1000 - lost,
                ..ReceptionCounts::default()
            },
            ..Outcome::default()
        };
        let sweep = Sweep {
            conditions: Conditions::new(BitRate::Bps100, 0.0, Rank::First),
            points: vec![(1.0, outcome(900)), (2.0, outcome(100)), (4.0, outcome(1))],
        };
        assert!((sweep.threshold_db(0.1).unwrap() - 2.0).abs() < 1e-9);
        assert!((sweep.threshold_db(0.01).unwrap() - 3.0).abs() < 1e-9);
        assert!((sweep.threshold_db(0.3).unwrap() - 1.5).abs() < 1e-9);
        assert_eq!(sweep.threshold_db(1e-4), None);
    }
}
