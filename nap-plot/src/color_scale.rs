//! Densities to colours.

use colorous::{Color, VIRIDIS};

/// The least span of a scale: noise alone shall look like noise.
const MIN_SPAN_DB: f32 = 20.0;

/// A perceptually uniform scale of colours over decibels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColorScale {
    /// What is here or lower has the darkest colour.
    pub(crate) low_db: f32,
    /// What is here or higher has the brightest colour.
    pub(crate) high_db: f32,
}

impl ColorScale {
    /// A scale from the noise, which the median is wherever bursts fill less than half of the
    /// picture, to the strongest. Digital silence does not count.
    pub(crate) fn covering<'a>(densities_db: impl IntoIterator<Item = &'a f32>) -> Self {
        let mut finite: Vec<f32> =
            densities_db.into_iter().copied().filter(|db| db.is_finite()).collect();
        let high_db = finite.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if finite.is_empty() {
            return Self { low_db: -MIN_SPAN_DB, high_db: 0.0 };
        }
        let middle = finite.len() / 2;
        let (_, &mut low_db, _) = finite.select_nth_unstable_by(middle, f32::total_cmp);
        Self { low_db, high_db: high_db.max(low_db + MIN_SPAN_DB) }
    }

    /// The colour of a density.
    pub(crate) fn color(&self, db: f32) -> Color {
        let part = (db - self.low_db) / (self.high_db - self.low_db);
        VIRIDIS.eval_continuous(f64::from(part.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_goes_from_the_noise_to_the_strongest() {
        let mut densities = vec![-110.0; 900];
        densities.extend([-70.0; 10]);
        densities.extend([f32::NEG_INFINITY; 2000]);
        let scale = ColorScale::covering(&densities);
        assert_eq!(scale, ColorScale { low_db: -110.0, high_db: -70.0 });
        let color = |db| scale.color(db).as_array();
        assert_eq!(color(-70.0), VIRIDIS.eval_continuous(1.0).as_array());
        assert_eq!(color(-90.0), VIRIDIS.eval_continuous(0.5).as_array());
        assert_eq!(color(f32::NEG_INFINITY), VIRIDIS.eval_continuous(0.0).as_array());
    }

    #[test]
    fn noise_or_silence_alone_has_a_scale_too() {
        let scale = ColorScale::covering(&[-110.0; 5]);
        assert_eq!(scale, ColorScale { low_db: -110.0, high_db: -90.0 });
        let scale = ColorScale::covering(&[f32::NEG_INFINITY; 5]);
        assert_eq!(scale, ColorScale { low_db: -20.0, high_db: 0.0 });
    }
}
