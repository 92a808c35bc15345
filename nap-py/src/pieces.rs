//! Recordings that are decoded piece by piece, in other processes and on other machines.

use nap_phy::MessageId;
use nap_phy::receiver::pieces::decode::{Found, decode};
use nap_phy::receiver::pieces::plan::Piece;
use nap_phy::receiver::pieces::seams::sew;
use nap_phy::schema::MessageRecord;
use pyo3::prelude::*;

use crate::error;
use crate::recording::PyRecording;
use crate::settings::PySettings;
use crate::tuned::{record, tuned};
use crate::watching::Work;

/// All of a recording.
const ALL: std::ops::Range<u64> = 0..u64::MAX;

/// What a piece is made of anew elsewhere: part, its place, the piece's own samples and those that it reads, whether
/// it is the part's last one, and its shares of the false messages.
type PieceFields = (usize, u64, (u64, u64), (u64, u64), bool, [f64; 2]);

/// A piece of a recording. It can be pickled.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Piece")]
pub struct PyPiece {
    /// Which part of the recording it is of.
    part: usize,
    /// Where that begins, missing samples counted.
    position: u64,
    piece: Piece,
}

#[pymethods]
impl PyPiece {
    #[new]
    fn new(
        part: usize,
        position: u64,
        own: (u64, u64),
        read: (u64, u64),
        is_last: bool,
        budget_shares: [f64; 2],
    ) -> Self {
        let piece = Piece::with_budget_shares(own.0..own.1, read.0..read.1, is_last, budget_shares);
        Self { part, position, piece }
    }

    fn __getnewargs__(&self) -> PieceFields {
        let Piece { own, read, is_last, .. } = &self.piece;
        let (own, read) = ((own.start, own.end), (read.start, read.end));
        (self.part, self.position, own, read, *is_last, self.piece.budget_shares())
    }

    /// From where to where it is decoded, in samples of the recording, missing ones counted. Near the end of its part
    /// it is decoded to that, wherever it is.
    #[getter]
    fn read(&self) -> (u64, u64) {
        let place = |sample| self.position.saturating_add(sample);
        (place(self.piece.read.start), place(self.piece.read.end))
    }

    /// The samples that it has to itself, likewise.
    #[getter]
    fn own(&self) -> (u64, u64) {
        let place = |sample| self.position.saturating_add(sample);
        (place(self.piece.own.start), place(self.piece.own.end))
    }
}

/// Cuts a recording into pieces of about `piece_s`, as `decode_recording` does for its threads; says too what is
/// not listened to.
#[pyfunction]
pub fn plan_pieces(
    py: Python<'_>,
    recording: &PyRecording,
    settings: &PySettings,
    piece_s: f64,
) -> PyResult<(Vec<PyPiece>, Vec<String>)> {
    let (stretches, notes) = tuned(py, recording, recording.info().stretches_in(ALL), settings)?;
    let mut planned = Vec::new();
    for tuned in &stretches {
        let part = tuned.part(recording);
        let count = part.duration_s().map_or(1.0, |duration_s| (duration_s / piece_s).round());
        let pieces = py.detach(|| part.pieces(count as usize)).map_err(error::phy)?;
        let (part, position) = (tuned.index, tuned.stretch.position);
        planned.extend(pieces.into_iter().map(|piece| PyPiece { part, position, piece }));
    }
    Ok((planned, notes))
}

/// Decodes one piece of a recording: gives what `sew_pieces` takes.
#[pyfunction]
pub fn decode_piece(
    py: Python<'_>,
    recording: &PyRecording,
    piece: &PyPiece,
    settings: &PySettings,
) -> PyResult<Vec<String>> {
    let stretch = recording.info().stretches_in(ALL).into_iter().nth(piece.part);
    let not_of_it = || error::configuration("the piece is not of this recording");
    let stretch = stretch.ok_or_else(not_of_it)?;
    let configs = settings.chosen(recording.sample_rate_hz, stretch.center_hz)?.configs;
    let start_s = stretch.position as f64 / recording.sample_rate_hz;
    let (work, mut found) = (Work::default(), Vec::new());
    let report = |one: Found| {
        found.push(one.map(|message| {
            let (time_in_part_s, message) = (message.signal.time_s, message.moved_by(start_s));
            record(&message, stretch.start, time_in_part_s, settings.devices())
        }));
        true
    };
    let ending = work.run(py, None, || {
        let read = recording.reader(&stretch, false, piece.piece.read.start)?;
        Ok(decode(&piece.piece, &stretch.gaps, &configs, read, &work.stop, |_| (), report))
    })?;
    match ending.map_err(error::recording)?.map_err(error::phy)?.read {
        // Of what is cut short the rest counts.
        Ok(()) | Err(nap_io::Error::Truncated { .. }) => {}
        Err(error) => return Err(error::recording(error)),
    }
    let text = |found: &Found<MessageRecord>| serde_json::json!(found).to_string();
    Ok(found.iter().map(text).collect())
}

/// Puts together what was found in all pieces of a recording, in their order.
#[pyfunction]
pub fn sew_pieces(
    pieces: Vec<PyRef<'_, PyPiece>>,
    found: Vec<Vec<String>>,
) -> PyResult<Vec<String>> {
    let mut records: Vec<String> = Vec::new();
    let mut found = found.into_iter();
    for of_part in pieces.chunk_by(|a, b| a.part == b.part) {
        let plan: Vec<Piece> = of_part.iter().map(|piece| piece.piece.clone()).collect();
        let of_part = found.by_ref().take(plan.len()).map(|texts| {
            let read = |text: &String| serde_json::from_str(text);
            texts.iter().map(read).collect::<Result<Vec<Found<MessageRecord>>, _>>()
        });
        let of_part = of_part.collect::<Result<_, _>>().map_err(error::configuration)?;
        let messages = sew(&plan, of_part, MessageId(records.len() as u64));
        records.extend(messages.iter().map(|message| serde_json::json!(message).to_string()));
    }
    Ok(records)
}
