//! Messages of successive pieces to those of the whole recording.

use std::mem::take;

use crate::message::{Message, MessageId};
use crate::receiver::pieces::decode::Found;
use crate::receiver::pieces::plan::Piece;
use crate::receiver::same_message::is_same_message;
#[cfg(feature = "serde")]
use crate::receiver::same_message::{Heard, is_same_uplink};
#[cfg(feature = "serde")]
use crate::schema::message::MessageRecord;

/// A message that two pieces may have heard, as it is or as its record.
pub trait Sewn {
    /// Whether two pieces have heard the same message.
    fn is_same(&self, other: &Self) -> bool;

    /// Gives it its number.
    fn set_id(&mut self, id: MessageId);
}

impl Sewn for Message {
    fn is_same(&self, other: &Self) -> bool {
        is_same_message(self, other)
    }

    fn set_id(&mut self, id: MessageId) {
        self.id = id;
    }
}

#[cfg(feature = "serde")]
impl Sewn for MessageRecord {
    fn is_same(&self, other: &Self) -> bool {
        let (Ok(this), Ok(that)) = (self.uplink(), other.uplink()) else { return false };
        let this = Heard { uplink: &this, bit_rate: self.bit_rate, time_s: self.time_s };
        let that = Heard { uplink: &that, bit_rate: other.bit_rate, time_s: other.time_s };
        is_same_uplink(&this, &that)
    }

    fn set_id(&mut self, id: MessageId) {
        self.message_id = id;
    }
}

/// The messages of a recording, out of what [`decode`](super::decode::decode) has found in each of its pieces,
/// in their order. They are numbered on from `newest`.
pub fn sew<M: Sewn>(pieces: &[Piece], found: Vec<Vec<Found<M>>>, newest: MessageId) -> Vec<M> {
    let mut messages = Vec::new();
    let mut seams = Seams::new(pieces, newest);
    let mut report = |message| messages.push(message);
    for found in found.into_iter().take(pieces.len()) {
        found.into_iter().for_each(|found| seams.add(found, &mut report));
        seams.end_piece(&mut report);
    }
    seams.finish(&mut report);
    messages
}

/// Puts the messages of pieces together, which come piece by piece.
///
/// Around the seam of two pieces both receivers find the same messages, mostly. Each belongs to the piece
/// in whose own samples its first received frame starts. Should the two receivers have got different
/// frames of it, the first of either counts; so no message is lost because one piece takes it for the
/// other's, and none comes twice.
///
/// Messages come out in the order in which one receiver would complete them, and their identities count
/// in this order.
pub(super) struct Seams<'a, M> {
    pieces: &'a [Piece],
    /// The piece whose messages are coming.
    index: usize,
    /// Messages of the pieces before that were completed near the seam.
    late: Vec<Found<M>>,
    /// Messages of this piece that were completed near the seam before it.
    early: Vec<Found<M>>,
    /// Whether the seam before this piece is done with.
    is_sewn: bool,
    /// Of the message that was reported last.
    newest: MessageId,
}

impl<'a, M: Sewn> Seams<'a, M> {
    /// The seams of these pieces, whose messages are numbered on from `newest`.
    pub(super) fn new(pieces: &'a [Piece], newest: MessageId) -> Self {
        let (late, early) = (Vec::new(), Vec::new());
        Self { pieces, index: 0, late, early, is_sewn: true, newest }
    }

    /// Takes the next message of the current piece.
    pub(super) fn add(&mut self, found: Found<M>, report: &mut impl FnMut(M)) {
        if !self.is_sewn && found.completed_at > self.pieces[self.index - 1].read.end {
            self.sew(report);
        }
        if !self.is_sewn {
            self.early.push(found);
        } else if found.start >= self.pieces[self.index].own.start {
            self.pass(found, report);
        }
    }

    /// Goes on to the next piece.
    pub(super) fn end_piece(&mut self, report: &mut impl FnMut(M)) {
        self.sew(report);
        self.index += 1;
        self.is_sewn = false;
    }

    /// Reports what is left when no more pieces come.
    pub(super) fn finish(mut self, report: &mut impl FnMut(M)) {
        take(&mut self.late).into_iter().for_each(|found| self.report(found, report));
    }

    /// Reports a message of the current piece, unless the next piece may know it too.
    fn pass(&mut self, found: Found<M>, report: &mut impl FnMut(M)) {
        match self.pieces.get(self.index + 1) {
            Some(next) if found.completed_at >= next.read.start => self.late.push(found),
            _ => self.report(found, report),
        }
    }

    fn report(&mut self, mut found: Found<M>, report: &mut impl FnMut(M)) {
        self.newest = MessageId(self.newest.0 + 1);
        found.message.set_id(self.newest);
        report(found.message);
    }

    /// Tells whose the messages around the seam before the current piece are.
    fn sew(&mut self, report: &mut impl FnMut(M)) {
        if self.is_sewn {
            return;
        }
        self.is_sewn = true;
        let seam = self.pieces[self.index].own.start;
        let (mut early, mut all) = (take(&mut self.early), Vec::new());
        for late in take(&mut self.late) {
            let twin = early.iter().position(|early| early.message.is_same(&late.message));
            let twin = twin.map(|index| early.remove(index));
            let first = twin.as_ref().map_or(late.start, |twin| late.start.min(twin.start));
            all.extend(if first < seam { Some(late) } else { twin });
        }
        early.retain(|found| found.start >= seam);
        all.append(&mut early);
        all.sort_by_key(|found| found.completed_at);
        all.into_iter().for_each(|found| self.pass(found, report));
    }
}
