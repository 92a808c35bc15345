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

/// Takes a receiver out of the table, unless a call is at work with it: what a call has found here it keeps until
/// it returns.
pub(crate) fn remove(handle: usize) -> Result<(), NapStatus> {
    let session = find(handle, |place| {
        let is_busy = Arc::strong_count(place.session.as_ref()?) > 1;
        Some(if is_busy { None } else { place.session.take() })
    })?;
    // Dropped when the table is free again.
    session.map(drop).ok_or(NapStatus::Busy)
}

fn find<T>(handle: usize, take: impl FnOnce(&mut Place) -> Option<T>) -> Result<T, NapStatus> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let index = handle & (MAX_RECEIVERS - 1);
    let place = places.get_mut(index).filter(|place| place.turn == handle >> PLACE_BITS);
    place.and_then(take).ok_or(NapStatus::InvalidHandle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NAP_BIT_RATE_600, NapConfig};

    #[test]
    fn what_a_call_has_found_is_not_taken_from_under_it() {
        let config = NapConfig {
            sample_rate_hz: 200_000.0,
            bit_rates: NAP_BIT_RATE_600,
            channel_width_hz: 20_000.0,
            ..NapConfig::new()
        };
        let handle = insert(Session::new(&config).unwrap()).unwrap();
        // A call that has looked the handle up, and has not come to work yet.
        let found = find(handle, |place| place.session.clone()).unwrap();
        assert_eq!(remove(handle), Err(NapStatus::Busy));
        drop(found);
        assert_eq!(remove(handle), Ok(()));
        assert_eq!(remove(handle), Err(NapStatus::InvalidHandle));
    }
}
