//! How long after the end of a frame its message is reported.

/// The mean and the most, for whoever asks at the end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Latencies {
    count: u32,
    sum_s: f64,
    max_s: f64,
}

impl Latencies {
    /// One more.
    pub(crate) fn add(&mut self, latency_s: f64) {
        self.count += 1;
        self.sum_s += latency_s;
        self.max_s = self.max_s.max(latency_s);
    }

    /// The mean, in seconds; `None` before the first.
    #[must_use]
    pub fn mean_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_s / f64::from(self.count))
    }

    /// The longest, in seconds; 0 before the first.
    #[must_use]
    pub fn max_s(&self) -> f64 {
        self.max_s
    }
}
