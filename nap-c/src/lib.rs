//! The C API of nap, for base-station firmware. C programs include `nap.h`, C++ programs `nap.hpp`.
//!
//! Two halves, as in `nap-phy`: frames ([`frame`]), which need neither `std` nor an allocator, and the
//! receiver ([`receiver`]), with the feature of that name. `docs/firmware.md` tells how to use them.
//!
//! # What holds for all calls
//!
//! - **Nothing unwinds into C.** A panic is caught and becomes [`status::NapStatus::Panic`]; the receiver that it
//!   happened in answers [`status::NapStatus::Poisoned`] from then on.
//! - **A receiver is a number, not an address.** What C holds is looked up in a table, so that a handle that was
//!   never given out, or has been destroyed, is an error and nothing else. A receiver that is at work in
//!   another thread, or in the callback of its own events, is [`status::NapStatus::Busy`].
//! - **Structures grow at their ends.** Those that do begin with their size, which says how much of one both
//!   sides know.
//!
//! # `unsafe`
//!
//! This is the one crate that has it, since C hands over addresses and lengths. Each block says what makes it
//! right, and [`pointer`] has most of them.
#![cfg_attr(not(feature = "receiver"), no_std)]

pub mod content;
pub mod frame;
pub mod pointer;
pub mod status;
pub mod version;

#[cfg(feature = "receiver")]
pub mod config;
#[cfg(feature = "receiver")]
pub mod event;
#[cfg(feature = "receiver")]
mod failure;
#[cfg(feature = "receiver")]
mod handles;
#[cfg(feature = "pool")]
pub mod pool;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg(feature = "receiver")]
mod samples;
#[cfg(feature = "receiver")]
mod session;

/// Nobody is there to be told: firmware that wants to know sets its own handler and leaves the feature out.
#[cfg(all(feature = "panic-handler", not(feature = "receiver"), not(test)))]
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
