//! Narrow bursts by their energy.

use nap_dsp::spectrogram::{Spectrogram, SpectrogramArray, SpectrogramConfig};
use num_complex::Complex32;

use crate::recorder::cut::Burst;

/// Cells in which bursts are seen: as wide as one of 100 bit/s, and some to the shortest.
const CELL_HZ: f64 = 200.0;
const CELL_S: f64 = 0.1;
/// A cell with so much more than its frequency's quiet level belongs to a burst, dB.
const EXCESS_DB: f32 = 4.0;
/// Share of the time by which the quiet level is told; no burst lasts as long as the rest.
const QUIET_SHARE: f64 = 0.3;
/// Cells that belong to one burst may have so many others between them.
const REACH: usize = 1;
/// Bursts are not shorter than this, nor wider, and have so many cells.
const SHORTEST_S: f64 = 0.2;
const WIDEST_HZ: f64 = 10_000.0;
const FEWEST_CELLS: usize = 4;

/// Finds bursts; `start_s` is the time of the first sample, and frequencies count from the centre.
pub(crate) fn find(samples: &[Complex32], rate_hz: f64, start_s: f64) -> Vec<Burst> {
    let mut config = SpectrogramConfig::new(rate_hz);
    config.resolution_hz = CELL_HZ;
    config.time_step_s = CELL_S;
    config.half_width_hz = (rate_hz / 2.0).min(100e3);
    let Ok(mut spectrogram) = Spectrogram::new(config) else { return Vec::new() };
    spectrogram.push(samples);
    let array = spectrogram.array();
    let mut loud = loud_cells(&array);
    let mut bursts = Vec::new();
    for cell in 0..loud.len() {
        let cells = connected(&mut loud, array.power_db.ncols(), cell);
        bursts.extend(burst(&array, &cells, start_s));
    }
    bursts
}

/// Which cells are louder than usual at their frequency.
fn loud_cells(array: &SpectrogramArray) -> Vec<bool> {
    let (rows, columns) = array.power_db.dim();
    let mut loud = vec![false; rows * columns];
    let mut past = Vec::with_capacity(rows);
    for column in 0..columns {
        let cells = array.power_db.column(column);
        past.clear();
        past.extend(&cells);
        past.sort_by(f32::total_cmp);
        let index = (QUIET_SHARE * past.len() as f64) as usize;
        let Some(quiet_db) = past.get(index) else { continue };
        for (row, power_db) in cells.iter().enumerate() {
            loud[row * columns + column] = *power_db > quiet_db + EXCESS_DB;
        }
    }
    loud
}

/// Takes the cells out that hang together with this one.
fn connected(loud: &mut [bool], columns: usize, first: usize) -> Vec<(usize, usize)> {
    let rows = loud.len() / columns;
    let mut cells = Vec::new();
    let mut edge = vec![first];
    while let Some(cell) = edge.pop() {
        if !std::mem::take(&mut loud[cell]) {
            continue;
        }
        let (row, column) = (cell / columns, cell % columns);
        cells.push((row, column));
        let near_rows = row.saturating_sub(1 + REACH)..(row + 2 + REACH).min(rows);
        for row in near_rows {
            let near = column.saturating_sub(1 + REACH)..(column + 2 + REACH).min(columns);
            edge.extend(near.map(|column| row * columns + column).filter(|&cell| loud[cell]));
        }
    }
    cells
}

fn burst(array: &SpectrogramArray, cells: &[(usize, usize)], start_s: f64) -> Option<Burst> {
    if cells.len() < FEWEST_CELLS {
        return None;
    }
    let bounds = |values: &dyn Fn(&(usize, usize)) -> usize| {
        Some((cells.iter().map(values).min()?, cells.iter().map(values).max()?))
    };
    let (first_row, last_row) = bounds(&|cell| cell.0)?;
    let (first_column, last_column) = bounds(&|cell| cell.1)?;
    let (half_s, half_hz) = (array.time_step_s / 2.0, array.frequency_step_hz / 2.0);
    let burst = Burst {
        start_s: start_s + array.time_s[first_row] - half_s,
        end_s: start_s + array.time_s[last_row] + half_s,
        lower_hz: array.frequency_hz[first_column] - half_hz,
        upper_hz: array.frequency_hz[last_column] + half_hz,
        label: "not decoded".to_owned(),
        is_known: false,
    };
    let is_plausible =
        burst.end_s - burst.start_s >= SHORTEST_S && burst.upper_hz - burst.lower_hz <= WIDEST_HZ;
    is_plausible.then_some(burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn a_tone_for_a_while_is_found_and_noise_is_not() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut part = || -> f32 { StandardNormal.sample(&mut rng) };
        let rate_hz = 250e3;
        let mut samples: Vec<_> =
            (0..1_750_000).map(|_| 1e-2 * Complex32::new(part(), part())).collect();
        assert_eq!(find(&samples, rate_hz, 0.0), []);
        // 12 dB above the noise in 100 Hz, at 30 kHz from 2 to 4 s.
        let amplitude = (2e-4_f64 / rate_hz * 100.0 * 10_f64.powf(1.2)).sqrt();
        for (n, sample) in samples.iter_mut().enumerate().take(1_000_000).skip(500_000) {
            let phase = std::f64::consts::TAU * 30e3 * n as f64 / rate_hz;
            *sample += Complex32::new(phase.cos() as f32, phase.sin() as f32) * amplitude as f32;
        }
        let found = find(&samples, rate_hz, 100.0);
        assert_eq!(found.len(), 1, "{found:?}");
        let burst = &found[0];
        assert!((burst.start_s - 102.0).abs() < 0.2 && (burst.end_s - 104.0).abs() < 0.2);
        assert!(burst.lower_hz < 30e3 && 30e3 < burst.upper_hz, "{burst:?}");
    }
}
