//! The weight of each symbol of a burst when the noise is not the same all along it.
//!
//! A burst of another system that covers a part of ours is noise that comes and goes. Where it is, the
//! symbols say little, and if they are taken for as good as the others, a few of them outvote all the
//! rest.

/// Symbols over which the noise around one is averaged.
const AROUND: usize = 9;

/// Writes the weight of each symbol from the power of the noise in each, or of what else rises with it: 1
/// where the noise is as mostly, less where it is stronger. Where nothing was received there is none to
/// compare with. Noise is stronger where it has `min_ratio` times the lower quartile.
pub(crate) fn weigh(weights: &mut Vec<f32>, min_ratio: f32, powers: impl Iterator<Item = f32>) {
    let mut powers: Vec<f32> = powers.collect();
    weights.clear();
    weights.extend((0..powers.len()).map(|k| {
        let around = &powers[k.saturating_sub(AROUND / 2)..(k + AROUND / 2 + 1).min(powers.len())];
        around.iter().sum::<f32>() / around.len() as f32
    }));
    let least = min_ratio * lower_quartile(weights, &mut powers);
    let usual = weights.iter().copied().filter(|power| (f32::MIN_POSITIVE..=least).contains(power));
    let (sum, count) = usual.fold((0.0, 0.0), |(sum, count), power| (sum + power, count + 1.0));
    let typical: f32 = sum / f32::max(count, 1.0);
    weights.iter_mut().for_each(|w| *w = if *w > least { typical / *w } else { 1.0 });
}

/// The lower quartile of those that are not zero, which are sorted in the room given.
fn lower_quartile(values: &[f32], sorted: &mut Vec<f32>) -> f32 {
    sorted.clear();
    sorted.extend(values.iter().copied().filter(|&value| value > 0.0));
    if sorted.is_empty() {
        return 0.0;
    }
    let place = sorted.len() / 4;
    *sorted.select_nth_unstable_by(place, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    const MIN_RATIO: f32 = 6.0;

    /// Squares of normal numbers of this variance.
    fn noise(variance: f32, rng: &mut ChaCha12Rng) -> f32 {
        let radius = -2.0 * (1.0 - rng.random::<f32>()).ln();
        variance * radius * (std::f32::consts::TAU * rng.random::<f32>()).cos().powi(2)
    }

    #[test]
    fn symbols_in_even_noise_weigh_the_same() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let mut weights = Vec::new();
        let interfered = (0..200).filter(|_| {
            weigh(&mut weights, MIN_RATIO, (0..208).map(|_| noise(0.3, &mut rng)));
            weights.iter().any(|&weight| weight != 1.0)
        });
        let interfered = interfered.count();
        assert!(interfered <= 4, "{interfered} of 200 bursts");
    }

    #[test]
    fn symbols_under_interference_weigh_as_much_less_as_their_noise_is_stronger() {
        let mut rng = ChaCha12Rng::seed_from_u64(2);
        let has_interference = |k: usize| (50..110).contains(&k);
        let variance = |k| if has_interference(k) { 30.0 } else { 0.3 };
        let mut weights = Vec::new();
        weigh(&mut weights, MIN_RATIO, (0..208).map(|k| noise(variance(k), &mut rng)));
        let mean =
            |from: usize, to: usize| weights[from..to].iter().sum::<f32>() / (to - from) as f32;
        assert!((0.005..0.03).contains(&mean(55, 105)), "{}", mean(55, 105));
        assert!(mean(0, 45) == 1.0 && mean(115, 208) == 1.0);
    }

    #[test]
    fn a_burst_that_was_not_received_to_its_end_has_no_interference() {
        let mut rng = ChaCha12Rng::seed_from_u64(3);
        let mut weights = Vec::new();
        let received = |k: usize, rng: &mut _| if k < 90 { noise(0.3, rng) } else { 0.0 };
        weigh(&mut weights, MIN_RATIO, (0..208).map(|k| received(k, &mut rng)));
        assert_eq!(weights, [1.0; 208]);
    }

    #[test]
    fn nothing_and_silence_have_no_interference() {
        let mut weights = vec![2.0];
        weigh(&mut weights, MIN_RATIO, [].into_iter());
        assert_eq!(weights, []);
        weigh(&mut weights, MIN_RATIO, [0.0; 5].into_iter());
        assert_eq!(weights, [1.0; 5]);
    }
}
