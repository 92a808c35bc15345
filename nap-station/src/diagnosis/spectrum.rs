//! What a spectrum tells: its floor, its shape, and what stands out.

use nap_dsp::spectrogram::SpectrogramArray;

/// A mean power spectral density.
#[derive(Debug)]
pub(crate) struct Spectrum {
    /// dB relative to full scale per hertz.
    pub(crate) density_db: Vec<f64>,
    /// From the centre of the samples.
    pub(crate) frequency_hz: Vec<f64>,
}

impl Spectrum {
    /// The mean over time.
    pub(crate) fn mean(array: &SpectrogramArray) -> Self {
        let mean = |column: usize| {
            let cells = array.power_db.column(column);
            let powers = cells.iter().map(|&db| power(db.into()));
            10.0 * (powers.sum::<f64>() / cells.len().max(1) as f64).log10()
        };
        Self {
            density_db: (0..array.power_db.ncols()).map(mean).collect(),
            frequency_hz: array.frequency_hz.clone(),
        }
    }

    /// The median over time, of which bursts are no part.
    pub(crate) fn median(array: &SpectrogramArray) -> Self {
        let median = |column: usize| {
            let mut cells: Vec<f64> =
                array.power_db.column(column).iter().map(|&db| db.into()).collect();
            cells.sort_by(f64::total_cmp);
            cells.get(cells.len() / 2).copied().unwrap_or(f64::NEG_INFINITY)
        };
        Self {
            density_db: (0..array.power_db.ncols()).map(median).collect(),
            frequency_hz: array.frequency_hz.clone(),
        }
    }

    /// The median between two frequencies.
    pub(crate) fn floor_db(&self, from_hz: f64, to_hz: f64) -> Option<f64> {
        let mut inside: Vec<f64> = self.between(from_hz, to_hz).map(|(_, db)| db).collect();
        inside.sort_by(f64::total_cmp);
        inside.get(inside.len() / 2).copied()
    }

    /// The floors of a band, seen in `parts` parts, dB.
    pub(crate) fn floors_db(&self, from_hz: f64, to_hz: f64, parts: u32) -> Option<Vec<f64>> {
        let width_hz = (to_hz - from_hz) / f64::from(parts);
        (0..parts)
            .map(|n| from_hz + width_hz * f64::from(n))
            .map(|start_hz| self.floor_db(start_hz, start_hz + width_hz))
            .collect()
    }

    /// By how much the strongest cell between two frequencies stands above the floor around it, dB,
    /// and where.
    pub(crate) fn peak(&self, from_hz: f64, to_hz: f64) -> Option<(f64, f64)> {
        let floor_db = self.floor_db(from_hz, to_hz)?;
        let strongest = self.between(from_hz, to_hz).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((strongest.0, strongest.1 - floor_db))
    }

    fn between(&self, from_hz: f64, to_hz: f64) -> impl Iterator<Item = (f64, f64)> {
        let cells = self.frequency_hz.iter().copied().zip(self.density_db.iter().copied());
        cells.filter(move |(hz, _)| (from_hz..=to_hz).contains(hz))
    }
}

fn power(db: f64) -> f64 {
    10_f64.powf(db / 10.0)
}
