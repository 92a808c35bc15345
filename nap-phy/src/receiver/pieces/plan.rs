//! Where a long recording is cut.

use std::ops::Range;

use crate::error::Error;
use crate::receiver::Receiver;
use crate::receiver::alignment::least_common_multiple;
use crate::receiver::bursts::longest_frame_s;
use crate::receiver::chain::Chain;
use crate::receiver::config::{ReceiverConfig, common_sample_rate_hz};
use crate::receiver::decoded_frame::LONGEST_PAUSE_S;
use crate::receiver::decoder::false_message_budget::BudgetShare;

/// The shortest stretch that a piece has to itself, in seconds.
const MIN_OWN_S: f64 = 60.0;
/// So long a stretch makes what is read twice, half a minute, a tenth of the work.
const GOOD_OWN_S: f64 = 300.0;
/// Of a very long recording there are no more pieces, each with a share of the false messages that is
/// worth something.
const MAX_PIECES_PER_THREAD: usize = 4;
/// How long a receiver learns the noise, in seconds.
const NOISE_MEMORY_S: f64 = 10.0;
/// How much later than due a message may be completed: some searches, in seconds.
const COMPLETION_S: f64 = 1.0;

/// A stretch of a recording that one receiver decodes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Piece {
    /// The samples that the piece has to itself: it reports the messages whose first received frame
    /// starts in them. In the last one, those after its end too.
    pub own: Range<u64>,
    /// The samples that its receiver takes in. A piece that comes near the end of the recording reads to it,
    /// wherever that is: its receiver tells of all that it has heard then, and a reader that gives no more says
    /// whether something is missing.
    pub read: Range<u64>,
    /// Whether the recording ends with it.
    pub is_last: bool,
    /// Its receiver's share of the false messages.
    pub(super) budget_share: BudgetShare,
}

impl Piece {
    /// The piece that these fields and [`Self::budget_shares`] are of, as [`plan`] cut it in another process.
    #[must_use]
    pub fn with_budget_shares(
        own: Range<u64>,
        read: Range<u64>,
        is_last: bool,
        [of_start, of_grant]: [f64; 2],
    ) -> Self {
        Self { own, read, is_last, budget_share: BudgetShare { of_start, of_grant } }
    }

    /// Its receiver's shares of the false messages: of those that are granted at the start, and as time passes.
    #[must_use]
    pub fn budget_shares(&self) -> [f64; 2] {
        [self.budget_share.of_start, self.budget_share.of_grant]
    }
}

/// How many pieces `threads` threads are best given of a recording of `duration_s`: one of a short one,
/// one a thread of a longer one, some a thread of a very long one.
#[must_use]
pub fn count(duration_s: f64, threads: usize) -> usize {
    if threads < 2 {
        return 1;
    }
    let most = (duration_s / MIN_OWN_S) as usize;
    let good = (duration_s / GOOD_OWN_S) as usize;
    let count = good.clamp(threads, MAX_PIECES_PER_THREAD * threads);
    // All threads end together.
    (count - count % threads).min(most).max(1)
}

/// Cuts a recording into `count` pieces of equal lengths, for receivers of some configurations.
///
/// # Errors
///
/// As [`plan_at`].
pub fn plan(
    total_samples: u64,
    count: usize,
    configs: &[ReceiverConfig],
) -> Result<Vec<Piece>, Error> {
    plan_over(total_samples, &[], count, configs)
}

/// Cuts a recording of this length into so many pieces with as many samples each, of those that are not
/// missing.
///
/// # Errors
///
/// As [`plan_at`].
pub fn plan_over(
    total_samples: u64,
    gaps: &[Range<u64>],
    count: usize,
    configs: &[ReceiverConfig],
) -> Result<Vec<Piece>, Error> {
    let count = count.max(1) as u128;
    let missing: u64 = gaps.iter().map(|gap| gap.end - gap.start).sum();
    let there = u128::from(total_samples.saturating_sub(missing));
    let seam = |index: u128| after_gaps((there * index / count) as u64, gaps);
    let seams: Vec<u64> = (1..count).map(seam).collect();
    plan_at(total_samples, &seams, configs)
}

/// Where the sample is that has so many before it.
fn after_gaps(mut sample: u64, gaps: &[Range<u64>]) -> u64 {
    for gap in gaps {
        if gap.start > sample {
            break;
        }
        sample += gap.end - gap.start;
    }
    sample
}

/// Cuts a recording into pieces at these samples, which are in order and inside it.
///
/// A piece begins at an instant at which all receivers' filter banks and detectors are where they would
/// be had the receiver begun with the recording. What it reads before its own samples is as long as two
/// more frames of a message can come after the first, and as far as the receiver looks back: so none of
/// its messages began before, noise is known and what lay over its first frames is taken out. What it
/// reads after them is as long as a message that begins with the last of them, with the time that the
/// receiver takes to complete it.
///
/// # Errors
///
/// What [`Receiver::new`] says of a configuration.
pub fn plan_at(
    total_samples: u64,
    seams: &[u64],
    configs: &[ReceiverConfig],
) -> Result<Vec<Piece>, Error> {
    let rate_hz = common_sample_rate_hz(configs);
    let samples = |duration_s: f64| (duration_s * rate_hz).ceil() as u64;
    let period = common_period(configs)?;
    let (before, after) = (samples(before_s(configs)), samples(after_s(configs)));
    let starts = [0].into_iter().chain(seams.iter().copied());
    let ends = seams.iter().copied().chain([total_samples]);
    let piece = |(start, end): (u64, u64)| {
        let first = start.saturating_sub(before);
        let is_last = end == total_samples;
        let enough = end.saturating_add(after);
        let last = if is_last || enough >= total_samples { u64::MAX } else { enough };
        let read = first - first % period..last;
        Piece { own: start..end, read, is_last, budget_share: BudgetShare::ALL }
    };
    let mut pieces: Vec<Piece> = starts.zip(ends).map(piece).collect();
    share_budget(&mut pieces, total_samples);
    Ok(pieces)
}

/// The recording as one piece, however long it is.
#[must_use]
pub fn whole() -> Vec<Piece> {
    let all = 0..u64::MAX;
    vec![Piece { own: all.clone(), read: all, is_last: true, budget_share: BudgetShare::ALL }]
}

/// Shares out the false messages of the whole recording by the time that each piece's receiver runs: of
/// the day's grant with which a receiver begins, and of what it is granted as time passes.
fn share_budget(pieces: &mut [Piece], total_samples: u64) {
    let length = |piece: &Piece| (piece.read.end.min(total_samples) - piece.read.start) as f64;
    let all: f64 = pieces.iter().map(length).sum();
    for piece in pieces {
        piece.budget_share = BudgetShare {
            of_start: length(piece) / all.max(1.0),
            of_grant: total_samples as f64 / all.max(1.0),
        };
    }
}

/// The samples after which the filter banks and detectors of all receivers are where they were.
fn common_period(configs: &[ReceiverConfig]) -> Result<u64, Error> {
    configs.iter().try_fold(1, |period, config| {
        Ok(least_common_multiple(period, Receiver::new(config.clone())?.period_samples()))
    })
}

/// What a piece reads before its own samples: the frames of a message that began before them and ends in
/// them, and the look-back of its receiver; at least what it learns the noise from. In seconds.
fn before_s(configs: &[ReceiverConfig]) -> f64 {
    let of = |frame_s: f64, lookback_s: f64| 2.0 * (frame_s + LONGEST_PAUSE_S) + lookback_s;
    longest(configs, of).max(NOISE_MEMORY_S)
}

/// What a piece reads after its own samples: the longest message, and the time after which its receiver
/// completes it. In seconds.
fn after_s(configs: &[ReceiverConfig]) -> f64 {
    let of = |frame_s: f64, lookback_s: f64| {
        3.0 * frame_s + 2.0 * LONGEST_PAUSE_S + lookback_s + COMPLETION_S
    };
    longest(configs, of)
}

/// The longest of times that follow from the longest frame and the look-back at a bit rate.
fn longest(configs: &[ReceiverConfig], of: impl Fn(f64, f64) -> f64) -> f64 {
    let bit_rates = configs.iter().flat_map(|config| config.bit_rates.iter().copied());
    bit_rates
        .map(|bit_rate| of(longest_frame_s(bit_rate), Chain::lookback_s(bit_rate)))
        .fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::bit_rate::BitRate;

    fn configs() -> Vec<ReceiverConfig> {
        vec![ReceiverConfig::new(250e3, 868.13e6)]
    }

    #[test]
    fn as_many_pieces_as_are_worth_it() {
        assert_eq!(count(1e6, 1), 1);
        assert_eq!(count(59.0, 2), 1);
        assert_eq!(count(119.0, 2), 1);
        assert_eq!(count(120.0, 2), 2);
        assert_eq!(count(600.0, 2), 2);
        assert_eq!(count(600.0, 16), 10);
        assert_eq!(count(1300.0, 2), 4);
        assert_eq!(count(1600.0, 2), 4);
        assert_eq!(count(86_400.0, 2), 8);
        assert_eq!(count(f64::NAN, 2), 1);
    }

    #[test]
    fn pieces_fill_the_recording_and_begin_in_step() {
        let (total, configs) = (150_000_001, configs());
        let pieces = plan(total, 4, &configs).unwrap();
        let period = Receiver::new(configs[0].clone()).unwrap().period_samples();
        assert_eq!((pieces[0].own.start, pieces[0].read.start), (0, 0));
        let last = pieces.last().unwrap();
        assert_eq!((last.own.end, last.read.end, last.is_last), (total, u64::MAX, true));
        for (piece, next) in pieces.iter().zip(&pieces[1..]) {
            assert_eq!(piece.own.end, next.own.start);
            assert!(!piece.is_last);
            assert_eq!(next.read.start % period, 0);
            // The receiver of 100 bit/s: 13.9 s, and up to a period; 17 s.
            let before_s = (next.own.start - next.read.start) as f64 / 250e3;
            assert!((13.9..13.9 + period as f64 / 250e3 + 0.1).contains(&before_s), "{before_s}");
            let after_s = (piece.read.end - piece.own.end) as f64 / 250e3;
            assert!((17.0..17.2).contains(&after_s), "{after_s}");
        }
    }

    #[test]
    fn a_piece_near_the_end_reads_to_it() {
        let pieces = plan_at(2_500_000, &[1_000_000, 2_400_000], &configs()).unwrap();
        let reads: Vec<Range<u64>> = pieces.into_iter().map(|piece| piece.read).collect();
        assert_eq!(reads, [0..u64::MAX, 0..u64::MAX, 0..u64::MAX]);
    }

    #[test]
    fn the_budget_is_shared_out_by_time() {
        let pieces = plan(250_000 * 600, 2, &configs()).unwrap();
        let start: f64 = pieces.iter().map(|piece| piece.budget_share.of_start).sum();
        assert!((start - 1.0).abs() < 1e-9);
        let granted = |piece: &Piece| {
            piece.budget_share.of_grant
                * (piece.read.end.min(150_000_000) - piece.read.start) as f64
        };
        let granted: f64 = pieces.iter().map(granted).sum();
        assert!((granted - 150e6).abs() < 1.0);
    }

    #[test]
    fn channels_of_other_bit_rates_have_a_period_in_common() {
        let mut configs = [BitRate::Bps100, BitRate::Bps600].map(|bit_rate| {
            let mut config = ReceiverConfig::new(250e3, 868.13e6);
            config.bit_rates = vec![bit_rate];
            config
        });
        let period = common_period(&configs).unwrap();
        configs[0].bit_rates = BitRate::ALL.to_vec();
        assert_eq!(Receiver::new(configs[0].clone()).unwrap().period_samples(), period);
    }
}
