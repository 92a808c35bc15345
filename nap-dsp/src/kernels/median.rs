//! The median, for what is known to a few per cent only.

use bytemuck::cast_slice;
use multiversion::multiversion;

/// How far the median may be off, in units of the last place: less than a two-hundredth of it.
const STEP: i32 = 1 << 16;

/// The median of numbers that are not negative, to [`STEP`]: by halving the range that holds
/// it, where all are compared at once. Of an even count the larger of the two in the middle; 0 of none.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn median(numbers: &[f32]) -> f32 {
    // 1. Numbers as integers: their bits have the same order.
    let bits: &[i32] = cast_slice(numbers);
    let middle = bits.len() as i32 / 2;
    let below = |bound: i32| bits.iter().map(|&value| i32::from(value < bound)).sum::<i32>();
    // 2. The range that holds all of them.
    let most = bits.iter().fold(0, |most, &value| most.max(value));
    let least = bits.iter().fold(most, |least, &value| least.min(value));
    // 3. Bisection: no more than half are below the first, more than half are not above the second.
    let (mut low, mut high) = (least, most);
    while high - low > STEP {
        let bound = high - (high - low) / 2;
        if below(bound) <= middle {
            low = bound;
        } else {
            high = bound - 1;
        }
    }
    f32::from_bits((low + (high - low) / 2) as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_numbers(
            mut values in prop::collection::vec(0.0f32..3.0, 1..200),
            exponent in -30..30,
        ) {
            values.iter_mut().for_each(|value| *value = value.round().max(*value) * 2f32.powi(exponent));
            let found = median(&values);
            values.sort_unstable_by(f32::total_cmp);
            let exact = values[values.len() / 2];
            prop_assert!((found - exact).abs() <= exact / 256.0);
        }
    }

    #[test]
    fn there_is_no_median_of_nothing() {
        assert_eq!(median(&[]), 0.0);
    }
}
