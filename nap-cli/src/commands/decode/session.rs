//! The results of all files, on their way to the user.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use anyhow::Result;
use nap_io::counted;
use nap_phy::schema::columns::MESSAGE_COLUMNS;
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, Message};

use super::annotate::Annotator;
use super::file::{Ending, File, Received};
use super::in_order::InOrder;
use crate::outcome::{self, Outcome};
use crate::output::message_log::MessageLog;
use crate::output::printer::{Format, Printer};

/// The results of all files, on their way to the user.
pub struct Session<'a> {
    printer: Printer,
    log: MessageLog<'a>,
    devices: &'a DeviceTable,
    /// Whether results have to say which recording they are from.
    is_one_of_several: bool,
    annotator: Option<Annotator>,
    /// Tells the workers that nobody wants more results.
    stop: &'a AtomicBool,
    outcome: Outcome,
    started: Instant,
    messages: usize,
    frames: usize,
    signal_s: f64,
}

impl<'a> Session<'a> {
    /// A session that has printed nothing yet.
    pub fn new(
        format: Format,
        devices: &'a DeviceTable,
        annotator: Option<Annotator>,
        is_one_of_several: bool,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            printer: Printer::new(format, MESSAGE_COLUMNS),
            log: MessageLog::new(devices),
            devices,
            is_one_of_several,
            annotator,
            stop,
            outcome: Outcome::Done,
            started: Instant::now(),
            messages: 0,
            frames: 0,
            signal_s: 0.0,
        }
    }

    /// Prints the results file by file.
    ///
    /// # Errors
    /// If the results cannot be written.
    pub fn print<'f>(
        &mut self,
        files: impl Iterator<Item = (&'f PathBuf, Receiver<Result<File>>)>,
    ) -> Result<()> {
        for (path, inbox) in files {
            match inbox.recv() {
                Ok(Ok(file)) => self.file(path, file)?,
                Ok(Err(error)) => self.worsen(outcome::report(&error)),
                // Whoever should have opened the file has panicked, which is told elsewhere.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, file: File) -> Result<()> {
        let before = self.messages;
        if self.is_one_of_several {
            let heading = self.log.recording(&path.display().to_string());
            self.printer.heading(&heading)?;
        }
        let mut messages = Vec::new();
        let mut printed = Ok(());
        let mut order = InOrder::new(file.is_pipe());
        let ending = file.finish(|received| {
            let settled = order.push(received);
            if printed.is_ok() {
                printed = self.show(path, settled, &mut messages);
                self.stop.store(printed.is_err(), Ordering::Relaxed);
            }
        });
        printed?;
        self.show(path, order.finish(), &mut messages)?;
        match ending {
            Ok(ending) => {
                self.end(path, &ending);
                if let Some(doubt) = ending.assumed.doubt() {
                    tracing::warn!("{}: {doubt}", path.display());
                }
                if self.messages == before && ending.statistics.samples > 0 {
                    tracing::info!(
                        "{}: {}",
                        path.display(),
                        ending.assumed.text(ending.signal_s())
                    );
                }
                if let Some(annotator) = &self.annotator {
                    annotator.write(&messages, &ending.info)?;
                }
            }
            Err(error) => self.worsen(outcome::report(&error)),
        }
        Ok(())
    }

    /// Prints messages, and keeps them if they are to be marked.
    fn show(&mut self, path: &Path, settled: Vec<Received>, kept: &mut Vec<Message>) -> Result<()> {
        for received in settled {
            self.message(path, &received)?;
            if self.annotator.is_some() {
                kept.push(received.message);
            }
        }
        Ok(())
    }

    fn message(&mut self, path: &Path, received: &Received) -> Result<()> {
        let message = &received.message;
        self.messages += 1;
        self.frames += message.frames.len();
        let time = received.time.clone();
        let mut record =
            MessageRecord::new(MessageRecordType::Message, message, time, self.devices);
        record.recording = self.is_one_of_several.then(|| path.display().to_string());
        let Self { printer, log, .. } = self;
        printer.record(&record, || log.message(&record))
    }

    /// Tells what was wrong with a recording, now that its messages are printed.
    fn end(&mut self, path: &Path, ending: &Ending) {
        self.signal_s += ending.signal_s();
        let statistics = &ending.statistics;
        tracing::debug!("{}: {statistics:?}", path.display());
        let dropped = statistics.dropped_candidates + statistics.dropped_bursts;
        if dropped > 0 {
            tracing::warn!("{}: {dropped} weak signals dropped, too many at once", path.display());
        }
        if statistics.unusable_samples > 0 {
            tracing::error!(
                "{}: {} of {} samples are no finite numbers or absurdly large and counted as \
                 silence; check the sample format",
                path.display(),
                statistics.unusable_samples,
                statistics.samples
            );
            self.worsen(Outcome::Failed);
        }
        if let Err(error) = &ending.read {
            tracing::error!("{error}");
            self.worsen(Outcome::Failed);
        }
    }

    fn worsen(&mut self, outcome: Outcome) {
        self.outcome = self.outcome.max(outcome);
    }

    /// Says how it went.
    ///
    /// # Errors
    /// If the results cannot be written.
    pub fn finish(self) -> Result<Outcome> {
        self.printer.finish()?;
        if self.signal_s == 0.0 {
            return Ok(self.outcome);
        }
        let elapsed_s = self.started.elapsed().as_secs_f64();
        tracing::info!(
            "{}, {} in {:.1} s of signal, {:.1} × real time",
            counted(self.messages, "message"),
            counted(self.frames, "frame"),
            self.signal_s,
            self.signal_s / elapsed_s
        );
        Ok(self.outcome)
    }
}
