//! The slowly changing gain of a burst.

use std::ops::Range;

use num_complex::{Complex32, Complex64};

use crate::canceller::layout::Slot;
use crate::kernels::sums::{energy, inner_product, to_c32, to_c64};

/// Symbols on each side from which a symbol's gain may be taken. A steady carrier wants many, one
/// that fades or wanders few.
const GAIN_REACHES: [usize; 4] = [2, 6, 20, 1_000];

/// The gain of every symbol.
#[derive(Debug, Default)]
pub(super) struct Gains {
    /// By slot, from the symbols around it.
    pub(super) smooth: Vec<Complex32>,
    /// What the samples have in common with the model, and the model's power: running sums over the
    /// slots.
    sums: Vec<(Complex64, f64)>,
}

impl Gains {
    pub(super) fn reset(&mut self, slots: usize) {
        self.smooth.clear();
        self.smooth.resize(slots, Complex32::ONE);
    }

    /// Multiplies the gains by those of the samples over their models.
    pub(super) fn improve(
        &mut self,
        slots: &[Slot],
        derotated: &[Complex32],
        models: &[Complex32],
    ) {
        // 1. Running sums of the inner products of samples and model, and of the model's energy.
        self.sums.clear();
        let (mut sum, mut power) = (Complex64::default(), 0.0);
        self.sums.push((sum, power));
        for Slot { samples, .. } in slots {
            let (derotated, models) = (&derotated[samples.clone()], &models[samples.clone()]);
            sum += to_c64(inner_product(derotated, models));
            power += f64::from(energy(models));
            self.sums.push((sum, power));
        }
        // 2. The reach by cross-validation.
        let reach = GAIN_REACHES
            .into_iter()
            .min_by(|&a, &b| self.residual(a).total_cmp(&self.residual(b)))
            .unwrap_or_default();
        // 3. Least squares over that reach.
        for slot in 0..slots.len() {
            let (sum, power) = self.over(self.around(slot, reach));
            self.smooth[slot] *= to_c32(sum / power.max(f64::MIN_POSITIVE));
        }
    }

    /// The leave-one-out residual: how badly the symbols around a symbol tell its gain.
    fn residual(&self, reach: usize) -> f64 {
        let distance = |slot: usize| {
            let (own, own_power) = self.over(slot..slot + 1);
            let (all, all_power) = self.over(self.around(slot, reach));
            let others = (all - own) / (all_power - own_power).max(f64::MIN_POSITIVE);
            (own - others * own_power).norm_sqr() / own_power.max(f64::MIN_POSITIVE)
        };
        // Not the ends, where transmitters do as they like.
        (2..self.smooth.len() - 2).map(distance).sum()
    }

    fn around(&self, slot: usize, reach: usize) -> Range<usize> {
        slot.saturating_sub(reach)..(slot + reach + 1).min(self.smooth.len())
    }

    /// The sums over some slots.
    fn over(&self, slots: Range<usize>) -> (Complex64, f64) {
        let ((before, power_before), (all, power)) = (self.sums[slots.start], self.sums[slots.end]);
        (all - before, power - power_before)
    }
}
