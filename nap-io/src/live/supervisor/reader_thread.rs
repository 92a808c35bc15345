//! The thread that opens and reads a source, and looks at the clock.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::numbering::{Numbering, Progress, Stop};
use super::worker_message::WorkerMessage;
use crate::live::fault::{Fault, FaultKind};
use crate::live::source::{LiveSource, Opener, Reading};

/// How long a read may wait.
const READ_TIMEOUT: Duration = Duration::from_millis(200);
/// Length of a block by the clock, in seconds.
const BLOCK_S: f64 = 0.02;
const MIN_BLOCK: usize = 1024;
const MAX_BLOCK: usize = 1 << 16;

/// How a source is to be opened and read.
pub(super) struct ReaderThread {
    /// How long the source may take for its first answer.
    pub(super) answer_within: Duration,
    pub(super) speed: Option<f64>,
    pub(super) is_watched: bool,
    /// Where the stream is, once there is one.
    pub(super) progress: Option<Progress>,
    pub(super) required_rate_hz: Option<f64>,
}

impl ReaderThread {
    /// Opens the source and reads it until it fails or nobody listens any more.
    pub(super) fn run(self, opener: &Opener, to: &SyncSender<WorkerMessage>) {
        let last = match opener(self.answer_within) {
            Ok(source) => self.read(source, to),
            Err(error) => Stop::Report(WorkerMessage::NotOpened(error)),
        };
        if let Stop::Report(last) = last {
            drop(to.send(last));
        }
    }

    /// Reads a source until there is a reason to stop.
    fn read(self, mut source: Box<dyn LiveSource>, to: &SyncSender<WorkerMessage>) -> Stop {
        let info = source.info().clone();
        if let Some(fault) = self.changed_rate(info.sample_rate_hz) {
            return Stop::Report(WorkerMessage::Failed(fault));
        }
        let rate_hz = info.sample_rate_hz * self.speed.unwrap_or(1.0);
        if to.send(WorkerMessage::Opened(Box::new(info))).is_err() {
            return Stop::Unheard;
        }
        let is_timed = self.speed.is_some();
        let mut numbering = Numbering::new(
            to.clone(),
            rate_hz,
            is_timed,
            self.is_watched,
            self.progress,
            Instant::now(),
        );
        let wanted = ((rate_hz * BLOCK_S) as usize).clamp(MIN_BLOCK, MAX_BLOCK);
        loop {
            if let Err(stop) = read_block(&mut *source, wanted, self.is_watched, &mut numbering) {
                return stop;
            }
        }
    }

    /// The receiver cannot change its rate in flight.
    fn changed_rate(&self, found_hz: f64) -> Option<Fault> {
        let required_hz = self.required_rate_hz.filter(|&hz| (hz - found_hz).abs() > 1e-6 * hz)?;
        let text = format!(
            "the source came back with {found_hz} samples a second, where it had {required_hz}"
        );
        Some(Fault { kind: FaultKind::Rate, text })
    }
}

/// Reads what has arrived, `wanted` samples at most.
fn read_block(
    source: &mut dyn LiveSource,
    wanted: usize,
    is_watched: bool,
    numbering: &mut Numbering,
) -> Result<(), Stop> {
    let mut samples = Vec::with_capacity(wanted);
    match source.read(&mut samples, wanted, READ_TIMEOUT) {
        Ok(Reading::Samples(loss)) if samples.is_empty() => numbering.note(loss),
        Ok(Reading::Samples(loss)) => numbering.take(samples, loss, Instant::now()),
        // Only who reports notices that nobody listens any more.
        Ok(Reading::Nothing) => numbering.report(WorkerMessage::Idle),
        Ok(Reading::End) if !is_watched => Err(Stop::Report(WorkerMessage::End)),
        Ok(Reading::End) => {
            let text = "the source has ended".to_owned();
            Err(failed(Fault { kind: FaultKind::Ended, text }))
        }
        Err(error) => Err(failed(Fault::of(&error, FaultKind::Read))),
    }
}

fn failed(fault: Fault) -> Stop {
    Stop::Report(WorkerMessage::Failed(fault))
}
