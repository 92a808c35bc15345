//! A recording behind the filter bank, for benches of the stages that follow.

use nap_dsp::channelizer::Channelizer;
use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::noise_floor::NoiseFloor;
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use nap_phy::receiver::Tuning;
use nap_phy::receiver::stages::preamble;
use num_complex::Complex32;

use crate::load::Recording;

const HALF_WIDTH_HZ: f64 = 96_000.0;

impl Recording {
    /// The filter bank for its channel.
    #[must_use]
    pub fn channelizer(&self) -> Channelizer {
        Channelizer::new(self.sample_rate_hz, 0.0, HALF_WIDTH_HZ)
            .unwrap_or_else(|error| unreachable!("{error}"))
    }
}

/// A recording behind the filter bank.
#[derive(Debug)]
pub struct Subbands {
    /// Where the subbands lie.
    pub grid: SubbandGrid,
    /// All of them.
    pub history: SubbandHistory,
    columns: Vec<Vec<Complex32>>,
}

impl Subbands {
    /// The subbands of a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut channelizer = recording.channelizer();
        let grid = channelizer.grid();
        let mut columns = Vec::new();
        channelizer.push(&recording.samples, |column| columns.push(column.to_vec()));
        let mut history = SubbandHistory::new(grid.subbands, columns.len());
        columns.iter().for_each(|column| history.push(column));
        Self { grid, columns, history }
    }

    /// All candidates at a symbol rate, and the noise's density at each subband.
    #[must_use]
    pub fn search(&self, symbol_rate_hz: f64) -> (Vec<Candidate>, NoiseFloor) {
        let channel_hz = -HALF_WIDTH_HZ..=HALF_WIDTH_HZ;
        let bursts = (symbol_rate_hz, preamble());
        let least = Tuning::default().min_detection_statistic;
        let mut detector = PreambleDetector::new(self.grid, channel_hz, bursts, least);
        let mut noise = NoiseFloor::new(self.grid.subbands, detector.interval_s());
        let mut history = SubbandHistory::new(self.grid.subbands, self.columns.len());
        let mut candidates = Vec::new();
        for column in &self.columns {
            history.push(column);
            if detector.search(&history, &mut candidates) {
                noise.update(detector.densities());
            }
        }
        (candidates, noise)
    }

    /// The strongest candidate at a symbol rate, and the noise's density there.
    #[must_use]
    pub fn strongest(&self, symbol_rate_hz: f64) -> (Candidate, f64) {
        let (candidates, mut noise) = self.search(symbol_rate_hz);
        let strongest = candidates.into_iter().max_by(|a, b| a.line_snr.total_cmp(&b.line_snr));
        let Some(strongest) = strongest else { unreachable!("noise has candidates too") };
        (strongest, noise.density(self.grid.nearest(strongest.frequency_hz)))
    }
}
