//! The mapping between values and pixels, and where the ticks are.

/// A linear axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// The values at the two ends; the second is the larger.
    pub(crate) values: (f64, f64),
    /// Where these two are, in pixels from the left or top edge of the picture.
    pub(crate) pixels: (f64, f64),
}

/// A tick's place and text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Place in pixels.
    pub(crate) pixel: f64,
    /// The value, as short as the distance of the ticks allows.
    pub(crate) text: String,
}

impl Axis {
    /// Where a value is, in pixels; beyond the ends too.
    pub(crate) fn pixel(&self, value: f64) -> f64 {
        let part = (value - self.values.0) / (self.values.1 - self.values.0);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    /// The value at a place; beyond the ends too.
    pub(crate) fn value(&self, pixel: f64) -> f64 {
        let part = (pixel - self.pixels.0) / (self.pixels.1 - self.pixels.0);
        self.values.0 + part * (self.values.1 - self.values.0)
    }

    /// Ticks at round values, at least `distance` pixels apart. Texts count in `unit`: with 1e6, the
    /// tick of 868 200 000 Hz says 868.2.
    pub(crate) fn ticks(&self, distance: f64, unit: f64) -> Vec<Tick> {
        let (low, high) = (self.values.0 / unit, self.values.1 / unit);
        let length = (self.pixels.1 - self.pixels.0).abs();
        let step = round_step((high - low) * distance / length);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        // A value at the end counts as inside, whatever the division did to it.
        let first = (low / step - 1e-6).ceil() as i64;
        let last = (high / step + 1e-6).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .map(|value| Tick {
                pixel: self.pixel(value * unit),
                text: format!("{value:.decimals$}").replace('-', "\u{2212}"),
            })
            .collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|&s| s >= step)
        .unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: (f64, f64), distance: f64, unit: f64) -> Vec<String> {
        let axis = Axis { values, pixels: (100.0, 1100.0) };
        axis.ticks(distance, unit).into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn values_and_pixels_go_both_ways() {
        let axis = Axis { values: (868.034e6, 868.226e6), pixels: (80.0, 1480.0) };
        assert_eq!(axis.pixel(868.13e6), 780.0);
        assert_eq!(axis.value(780.0), 868.13e6);
        let upwards = Axis { values: (-120.0, -80.0), pixels: (800.0, 0.0) };
        assert_eq!(upwards.pixel(-90.0), 200.0);
        assert_eq!(upwards.value(200.0), -90.0);
    }

    #[test]
    fn ticks_are_round_and_apart() {
        assert_eq!(
            texts((0.0, 9.0), 100.0, 1.0),
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
        assert_eq!(texts((0.0, 9.0), 120.0, 1.0), ["0", "2", "4", "6", "8"]);
        assert_eq!(
            texts((868.034e6, 868.226e6), 150.0, 1e6),
            ["868.05", "868.10", "868.15", "868.20"]
        );
        assert_eq!(texts((-96e3, 96e3), 200.0, 1e3), ["\u{2212}50", "0", "50"]);
        assert_eq!(texts((0.0, 0.3), 300.0, 1.0), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(texts((600.0, 1200.0), 300.0, 1.0), ["600", "800", "1000", "1200"]);
    }

    #[test]
    fn ticks_are_where_their_values_are() {
        let axis = Axis { values: (0.0, 10.0), pixels: (50.0, 550.0) };
        let pixels: Vec<f64> = axis.ticks(90.0, 1.0).iter().map(|tick| tick.pixel).collect();
        assert_eq!(pixels, [50.0, 150.0, 250.0, 350.0, 450.0, 550.0]);
    }
}
