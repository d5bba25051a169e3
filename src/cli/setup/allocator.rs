//! Allocator tuning, and the end of a process that runs out of memory.
#![expect(unsafe_code, reason = "an allocator and its settings have no safe face")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{self, Write};
use std::hint::black_box;
use std::panic::{set_hook, take_hook};

use outlast::model::{can_do_without_memory, is_for_want_of_stack};
use rustix::process::{Resource, getrlimit};

use crate::cli::exit_code;

#[global_allocator]
static ALLOCATOR: OrEnd = OrEnd;

/// Buffers from this size on are mapped from the system, and returned to it when freed.
///
/// By default, glibc raises the threshold with each large buffer that is freed, and keeps what each thread freed:
/// eight threads that hold one buffer of 20 MiB at a time between them end with 164 MiB, and with 2 MiB if the
/// threshold is fixed. Workers' own buffers for small files are kept by the workers.
#[cfg(target_env = "gnu")]
const MAPPED_BYTES: libc::c_int = 4 << 20;
/// The threshold until the state is open: sled needs 50 zeroed histograms of 512 KiB. Mapped memory is zero, and
/// stays untouched; heap memory is cleared. A run over one file: 5 MB less, 12 ms of CPU time instead of 14.
#[cfg(target_env = "gnu")]
const MAPPED_BYTES_AT_START: libc::c_int = 256 << 10;
/// Freed memory below that threshold stays with the process up to this, for each of glibc's arenas: the lines of a
/// group of files, which one thread fills and another frees, and the occasional megabyte that a commit tick of 8,192
/// files consists of. At glibc's own 128 KiB, and with 1 MiB for the other, they were returned and requested again in
/// each tick: 2 % of the CPU time of 100,000 small files.
#[cfg(target_env = "gnu")]
const KEPT_BYTES: libc::c_int = 8 << 20;

/// Arenas for each core. Every thread takes its own while there are fewer, and memory that it freed stays there: with
/// glibc's own eight for each core, a first run over 1,000,000 files on two cores took 95 to 110 MB; one that resumes
/// after a kill takes 90 with two for each, and 65 with one. The CPU time is the same with these, or 1 % less;
/// threads wait for each other slightly more, 1 % of the time.
#[cfg(target_env = "gnu")]
const ARENAS_PER_CORE: usize = 1;
/// The share of an address space limit for each arena, which takes 64 MiB of it.
#[cfg(target_env = "gnu")]
const ARENA_OF_LIMIT_BYTES: u64 = 512 << 20;

/// Limits that allocation may hit, by the command that sets them.
const LIMITS: [(&str, Resource); 2] = [("ulimit -v", Resource::As), ("ulimit -d", Resource::Data)];
/// Enough for each command.
const ENOUGH_MIB: u32 = 256;
/// Stack of the main thread that is touched at the start, several times what a command was seen to use. The kernel
/// extends it page by page, and if it may not, the failure can't be reported.
const STACK_BYTES: usize = 256 << 10;
/// Memory needed at the start, so that there is room for that stack. It is mapped, and returned at once.
const START_BYTES: usize = 8 << 20;

/// The system allocator; on failure it ends the process in an orderly way, instead of by an abort that looks like a
/// crash. In-flight files are not blamed either: they are left as after a kill.
struct OrEnd;

// SAFETY: each call is the system allocator's own, unchanged, if it returns.
unsafe impl GlobalAlloc for OrEnd {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the same.
        or_end(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the same.
        or_end(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller's promise is the same, and its memory came from the system allocator.
        or_end(unsafe { System.realloc(at, layout, bytes) }, bytes)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[inline]
fn or_end(at: *mut u8, bytes: usize) -> *mut u8 {
    if at.is_null() && !can_do_without_memory() {
        end(bytes);
    }
    at
}

/// A line that needs no allocation.
struct Line {
    text: [u8; 512],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = &mut self.text[self.len..];
        let len = part.len().min(room.len());
        room[..len].copy_from_slice(&part.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}

/// Reports which limit was hit, and ends the process.
#[cold]
fn end(bytes: usize) -> ! {
    let mut line = Line { text: [0; 512], len: 0 };
    let _ = write!(line, "outlast: no memory for {bytes} bytes more");
    for (what, limit) in LIMITS {
        if let Some(limit) = getrlimit(limit).current {
            let _ = write!(line, "; raise the limit (`{what}`) of {} KiB", limit >> 10);
        }
    }
    let _ = writeln!(
        line,
        "; {ENOUGH_MIB} MiB are enough for small files. What was committed is kept: try again"
    );
    // SAFETY: the line lives; neither call allocates, and the second one does not return.
    unsafe {
        libc::write(libc::STDERR_FILENO, line.text.as_ptr().cast(), line.len);
        libc::_exit(exit_code::UNAVAILABLE.into())
    }
}

/// Makes glibc return freed memory, so that a memory limit can hold, and prepares for one that does not.
pub(crate) fn set_up() {
    let limit = LIMITS.iter().filter_map(|(_, limit)| getrlimit(*limit).current).min();
    #[cfg(target_env = "gnu")]
    share_arenas(limit);
    if limit.is_some() {
        drop(black_box(Vec::<u8>::with_capacity(START_BYTES)));
        touch_stack();
        end_without_stacks();
    }
}

#[inline(never)]
fn touch_stack() {
    black_box([0_u8; STACK_BYTES]);
}

fn end_without_stacks() {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if is_for_want_of_stack(info) {
            end(libc::SIGSTKSZ);
        }
        before(info);
    }));
}

#[cfg(target_env = "gnu")]
fn share_arenas(limit: Option<u64>) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let in_limit = limit.map_or(usize::MAX, |limit| (limit / ARENA_OF_LIMIT_BYTES) as usize);
    let arenas = (cores * ARENAS_PER_CORE).min(in_limit.max(1));
    // SAFETY: it only sets parameters of the allocator, before any other thread is started.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_AT_START);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
            libc::mallopt(libc::M_ARENA_MAX, arenas as libc::c_int);
        }
    }
}

/// Applies the settings of a working process, once its state is open.
pub(crate) fn state_is_open() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only sets a parameter of the allocator, which glibc does under its own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
    }
}
