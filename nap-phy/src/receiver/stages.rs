//! Parts of the receiver by themselves, for those who want to look inside.
//!
//! Together with `nap-dsp` they make a receiver step by step: the detector and the synchroniser
//! look for the [`sync_words`], the demodulator gives [`SoftSymbols`], [`decode`] finds the
//! container in them, and with the [`symbol_signs`] of its bitstream a burst can be measured.

use super::decoder::frame_priors::FramePriors;
use super::decoder::list_decoder::{FrameDecoder, SearchParameters};
use super::decoder::soft_container::SoftContainer;
use super::decoder::template::Template;
use super::decoder::tuning::DecoderTuning;
use crate::uplink::container::Container;

pub use super::decoder::soft_container::SoftSymbols;
pub use super::decoder::symbols::{preamble, symbol_count, symbol_signs, sync_words};

/// Probability that the frames handed in belong together: who hands them in believes it.
const PRIOR: f64 = 0.95;
/// Odds that a decision must have to be right, should it pass the check.
const MIN_ODDS: f64 = 1.0;
/// Bits of the check sum.
const CRC_BITS: i32 = 16;

/// A container found in soft symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftDecision {
    /// The container.
    pub container: Container,
    /// Place in the list of likely decisions, 0 for the most likely one.
    pub index: usize,
}

/// The most likely container that was sent in all of `frames`, of one message, and whose check sum
/// is right. Of the list of likely decisions, at most `max_decisions` are tried, and only as long
/// as one that passes is more likely right than wrong.
///
/// `None` if there is none, or the frames differ in class or have too few symbols.
#[must_use]
pub fn decode(frames: &[SoftSymbols<'_>], max_decisions: usize) -> Option<SoftDecision> {
    let class = frames.first()?.frame_type.class;
    if frames.iter().any(|frame| frame.frame_type.class != class) {
        return None;
    }
    let of_symbols = |frame| SoftContainer::of_symbols(frame, FramePriors::default());
    let containers: Vec<SoftContainer> = frames.iter().map(of_symbols).collect();
    let containers: Vec<&SoftContainer> = containers.iter().collect();
    let parameters = SearchParameters {
        template: Template::of_class(class),
        prior: PRIOR,
        max_posterior: DecoderTuning::default().max_posterior,
        min_odds: MIN_ODDS,
        check_bits: CRC_BITS,
        max_decisions,
    };
    let search = FrameDecoder::default().search(&containers, class, &parameters, |_, _| true);
    let found = search.found?;
    Some(SoftDecision { container: found.container, index: found.index })
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;
    use crate::uplink::content::Content;
    use crate::uplink::frame_type::FrameType;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::payload::Payload;
    use crate::uplink::rank::Rank;

    fn container() -> Container {
        let content = Content::Bytes(Payload::new(b"joint decode").unwrap());
        Uplink::new(DeviceId(0xFEDC_BA98), MessageCounter::new(7).unwrap(), content)
            .container(&Key::PUBLIC)
    }

    /// The symbols of a frame, of which every `erased`th was not received.
    fn symbols(rank: Rank, erased: usize) -> Vec<Complex64> {
        let signs = symbol_signs(&container().bitstream(rank));
        let received = |(n, sign): (usize, &f64)| if n % erased == 0 { 0.0 } else { 0.3 * sign };
        signs.iter().enumerate().map(received).map(Complex64::from).collect()
    }

    fn soft(rank: Rank, symbols: &[Complex64]) -> SoftSymbols<'_> {
        let frame_type = FrameType { class: container().class(), rank };
        SoftSymbols { frame_type, symbols, amplitude: 0.3, noise_variance: 0.01, notches: None }
    }

    #[test]
    fn a_frame_decodes_alone() {
        for rank in Rank::ALL {
            let symbols = symbols(rank, 1000);
            let found = decode(&[soft(rank, &symbols)], 16);
            assert_eq!(found, Some(SoftDecision { container: container(), index: 0 }));
        }
    }

    #[test]
    fn frames_decode_together_that_do_not_alone() {
        let all = Rank::ALL.map(|rank| (rank, symbols(rank, 3)));
        let frames: Vec<SoftSymbols<'_>> = all.iter().map(|(rank, s)| soft(*rank, s)).collect();
        assert_eq!(decode(&frames[..1], 16), None);
        assert_eq!(decode(&frames, 16).map(|found| found.container), Some(container()));
    }

    #[test]
    fn what_does_not_fit_is_not_decoded() {
        assert_eq!(decode(&[], 16), None);
        assert_eq!(decode(&[soft(Rank::First, &[])], 16), None);
        assert!(sync_words().iter().all(|sync_word| sync_word.len() == 33));
    }
}
