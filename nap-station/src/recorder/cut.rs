//! Which parts of the stream are recorded.

/// A burst in time and frequency.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Burst {
    /// In seconds of the stream.
    pub(crate) start_s: f64,
    pub(crate) end_s: f64,
    pub(crate) lower_hz: f64,
    pub(crate) upper_hz: f64,
    /// What is known of it.
    pub(crate) label: String,
    /// What else there is to say of it.
    pub(crate) comment: Option<String>,
}

/// A part of the stream with the bursts in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cut {
    pub(crate) start_s: f64,
    pub(crate) end_s: f64,
    pub(crate) bursts: Vec<Burst>,
}

impl Cut {
    /// The parts that hold these bursts with a margin; what overlaps becomes one.
    pub(crate) fn around(mut bursts: Vec<Burst>, margin_s: f64) -> Vec<Self> {
        bursts.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        let mut cuts: Vec<Self> = Vec::new();
        for burst in bursts {
            let (start_s, end_s) = (burst.start_s - margin_s, burst.end_s + margin_s);
            match cuts.last_mut() {
                Some(last) if last.end_s >= start_s => {
                    last.end_s = last.end_s.max(end_s);
                    last.bursts.push(burst);
                }
                _ => cuts.push(Self { start_s, end_s, bursts: vec![burst] }),
            }
        }
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_becomes_one() {
        let burst = |start_s: f64| Burst {
            start_s,
            end_s: start_s + 2.0,
            lower_hz: 0.0,
            upper_hz: 200.0,
            label: String::new(),
            comment: None,
        };
        let cuts = Cut::around(vec![burst(9.0), burst(1.0), burst(3.5)], 0.5);
        let found: Vec<_> = cuts.iter().map(|c| (c.start_s, c.end_s, c.bursts.len())).collect();
        assert_eq!(found, [(0.5, 6.0, 2), (8.5, 11.5, 1)]);
    }
}
