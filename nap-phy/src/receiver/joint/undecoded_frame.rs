//! A frame of which the type is known and, mostly, not more.

use nap_dsp::demodulator::{HalfTurn, SoftFrame};
use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::start_spread_symbols;

use super::carrier_plan::RankedCarrier;
use super::tuning::JointTuning;
use crate::radio::bit_rate::BitRate;
use crate::receiver::decoded_frame::{DecodedFrame, is_pause};
use crate::receiver::decoder::frame_priors::FramePriors;
use crate::receiver::decoder::soft_container::{Agreement, SoftContainer};
use crate::receiver::decoder::symbols::{SYNC_SYMBOLS, preamble, symbol_count};
use crate::uplink::container::Container;
use crate::uplink::frame_type::FrameType;

/// A frame seen once more starts within so many symbols of what was seen of it first.
const SAME_FRAME_SYMBOLS: f64 = 2.0;
/// A frame seen again is news only if it has this many times the power.
const NOT_FAINTER: f64 = 1.5;
/// What was found within so many symbol rates of a burst before it was cancelled was part of it.
const SAME_SIGNAL_SYMBOL_RATES: f64 = 1.5;

/// Half turns that are read both ways, those that are the least certain.
const MAX_OPEN_HALF_TURNS: usize = 5;

/// A frame of which the type is known, and its symbols.
#[derive(Debug, Clone)]
pub(crate) struct UndecodedFrame {
    pub(crate) frame_type: FrameType,
    pub(crate) soft: SoftFrame,
    pub(crate) container: SoftContainer,
    /// The same with all half turns decided that the carrier leaves open, if there are any.
    decided: Option<SoftContainer>,
}

impl UndecodedFrame {
    /// What one takes with all that it holds, in bytes at most: a frame of the longest class, and the stretch
    /// of all hypotheses on its burst.
    pub(crate) fn memory_bytes(grid: &SubbandGrid, bit_rate: BitRate) -> usize {
        // Those of hypotheses that begin elsewhere, and for the ramp.
        let loaded_symbols = start_spread_symbols(preamble()) + 1;
        let of_type = |frame_type: &FrameType| {
            let symbols = symbol_count(*frame_type);
            let rate_hz = f64::from(bit_rate.bits_per_s());
            SoftFrame::memory_bytes(grid, rate_hz, symbols, loaded_symbols)
                + 2 * SoftContainer::memory_bytes(frame_type.class.container_bits())
        };
        size_of::<Self>() + FrameType::ALL.iter().map(of_type).max().unwrap_or_default()
    }

    pub(crate) fn new(soft: SoftFrame, frame_type: FrameType, priors: FramePriors) -> Self {
        let container = |soft_signs: &[f32]| {
            SoftContainer::with_soft_signs(&soft, frame_type, soft_signs, priors)
        };
        let decided = (!soft.half_turns.is_empty()).then(|| container(&soft.decided_signs));
        Self { container: container(&soft.soft_signs), decided, soft, frame_type }
    }

    /// The container's soft symbols as far as they are known to each other, if not to those before a half turn: for
    /// what allows for half turns.
    pub(crate) fn decided(&self) -> &SoftContainer {
        self.decided.as_ref().unwrap_or(&self.container)
    }

    /// The container's soft symbols with every choice of the half turns that the carrier may have gone on off, and the
    /// probability of each: the likeliest first.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (SoftContainer, f64)> + '_ {
        let mut half_turns = self.soft.half_turns.clone();
        half_turns.sort_unstable_by(|a, b| a.ln_odds.total_cmp(&b.ln_odds));
        half_turns.truncate(MAX_OPEN_HALF_TURNS);
        let is_chosen = |choice: usize, n: usize| choice >> n & 1 == 1;
        let probability = |choice: usize| -> f64 {
            let of = |(n, half_turn): (usize, &HalfTurn)| {
                let ln_odds = f64::from(half_turn.ln_odds);
                1.0 / (1.0 + if is_chosen(choice, n) { ln_odds } else { -ln_odds }.exp())
            };
            half_turns.iter().enumerate().map(of).product()
        };
        let choices = 0..1 << half_turns.len();
        let mut choices: Vec<_> = choices.map(|choice| (choice, probability(choice))).collect();
        choices.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let decided = self.decided();
        choices.into_iter().map(move |(choice, probability)| {
            let is_turned = |symbol: usize| {
                let chosen = half_turns.iter().enumerate().filter(|(n, _)| is_chosen(choice, *n));
                chosen.filter(|(_, half_turn)| half_turn.symbol <= symbol).count() % 2 == 1
            };
            let symbols = SYNC_SYMBOLS..SYNC_SYMBOLS + decided.length();
            (decided.straightened(symbols.map(is_turned)), probability)
        })
    }

    /// Whether the symbols are clear enough to be decoded with those of other frames.
    pub(crate) fn is_clear(&self, tuning: &JointTuning) -> bool {
        self.soft.es_over_n0() >= tuning.min_es_over_n0
    }

    fn rank(&self) -> f64 {
        f64::from(self.frame_type.rank.number())
    }

    pub(crate) fn carrier(&self) -> RankedCarrier {
        (self.frame_type.rank, self.soft.carrier.frequency_hz)
    }

    pub(crate) fn duration_s(&self, bit_rate: BitRate) -> f64 {
        symbol_count(self.frame_type) as f64 * bit_rate.symbol_s()
    }

    /// From the end of the earlier of two frames to the start of the later, for each step of rank
    /// between them; `None` if they cannot be of one message.
    pub(crate) fn pause_s(
        &self,
        other: &Self,
        bit_rate: BitRate,
        tuning: &JointTuning,
    ) -> Option<f64> {
        let steps = self.rank() - other.rank();
        if self.frame_type.class != other.frame_type.class || steps == 0.0 {
            return None;
        }
        let level_ratio =
            (self.soft.amplitude / other.soft.amplitude.max(f64::MIN_POSITIVE)).log10();
        let duration_s = self.duration_s(bit_rate);
        let pause_s = (self.soft.start_s - other.soft.start_s) / steps - duration_s;
        let plausible = is_pause(pause_s, duration_s)
            && (20.0 * level_ratio).abs() <= tuning.max_level_ratio_db
            && self.decided().parity_agreement(other.decided()) >= tuning.min_parity_agreement;
        plausible.then_some(pause_s)
    }

    /// Whether this has the bits of a container.
    pub(crate) fn agrees_with(&self, container: &Container, tuning: &JointTuning) -> bool {
        let Agreement { ln_ratio, share } = self.container.agreement_with(container);
        ln_ratio >= tuning.min_ln_sibling_ratio && share >= tuning.min_sibling_share
    }

    /// Whether a message may have this beside a frame of it, as another one or as the same seen once more.
    pub(crate) fn may_be_beside(&self, frame: &DecodedFrame) -> bool {
        self.may_follow(frame) || self.frame_type == frame.frame_type && self.starts_with(frame)
    }

    /// Whether this starts where a decoded frame does.
    fn starts_with(&self, frame: &DecodedFrame) -> bool {
        let distance_s = self.soft.start_s - frame.measurement.track.start_s;
        distance_s.abs() < SAME_FRAME_SYMBOLS * frame.bit_rate.symbol_s()
    }

    /// Whether this, in which some container was found, is the decoded frame once more: what was left
    /// of it when it was cancelled, or a fainter image of it at another frequency.
    pub(crate) fn repeats(&self, frame: &DecodedFrame, container: &Container) -> bool {
        let symbol_s = frame.bit_rate.symbol_s();
        let distance_hz = self.soft.carrier.frequency_hz - frame.measurement.carrier.frequency_hz;
        let is_fainter = self.soft.amplitude.powi(2) < NOT_FAINTER * frame.measurement.power;
        self.frame_type == frame.frame_type
            && frame.container == *container
            && self.starts_with(frame)
            && (is_fainter || distance_hz.abs() * symbol_s < SAME_SIGNAL_SYMBOL_RATES)
    }

    /// Whether the times fit another frame of the decoded frame's message.
    pub(crate) fn may_follow(&self, frame: &DecodedFrame) -> bool {
        frame.may_have(self.frame_type, self.soft.start_s)
    }

    /// Whether this is the other's frame seen once more.
    pub(crate) fn is_same_signal(&self, other: &Self, bit_rate: BitRate) -> bool {
        let symbol_s = bit_rate.symbol_s();
        self.frame_type == other.frame_type
            && (self.soft.start_s - other.soft.start_s).abs() < symbol_s
            && (self.soft.carrier.frequency_hz - other.soft.carrier.frequency_hz).abs()
                < 1.0 / symbol_s
    }
}

/// Clear frames, for tests.
#[cfg(test)]
pub(crate) mod heard {
    use nap_dsp::carrier::Carrier;
    use nap_dsp::demodulator::Demodulator;
    use nap_dsp::subbands::SubbandHistory;
    use num_complex::Complex32;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;
    use crate::message::Decoder;
    use crate::receiver::decoder::symbols::symbol_signs;
    use crate::uplink::content::Content;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::rank::Rank;

    pub(crate) const GRID: SubbandGrid = SubbandGrid {
        subbands: 3,
        spacing_hz: 500.0,
        first_center_hz: -500.0,
        first_column_s: 0.0,
    };

    /// A message with this payload.
    pub(crate) fn container(payload: &[u8]) -> Container {
        let content = Content::Bytes(payload.try_into().unwrap());
        Uplink::new(DeviceId(7), MessageCounter::new(9).unwrap(), content).container(&Key::PUBLIC)
    }

    /// A frame of 100 bit/s at 0 Hz that starts then.
    pub(crate) fn frame(container: &Container, rank: Rank, start_s: f64) -> UndecodedFrame {
        let symbol_s = BitRate::Bps100.symbol_s();
        let signs = symbol_signs(&container.bitstream(rank));
        let grid = SubbandGrid { first_column_s: start_s - 0.1, ..GRID };
        let mut history = SubbandHistory::new(grid.subbands, 4_000);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut noise = || Complex32::new(rng.random_range(-0.5..0.5), rng.random_range(-0.5..0.5));
        for column in 0..3_000 {
            let symbol = ((grid.time_s(column) - start_s) / symbol_s).floor() as isize as usize;
            let sign = signs.get(symbol).copied().unwrap_or_default();
            history.push(&[noise(), noise() + sign as f32, noise()]);
        }
        let carrier = Carrier { time_s: start_s + 1.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 };
        let mut demodulator = Demodulator::new(symbol_s.recip(), 60.0);
        let (known, count) = (&signs[..SYNC_SYMBOLS], signs.len());
        let soft = demodulator.demodulate(&history, &grid, (start_s, carrier), known, count);
        UndecodedFrame::new(
            soft.unwrap(),
            FrameType { class: container.class(), rank },
            FramePriors::default(),
        )
    }

    /// The same decoded alone.
    pub(crate) fn decoded(container: &Container, rank: Rank, start_s: f64) -> DecodedFrame {
        let UndecodedFrame { frame_type, soft, .. } = frame(container, rank, start_s);
        DecodedFrame {
            frame_type,
            container: container.clone(),
            bit_rate: BitRate::Bps100,
            decoder: Decoder::Single,
            crc_ok: true,
            ln_odds: 20.0,
            measurement: soft.measure(&symbol_signs(&container.bitstream(rank))),
            eb_over_n0: soft.es_over_n0(),
        }
    }
}
