//! What the detector weighs and asks of a candidate.

/// The thresholds and weights of the [`PreambleDetector`](super::PreambleDetector); by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// Two lines count for no more together than this many times the weaker one: a carrier and its neighbour's noise
    /// are no pair.
    pub max_imbalance: f32,
    /// The logarithm of the two lines' ratio that noise causes in four standard deviations, for a line SNR of
    /// 1; it falls with the square root of the line SNR.
    pub imbalance_of_noise: f32,
    /// The logarithm of the two lines' ratio of a transmitter that reverses its phase by rotating it the same way
    /// round each time.
    pub imbalance_of_rotation: f32,
    /// The share of the mean power around a carrier that counts as noise, if it is more than the subband's
    /// floor.
    pub surround_weight: f32,
    /// Share of the power of the lines of a neighbouring bin that those of a candidate have at least.
    pub min_peak: f32,
    /// What a standard deviation of energy adds to the detection statistic, in units of the lines' power.
    pub energy_weight: f32,
    /// Standard deviations of energy that count at most.
    pub max_deviations: f32,
    /// Standard deviations of energy below which nothing is looked at.
    pub min_deviations: f32,
    /// As much line SNR is asked as there are standard deviations of energy, up to here.
    pub knee: f32,
    /// Line SNR over the standard deviations of energy that is asked beyond the knee.
    pub min_snr_per_deviation: f32,
    /// The largest line SNR that is asked.
    pub max_clear_snr: f32,
    /// Energy of the lines over that of a hop of the burst around its carrier, at least.
    pub min_lines_over_energy: f32,
    /// The same of a preamble that may lie in a fade, before which there was less than its lines.
    pub min_faded_lines_over_energy: f32,
    /// Share of the energy after the preamble that there may be before it, where bursts were cancelled.
    pub max_before: f32,
    /// Standard deviations that noise may add to that.
    pub deviations_before: f32,
    /// The most candidates of one hop; the strongest win.
    pub max_candidates: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // Two lines that differ by more are a carrier and its neighbour's noise. For preambles
            // `imbalance_of_noise` is the tighter bound from a line SNR of 14 on: (11.3 / ln 20)².
            max_imbalance: 20.0,
            // Noise changes the amplitude of a line of power `line_snr / 2` by `1 / sqrt(line_snr)` of it, two
            // lines independently: 4 · 2 · sqrt(2) in the logarithm of the powers' ratio.
            imbalance_of_noise: 11.3,
            // Rotations over a part `r` of a symbol have lines with amplitudes of `1 + r / (2 - r)` and
            // `1 - r / (2 + r)`, times the same: over a whole one their powers differ by nine.
            imbalance_of_rotation: 2.2,
            // A little less than 1, so that in noise alone the steadier floor rules.
            surround_weight: 0.7,
            // What has less has a smaller line SNR than its neighbour, whatever surrounds both: it is not looked
            // at for the sake of time. The better of two bins of a Hann window has 0.72 of the power at least.
            // Without it no column of `make tune` changes, crowds have 1 % more candidates, and of 32 messages under FSK bursts one
            // more was lost (`cargo test -p nap-benches --test sensitivity`).
            min_peak: 0.6,
            // About the ratio of the log-likelihoods' slopes for a frame of Es/N0 = -1 dB, whose line SNR L is S = 8.6 in the mean
            // besides the 2 of noise, and whose energy D = 5.1 deviations. L has a noncentral chi-square distribution of four degrees of
            // freedom: ln p1/p0 grows with it by sqrt(S / L) = 0.9, by the Bessel function of 2 sqrt(S L). That of a normal variable
            // grows with the deviations by D. With 3.5 a message in forty more is lost at 0.5 dB, with 7 noise makes twelve times
            // the candidates and none less is lost.
            energy_weight: 5.0,
            // More say only that there is a signal, not that it begins here.
            max_deviations: 5.0,
            // A frame of Es/N0 = -1 dB has five on the average (20 · 0.79 of each of seven windows, 0.77 of it in the band, over 16.9), and
            // noise scatters that by one.
            min_deviations: 2.5,
            // The data of a frame shows weak lines by chance, while the preamble's are as clear as the frame is
            // strong: a line SNR of 10.8 Es/N0 for 6.4 Es/N0 deviations of energy, 1.7 for each. Asked is a quarter of that
            // where the frame is strong, and up to seven deviations, where noise scatters both, one for each.
            knee: 7.0,
            min_snr_per_deviation: 0.42,
            // Strong frames may drift.
            max_clear_snr: 20.0,
            // 0.7 without drift and fading.
            min_lines_over_energy: 0.2,
            // 11 dB less than without fading. Of frames in Rayleigh fading of 3 Hz one in seven begins with less than
            // 0.2 and was lost at any level; below 0.05 crowds take more time.
            min_faded_lines_over_energy: 0.05,
            // The energy before may be 0.7 of that after: so a frame is found on one that is up to 3.7 dB stronger, P ≤ 0.7 (P + 1).
            // Under stronger ones it is found when these have been cancelled.
            max_before: 0.7,
            // Noise scatters the mean before by a deviation; three of them let nearly all frames pass.
            deviations_before: 3.0,
            // A bound on work.
            max_candidates: 64,
        }
    }
}
