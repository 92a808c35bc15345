//! All memory of the library out of one block.
//!
//! Firmware wants to know at its start that memory will do, and nothing of a heap that others break up. With this
//! feature the library takes what it needs from a block that the program reserves once, by two-level segregated
//! fits: in a time that does not depend on what is taken. Where the block does not do, the system is asked, and
//! counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rlsf::Tlsf;

use crate::pointer::room_for_one;
use crate::status::NapStatus;

/// Alignment of the block.
const ALIGNMENT: usize = 64;

/// Sizes up to 512 MB, each octave in 32 steps.
type Blocks = Tlsf<'static, u32, u32, 24, 32>;

/// What has become of the pool.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NapPool {
    /// What was reserved, bytes.
    pub reserved_bytes: u64,
    /// What is in use, bytes.
    pub used_bytes: u64,
    /// The most that was in use at once, bytes.
    pub peak_bytes: u64,
    /// How often the system was asked since the pool was reserved, because the pool did not do.
    pub system_allocations: u64,
}

struct Pool {
    blocks: Blocks,
    figures: NapPool,
}

// SAFETY: the block that the addresses in it point to belongs to the pool alone.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    blocks: Blocks::new(),
    figures: NapPool { reserved_bytes: 0, used_bytes: 0, peak_bytes: 0, system_allocations: 0 },
});
/// Where the block lies: from here to before there. Both 0 before it is reserved.
static FIRST: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);

/// Takes memory from the pool.
struct FromPool;

#[global_allocator]
static ALLOCATOR: FromPool = FromPool;

// SAFETY: what it hands out comes from the pool or from the system, and goes back to where its address lies.
unsafe impl GlobalAlloc for FromPool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let is_reserved = END.load(Ordering::Acquire) > 0;
        if let Some(place) = is_reserved.then(|| take(layout)).flatten() {
            return place.as_ptr();
        }
        // SAFETY: the caller keeps to what an allocator is promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let is_ours =
            (FIRST.load(Ordering::Acquire)..END.load(Ordering::Acquire)).contains(&place.addr());
        match NonNull::new(place).filter(|_| is_ours) {
            Some(place) => give_back(place, layout),
            // SAFETY: it came from the system, and the caller keeps to what an allocator is promised.
            None => unsafe { System.dealloc(place, layout) },
        }
    }
}

fn take(layout: Layout) -> Option<NonNull<u8>> {
    let mut pool = pool();
    let place = pool.blocks.allocate(layout);
    let figures = &mut pool.figures;
    match place {
        Some(_) => {
            figures.used_bytes += layout.size() as u64;
            figures.peak_bytes = figures.peak_bytes.max(figures.used_bytes);
        }
        None => figures.system_allocations += 1,
    }
    place
}

fn give_back(place: NonNull<u8>, layout: Layout) {
    let mut pool = pool();
    // SAFETY: the place lies in the pool's block, so that it was taken from there, with this layout.
    unsafe { pool.blocks.deallocate(place, layout.align()) };
    pool.figures.used_bytes -= layout.size() as u64;
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reserves the block of which the library lives from now on. Call it before all else, once. Only a library that
/// was built with the feature `pool` has this call and the next.
#[unsafe(no_mangle)]
pub extern "C" fn nap_pool_reserve(bytes: usize) -> NapStatus {
    let Ok(layout) = Layout::from_size_align(bytes, ALIGNMENT) else {
        return NapStatus::InvalidArgument;
    };
    let mut pool = pool();
    if bytes == 0 || pool.figures.reserved_bytes > 0 {
        return NapStatus::InvalidArgument;
    }
    // SAFETY: the size is not 0.
    let Some(first) = NonNull::new(unsafe { System.alloc(layout) }) else {
        return NapStatus::MemoryBound;
    };
    // SAFETY: the block was just taken from the system and is never given back.
    let room =
        unsafe { pool.blocks.insert_free_block_ptr(NonNull::slice_from_raw_parts(first, bytes)) };
    if room.is_none() {
        // SAFETY: it came from there, and the pool has nothing of it.
        unsafe { System.dealloc(first.as_ptr(), layout) };
        return NapStatus::InvalidArgument;
    }
    pool.figures.reserved_bytes = bytes as u64;
    let first = first.addr().get();
    FIRST.store(first, Ordering::Release);
    END.store(first + bytes, Ordering::Release);
    NapStatus::Ok
}

/// Writes what has become of the pool.
///
/// # Safety
///
/// `figures` has room for one structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_pool_figures(figures: *mut NapPool) -> NapStatus {
    // SAFETY: the caller says so.
    match unsafe { room_for_one(figures) } {
        Ok(place) => {
            place.write(pool().figures);
            NapStatus::Ok
        }
        Err(status) => status,
    }
}
