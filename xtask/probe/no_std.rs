// Linked by the purity step into a program that brings its own panic handler. `std` brings one
// too, and a program can have only one: if anything below `sorthub_core` uses `std`, this does
// not compile, on any machine and without a second target installed.
#![no_std]

extern crate sorthub_core;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

struct NoMemory;

unsafe impl core::alloc::GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;
