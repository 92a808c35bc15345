//! What samples look like: how strong they are, and whether they are in the format that was taken for
//! theirs.

use std::fmt;

use bytemuck::cast_slice;
use num_complex::Complex32;

use crate::convert::{decode, encode};
use crate::format::SampleFormat;

/// Of so many samples so many are read in other formats, too.
const STRETCH: usize = 16_384;
const PROBE: usize = 1024;
/// After so many stretches, only in one of so many: what a long recording is shows soon, and reading it in eight
/// other formats all along would cost a tenth of receiving it.
const SPARSE: u64 = 16;
/// Squares that are summed side by side, so that the compiler can work on them at once.
const LANES: usize = 8;
/// Blocks are looked at from a sample on that begins a sample of every other format.
const ALIGNMENT: u64 = 8;
/// Less than so many components tell nothing.
const MIN_COMPONENTS: u64 = 1000;
/// What is read in place of the assumed format; of two that fit as well, the first.
const CANDIDATES: [SampleFormat; 8] = [
    SampleFormat::Cu8,
    SampleFormat::Cs8,
    SampleFormat::Cs16Le,
    SampleFormat::Cs16Be,
    SampleFormat::Cf32Le,
    SampleFormat::Cf32Be,
    SampleFormat::Cf64Le,
    SampleFormat::Cf64Be,
];
/// The mean square of a component of real signals is less; it is 1/3 where all values come alike.
const QUIET: f64 = 0.12;
/// Of real signals no more components lie in the outer halves.
const OUTSIDE_SHARE: f64 = 0.05;
/// By so much less power another format has to be than the assumed one to be thought right.
const LESS: f64 = 4.0;
/// The mean squares of components where all values come alike.
const WHITE: std::ops::Range<f64> = 0.28..0.39;
/// Share of components at the ends of the range that clipping leaves.
const CLIPPED_SHARE: f64 = 0.025;
/// Floats that somebody has not scaled to 1.0: full scale is exceeded by so much, by one value or all. The mean
/// square of a component is 1/2 at most where the strongest reach full scale.
const UNSCALED_PEAK: f32 = 64.0;
const UNSCALED_POWER: f64 = 1.0;
/// So many samples that are all the same are no noise of a receiver. Fewer in a row are not looked at.
const STILL_RUN: usize = 64;
/// Less of a recording may stand still without being worth a word.
const STILL_SHARE: f64 = 0.01;

/// Looks at samples on their way.
#[derive(Debug, Clone)]
pub struct SampleLook {
    format: SampleFormat,
    samples: u64,
    power: f64,
    peak: f32,
    /// Samples in runs that are long enough, those of them in which all are the same, and those of these that
    /// are zeros.
    in_runs: u64,
    still: u64,
    zeros: u64,
    assumed: Reading,
    others: [Reading; CANDIDATES.len()],
    bytes: Vec<u8>,
}

/// The same bytes, read in one format.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    components: u64,
    /// Sums over I and over Q.
    sum: [f64; 2],
    sum_of_squares: [f64; 2],
    /// Components at the ends of the range, and beyond the middle of each half.
    at_ends: u64,
    outside: u64,
    /// Components that are not zero, and those of them that a receiver may have made.
    not_zero: u64,
    plausible: u64,
}

/// Why samples are not thought to be in the format that was taken for theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FormatDoubt {
    /// The same bytes are real signals in another format.
    Other {
        /// What was assumed.
        assumed: SampleFormat,
        /// What it seems to be.
        likely: SampleFormat,
    },
    /// Floats that go far beyond 1.0.
    Unscaled {
        /// The largest component.
        peak: f32,
    },
    /// All values come alike, which no receiver does, and no other format makes them better.
    White,
}

/// Samples that are all the same for a while: a file that was laid out and not filled, a squelch, a radio that
/// sends nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Stillness {
    /// Share of the samples.
    pub share: f64,
    /// Whether they are zeros, as numbers or as bytes.
    pub are_zeros: bool,
}

impl Stillness {
    /// Whether there is nothing else.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.share >= 1.0
    }
}

impl fmt::Display for Stillness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_all(), self.are_zeros) {
            (true, true) => f.write_str("nothing but zeros"),
            (true, false) => f.write_str("all samples are the same"),
            (false, are_zeros) => {
                // What is not all is not shown as all.
                let percent = (100.0 * self.share).min(99.9);
                let what = if are_zeros { "are zeros" } else { "stand still" };
                write!(f, "{percent:.1} % of the samples {what}")
            }
        }
    }
}

impl fmt::Display for FormatDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Other { assumed, likely } => {
                write!(f, "{} try {likely}", symptom(assumed, likely))
            }
            Self::Unscaled { peak } => {
                let db = 20.0 * f64::from(peak).log10();
                write!(
                    f,
                    "values up to {peak:.0} in floats, {db:.0} dB over full scale: not scaled to 1.0?"
                )
            }
            Self::White => {
                f.write_str("all values come alike, up to full scale: wrong sample format?")
            }
        }
    }
}

fn symptom(assumed: SampleFormat, likely: SampleFormat) -> String {
    use SampleFormat::{Cs8, Cs16Be, Cs16Le, Cu8};
    match (assumed, likely) {
        (Cu8, Cs8) => {
            "more samples at the ends than in the middle, signed bytes read as unsigned?".to_owned()
        }
        (Cs8, Cu8) => {
            "more samples at the ends than in the middle, unsigned bytes read as signed?".to_owned()
        }
        (Cs16Le, Cs16Be) | (Cs16Be, Cs16Le) => "bytes of each number swapped?".to_owned(),
        _ => format!("the bytes make no signal as {assumed}, wrong sample format?"),
    }
}

impl SampleLook {
    /// Nothing seen yet of samples that are thought to be stored like this.
    #[must_use]
    pub fn new(format: SampleFormat) -> Self {
        Self {
            format,
            samples: 0,
            power: 0.0,
            peak: 0.0,
            in_runs: 0,
            still: 0,
            zeros: 0,
            assumed: Reading::default(),
            others: [Reading::default(); CANDIDATES.len()],
            bytes: Vec::new(),
        }
    }

    /// Looks at samples, the first of which has this index in the recording.
    pub fn take(&mut self, index: u64, samples: &[Complex32]) {
        self.samples += samples.len() as u64;
        for run in samples.chunks(PROBE) {
            self.power += power(run);
            self.count_still(run);
        }
        if is_float(self.format) {
            let parts: &[f32] = cast_slice(samples);
            // What is not a number is no maximum, and what is infinite is told otherwise.
            let finite = parts.iter().map(|part| part.abs()).filter(|part| part.is_finite());
            self.peak = finite.fold(self.peak, f32::max);
        }
        if !is_exact(self.format) {
            return;
        }
        let first = (index.next_multiple_of(ALIGNMENT) - index) as usize;
        let stretches = samples.get(first..).unwrap_or_default().chunks(STRETCH);
        for (number, stretch) in (index / STRETCH as u64..).zip(stretches) {
            if number < SPARSE || number.is_multiple_of(SPARSE) {
                self.probe(&stretch[..stretch.len().min(PROBE)]);
            }
        }
    }

    fn count_still(&mut self, run: &[Complex32]) {
        if run.len() < STILL_RUN {
            return;
        }
        self.in_runs += run.len() as u64;
        if !is_still(run) {
            return;
        }
        self.still += run.len() as u64;
        let first = run.first().copied().unwrap_or_default();
        self.bytes.clear();
        encode(self.format, &[first], &mut self.bytes);
        if first == Complex32::ZERO || self.bytes.iter().all(|&byte| byte == 0) {
            self.zeros += run.len() as u64;
        }
    }

    /// Reads samples in the other formats. Samples that are all the same could be in any.
    fn probe(&mut self, probe: &[Complex32]) {
        if is_still(probe) {
            return;
        }
        self.assumed.add(probe);
        self.bytes.clear();
        encode(self.format, probe, &mut self.bytes);
        let mut block = [Complex32::ZERO; PROBE * 4];
        for (reading, format) in self.others.iter_mut().zip(CANDIDATES) {
            let count = decode(format, &self.bytes, &mut block);
            reading.add(&block[..count]);
        }
    }

    /// The mean power, in dBFS; `None` if there is none.
    #[must_use]
    pub fn level_dbfs(&self) -> Option<f64> {
        let mean = self.power / self.samples.max(1) as f64;
        (mean > 0.0).then(|| 10.0 * mean.log10())
    }

    /// How much stands still, if that is worth a word.
    #[must_use]
    pub fn stillness(&self) -> Option<Stillness> {
        let share = self.still as f64 / self.in_runs.max(1) as f64;
        let are_zeros = self.zeros == self.still;
        (share >= STILL_SHARE).then_some(Stillness { share, are_zeros })
    }

    /// Why the format is not thought to be right, if it is not.
    #[must_use]
    pub fn doubt(&self) -> Option<FormatDoubt> {
        if self.assumed.components < MIN_COMPONENTS {
            return None;
        }
        if is_float(self.format) {
            if self.assumed.is_plausible_float() {
                let is_unscaled =
                    self.peak > UNSCALED_PEAK || self.assumed.mean_square() > UNSCALED_POWER;
                return is_unscaled.then_some(FormatDoubt::Unscaled { peak: self.peak });
            }
            return self.other(f64::INFINITY);
        }
        self.other(self.assumed.mean_square() / LESS)
            .or_else(|| self.assumed.is_white().then_some(FormatDoubt::White))
    }

    /// The most likely of the other formats whose components have at most this mean square.
    fn other(&self, most: f64) -> Option<FormatDoubt> {
        let likely = self.other_float().or_else(|| self.other_integer(most))?;
        Some(FormatDoubt::Other { assumed: self.format, likely })
    }

    /// What the bytes are in all formats but the assumed one.
    fn others(&self) -> impl Iterator<Item = (&Reading, SampleFormat)> {
        self.others.iter().zip(CANDIDATES).filter(move |(_, format)| *format != self.format)
    }

    fn other_float(&self) -> Option<SampleFormat> {
        let mut others = self.others();
        let float =
            others.find(|(reading, format)| is_float(*format) && reading.is_plausible_float());
        float.map(|(_, format)| format)
    }

    fn other_integer(&self, most: f64) -> Option<SampleFormat> {
        let is_clipped = self.assumed.share(self.assumed.at_ends) > CLIPPED_SHARE;
        let mut best: Option<(f64, SampleFormat)> = None;
        for (reading, format) in self.others() {
            // The largest number with its bytes swapped is small.
            let is_clipped_pair = is_clipped && is_16_bits(self.format) && is_16_bits(format);
            if is_float(format) || is_clipped_pair || !reading.is_quiet() {
                continue;
            }
            let square = reading.mean_square();
            let is_pair =
                is_16_bits(self.format) && format == SampleFormat::Cs8 && reading.is_a_pair();
            let is_better = best.is_none_or(|(least, _)| square < least / LESS);
            if (is_pair || square < most) && is_better {
                best = Some((square, format));
            }
        }
        best.map(|(_, format)| format)
    }
}

/// Whether samples are all the same.
fn is_still(samples: &[Complex32]) -> bool {
    samples.windows(2).all(|pair| pair[0] == pair[1])
}

/// The sum of the samples' powers, but for those that are no finite numbers.
fn power(samples: &[Complex32]) -> f64 {
    let (lanes, rest) = cast_slice::<_, f32>(samples).as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for parts in lanes {
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += part * part;
        }
    }
    let all: f32 = sums.iter().sum::<f32>() + rest.iter().map(|part| part * part).sum::<f32>();
    if all.is_finite() {
        return all.into();
    }
    let powers = samples.iter().map(|sample| f64::from(sample.norm_sqr()));
    powers.filter(|power| power.is_finite()).sum()
}

/// Whether samples give back the bytes that they were read from.
fn is_exact(format: SampleFormat) -> bool {
    use SampleFormat::{Cf32Be, Cf32Le, Cs8, Cs16Be, Cs16Le, Cu8, Cu16Be, Cu16Le, WavU8};
    matches!(format, Cu8 | Cs8 | WavU8 | Cu16Le | Cu16Be | Cs16Le | Cs16Be | Cf32Le | Cf32Be)
}

fn is_float(format: SampleFormat) -> bool {
    use SampleFormat::{Cf32Be, Cf32Le, Cf64Be, Cf64Le};
    matches!(format, Cf32Le | Cf32Be | Cf64Le | Cf64Be)
}

fn is_16_bits(format: SampleFormat) -> bool {
    matches!(format, SampleFormat::Cs16Le | SampleFormat::Cs16Be)
}

impl Reading {
    fn add(&mut self, samples: &[Complex32]) {
        for sample in samples {
            for (n, part) in [sample.re, sample.im].into_iter().enumerate() {
                self.components += 1;
                self.not_zero += u64::from(part != 0.0);
                // From the noise of the best converters to numbers that were not scaled.
                self.plausible += u64::from((1e-9..1e7).contains(&part.abs()));
                self.at_ends += u64::from(part.abs() > 0.99);
                self.outside += u64::from(part.abs() > 0.5);
                if part.is_finite() {
                    self.sum[n] += f64::from(part);
                    self.sum_of_squares[n] += f64::from(part).powi(2);
                }
            }
        }
    }

    fn share(&self, count: u64) -> f64 {
        count as f64 / self.components.max(1) as f64
    }

    fn mean_square(&self) -> f64 {
        self.sum_of_squares.iter().sum::<f64>() / self.components.max(1) as f64
    }

    /// Whether it looks like signals far below full scale: both signs, in I and Q.
    fn is_quiet(&self) -> bool {
        let count = (self.components / 2).max(1) as f64;
        let is_centered =
            |n: usize| (self.sum[n] / count).powi(2) <= 0.25 * self.sum_of_squares[n] / count;
        let square = self.mean_square();
        let is_small = square > 0.0 && square < QUIET && self.share(self.outside) < OUTSIDE_SHARE;
        is_small && is_centered(0) && is_centered(1)
    }

    /// Whether I and Q are alike and more than the last bits: they are two numbers, not halves of one.
    fn is_a_pair(&self) -> bool {
        let [i, q] = self.sum_of_squares;
        let least = (3.0_f64 / 128.0).powi(2);
        self.mean_square() > least && i < 4.0 * q && q < 4.0 * i
    }

    fn is_plausible_float(&self) -> bool {
        let is_something = self.not_zero * 10 > self.components;
        is_something && self.plausible as f64 > 0.999 * self.not_zero as f64
    }

    fn is_white(&self) -> bool {
        WHITE.contains(&self.mean_square()) && self.share(self.at_ends) < CLIPPED_SHARE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::SampleFormat::{Cf32Be, Cf32Le, Cf64Be, Cf64Le, Cs8, Cs16Be, Cs16Le, Cu8};

    /// Noise of this standard deviation of each component, and a carrier as strong.
    fn signal(deviation: f64, seed: u64) -> Vec<Complex32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / 2_f64.powi(53)
        };
        let mut normal = move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let part = |phase: f64, noise: f64| (deviation * (noise + phase)) as f32;
        (0..4000)
            .map(|n| f64::from(n) * 0.1)
            .map(|phase| Complex32::new(part(phase.cos(), normal()), part(phase.sin(), normal())))
            .collect()
    }

    fn doubt(
        stored: SampleFormat,
        read: SampleFormat,
        samples: &[Complex32],
    ) -> Option<FormatDoubt> {
        let mut bytes = Vec::new();
        encode(stored, samples, &mut bytes);
        let mut samples = vec![Complex32::ZERO; bytes.len() / read.bytes_per_sample()];
        decode(read, &bytes, &mut samples);
        let mut look = SampleLook::new(read);
        for (n, block) in samples.chunks(999).enumerate() {
            look.take(999 * n as u64, block);
        }
        look.doubt()
    }

    #[test]
    fn mistaken_formats_are_noticed_and_right_ones_are_not() {
        for (stored, deviations) in [
            (Cu8, vec![0.01, 0.1, 0.2]),
            (Cs8, vec![0.03, 0.1, 0.2]),
            (Cs16Le, vec![0.003, 0.03, 0.15]),
            (Cs16Be, vec![0.003, 0.03, 0.15]),
            (Cf32Le, vec![1e-5, 0.01, 0.3]),
            (Cf32Be, vec![1e-5, 0.01, 0.3]),
            (Cf64Le, vec![1e-5, 0.01, 0.3]),
            (Cf64Be, vec![1e-5, 0.01, 0.3]),
        ] {
            for deviation in deviations {
                let samples = signal(deviation, 1);
                assert_eq!(doubt(stored, stored, &samples), None, "{stored}, {deviation}");
                let others =
                    CANDIDATES.into_iter().filter(|&read| read != stored && is_exact(read));
                for read in others {
                    let expected = FormatDoubt::Other { assumed: read, likely: stored };
                    let found = doubt(stored, read, &samples);
                    assert_eq!(found, Some(expected), "{stored} as {read}, {deviation}");
                }
            }
        }
    }

    #[test]
    fn right_formats_are_right_at_their_limits() {
        for deviation in [0.001, 0.003, 0.3, 1.0, 3.0] {
            for format in [Cu8, Cs8, Cs16Le, Cs16Be] {
                let samples = signal(deviation, 2);
                assert_eq!(doubt(format, format, &samples), None, "{format}, {deviation}");
            }
        }
        // Eight bits in sixteen, and silence.
        let mut samples = signal(0.1, 3);
        for sample in &mut samples {
            *sample =
                Complex32::new((sample.re * 128.0).round(), (sample.im * 128.0).round()) / 128.0;
        }
        assert_eq!(doubt(Cs16Le, Cs16Le, &samples), None);
        for format in CANDIDATES {
            assert_eq!(doubt(format, format, &[Complex32::ZERO; 5000]), None, "{format}");
        }
        assert_eq!(doubt(Cs8, Cu8, &signal(0.1, 3)[..400]), None, "too few to tell");
    }

    #[test]
    fn floats_that_are_not_scaled_are_told() {
        for (deviation, scale) in [(0.02, 128.0), (0.05, 128.0), (0.05, 32_768.0)] {
            let samples: Vec<_> =
                signal(deviation, 4).iter().map(|sample| sample * scale).collect();
            let found = doubt(Cf32Le, Cf32Le, &samples);
            assert!(matches!(found, Some(FormatDoubt::Unscaled { .. })), "{found:?}");
        }
        let mut samples = signal(0.1, 4);
        samples[9] = Complex32::new(f32::INFINITY, f32::NAN);
        assert_eq!(doubt(Cf32Le, Cf32Le, &samples), None, "told otherwise");
        let text = FormatDoubt::Unscaled { peak: 32_768.0 }.to_string();
        assert_eq!(text, "values up to 32768 in floats, 90 dB over full scale: not scaled to 1.0?");
    }

    /// Of these samples and so many zeros as bytes before them, what stands still, and the doubt.
    fn after_zeros(
        format: SampleFormat,
        zeros: usize,
        samples: &[Complex32],
    ) -> (Option<Stillness>, Option<FormatDoubt>) {
        let mut bytes = vec![0; zeros * format.bytes_per_sample()];
        encode(format, samples, &mut bytes);
        let mut samples = vec![Complex32::ZERO; bytes.len() / format.bytes_per_sample()];
        decode(format, &bytes, &mut samples);
        let mut look = SampleLook::new(format);
        look.take(0, &samples);
        (look.stillness(), look.doubt())
    }

    #[test]
    fn zeros_are_no_mistaken_format() {
        for format in [Cu8, Cs8, SampleFormat::WavU8, Cs16Le, Cs16Be, Cf32Le, Cf32Be] {
            let (stillness, doubt) = after_zeros(format, 50_000, &[]);
            assert_eq!(stillness.unwrap().to_string(), "nothing but zeros", "{format}");
            assert_eq!(doubt, None, "{format}");
            let (stillness, doubt) = after_zeros(format, 32 * STRETCH, &signal(0.1, 5));
            let text = stillness.unwrap().to_string();
            assert_eq!(text, "99.2 % of the samples are zeros", "{format}");
            assert_eq!(doubt, None, "{format}");
            let (stillness, _) = after_zeros(format, 0, &signal(0.1, 5));
            assert_eq!(stillness, None, "{format}");
        }
        let constant = [Complex32::new(0.25, -0.5); 5000];
        let (stillness, doubt) = after_zeros(Cs16Le, 0, &constant);
        assert_eq!(stillness.unwrap().to_string(), "all samples are the same");
        assert_eq!(doubt, None);
    }

    #[test]
    fn what_is_nothing_is_white() {
        let mut state = 1_u64;
        let bytes: Vec<u8> = (0..40_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        let mut samples = vec![Complex32::ZERO; 10_000];
        decode(Cs16Le, &bytes, &mut samples);
        assert_eq!(doubt(Cs16Le, Cs16Le, &samples), Some(FormatDoubt::White));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_looked_at(
            bytes in prop::collection::vec(any::<u8>(), 0..20_000),
            format in prop::sample::select(CANDIDATES.to_vec()),
            index in any::<u32>(),
        ) {
            let mut samples = vec![Complex32::ZERO; bytes.len() / format.bytes_per_sample()];
            decode(format, &bytes, &mut samples);
            let mut look = SampleLook::new(format);
            look.take(index.into(), &samples);
            drop((look.doubt().map(|doubt| doubt.to_string()), look.level_dbfs()));
        }
    }
}
