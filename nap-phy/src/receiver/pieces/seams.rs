//! Messages of successive pieces to those of the whole recording.

use std::mem::take;

use crate::message::{Message, MessageId};
use crate::receiver::pieces::decode::Found;
use crate::receiver::pieces::plan::Piece;
use crate::receiver::same_message::is_same_message;

/// Puts the messages of pieces together, which come piece by piece.
///
/// Around the seam of two pieces both receivers find the same messages, mostly. Each belongs to the piece
/// in whose own samples its first received frame starts. Should the two receivers have got different
/// frames of it, the first of either counts; so no message is lost because one piece takes it for the
/// other's, and none comes twice.
///
/// Messages come out in the order in which one receiver would complete them, and their identities count
/// in this order.
pub(super) struct Seams<'a> {
    pieces: &'a [Piece],
    sample_rate_hz: f64,
    /// How long before its own samples a piece reads.
    before: u64,
    /// The piece whose messages are coming.
    index: usize,
    /// Messages of the pieces before that were completed near the seam.
    late: Vec<Found>,
    /// Messages of this piece that were completed near the seam before it.
    early: Vec<Found>,
    /// Whether the seam before this piece is done with.
    is_sewn: bool,
    /// Of the message that was reported last.
    newest: MessageId,
}

impl<'a> Seams<'a> {
    /// The seams of these pieces, each of which reads `before_s` seconds before its own samples.
    pub(super) fn new(pieces: &'a [Piece], sample_rate_hz: f64, before_s: f64) -> Self {
        let before = (before_s * sample_rate_hz).ceil() as u64;
        Self {
            pieces,
            sample_rate_hz,
            before,
            index: 0,
            late: Vec::new(),
            early: Vec::new(),
            is_sewn: true,
            newest: MessageId::default(),
        }
    }

    /// Takes the next message of the current piece.
    pub(super) fn add(&mut self, found: Found, report: &mut impl FnMut(Message)) {
        if !self.is_sewn && found.completed_at > self.pieces[self.index - 1].read.end {
            self.sew(report);
        }
        if !self.is_sewn {
            self.early.push(found);
        } else if self.start(&found) >= self.pieces[self.index].own.start {
            self.pass(found, report);
        }
    }

    /// Goes on to the next piece.
    pub(super) fn end_piece(&mut self, report: &mut impl FnMut(Message)) {
        self.sew(report);
        self.index += 1;
        self.is_sewn = false;
    }

    /// Reports what is left when no more pieces come.
    pub(super) fn finish(mut self, report: &mut impl FnMut(Message)) {
        take(&mut self.late).into_iter().for_each(|found| self.report(found, report));
    }

    /// Reports a message of the current piece, unless the next piece may know it too.
    fn pass(&mut self, found: Found, report: &mut impl FnMut(Message)) {
        let piece = &self.pieces[self.index];
        if !piece.is_last && found.completed_at >= piece.own.end.saturating_sub(self.before) {
            self.late.push(found);
        } else {
            self.report(found, report);
        }
    }

    fn report(&mut self, found: Found, report: &mut impl FnMut(Message)) {
        self.newest = MessageId(self.newest.0 + 1);
        report(Message { id: self.newest, ..found.message });
    }

    /// Tells whose the messages around the seam before the current piece are.
    fn sew(&mut self, report: &mut impl FnMut(Message)) {
        if self.is_sewn {
            return;
        }
        self.is_sewn = true;
        let seam = self.pieces[self.index].own.start;
        let (mut early, mut all) = (take(&mut self.early), Vec::new());
        for late in take(&mut self.late) {
            let twin =
                early.iter().position(|early| is_same_message(&early.message, &late.message));
            let twin = twin.map(|index| early.remove(index));
            let start = self.start(&late);
            let first = twin.as_ref().map_or(start, |twin| start.min(self.start(twin)));
            all.extend(if first < seam { Some(late) } else { twin });
        }
        early.retain(|found| self.start(found) >= seam);
        all.append(&mut early);
        all.sort_by_key(|found| found.completed_at);
        all.into_iter().for_each(|found| self.pass(found, report));
    }

    /// Where a message's first frame starts, in samples.
    fn start(&self, found: &Found) -> u64 {
        (found.message.signal.time_s * self.sample_rate_hz).max(0.0) as u64
    }
}
