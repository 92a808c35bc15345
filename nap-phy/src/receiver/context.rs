//! What the stages of all bit rates work on together.

use super::band::Band;
use super::frame_news::FrameNews;
use super::masking::MaskingTuning;
use super::statistics::Statistics;
use super::undecoded_bursts::UndecodedBursts;

/// The band, and what the stages leave for the report.
pub(super) struct Context {
    pub(super) band: Band,
    pub(super) statistics: Statistics,
    /// What became known of frames since the last report, in this order.
    pub(super) news: Vec<FrameNews>,
    pub(super) undecoded: UndecodedBursts,
}

impl Context {
    /// A context at the start of a stream of samples of this rate.
    pub(super) fn new(band: Band, sample_rate_hz: f64, masking: MaskingTuning) -> Self {
        Self {
            band,
            statistics: Statistics::default(),
            news: Vec::new(),
            undecoded: UndecodedBursts::new(sample_rate_hz, masking),
        }
    }
}
