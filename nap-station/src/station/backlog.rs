//! What could not be handed yet to the one who writes.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};

/// So much waits while the one who writes does not take it; the oldest are lost beyond.
const MOST: usize = 100_000;

/// What could not be handed on yet.
#[derive(Debug)]
pub(super) struct Backlog<T> {
    waiting: VecDeque<T>,
    most: usize,
    lost: u64,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), most: MOST, lost: 0 }
    }
}

impl<T> Backlog<T> {
    /// One more is to be handed on.
    pub(super) fn push(&mut self, one: T) {
        self.waiting.push_back(one);
        if self.waiting.len() > self.most {
            self.waiting.pop_front();
            self.lost += 1;
        }
    }

    /// Hands on what can be without waiting.
    pub(super) fn hand_on(&mut self, to: &SyncSender<T>) {
        while let Some(one) = self.waiting.pop_front() {
            match to.try_send(one) {
                Ok(()) => {}
                Err(TrySendError::Full(one) | TrySendError::Disconnected(one)) => {
                    self.waiting.push_front(one);
                    return;
                }
            }
        }
    }

    /// Hands on all.
    pub(super) fn finish(&mut self, to: &SyncSender<T>) {
        for one in self.waiting.drain(..) {
            // The one who writes ends after all others.
            drop(to.send(one));
        }
    }

    /// How many were lost, once it is over, and once.
    pub(super) fn take_lost(&mut self) -> Option<u64> {
        let is_over = self.lost > 0 && self.waiting.is_empty();
        is_over.then(|| std::mem::take(&mut self.lost))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn the_oldest_are_lost_and_that_is_told_once() {
        let (to, from) = sync_channel(2);
        let mut backlog = Backlog { most: 3, ..Backlog::default() };
        (0..5).for_each(|one| backlog.push(one));
        backlog.hand_on(&to);
        assert_eq!((backlog.take_lost(), from.try_iter().collect()), (None, vec![2, 3]));
        backlog.hand_on(&to);
        assert_eq!((backlog.take_lost(), from.try_iter().collect()), (Some(2), vec![4]));
        assert_eq!(backlog.take_lost(), None);
    }
}
