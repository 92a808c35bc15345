//! The table of receivers: what C holds is a number that is looked up here.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use crate::failure::Failure;
use crate::session::Session;
use crate::status::NapStatus;

/// The lower bits of a handle are a place in the table, the others tell whose turn it is there.
const PLACE_BITS: u32 = 8;
const MAX_RECEIVERS: usize = 1 << PLACE_BITS;

/// A place in the table.
struct Place {
    /// Of all receivers that had this place, the number of the last one; from 1 on, so that no handle is 0.
    turn: usize,
    session: Option<Arc<Mutex<Session>>>,
}

static PLACES: Mutex<Vec<Place>> = Mutex::new(Vec::new());

/// Gives a receiver a handle.
pub(crate) fn insert(session: Session) -> Result<usize, NapStatus> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let free = places.iter().position(|place| place.session.is_none());
    let index = free.unwrap_or(places.len());
    if index == MAX_RECEIVERS {
        return Err(NapStatus::TooManyReceivers);
    }
    if index == places.len() {
        places.push(Place { turn: 0, session: None });
    }
    let place = &mut places[index];
    place.turn = (place.turn + 1) & (usize::MAX >> PLACE_BITS);
    place.turn = place.turn.max(1);
    place.session = Some(Arc::new(Mutex::new(session)));
    Ok(place.turn << PLACE_BITS | index)
}

/// Works with the receiver of a handle, unless another call does.
pub(crate) fn with<T>(
    handle: usize,
    work: impl FnOnce(&mut Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let session = find(handle, |place| place.session.clone())?;
    // A panic while the lock is held poisons it.
    match session.try_lock() {
        Ok(mut session) => work(&mut session),
        Err(TryLockError::WouldBlock) => Err(NapStatus::Busy.into()),
        Err(TryLockError::Poisoned(_)) => Err(NapStatus::Poisoned.into()),
    }
}

/// Takes a receiver out of the table, unless a call is at work with it.
pub(crate) fn remove(handle: usize) -> Result<(), NapStatus> {
    // Dropped when the table is free again.
    let session = find(handle, |place| {
        let is_busy = place
            .session
            .as_ref()
            .is_some_and(|session| matches!(session.try_lock(), Err(TryLockError::WouldBlock)));
        if is_busy { None } else { place.session.take() }
    });
    match session {
        Err(NapStatus::InvalidHandle) if is_known(handle) => Err(NapStatus::Busy),
        other => other.map(drop),
    }
}

fn is_known(handle: usize) -> bool {
    find(handle, |place| place.session.clone()).is_ok()
}

fn find<T>(handle: usize, take: impl FnOnce(&mut Place) -> Option<T>) -> Result<T, NapStatus> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let index = handle & (MAX_RECEIVERS - 1);
    let place = places.get_mut(index).filter(|place| place.turn == handle >> PLACE_BITS);
    place.and_then(take).ok_or(NapStatus::InvalidHandle)
}
