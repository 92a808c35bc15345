//! From soft symbols to a container: the most likely decision whose check sum is right, if it is
//! likely enough.

use std::f64::consts::LN_2;

use super::soft_container::SoftContainer;
use super::template::Template;
use super::trellis::{SoftPhases, Trellis};
use crate::uplink::container::{Container, MAX_CONTAINER_BYTES};
use crate::uplink::length_class::LengthClass;

/// Search parameters: what is known of some frames before their container is looked at, and asked of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchParameters {
    /// What is known of the container.
    pub(crate) template: Template,
    /// Probability that such a container was sent in these frames.
    pub(crate) prior: f64,
    /// The probability of that once the frames have been looked at is taken for no larger than this.
    pub(crate) max_posterior: f64,
    /// Odds that a decision must have to be right, should it pass the check.
    pub(crate) min_odds: f64,
    /// Bits of check sum and tag that a decision by chance would have to match.
    pub(crate) check_bits: i32,
    /// Decisions that are tried at most.
    pub(crate) max_decisions: usize,
}

/// A container found in soft symbols.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) container: Container,
    /// Place in the list, 0 for the most likely decision.
    pub(crate) index: usize,
    /// Logarithm of the odds that it is right, the check passed.
    pub(crate) ln_odds: f64,
}

/// What came of a search for a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Search {
    pub(crate) found: Option<Decoded>,
    /// Decisions that did not pass.
    pub(crate) rejected: u64,
    /// Their probability if the frames have such a container.
    pub(crate) rejected_probability: f64,
}

impl Search {
    /// What came of two searches, the other of which was made before this one and found nothing.
    pub(crate) fn after(self, before: &Self) -> Self {
        Self {
            rejected: self.rejected + before.rejected,
            rejected_probability: self.rejected_probability + before.rejected_probability,
            ..self
        }
    }
}

/// Finds containers. Its memory is kept from one search to the next.
#[derive(Debug, Default)]
pub(crate) struct FrameDecoder {
    trellis: Trellis,
}

impl FrameDecoder {
    /// The logarithm of how much likelier frames are with one container than with any phases.
    pub(crate) fn ln_factor(&mut self, frames: &[&SoftContainer], template: &Template) -> f64 {
        let phases: Vec<SoftPhases<'_>> = frames.iter().map(|f| f.soft_phases()).collect();
        let ln_total = self.trellis.run(&phases, template);
        ln_factor(frames, template, ln_total)
    }

    /// The probability of the last decision that was tried among all that were, given the logarithm of the likelihood
    /// of frame 1's phases.
    pub(crate) fn share_of_last(&self, ln_likelihood: impl FnMut(&[bool]) -> f64) -> f64 {
        let all: Vec<f64> = self.trellis.listed().map(ln_likelihood).collect();
        let Some(last) = all.last() else { return 0.0 };
        1.0 / all.iter().map(|ln_likelihood| (ln_likelihood - last).exp()).sum::<f64>()
    }

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
        parameters: &SearchParameters,
        mut accept: impl FnMut(&Container, usize) -> bool,
    ) -> Search {
        let length = class.container_bits();
        if frames.iter().any(|frame| frame.length() != length) {
            return Search::default();
        }
        let phases: Vec<SoftPhases<'_>> = frames.iter().map(|f| f.soft_phases()).collect();
        // 1. The sum over all sequences, and by it the probability that there is a container at all.
        let ln_total = self.trellis.run(&phases, &parameters.template);
        let posterior = posterior(frames, parameters, ln_total);
        let min_share = parameters.min_odds * (-f64::from(parameters.check_bits)).exp2();
        // 2. No sequence is listed that could not be likely enough if it were the first.
        self.trellis.start_list(ln_total + (min_share * (1.0 - posterior) / posterior).ln());
        let mut search = Search::default();
        for index in 0..parameters.max_decisions {
            let Some((metric, path)) = self.trellis.next_path() else { break };
            // 3. The probability of the next one among what has not been rejected.
            let probability = (metric - ln_total).exp();
            let left = (1.0 - search.rejected_probability - probability).max(0.0);
            let share = posterior * probability / (1.0 - posterior + posterior * left);
            if share < min_share {
                break;
            }
            // 4. The check.
            let ln_odds = share.ln() + f64::from(parameters.check_bits) * LN_2;
            search.found = container_of(path, class)
                .filter(|container| accept(container, index))
                .map(|container| Decoded { container, index, ln_odds });
            if search.found.is_some() {
                break;
            }
            search.rejected += 1;
            search.rejected_probability += probability;
        }
        search
    }
}

/// The probability that the frames have one container that fits the template, by Bayes.
fn posterior(frames: &[&SoftContainer], parameters: &SearchParameters, ln_total: f64) -> f64 {
    let SearchParameters { ref template, prior, max_posterior, .. } = *parameters;
    let odds_against = (1.0 - prior) / prior * (-ln_factor(frames, template, ln_total)).exp();
    (1.0 / (1.0 + odds_against)).clamp(f64::MIN_POSITIVE, max_posterior)
}

/// The logarithm of how much likelier the frames are with one container that fits the template than with
/// phases that are bound to nothing, neither to the template nor to those of other frames, or that recur as
/// those of interference do.
fn ln_factor(frames: &[&SoftContainer], template: &Template, ln_total: f64) -> f64 {
    let length = frames.first().map_or(0, |frame| frame.length());
    let ln_chance: f64 = frames.iter().map(|frame| frame.ln_chance()).sum();
    ln_total - template.free_bits(length) * LN_2 - ln_chance
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
mod tests {
    use nap_dsp::demodulator::Notches;
    use num_complex::Complex64;

    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;
    use crate::receiver::decoder::frame_priors::FramePriors;
    use crate::receiver::decoder::soft_container::{SoftSymbols, from_values};
    use crate::receiver::decoder::symbols::{SYNC_SYMBOLS, symbol_signs};
    use crate::uplink::content::Content;
    use crate::uplink::frame_type::FrameType;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::payload::Payload;
    use crate::uplink::rank::Rank;

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
        from_values(rank, values)
    }

    fn parameters(class: LengthClass, min_odds: f64) -> SearchParameters {
        SearchParameters {
            template: Template::of_class(class),
            prior: 0.95,
            max_posterior: 0.98,
            min_odds,
            check_bits: 16,
            max_decisions: 256,
        }
    }

    fn decode(frames: &[&SoftContainer], min_odds: f64) -> Search {
        let class = LengthClass::NineToTwelveBytes;
        FrameDecoder::default().search(frames, class, &parameters(class, min_odds), |_, _| true)
    }

    /// What was found, and its place in the list.
    fn place(search: &Search) -> Option<(&Container, usize)> {
        search.found.as_ref().map(|found| (&found.container, found.index))
    }

    /// The likelier a decision is among all, the better are its odds.
    #[test]
    fn odds_tell_how_sure_a_decision_is() {
        let sent = uplink().container(&Key::PUBLIC);
        let odds = |wrong: &[(usize, f32)]| {
            let frame = received(&sent, Rank::First, wrong);
            decode(&[&frame], 100.0).found.unwrap().ln_odds.exp()
        };
        // There is a frame with 95 %, the one bit that is known holds, and the check passes by chance once
        // in 65536.
        assert!((odds(&[]) / (2.0 * 19.0 * 65_536.0) - 1.0).abs() < 0.01);
        // A symbol that says next to nothing leaves two decisions.
        assert!((1.0..1.3).contains(&(odds(&[(40, 0.01)]) / 65_536.0)));
    }

    #[test]
    fn each_rank_decodes_alone() {
        let sent = uplink().container(&Key::PUBLIC);
        let content = Content::Bytes(Payload::new(b"0123456789AB").unwrap());
        let other = Uplink::new(DeviceId(0x1234_5678), MessageCounter::new(7).unwrap(), content)
            .container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[]);
            let found = decode(&[&frame], 1e5);
            assert_eq!((place(&found), found.rejected), (Some((&sent, 0)), 0));
            let other = received(&other, rank, &[]);
            let [own, others] = [&frame, &other].map(|frame| frame.agreement_with(&sent));
            assert!(own.ln_ratio > 60.0 && (own.share - 1.0).abs() < 1e-6, "{own:?}");
            assert!(others.share < 0.5, "{others:?}");
        }
    }

    #[test]
    fn frames_of_one_message_agree_in_parity() {
        let sent = uplink().container(&Key::PUBLIC);
        let content = Content::Bytes(Payload::new(b"0123456789AB").unwrap());
        let other = Uplink::new(DeviceId(0x1234_5678), MessageCounter::new(7).unwrap(), content)
            .container(&Key::PUBLIC);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let [a, b] = [a, b].map(|index| Rank::ALL[index]);
            let first = received(&sent, a, &[]);
            let all = (first.length() as f64).sqrt();
            let same = received(&sent, b, &[]);
            assert!(first.parity_agreement(&same) >= all);
            assert!(first.parity_agreement(&received(&other, b, &[])) < 3.0);
            // Half a turn on the way, after which no check holds.
            let half = same.length() / 2;
            let turned: Vec<(usize, f32)> = (half..same.length()).map(|n| (n, -1.0)).collect();
            assert!(first.parity_agreement(&received(&sent, b, &turned)) > 0.8 * all);
        }
    }

    #[test]
    fn the_list_corrects_the_weakest_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[(40, -0.05), (90, -0.1)]);
            let found = decode(&[&frame], 100.0);
            assert_eq!(place(&found), Some((&sent, 3)));
            assert_eq!(found.rejected, 3, "no flip and one flip of either");
            // The first decision has a probability of 57 %.
            assert_eq!(decode(&[&frame], 1e6), Search::default());
        }
    }

    /// Whether the phase reverses at the start of each symbol.
    fn reversals(signs: &[f64]) -> Vec<bool> {
        std::iter::once(false).chain(signs.windows(2).map(|pair| pair[0] != pair[1])).collect()
    }

    /// A frame whose envelope drops to half over a quarter of a symbol on both sides of each reversal.
    fn notched(container: &Container, rank: Rank, noise_variance: f64) -> SoftContainer {
        let signs = symbol_signs(&container.bitstream(rank));
        let reversals: Vec<bool> = reversals(&signs).into_iter().chain([false]).collect();
        let lost = |reversal: bool| if reversal { 0.125 } else { 0.0 };
        let places = signs.iter().zip(reversals.windows(2));
        let mean = |(sign, reversals): (&f64, &[bool])| {
            sign * (1.0 - lost(reversals[0]) - lost(reversals[1]))
        };
        let symbols: Vec<Complex64> = places.map(mean).map(Complex64::from).collect();
        // Before a reversal and after it half of the amplitude is received, which each symbol weighs by one half.
        let missing_signal =
            signs.iter().zip(&reversals).map(|(&sign, &reversal)| -(sign * lost(reversal)) as f32);
        let notches = Notches {
            amplitude: 1.0,
            missing_signal: missing_signal.collect(),
            missing_energy: vec![0.1875; signs.len()],
        };
        let frame_type = FrameType { class: container.class(), rank };
        let symbols = SoftSymbols {
            frame_type,
            symbols: &symbols,
            amplitude: 1.0,
            noise_variance,
            notches: Some(&notches),
        };
        SoftContainer::of_symbols(&symbols, FramePriors::default())
    }

    #[test]
    fn notches_are_those_of_the_containers_own_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let signs = symbol_signs(&sent.bitstream(rank));
            let frame = notched(&sent, rank, 0.5);
            let last = signs[SYNC_SYMBOLS - 1];
            let reversals = reversals(&signs);
            let symbols = signs.iter().zip(&reversals).skip(SYNC_SYMBOLS);
            for (phase, (sign, &reversal)) in frame.soft_phases().phases.iter().zip(symbols) {
                let expected = if reversal { -0.25 * sign * last } else { 0.0 };
                assert_eq!((phase.reversal, phase.notch), (expected as f32, 0.375));
            }
        }
    }

    #[test]
    fn notches_do_not_outweigh_clear_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for noise_variance in [0.1, 1e-3, 1e-9, 0.0] {
            for rank in Rank::ALL {
                let frame = notched(&sent, rank, noise_variance);
                let found = decode(&[&frame], 1e5);
                assert_eq!(place(&found), Some((&sent, 0)), "variance {noise_variance}");
            }
        }
    }

    #[test]
    fn what_is_not_accepted_is_rejected() {
        let class = LengthClass::NineToTwelveBytes;
        let frame = received(&uplink().container(&Key::PUBLIC), Rank::First, &[]);
        let found = FrameDecoder::default().search(
            &[&frame],
            class,
            &parameters(class, 100.0),
            |_, index| index > 0,
        );
        assert_eq!((found.found, found.rejected), (None, 1));
        assert!(found.rejected_probability > 0.99);
    }

    #[test]
    fn nothing_is_tried_on_noise() {
        let values: Vec<f32> = (0..176u32)
            .map(|n| if n.wrapping_mul(2_654_435_761) >> 31 == 0 { 1.0 } else { -1.0 })
            .collect();
        let frame = from_values(Rank::First, values);
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
        let found = decode(&all, 1e5);
        assert_eq!(place(&found), Some((&sent, 0)));
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
