//! Floats of 64 bits that are pairs of 32 bits: some programs wrote `cf64` for NumPy's `complex64`.

use crate::format::SampleFormat;

/// Of numbers that belong together nearly all lie in so many octaves up to the strongest and down.
const OCTAVES: i32 = 12;
/// Fewer numbers say nothing.
const MIN_NUMBERS: usize = 32;

/// The format of 32 bits that these bytes are in, if they make sense as that and none as the 64 bits that
/// somebody says they are.
pub(crate) fn narrower(format: SampleFormat, bytes: &[u8]) -> Option<SampleFormat> {
    let (narrow, wide_exponents, narrow_exponents) = match format {
        SampleFormat::Cf64Le => (
            SampleFormat::Cf32Le,
            exponents(bytes, f64::from_le_bytes),
            exponents(bytes, |b| f32::from_le_bytes(b).into()),
        ),
        SampleFormat::Cf64Be => (
            SampleFormat::Cf32Be,
            exponents(bytes, f64::from_be_bytes),
            exponents(bytes, |b| f32::from_be_bytes(b).into()),
        ),
        _ => return None,
    };
    let is_narrow = !belong_together(wide_exponents) && belong_together(narrow_exponents);
    is_narrow.then_some(narrow)
}

/// The octaves of all numbers but zeros; those that are no number are in one far away.
fn exponents<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<i32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    let numbers = chunks.iter().map(|chunk| number(*chunk)).filter(|&x| x != 0.0);
    numbers.map(|x| if x.is_finite() { x.abs().log2() as i32 } else { i32::MAX / 2 }).collect()
}

/// Signals and noise vary by some octaves; numbers made of other numbers' bits by hundreds.
fn belong_together(mut exponents: Vec<i32>) -> bool {
    if exponents.len() < MIN_NUMBERS {
        return false;
    }
    exponents.sort_unstable();
    let median = exponents[exponents.len() / 2];
    let near = exponents.iter().filter(|&&x| (x - median).abs() <= OCTAVES).count();
    // Some numbers are far smaller than the others, where a signal crosses zero.
    near * 16 >= exponents.len() * 15 && median < 64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers like noise: products of sines, of many sizes.
    fn noise(count: usize) -> Vec<f64> {
        (0..count).map(|i| 0.02 * (1.3 * i as f64).sin() * (7.1 * i as f64).cos()).collect()
    }

    #[test]
    fn pairs_of_32_bits_are_noticed() {
        let narrow: Vec<u8> = noise(1000).iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
        assert_eq!(narrower(SampleFormat::Cf64Le, &narrow), Some(SampleFormat::Cf32Le));
        let narrow: Vec<u8> = noise(1000).iter().flat_map(|&x| (x as f32).to_be_bytes()).collect();
        assert_eq!(narrower(SampleFormat::Cf64Be, &narrow), Some(SampleFormat::Cf32Be));
        assert_eq!(narrower(SampleFormat::Cf32Be, &narrow), None);
    }

    #[test]
    fn numbers_of_64_bits_are_left_alone() {
        let fine = noise(1000);
        let rounded: Vec<f64> = fine.iter().map(|&x| f64::from(x as f32)).collect();
        let whole: Vec<f64> = fine.iter().map(|x| (x * 5000.0).round()).collect();
        for numbers in
            [fine, rounded, whole, vec![0.0; 1000], vec![0.25; 1000], vec![f64::NAN; 1000]]
        {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            assert_eq!(narrower(SampleFormat::Cf64Le, &bytes), None, "{:?}", &numbers[..4]);
        }
        assert_eq!(narrower(SampleFormat::Cf64Le, &[]), None);
    }
}
