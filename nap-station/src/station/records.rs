//! Message records in place of samples.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use nap_phy::schema::{MessageRecord, MessageRecordType, RetractedRecord};
use serde::Deserialize;

use crate::error::Error;
use crate::rules::utc::Utc;
use crate::station::report::{Heard, Report, ReportKind};

/// The clock of records and recordings.
pub const RECORDING: &str = "recording";

/// Reads message records, one JSON object a line, on their own times.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    lines: std::io::Lines<BufReader<File>>,
    line: usize,
    /// What records without a time count from.
    start: Utc,
    /// The messages that were told of.
    known: BTreeSet<u64>,
}

/// Records that wait to be judged.
const QUEUE: usize = 64;

/// Records as they come: whoever writes into a pipe may take their time.
#[derive(Debug)]
pub struct RecordsFeed(Receiver<Result<Option<Report>, Error>>);

impl RecordsFeed {
    /// Reads a file on a thread of its own.
    #[must_use]
    pub fn start(path: &Path, start: Utc) -> Self {
        let (to, from) = sync_channel(QUEUE);
        let path = path.to_owned();
        thread::spawn(move || {
            let mut records = match Records::open(&path, start) {
                Ok(records) => records,
                // Who has asked may have gone, here and below.
                Err(error) => return drop(to.send(Err(error))),
            };
            loop {
                let read = records.read();
                let is_over = matches!(&read, Ok(None) | Err(Error::Io { .. }));
                if to.send(read).is_err() || is_over {
                    return;
                }
            }
        });
        Self(from)
    }

    /// What [`Records::read`] has returned next; `None` if that takes longer than `timeout`.
    #[must_use]
    pub fn next(&self, timeout: Duration) -> Option<Result<Option<Report>, Error>> {
        match self.0.recv_timeout(timeout) {
            Ok(read) => Some(read),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Ok(None)),
        }
    }
}

#[derive(Deserialize)]
struct TypeOnly {
    #[serde(rename = "type")]
    record_type: String,
}

impl Records {
    /// Opens a file. Records without a time are as long after `start` as they say.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened.
    pub fn open(path: &Path, start: Utc) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let lines = BufReader::new(file).lines();
        Ok(Self { path: path.into(), lines, line: 0, start, known: BTreeSet::new() })
    }

    /// The next report; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::BadFile`] for a line that is no record; the next
    /// call goes on after it.
    pub fn read(&mut self) -> Result<Option<Report>, Error> {
        loop {
            let Some(line) = self.lines.next() else { return Ok(None) };
            self.line += 1;
            let line = line.map_err(Error::io(&self.path, "read"))?;
            if line.trim().is_empty() {
                continue;
            }
            if let Some(report) = self.report(&line)? {
                return Ok(Some(report));
            }
        }
    }

    /// What a line tells; `None` of a record that is not of a message.
    fn report(&mut self, line: &str) -> Result<Option<Report>, Error> {
        let TypeOnly { record_type } = serde_json::from_str(line).map_err(self.bad())?;
        match record_type.as_str() {
            "message" | "update" => {
                let record = serde_json::from_str(line).map_err(self.bad())?;
                self.heard(record).map(Some)
            }
            "retracted" => {
                let record: RetractedRecord = serde_json::from_str(line).map_err(self.bad())?;
                let message = (0, record.message_id.0);
                Ok(Some(Report { message, kind: ReportKind::Retracted }))
            }
            _ => Ok(None),
        }
    }

    fn heard(&mut self, mut record: MessageRecord) -> Result<Report, Error> {
        let id = record.message_id.0;
        let at = match &record.time {
            Some(time) => Utc::parse(time).ok_or_else(|| Error::BadFile {
                path: self.path.clone(),
                problem: format!("line {}: `time` is RFC 3339 in UTC, not {time:?}", self.line),
            })?,
            None => self.start.plus_s(record.time_s),
        };
        record.time = Some(at.text());
        let is_first = self.known.insert(id) || record.record_type == MessageRecordType::Message;
        let heard = Heard { is_first, is_complete: false, record, at, clock: RECORDING };
        Ok(Report { message: (0, id), kind: ReportKind::Heard(Box::new(heard)) })
    }

    fn bad(&self) -> impl FnOnce(serde_json::Error) -> Error {
        let (path, line) = (self.path.clone(), self.line);
        move |error| Error::BadFile { path, problem: format!("line {line}: no record: {error}") }
    }
}
