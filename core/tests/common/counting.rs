//! The system's memory allocator, counting. Tests and benches share this one.
#![expect(
    unsafe_code,
    reason = "a counting allocator cannot be written without it"
)]
#![allow(dead_code, reason = "hardly anybody asks for all of its figures")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static HELD_BYTES: Cell<i64> = const { Cell::new(0) };
}

static ALL_HELD_BYTES: AtomicI64 = AtomicI64::new(0);

/// Calls of the allocator by this thread: for memory, for more of it, and to give it back.
pub fn calls() -> u64 {
    CALLS.get()
}

/// The calls among them for memory or for more of it.
pub fn taken() -> u64 {
    TAKEN.get()
}

/// Bytes that this thread has taken and not given back.
pub fn held_bytes() -> i64 {
    HELD_BYTES.get()
}

/// Bytes that all threads have taken and not given back.
pub fn all_held_bytes() -> i64 {
    ALL_HELD_BYTES.load(Ordering::Relaxed)
}

fn count(taken: u64, bytes: i64) {
    CALLS.set(CALLS.get() + 1);
    TAKEN.set(TAKEN.get() + taken);
    HELD_BYTES.set(HELD_BYTES.get() + bytes);
    ALL_HELD_BYTES.fetch_add(bytes, Ordering::Relaxed);
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches an atomic number
// and thread-local cells that need no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
