//! A frame of which the type is known and, mostly, not more.

use nap_dsp::demodulator::{HalfTurn, SoftFrame};
use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::START_SPREAD_SYMBOLS;

use super::carrier_plan::RankedCarrier;
use super::tuning::JointTuning;
use crate::radio::bit_rate::BitRate;
use crate::receiver::decoded_frame::{DecodedFrame, LONGEST_PAUSE_S};
use crate::receiver::decoder::soft_container::{SoftContainer, correlation_with};
use crate::receiver::decoder::symbols::{SYNC_SYMBOLS, symbol_count};
use crate::uplink::container::Container;
use crate::uplink::frame_type::FrameType;

/// By so much of a frame the next one may seem to begin before it ends: devices' bit rates are off by up to
/// a hundredth, and starts are found to within a symbol. No device sends two frames at once.
const OVERLAP_TOLERANCE: f64 = 0.02;
/// A frame seen again is news only if it has this many times the power.
const NOT_FAINTER: f64 = 1.5;
/// What was found within so many symbol rates of a burst before it was cancelled was part of it.
const SAME_SIGNAL_SYMBOL_RATES: f64 = 1.5;

/// Half turns that are read both ways, those that are the least certain.
const MAX_OPEN_HALF_TURNS: usize = 5;

/// Symbols that are loaded beside those of a frame: of hypotheses that begin elsewhere, and for its ramp.
const LOADED_SYMBOLS: usize = START_SPREAD_SYMBOLS + 1;

/// A frame of which the type is known, and its symbols.
#[derive(Debug, Clone)]
pub(crate) struct UndecodedFrame {
    pub(crate) frame_type: FrameType,
    pub(crate) soft: SoftFrame,
    pub(crate) container: SoftContainer,
}

impl UndecodedFrame {
    /// What one takes with all that it holds, in bytes at most: a frame of the longest class, and the stretch
    /// of all hypotheses on its burst.
    pub(crate) fn memory_bytes(grid: &SubbandGrid, bit_rate: BitRate) -> usize {
        let of_type = |frame_type: &FrameType| {
            let symbols = symbol_count(*frame_type);
            let rate_hz = f64::from(bit_rate.bits_per_s());
            SoftFrame::memory_bytes(grid, rate_hz, symbols, LOADED_SYMBOLS)
                + SoftContainer::memory_bytes(frame_type.class.container_bits())
        };
        size_of::<Self>() + FrameType::ALL.iter().map(of_type).max().unwrap_or_default()
    }

    pub(crate) fn new(soft: SoftFrame, frame_type: FrameType) -> Self {
        Self { container: SoftContainer::new(&soft, frame_type), soft, frame_type }
    }

    /// The container's soft symbols with every choice of the half turns that the carrier may have gone on off, and the
    /// probability of each: the likeliest first.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (SoftContainer, f64)> + '_ {
        let Self { soft, frame_type, .. } = self;
        let mut half_turns = soft.half_turns.clone();
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
        let decided = SoftContainer::with_soft_signs(soft, *frame_type, &soft.decided_signs);
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
        self.soft.es_over_n0() >= tuning.min_clearness
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
            && self.container.parity_agreement(&other.container) >= tuning.min_parity_agreement;
        plausible.then_some(pause_s)
    }

    /// Whether this is another frame of the decoded frame's message: at the right time and with its
    /// bits.
    pub(crate) fn is_sibling_of(&self, frame: &DecodedFrame, tuning: &JointTuning) -> bool {
        let least = tuning.min_correlation_with_known;
        self.may_follow(frame) && correlation_with(&self.container, &frame.container) >= least
    }

    /// Whether this, in which some container was found, is the decoded frame once more: what was left
    /// of it when it was cancelled, or a fainter image of it at another frequency.
    pub(crate) fn repeats(&self, frame: &DecodedFrame, container: &Container) -> bool {
        let symbol_s = frame.bit_rate.symbol_s();
        let distance_s = self.soft.start_s - frame.measurement.track.start_s;
        let distance_hz = self.soft.carrier.frequency_hz - frame.measurement.carrier.frequency_hz;
        let is_fainter = self.soft.amplitude.powi(2) < NOT_FAINTER * frame.measurement.power;
        self.frame_type == frame.frame_type
            && frame.container == *container
            && distance_s.abs() < 2.0 * symbol_s
            && (is_fainter || distance_hz.abs() * symbol_s < SAME_SIGNAL_SYMBOL_RATES)
    }

    /// Whether the times fit another frame of the decoded frame's message.
    pub(crate) fn may_follow(&self, frame: &DecodedFrame) -> bool {
        let steps = self.rank() - f64::from(frame.frame_type.rank.number());
        let duration_s = self.duration_s(frame.bit_rate);
        let pause_s = (self.soft.start_s - frame.measurement.track.start_s) / steps - duration_s;
        self.frame_type.class == frame.frame_type.class
            && steps != 0.0
            && is_pause(pause_s, duration_s)
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

/// Whether a device may pause this long between frames of this duration.
fn is_pause(pause_s: f64, duration_s: f64) -> bool {
    (-OVERLAP_TOLERANCE * duration_s..LONGEST_PAUSE_S).contains(&pause_s)
}
