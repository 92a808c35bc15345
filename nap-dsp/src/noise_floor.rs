//! The noise floor of each subband.

use std::collections::VecDeque;

/// How much of the past the floor looks back on, in seconds.
const MEMORY_S: f64 = 10.0;
/// Bursts fill less than three quarters of the remembered time, so the lower quartile is noise.
const QUANTILE: f64 = 0.25;

/// Subbands on each side of one that are its neighbourhood: so far away, the sidelobes of a burst are
/// weaker by 25 dB and more than beside it.
const NEIGHBOURS: usize = 16;
/// Energy of a symbol over the noise density (linear) from which on a burst may be what its own subband's
/// floor shows: some 20 dB less than a symbol's energy is left in the sidelobes of a rectangular pulse two or
/// three symbol rates away.
const STRONG_ES_OVER_N0: f64 = 60.0;

/// Remembers the noise density of every subband over the last seconds and reports a quantile that
/// bursts do not lift.
///
/// Densities are in (full scale)² per hertz. Silence without any noise, as in gaps that were filled
/// with zeros, is not remembered.
#[derive(Debug)]
pub struct NoiseFloor {
    capacity: usize,
    densities: Vec<VecDeque<f32>>,
    /// What was found since the last update.
    floors: Vec<Option<f64>>,
    sorted: Vec<f32>,
}

impl NoiseFloor {
    /// A floor for `subbands` subbands that is updated every `interval_s` seconds.
    #[must_use]
    pub fn new(subbands: usize, interval_s: f64) -> Self {
        let capacity = (MEMORY_S / interval_s).ceil().max(1.0) as usize;
        Self {
            capacity,
            densities: (0..subbands).map(|_| VecDeque::with_capacity(capacity)).collect(),
            floors: vec![None; subbands],
            sorted: Vec::with_capacity(capacity),
        }
    }

    /// Takes the newest density of every subband.
    pub fn update(&mut self, densities: &[f32]) {
        self.floors.fill(None);
        for (past, &density) in self.densities.iter_mut().zip(densities) {
            if density > 0.0 {
                if past.len() == self.capacity {
                    past.pop_front();
                }
                past.push_back(density);
            }
        }
    }

    /// The noise density of subband `b`; 0 before the first noise.
    pub fn density(&mut self, b: usize) -> f64 {
        let Self { densities, floors, sorted, .. } = self;
        *floors[b].get_or_insert_with(|| quantile(&densities[b], sorted))
    }

    /// The density of the noise under a burst in subband `b` of whose symbols each holds this energy, in
    /// (full scale)² seconds. The sidelobes of a strong burst lift the floor of its own subband, where it is
    /// most of what has been heard there; then that of the neighbourhood counts, if it is lower.
    pub fn density_under(&mut self, b: usize, symbol_energy: f64) -> f64 {
        let own = self.density(b);
        if symbol_energy <= STRONG_ES_OVER_N0 * own {
            return own;
        }
        let last = self.densities.len().min(b + NEIGHBOURS + 1);
        let around = (b.saturating_sub(NEIGHBOURS)..last).map(|b| self.density(b));
        let mut around: Vec<f64> = around.filter(|&density| density > 0.0).collect();
        around.sort_by(f64::total_cmp);
        around.get(around.len() / 2).map_or(own, |&median| median.min(own))
    }

    /// The noise density of every subband; 0 before the first noise.
    #[must_use]
    pub fn densities(&self) -> Vec<f64> {
        let mut sorted = Vec::with_capacity(self.capacity);
        self.densities.iter().map(|past| quantile(past, &mut sorted)).collect()
    }
}

/// The quantile of what is remembered, 0 of nothing; `sorted` is room to work in.
fn quantile(past: &VecDeque<f32>, sorted: &mut Vec<f32>) -> f64 {
    if past.is_empty() {
        return 0.0;
    }
    sorted.clear();
    sorted.extend(past);
    let rank = (QUANTILE * (past.len() - 1) as f64).round() as usize;
    let (_, density, _) = sorted.select_nth_unstable_by(rank, f32::total_cmp);
    f64::from(*density)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_do_not_lift_the_floor() {
        let mut floor = NoiseFloor::new(2, 0.1);
        assert_eq!(floor.density(0), 0.0);
        for n in 0..150 {
            let burst = if n % 2 == 0 { 1000.0 } else { 1.0 };
            floor.update(&[burst, 2.0]);
        }
        assert_eq!(floor.density(0), 1.0);
        assert_eq!(floor.density(1), 2.0);
        assert_eq!(floor.densities(), [1.0, 2.0]);
    }

    #[test]
    fn a_strong_burst_is_not_its_own_noise() {
        let mut floor = NoiseFloor::new(40, 0.1);
        let sidelobes = |b: usize| if b.abs_diff(20) < 3 { 9.0 } else { 2.0 };
        floor.update(&std::array::from_fn::<f32, 40, _>(sidelobes));
        assert_eq!(floor.density_under(20, 1e4), 2.0);
        // A weak one is no stronger than its noise says.
        assert_eq!(floor.density_under(20, 100.0), 9.0);
        assert_eq!(floor.density_under(0, 1e4), 2.0);
        assert_eq!(NoiseFloor::new(40, 0.1).density_under(20, 1e4), 0.0);
    }

    #[test]
    fn silence_is_not_noise() {
        let mut floor = NoiseFloor::new(1, 0.1);
        floor.update(&[3.0]);
        for _ in 0..200 {
            floor.update(&[0.0]);
        }
        assert_eq!(floor.density(0), 3.0);
    }
}
