//! A receiver with its devices, its events and whoever is told of them.

use std::collections::VecDeque;
use std::ffi::c_void;

use nap_phy::receiver::paced::{PacedEvent, PacedReceiver};
use nap_phy::{Device, DeviceId, DeviceTable};
use num_complex::Complex32;

use crate::config::NapConfig;
use crate::event::NapEvent;
use crate::failure::Failure;
use crate::samples::{Part, in_pieces};
use crate::status::NapStatus;

/// Samples that `push` works on at once where it does all the work.
const PIECE: usize = 1024;

/// A function of the program that is handed each event, and what it is handed with it; or null.
pub type NapEventCallback =
    Option<unsafe extern "C" fn(event: *const NapEvent, user_data: *mut c_void)>;

/// Whom events are handed to.
struct Listener {
    callback: unsafe extern "C" fn(event: *const NapEvent, user_data: *mut c_void),
    user_data: *mut c_void,
}

// SAFETY: the address is only handed to the callback; the header says that this happens in whichever thread
// calls the receiver.
unsafe impl Send for Listener {}

/// What stands behind a handle.
pub(crate) struct Session {
    pub(crate) receiver: PacedReceiver,
    /// Whether `push` only keeps samples.
    is_paced: bool,
    devices: DeviceTable,
    /// Whether the receiver goes by an older table.
    devices_changed: bool,
    events: Events,
}

/// Events on their way to the program.
struct Events {
    listener: Option<Listener>,
    queue: VecDeque<NapEvent>,
    most: usize,
    /// Events that found no room since the last one that did.
    dropped: u64,
}

impl Session {
    /// A receiver at the start of a stream.
    pub(crate) fn new(config: &NapConfig) -> Result<Self, Failure> {
        let (most, backlog) = (config.events()?, config.backlog()?);
        let receiver = PacedReceiver::new(config.receiver_config()?, backlog.unwrap_or(PIECE))?;
        Ok(Self {
            receiver,
            is_paced: backlog.is_some(),
            devices: DeviceTable::new(),
            devices_changed: false,
            events: Events {
                listener: None,
                queue: VecDeque::with_capacity(most),
                most,
                dropped: 0,
            },
        })
    }

    /// Takes samples, of which these are the numbers.
    pub(crate) fn push<T: Part>(&mut self, parts: &[T]) {
        self.hand_over_devices();
        in_pieces(parts, |samples| self.take(samples));
    }

    fn take(&mut self, samples: &[Complex32]) {
        self.receiver.push(samples);
        self.work_unless_paced();
    }

    /// Tells that samples are missing.
    pub(crate) fn skip(&mut self, samples: u64) {
        self.hand_over_devices();
        self.receiver.skip(samples);
        self.work_unless_paced();
    }

    /// Ends the stream.
    pub(crate) fn flush(&mut self) {
        self.hand_over_devices();
        self.receiver.flush();
        self.work_unless_paced();
    }

    fn work_unless_paced(&mut self) {
        if !self.is_paced {
            self.work(|| true);
        }
    }

    /// Works while `go_on` says so. Returns whether something is left to do.
    pub(crate) fn work(&mut self, go_on: impl FnMut() -> bool) -> bool {
        let events = &mut self.events;
        self.receiver.work_while(go_on, |event| events.tell(event))
    }

    /// Hands events to a function from now on, in place of the queue, or no more.
    pub(crate) fn listen(&mut self, callback: NapEventCallback, user_data: *mut c_void) {
        self.events.listener = callback.map(|callback| Listener { callback, user_data });
    }

    /// The next event that waits.
    pub(crate) fn poll(&mut self) -> Option<NapEvent> {
        self.events.next()
    }

    /// Adds a device.
    pub(crate) fn add_device(&mut self, device: Device) -> Result<(), Failure> {
        self.devices.insert(device)?;
        self.devices_changed = true;
        Ok(())
    }

    /// Takes a device out.
    pub(crate) fn remove_device(&mut self, device_id: DeviceId) -> Result<(), Failure> {
        self.devices.remove(device_id).ok_or(NapStatus::UnknownDevice)?;
        self.devices_changed = true;
        Ok(())
    }

    /// Lets the receiver go by the devices as they are by now: once for however many have come and gone since the last
    /// samples, as it takes a copy of the table.
    fn hand_over_devices(&mut self) {
        if std::mem::take(&mut self.devices_changed) {
            self.receiver.set_devices(self.devices.clone());
        }
    }
}

impl Events {
    /// Hands an event on: to the callback, else to the queue.
    fn tell(&mut self, event: PacedEvent<'_>) {
        let Some(event) = NapEvent::of(event) else { return };
        match &self.listener {
            // SAFETY: the program has said that this is such a function; the event outlives the call.
            Some(Listener { callback, user_data }) => unsafe { callback(&event, *user_data) },
            None => self.keep(event),
        }
    }

    fn keep(&mut self, event: NapEvent) {
        // What was dropped is told of before what comes after it.
        let needed = 1 + usize::from(self.dropped > 0);
        if self.queue.len() + needed > self.most {
            self.dropped += 1;
            return;
        }
        let dropped = self.take_dropped();
        self.queue.extend(dropped);
        self.queue.push_back(event);
    }

    fn next(&mut self) -> Option<NapEvent> {
        self.queue.pop_front().or_else(|| self.take_dropped())
    }

    fn take_dropped(&mut self) -> Option<NapEvent> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| NapEvent::dropped(dropped))
    }
}
