//! From soft symbols to a container: a list Viterbi decoder over whichever frames there are.
//!
//! The phases of the three frames of a message obey one code of four states. With `p` the phase bits
//! of frame 1 (0 or 180 degrees, relative to the last known symbol), those of frame 2 and 3 are
//! `p[n] + p[n-1] + p[n-2] + k2[n]` and `p[n] + p[n-2] + k3[n]` modulo 2, with constant sequences
//! `k2`, `k3` that stem from a 0 bit being the flip. Differential coding thus costs nothing. With one
//! frame the same trellis lists that frame's most likely bits.

use std::cmp::Ordering;

use nap_dsp::demodulator::SoftFrame;

use crate::{Container, FrameType, LengthClass, MAX_CONTAINER_BYTES, Rank, SYNC_BITS};

/// Symbols before the container: the reference symbol, preamble and frame type.
pub(super) const SYNC_SYMBOLS: usize = 1 + SYNC_BITS as usize;
/// States of the code: the last two phase bits, the newest in bit 0.
const STATES: usize = 4;

/// The signs (±1) of the symbols that send these bytes, the reference symbol first: a 0 flips.
pub(super) fn symbol_signs(bytes: &[u8]) -> Vec<f64> {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    let signs = bits.scan(1.0, |sign, bit| {
        *sign = if bit { *sign } else { -*sign };
        Some(*sign)
    });
    std::iter::once(1.0).chain(signs).collect()
}

/// How many symbols a frame of this type has, the reference symbol included.
pub(super) fn symbol_count(frame_type: FrameType) -> usize {
    SYNC_SYMBOLS + frame_type.class.container_bits()
}

/// The soft symbols of a frame's container.
#[derive(Debug, Clone)]
pub(super) struct SoftContainer {
    rank: Rank,
    /// Positive where the phase is that of the last known symbol; log likelihood ratios but for a
    /// factor that all frames share.
    values: Vec<f32>,
    /// Hard decisions on the phase bits, freed of the constant sequence of the rank.
    hard: Vec<bool>,
    /// What turns the sum of values that agree with a decision into the share of energy explained.
    energy: f64,
}

impl SoftContainer {
    pub(super) fn new(frame: &SoftFrame, frame_type: FrameType) -> Self {
        let signs = symbol_signs(&frame_type.sync_word().to_be_bytes());
        let weight = frame.amplitude / frame.noise_variance.max(f64::MIN_POSITIVE);
        let scale = weight * signs.last().copied().unwrap_or(1.0);
        let symbols = frame.symbols.get(SYNC_SYMBOLS..).unwrap_or_default();
        let values = symbols.iter().map(|symbol| (scale * symbol.re) as f32).collect();
        let energy = weight * weight * symbols.iter().map(|z| z.norm_sqr()).sum::<f64>();
        Self::from_values(frame_type.rank, values, energy)
    }

    fn from_values(rank: Rank, values: Vec<f32>, energy: f64) -> Self {
        let decide = |(n, &value): (usize, &f32)| (value < 0.0) ^ constant(rank, n);
        let hard = values.iter().enumerate().map(decide).collect();
        Self { rank, values, hard, energy }
    }

    /// The largest share of the energy that any container can explain: every symbol as it is.
    pub(super) fn explainable(&self) -> f64 {
        let agreement = f64::from(self.values.iter().map(|value| value.abs()).sum::<f32>());
        agreement * agreement / (self.values.len() as f64 * self.energy).max(f64::MIN_POSITIVE)
    }

    /// How well two frames of different rank obey the code together, before any decoding: the
    /// parity checks that hold beyond half of them, in standard deviations of chance.
    ///
    /// Both phases stem from the same bits, so one's phases convolved with the other's generator
    /// equal the reverse.
    pub(super) fn kinship(&self, other: &Self) -> f64 {
        let length = self.hard.len().min(other.hard.len());
        let holds = (0..length)
            .filter(|&n| tap(other.rank, &self.hard, n) == tap(self.rank, &other.hard, n))
            .count();
        (2.0 * holds as f64 - length as f64) / (length as f64).sqrt().max(1.0)
    }

    /// The share of the energy that a decision explains, 0 to 1.
    fn explained(&self, phases: &[bool]) -> f64 {
        let agreement: f32 = self
            .values
            .iter()
            .enumerate()
            .map(|(n, value)| if phase(self.rank, phases, n) { -value } else { *value })
            .sum();
        let agreement = f64::from(agreement.max(0.0));
        agreement * agreement / (self.values.len() as f64 * self.energy).max(f64::MIN_POSITIVE)
    }
}

/// The share of a frame's energy that a known container explains.
pub(super) fn explained_by(frame: &SoftContainer, container: &Container) -> f64 {
    let bits =
        container.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |b| byte >> b & 1));
    let phases: Vec<bool> = bits
        .scan(false, |phase, bit| {
            *phase ^= bit == 0;
            Some(*phase)
        })
        .collect();
    if phases.len() == frame.values.len() { frame.explained(&phases) } else { 0.0 }
}

/// The phase bit `n` of a frame of `rank` whose first frame has these phase bits.
fn phase(rank: Rank, first: &[bool], n: usize) -> bool {
    constant(rank, n) ^ tap(rank, first, n)
}

/// The same from the newest three phase bits of frame 1.
fn branch_phase(rank: Rank, n: usize, newest: bool, before: bool, oldest: bool) -> bool {
    constant(rank, n)
        ^ match rank {
            Rank::First => newest,
            Rank::Second => newest ^ before ^ oldest,
            Rank::Third => newest ^ oldest,
        }
}

/// The constant sequences `k1` (zero), `k2` and `k3`.
fn constant(rank: Rank, n: usize) -> bool {
    match rank {
        Rank::First => false,
        Rank::Second => n > 0,
        Rank::Third => n > 0 && n.is_multiple_of(2),
    }
}

/// Bit `n` of `bits` convolved with the generator of a rank.
fn tap(rank: Rank, bits: &[bool], n: usize) -> bool {
    let back = |delay: usize| n.checked_sub(delay).is_some_and(|n| bits[n]);
    match rank {
        Rank::First => back(0),
        Rank::Second => back(0) ^ back(1) ^ back(2),
        Rank::Third => back(0) ^ back(2),
    }
}

/// A container found in soft symbols.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) container: Container,
    /// Place in the list, 0 for the most likely decision.
    pub(super) index: usize,
    /// Mean share of the frames' energy that the container explains.
    pub(super) explained: f64,
}

/// The most likely container of `class`, among the `list` most likely decisions on the frames, whose
/// check sum is right.
pub(super) fn decode(
    frames: &[&SoftContainer],
    class: LengthClass,
    list: usize,
) -> Option<Decoded> {
    let length = class.container_bits();
    if frames.iter().any(|frame| frame.values.len() != length) {
        return None;
    }
    let trellis = Trellis::run(frames, length, list);
    trellis.decisions().enumerate().find_map(|(index, phases)| {
        let container = container_of(&phases, class)?;
        let explained = frames.iter().map(|frame| frame.explained(&phases)).sum::<f64>();
        Some(Decoded { container, index, explained: explained / frames.len() as f64 })
    })
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

/// Where a path came from: the state before and its place in that state's list.
#[derive(Debug, Clone, Copy, Default)]
struct Origin {
    oldest: bool,
    place: u16,
}

/// The best paths into every state, best first, for each symbol.
struct Trellis {
    /// Origins by symbol and state.
    steps: Vec<[Vec<Origin>; STATES]>,
    /// Metrics of the paths that survive at the end, by state.
    metrics: [Vec<f32>; STATES],
}

impl Trellis {
    fn run(frames: &[&SoftContainer], length: usize, list: usize) -> Self {
        let mut metrics: [Vec<f32>; STATES] = Default::default();
        metrics[0].push(0.0);
        let mut steps = Vec::with_capacity(length);
        for n in 0..length {
            let mut next: [Vec<f32>; STATES] = Default::default();
            let mut origins: [Vec<Origin>; STATES] = Default::default();
            for state in 0..STATES {
                let (newest, before) = (state & 1 == 1, state & 2 == 2);
                let gains = [false, true].map(|oldest| -> f32 {
                    let signed = |frame: &&SoftContainer| {
                        let flipped = branch_phase(frame.rank, n, newest, before, oldest);
                        if flipped { -frame.values[n] } else { frame.values[n] }
                    };
                    frames.iter().map(signed).sum()
                });
                let from = [false, true]
                    .map(|oldest| &metrics[usize::from(before) | usize::from(oldest) << 1]);
                merge(from, gains, list, &mut next[state], &mut origins[state]);
            }
            metrics = next;
            steps.push(origins);
        }
        Self { steps, metrics }
    }

    /// The phase bits of frame 1 of all surviving paths, the most likely first.
    fn decisions(&self) -> impl Iterator<Item = Vec<bool>> {
        let mut ends: Vec<(f32, usize, usize)> = self
            .metrics
            .iter()
            .enumerate()
            .flat_map(|(state, metrics)| {
                metrics.iter().enumerate().map(move |(place, &metric)| (metric, state, place))
            })
            .collect();
        ends.sort_by(|a, b| b.0.total_cmp(&a.0));
        let list = self.metrics.iter().map(Vec::len).max().unwrap_or(0);
        ends.into_iter().take(list).map(|(_, state, place)| self.trace(state, place))
    }

    fn trace(&self, mut state: usize, mut place: usize) -> Vec<bool> {
        let mut phases = vec![false; self.steps.len()];
        for (phase, step) in phases.iter_mut().zip(&self.steps).rev() {
            *phase = state & 1 == 1;
            let origin = step[state][place];
            state = state >> 1 | usize::from(origin.oldest) << 1;
            place = origin.place.into();
        }
        phases
    }
}

/// Merges the lists of the two states before into the best `list` paths of one state.
fn merge(
    from: [&Vec<f32>; 2],
    gains: [f32; 2],
    list: usize,
    metrics: &mut Vec<f32>,
    origins: &mut Vec<Origin>,
) {
    let mut places = [0; 2];
    while metrics.len() < list {
        let [first, second] =
            [0, 1].map(|side| from[side].get(places[side]).map(|metric| metric + gains[side]));
        let oldest = match (first, second) {
            (None, None) => break,
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (Some(a), Some(b)) => usize::from(a.total_cmp(&b) == Ordering::Less),
        };
        metrics.extend([first, second][oldest]);
        origins.push(Origin { oldest: oldest == 1, place: places[oldest] as u16 });
        places[oldest] += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Content, DeviceId, Key, MessageCounter, Payload, Uplink};

    fn uplink() -> Uplink {
        let content = Content::Bytes(Payload::new(b"joint decode").unwrap());
        Uplink::new(DeviceId(0xFEDC_BA98), MessageCounter::new(0x123).unwrap(), content)
    }

    /// A frame as received without noise, with some symbols' values replaced.
    fn received(container: &Container, rank: Rank, wrong: &[(usize, f32)]) -> SoftContainer {
        let signs = symbol_signs(&container.bitstream(rank));
        let last = signs[SYNC_SYMBOLS - 1];
        let mut values: Vec<f32> =
            signs[SYNC_SYMBOLS..].iter().map(|sign| (sign * last) as f32).collect();
        for &(n, factor) in wrong {
            values[n] *= factor;
        }
        let energy = values.iter().map(|v| f64::from(v * v)).sum();
        SoftContainer::from_values(rank, values, energy)
    }

    #[test]
    fn each_rank_decodes_alone() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[]);
            let found = decode(&[&frame], sent.class(), 1).unwrap();
            assert_eq!((found.container, found.index), (sent.clone(), 0));
            assert!((found.explained - 1.0).abs() < 1e-6);
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
            let all = (first.values.len() as f64).sqrt();
            assert!((first.kinship(&received(&sent, b, &[])) - all).abs() < 1e-9);
            assert!(first.kinship(&received(&other, b, &[])).abs() < 3.0);
        }
    }

    #[test]
    fn the_list_corrects_the_weakest_symbols() {
        let sent = uplink().container(&Key::PUBLIC);
        for rank in Rank::ALL {
            let frame = received(&sent, rank, &[(40, -0.1), (90, -0.2)]);
            assert!(decode(&[&frame], sent.class(), 1).is_none());
            let found = decode(&[&frame], sent.class(), 8).unwrap();
            assert_eq!(found.container, sent);
            assert_eq!(found.index, 3, "after no flip and one flip of either");
        }
    }

    #[test]
    fn frames_decode_together_of_which_none_does_alone() {
        let sent = uplink().container(&Key::PUBLIC);
        let frames = Rank::ALL.map(|rank| {
            let start = 20 * usize::from(rank.number());
            let wrong: Vec<_> = (0..9).map(|k| (start + 12 * k, -1.0)).collect();
            received(&sent, rank, &wrong)
        });
        for frame in &frames {
            assert!(decode(&[frame], sent.class(), 8).is_none());
        }
        let all: Vec<&SoftContainer> = frames.iter().collect();
        assert_eq!(decode(&all, sent.class(), 1).unwrap().container, sent);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Against trying all: the list of one frame is in the order of the flipped reliabilities.
        #[test]
        fn the_list_is_in_the_order_of_likelihood(
            values in prop::collection::vec(-1.0f32..1.0, 10), rank in 0usize..3,
        ) {
            let rank = Rank::ALL[rank];
            let energy = 1.0;
            let frame = SoftContainer::from_values(rank, values.clone(), energy);
            let trellis = Trellis::run(&[&frame], 10, 20);
            let metric = |phases: &[bool]| -> f32 {
                (0..10).map(|n| if phase(rank, phases, n) { -values[n] } else { values[n] }).sum()
            };
            let mut all: Vec<f32> = (0..1u32 << 10)
                .map(|bits| metric(&(0..10).map(|n| bits >> n & 1 == 1).collect::<Vec<_>>()))
                .collect();
            all.sort_by(|a, b| b.total_cmp(a));
            let listed: Vec<f32> = trellis.decisions().map(|phases| metric(&phases)).collect();
            prop_assert_eq!(listed.len(), 20);
            for (found, expected) in listed.iter().zip(&all) {
                prop_assert!((found - expected).abs() < 1e-4, "{listed:?}");
            }
        }
    }
}
