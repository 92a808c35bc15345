//! From soft symbols to a container: the most likely decision whose check sum is right, if it is
//! likely enough.

use nap_dsp::demodulator::SoftFrame;
use nap_dsp::envelope::Dips;
use num_complex::Complex64;

use super::template::Template;
use super::trellis::{SoftPhase, SoftPhases, Trellis, constant, ln_cosh, phase, tap};
use crate::{Container, FrameType, LengthClass, MAX_CONTAINER_BYTES, Rank, SYNC_BITS};

/// Symbols before the container: the reference symbol, preamble and frame type.
pub(crate) const SYNC_SYMBOLS: usize = 1 + SYNC_BITS as usize;
/// Half the log likelihood ratio that a known symbol may have at most: one in 150 may have been hit
/// by something.
const SUREST_KNOWN: f64 = 2.5;
/// Logarithm of how rarely one of the places that are looked at holds a frame: of the 18 types, at
/// some dozen starts and many frequencies, one that fits has been chosen.
const LN_PLACES: f64 = 12.0;
/// The largest number that is kept, so that sums of some have no end either.
const MOST_KEPT: f64 = 1e30;
/// The model of signal and noise is never trusted more than this.
const MOST_BELIEF: f64 = 0.98;

/// The signs (±1) of the symbols that send these bytes, the reference symbol first: a 0 flips.
#[must_use]
pub fn symbol_signs(bytes: &[u8]) -> Vec<f64> {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    let signs = bits.scan(1.0, |sign, bit| {
        *sign = if bit { *sign } else { -*sign };
        Some(*sign)
    });
    std::iter::once(1.0).chain(signs).collect()
}

/// How many symbols a frame of this type has, the reference symbol included.
#[must_use]
pub fn symbol_count(frame_type: FrameType) -> usize {
    SYNC_SYMBOLS + frame_type.class.container_bits()
}

/// The soft symbols of a frame's container.
#[derive(Debug, Clone)]
pub(crate) struct SoftContainer {
    rank: Rank,
    phases: Vec<SoftPhase>,
    /// Hard decisions on the phase bits, freed of the constant sequence of the rank.
    hard: Vec<bool>,
    /// What turns the sum of values that agree with a decision into the share of energy explained.
    energy: f64,
    /// Logarithm of the likelihood if all phases were chosen by chance, as [`Trellis::run`] counts.
    ln_chance: f64,
    /// Probability that the known symbols before the container are there.
    sync_belief: f64,
}

impl SoftContainer {
    pub(crate) fn new(frame: &SoftFrame, frame_type: FrameType) -> Self {
        let weights = frame.weights.iter().copied().map(f64::from);
        let symbols = frame.symbols.iter().zip(weights).map(|(symbol, weight)| symbol * weight);
        let symbols: Vec<Complex64> = symbols.collect();
        let levels = (frame.amplitude, frame.noise_variance);
        Self::of_symbols(&symbols, levels, Some(&frame.dips), frame_type)
    }

    /// The container of these symbols, from the reference symbol on, each times what it is worth, given
    /// their amplitude and the variance of the noise. Without `dips`, a steady envelope is expected; with
    /// them their amplitude counts.
    pub(crate) fn of_symbols(
        all: &[Complex64],
        (amplitude, noise_variance): (f64, f64),
        dips: Option<&Dips>,
        frame_type: FrameType,
    ) -> Self {
        let signs = symbol_signs(&frame_type.sync_word().to_be_bytes());
        let amplitude = dips.map_or(amplitude, |dips| dips.amplitude);
        // Without noise all is as clear as numbers can tell.
        let least_variance = f64::max(amplitude * amplitude * f64::EPSILON, f64::MIN_POSITIVE);
        let weight = amplitude / noise_variance.max(least_variance);
        let agreement = |(symbol, sign): (&Complex64, &f64)| {
            let value = (weight * symbol.re * sign).clamp(-SUREST_KNOWN, SUREST_KNOWN);
            value - ln_cosh(value as f32)
        };
        let ln_sync: f64 = all.iter().zip(&signs).map(agreement).sum();
        let sync_belief = 1.0 / (1.0 + (LN_PLACES - ln_sync).exp());

        let scale = weight * signs.last().copied().unwrap_or(1.0);
        let symbols = all.get(SYNC_SYMBOLS..).unwrap_or_default();
        let energy = weight * weight * symbols.iter().map(|z| z.norm_sqr()).sum::<f64>();
        let value = |symbol: &Complex64| soft(scale * symbol.re);
        let steady = symbols.iter().map(|z| SoftPhase { value: value(z), ..SoftPhase::default() });
        let mut phases: Vec<SoftPhase> = steady.collect();
        if let Some(dips) = dips {
            let places = dips.edges.iter().zip(&dips.energies).skip(SYNC_SYMBOLS);
            for (phase, (&edge, &energy)) in phases.iter_mut().zip(places) {
                phase.flip = soft(scale * f64::from(edge));
                phase.dip = soft(weight * amplitude * f64::from(energy));
            }
        }
        Self { sync_belief, ..Self::from_phases(frame_type.rank, phases, energy) }
    }

    fn from_phases(rank: Rank, phases: Vec<SoftPhase>, energy: f64) -> Self {
        let decide = |(n, phase): (usize, &SoftPhase)| (phase.value < 0.0) ^ constant(rank, n);
        let hard = phases.iter().enumerate().map(decide).collect();
        let ln_chance = SoftPhases { rank, phases: &phases }.ln_chance();
        Self { rank, phases, hard, energy, ln_chance, sync_belief: 1.0 }
    }

    /// Probability that the known symbols before the container are there, as far as they tell.
    pub(crate) fn sync_belief(&self) -> f64 {
        self.sync_belief
    }

    pub(crate) fn soft_phases(&self) -> SoftPhases<'_> {
        SoftPhases { rank: self.rank, phases: &self.phases }
    }

    /// How well two frames of different rank obey the code together, before any decoding: the
    /// parity checks that hold beyond half of them, in standard deviations of chance.
    ///
    /// Both phases stem from the same bits, so one's phases convolved with the other's generator
    /// equal the reverse.
    pub(crate) fn kinship(&self, other: &Self) -> f64 {
        let length = self.hard.len().min(other.hard.len());
        let holds = (0..length)
            .filter(|&n| tap(other.rank, &self.hard, n) == tap(self.rank, &other.hard, n))
            .count();
        (2.0 * holds as f64 - length as f64) / (length as f64).sqrt().max(1.0)
    }

    /// The share of the energy that a decision explains, 0 to 1.
    fn explained(&self, phases: &[bool]) -> f64 {
        let agreement: f32 = self
            .phases
            .iter()
            .enumerate()
            .map(
                |(n, SoftPhase { value, .. })| {
                    if phase(self.rank, phases, n) { -value } else { *value }
                },
            )
            .sum();
        let agreement = f64::from(agreement.max(0.0));
        agreement * agreement / (self.phases.len() as f64 * self.energy).max(f64::MIN_POSITIVE)
    }
}

/// A half log likelihood ratio as it is kept.
fn soft(value: f64) -> f32 {
    value.clamp(-MOST_KEPT, MOST_KEPT) as f32
}

/// The share of a frame's energy that a known container explains.
pub(crate) fn explained_by(frame: &SoftContainer, container: &Container) -> f64 {
    let bits =
        container.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |b| byte >> b & 1));
    let phases: Vec<bool> = bits
        .scan(false, |phase, bit| {
            *phase ^= bit == 0;
            Some(*phase)
        })
        .collect();
    if phases.len() == frame.phases.len() { frame.explained(&phases) } else { 0.0 }
}

/// What is believed of some frames before their container is looked at, and asked of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// What is known of the container.
    pub(crate) template: Template,
    /// Probability that such a container was sent in these frames.
    pub(crate) prior: f64,
    /// Odds that a decision must have to be right, should it pass the check.
    pub(crate) least_odds: f64,
    /// Bits of check sum and tag that a decision by chance would have to match.
    pub(crate) check_bits: i32,
    /// Decisions that are tried at most.
    pub(crate) most_decisions: usize,
}

/// A container found in soft symbols.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) container: Container,
    /// Place in the list, 0 for the most likely decision.
    pub(crate) index: usize,
}

/// What came of a search for a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Search {
    pub(crate) found: Option<Decoded>,
    /// Decisions that did not pass.
    pub(crate) refuted: u64,
    /// Their probability if the frames have such a container.
    pub(crate) refuted_probability: f64,
}

/// Finds containers. Its memory is kept from one search to the next.
#[derive(Debug, Default)]
pub(crate) struct FrameDecoder {
    trellis: Trellis,
}

impl FrameDecoder {
    /// The most likely container of `class` that was sent in all of `frames`, whose check sum is right
    /// and which `accept`s, given its place in the list.
    ///
    /// Decisions are tried in the order of likelihood as long as they are likely enough: the odds for
    /// one are its probability over that of all that is left, other decisions or no such container at
    /// all, times how rarely another would pass the check by chance.
    pub(crate) fn search(
        &mut self,
        frames: &[&SoftContainer],
        class: LengthClass,
        terms: &Terms,
        accept: impl Fn(&Container, usize) -> bool,
    ) -> Search {
        let length = class.container_bits();
        if frames.iter().any(|frame| frame.phases.len() != length) {
            return Search::default();
        }
        let phases: Vec<SoftPhases<'_>> = frames.iter().map(|f| f.soft_phases()).collect();
        let ln_total = self.trellis.run(&phases, &terms.template);
        let belief = belief(frames, &terms.template, terms.prior, ln_total);
        let least_share = terms.least_odds * (-f64::from(terms.check_bits)).exp2();
        self.trellis.start_list(ln_total + (least_share * (1.0 - belief) / belief).ln());
        let mut search = Search::default();
        for index in 0..terms.most_decisions {
            let Some((metric, path)) = self.trellis.next_path() else { break };
            let probability = (metric - ln_total).exp();
            let left = (1.0 - search.refuted_probability - probability).max(0.0);
            if belief * probability < least_share * (1.0 - belief + belief * left) {
                break;
            }
            search.found = container_of(path, class)
                .filter(|container| accept(container, index))
                .map(|container| Decoded { container, index });
            if search.found.is_some() {
                break;
            }
            search.refuted += 1;
            search.refuted_probability += probability;
        }
        search
    }
}

/// The probability that the frames have one container that fits the template, by Bayes: against
/// phases that are bound to nothing, neither to the template nor to those of other frames.
fn belief(frames: &[&SoftContainer], template: &Template, prior: f64, ln_total: f64) -> f64 {
    let length = frames.first().map_or(0, |frame| frame.phases.len());
    let free_bits = length as f64 - f64::from(template.pinned());
    let ln_chance: f64 = frames.iter().map(|frame| frame.ln_chance).sum();
    let ln_factor = ln_total - free_bits * std::f64::consts::LN_2 - ln_chance;
    let odds_against = (1.0 - prior) / prior * (-ln_factor).exp();
    (1.0 / (1.0 + odds_against)).clamp(f64::MIN_POSITIVE, MOST_BELIEF)
}

/// The container that frame 1's phases send, if it is valid.
fn container_of(phases: &[bool], class: LengthClass) -> Option<Container> {
    let mut buffer = [0; MAX_CONTAINER_BYTES];
    let bytes = buffer.get_mut(..class.container_bytes())?;
    let mut before = false;
    for (n, &phase) in phases.iter().enumerate() {
        *bytes.get_mut(n / 8)? |= u8::from(phase == before) << (7 - n % 8);
        before = phase;
    }
    Container::check(class, bytes).ok().filter(|container| !container.repeated())
}

#[cfg(test)]
fn from_values(rank: Rank, values: Vec<f32>, energy: f64) -> SoftContainer {
    let phases = values.into_iter().map(|value| SoftPhase { value, ..SoftPhase::default() });
    SoftContainer::from_phases(rank, phases.collect(), energy)
}

/// A frame's container in white noise, everything but its bits being known.
#[cfg(test)]
pub(crate) fn ideal(
    container: &Container,
    rank: Rank,
    es_over_n0_db: f64,
    rng: &mut impl rand::Rng,
) -> SoftContainer {
    use rand::RngExt;
    let amplitude = (2.0 * 10f64.powf(es_over_n0_db / 10.0)).sqrt();
    let signs = symbol_signs(&container.bitstream(rank));
    let last = signs[SYNC_SYMBOLS - 1];
    let mut energy = 0.0;
    let mut receive = |sign: &f64| {
        // Box and Muller's normal numbers, of variance 1 in each dimension.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let (im, re) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        let (re, im) = (radius * re + amplitude * sign * last, radius * im);
        energy += amplitude * amplitude * (re * re + im * im);
        (amplitude * re) as f32
    };
    let values = signs[SYNC_SYMBOLS..].iter().map(&mut receive).collect();
    from_values(rank, values, energy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, DeviceId, Key, MessageCounter, Payload, Uplink};

    /// Half the log likelihood ratio of a clear symbol.
    const CLEAR: f64 = 8.0;

    fn uplink() -> Uplink {
        let content = Content::Bytes(Payload::new(b"joint decode").unwrap());
        Uplink::new(DeviceId(0xFEDC_BA98), MessageCounter::new(0x123).unwrap(), content)
    }

    /// A frame as received without noise, with some symbols' values replaced.
    fn received(container: &Container, rank: Rank, wrong: &[(usize, f32)]) -> SoftContainer {
        let signs = symbol_signs(&container.bitstream(rank));
        let last = signs[SYNC_SYMBOLS - 1];
        let mut values: Vec<f32> =
            signs[SYNC_SYMBOLS..].iter().map(|sign| (CLEAR * sign * last) as f32).collect();
        for &(n, factor) in wrong {
            values[n] *= factor;
        }
        let energy = values.iter().map(|v| f64::from(v * v)).sum();
        from_values(rank, values, energy)
    }

    fn terms(class: LengthClass, least_odds: f64) -> Terms {
        Terms {
            template: Template::of_class(class),
            prior: 0.95,
            least_odds,
            check_bits: 16,
            most_decisions: 256,
        }
    }

    fn decode(frames: &[&SoftContainer], least_odds: f64) -> Search {
        let class = LengthClass::NineToTwelveBytes;
        FrameDecoder::default().search(frames, class, &terms(class, least_odds), |_, _| true)
    }

    #[test]
    fn each_rank_decodes_alone() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[]);
            let found = Some(Decoded { container: sent.clone(), index: 0 });
            assert_eq!(decode(&[&frame], 1e5), Search { found, ..Search::default() });
            assert!((explained_by(&frame, &sent) - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn frames_of_one_message_are_kin() {
        let sent = uplink().container(&Key::PUBLIC);
        let content = Content::Bytes(Payload::new(b"0123456789AB").unwrap());
        let other = Uplink::new(DeviceId(0x1234_5678), MessageCounter::new(7).unwrap(), content)
            .container(&Key::PUBLIC);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let [a, b] = [a, b].map(|index| Rank::ALL[index]);
            let first = received(&sent, a, &[]);
            let all = (first.phases.len() as f64).sqrt();
            assert!((first.kinship(&received(&sent, b, &[])) - all).abs() < 1e-9);
            assert!(first.kinship(&received(&other, b, &[])).abs() < 3.0);
        }
    }

    #[test]
    fn the_list_corrects_the_weakest_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[(40, -0.05), (90, -0.1)]);
            let found = decode(&[&frame], 100.0);
            assert_eq!(found.found, Some(Decoded { container: sent.clone(), index: 3 }));
            assert_eq!(found.refuted, 3, "no flip and one flip of either");
            // The first decision has a probability of 57 %.
            assert_eq!(decode(&[&frame], 1e6), Search::default());
        }
    }

    /// Whether the phase flips at the start of each symbol.
    fn flips(signs: &[f64]) -> Vec<bool> {
        std::iter::once(false).chain(signs.windows(2).map(|pair| pair[0] != pair[1])).collect()
    }

    /// A frame whose envelope drops to half over a quarter of a symbol on both sides of each flip.
    fn dipped(container: &Container, rank: Rank, noise_variance: f64) -> SoftContainer {
        let signs = symbol_signs(&container.bitstream(rank));
        let flips: Vec<bool> = flips(&signs).into_iter().chain([false]).collect();
        let lost = |flip: bool| if flip { 0.125 } else { 0.0 };
        let places = signs.iter().zip(flips.windows(2));
        let mean = |(sign, flips): (&f64, &[bool])| sign * (1.0 - lost(flips[0]) - lost(flips[1]));
        let symbols: Vec<Complex64> = places.map(mean).map(Complex64::from).collect();
        // Before a flip and after it half of the amplitude is received, and half of that is believed.
        let edges = signs.iter().zip(&flips).map(|(&sign, &flip)| -(sign * lost(flip)) as f32);
        let dips =
            Dips { amplitude: 1.0, edges: edges.collect(), energies: vec![0.1875; signs.len()] };
        let frame_type = FrameType { class: container.class(), rank };
        SoftContainer::of_symbols(&symbols, (1.0, noise_variance), Some(&dips), frame_type)
    }

    #[test]
    fn dips_are_those_of_the_containers_own_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let signs = symbol_signs(&sent.bitstream(rank));
            let frame = dipped(&sent, rank, 0.5);
            let last = signs[SYNC_SYMBOLS - 1];
            let flips = flips(&signs);
            let symbols = signs.iter().zip(&flips).skip(SYNC_SYMBOLS);
            for (phase, (sign, &flip)) in frame.phases.iter().zip(symbols) {
                let expected = if flip { -0.25 * sign * last } else { 0.0 };
                assert_eq!((phase.flip, phase.dip), (expected as f32, 0.375));
            }
        }
    }

    #[test]
    fn dips_do_not_outweigh_clear_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for noise_variance in [0.1, 1e-3, 1e-9, 0.0] {
            for rank in Rank::ALL {
                let frame = dipped(&sent, rank, noise_variance);
                let found = Some(Decoded { container: sent.clone(), index: 0 });
                assert_eq!(decode(&[&frame], 1e5).found, found, "variance {noise_variance}");
            }
        }
    }

    #[test]
    fn what_is_not_accepted_is_refuted() {
        let class = LengthClass::NineToTwelveBytes;
        let frame = received(&uplink().container(&Key::PUBLIC), Rank::First, &[]);
        let found =
            FrameDecoder::default()
                .search(&[&frame], class, &terms(class, 100.0), |_, index| index > 0);
        assert_eq!((found.found, found.refuted), (None, 1));
        assert!(found.refuted_probability > 0.99);
    }

    #[test]
    fn nothing_is_tried_on_noise() {
        let values: Vec<f32> = (0..176u32)
            .map(|n| if n.wrapping_mul(2_654_435_761) >> 31 == 0 { 1.0 } else { -1.0 })
            .collect();
        let frame = from_values(Rank::First, values, 176.0);
        assert_eq!(decode(&[&frame], 1.0), Search::default());
    }

    #[test]
    fn frames_decode_together_of_which_none_does_alone() {
        let sent = uplink().container(&Key::PUBLIC);
        let frames = Rank::ALL.map(|rank| {
            let start = 20 * usize::from(rank.number());
            let wrong: Vec<_> = (0..9).map(|k| (start + 12 * k, -0.3)).collect();
            received(&sent, rank, &wrong)
        });
        for frame in &frames {
            assert_eq!(decode(&[frame], 100.0).found, None);
        }
        let all: Vec<&SoftContainer> = frames.iter().collect();
        let found = decode(&all, 1e5).found;
        assert_eq!(found, Some(Decoded { container: sent, index: 0 }));
    }

    #[test]
    fn frames_of_different_messages_are_not_tried_together() {
        let sent = uplink().container(&Key::PUBLIC);
        let content = Content::Bytes(Payload::new(b"0123456789AB").unwrap());
        let other = Uplink::new(DeviceId(0x1234_5678), MessageCounter::new(7).unwrap(), content)
            .container(&Key::PUBLIC);
        let frames = [received(&sent, Rank::First, &[]), received(&other, Rank::Second, &[])];
        assert_eq!(decode(&[&frames[0], &frames[1]], 1.0), Search::default());
    }
}
