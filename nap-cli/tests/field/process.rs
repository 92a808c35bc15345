//! What a process takes of the computer.

use std::fs;
use std::path::PathBuf;

/// A process that runs.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    fn file(self, name: &str) -> Option<String> {
        fs::read_to_string(PathBuf::from(format!("/proc/{}/{name}", self.0))).ok()
    }

    /// Seconds of user and system time; `None` if it has ended.
    pub fn cpu_s(self) -> Option<f64> {
        // Linux counts hundredths on all its machines.
        const TICKS_PER_S: f64 = 100.0;
        let stat = self.file("stat")?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = |index: usize| fields.split(' ').nth(index)?.parse::<f64>().ok();
        Some((ticks(11)? + ticks(12)?) / TICKS_PER_S)
    }

    /// Its memory, in megabytes, with its share of what it has together with others.
    pub fn pss_mb(self) -> Option<f64> {
        let rollup = self.file("smaps_rollup")?;
        let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0 / 1e6)
    }
}
