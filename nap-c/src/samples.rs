//! Samples as drivers have them, turned into those of the receiver.

use num_complex::Complex32;

/// A format whose numbers become parts of samples, full scale being 1.
pub(crate) trait Part: Copy {
    /// The part of a sample.
    fn part(self) -> f32;
}

impl Part for u8 {
    fn part(self) -> f32 {
        const MIDDLE: f32 = 127.5;
        (f32::from(self) - MIDDLE) * (1.0 / MIDDLE)
    }
}

impl Part for i8 {
    fn part(self) -> f32 {
        f32::from(self) * (1.0 / 128.0)
    }
}

impl Part for i16 {
    fn part(self) -> f32 {
        f32::from(self) * (1.0 / 32_768.0)
    }
}

impl Part for f32 {
    fn part(self) -> f32 {
        self
    }
}

/// Samples worked on at once: 8 kB on the stack.
const PIECE: usize = 1024;

/// Hands over samples, of which `parts` are the numbers, piece by piece.
pub(crate) fn in_pieces<T: Part>(parts: &[T], mut take: impl FnMut(&[Complex32])) {
    let mut piece = [Complex32::ZERO; PIECE];
    let (pairs, _) = parts.as_chunks::<2>();
    for pairs in pairs.chunks(PIECE) {
        for (sample, [re, im]) in piece.iter_mut().zip(pairs) {
            *sample = Complex32::new(re.part(), im.part());
        }
        take(&piece[..pairs.len()]);
    }
}

#[cfg(test)]
mod tests {
    use nap_io::SampleFormat;

    use super::*;

    fn converted<T: Part>(parts: &[T]) -> Vec<Complex32> {
        let mut samples = Vec::new();
        in_pieces(parts, |piece| samples.extend_from_slice(piece));
        samples
    }

    /// As recordings are read, which have the same formats.
    fn expected(format: SampleFormat, bytes: &[u8], count: usize) -> Vec<Complex32> {
        let mut samples = vec![Complex32::ZERO; count];
        assert_eq!(nap_io::convert::decode(format, bytes, &mut samples), count);
        samples
    }

    #[test]
    fn every_format_is_read_as_in_recordings() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5 * PIECE).collect();
        assert_eq!(converted(&bytes), expected(SampleFormat::Cu8, &bytes, bytes.len() / 2));
        let signed: Vec<i8> = bytes.iter().map(|byte| byte.cast_signed()).collect();
        assert_eq!(converted(&signed), expected(SampleFormat::Cs8, &bytes, bytes.len() / 2));
        let words: Vec<i16> = (0..PIECE as i32 * 3).map(|n| (n * 21 - 32_768) as i16).collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(converted(&words), expected(SampleFormat::Cs16Le, &bytes, words.len() / 2));
        assert_eq!(converted(&[0.25f32, -1.0]), [Complex32::new(0.25, -1.0)]);
    }
}
