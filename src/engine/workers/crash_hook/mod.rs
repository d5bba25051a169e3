//! Last words: when a processor is about to bring the process down, the run gets a moment to commit what is finished,
//! and to note which file it was.
//!
//! An abort, a fault (including a stack overflow and a wild pointer) and `exit` are caught if they happen in a
//! worker's thread within a call of the processor. That thread signals this, waits until it is released or until
//! [`PATIENCE_MS`] have passed, and dies as it was going to: the former handlers are restored, and take their course.
//! Everything else dies at once: another thread, a signal that another process sent, `SIGKILL`, `_exit`.
#![expect(unsafe_code, reason = "signal handlers and exit hooks can be had in no other way")]

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use std::sync::{Once, OnceLock};

#[cfg(test)]
mod tests;

const SIGNALS: [c_int; 5] = [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
/// How long a dying thread waits.
const PATIENCE_MS: u64 = 3_000;
const STEP_MS: u64 = 5;
/// Threads of a run that may be dying at the same time; further ones wait unseen.
const DYING_MAX: usize = 8;
/// An entry that was polled.
const HEARD: usize = usize::MAX;

/// The handlers that were installed before.
static FORMER: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// Entries in which the threads of one run signal that they are about to die.
#[derive(Default)]
pub(crate) struct CrashSignal {
    /// Seats, from 1; 0 is free.
    thread_ids: [AtomicUsize; DYING_MAX],
    go: AtomicBool,
}

impl CrashSignal {
    /// Returns the ID of a thread that is about to die with the whole process; each is returned once.
    pub(crate) fn poll(&self) -> Option<usize> {
        self.thread_ids.iter().find_map(|word| match word.load(Ordering::Acquire) {
            0 | HEARD => None,
            thread_id => {
                word.store(HEARD, Ordering::Release);
                Some(thread_id - 1)
            }
        })
    }

    /// Releases all dying threads, now and later.
    pub(crate) fn release(&self) {
        self.go.store(true, Ordering::Release);
    }

    /// Signals that the thread with this ID is dying, and waits.
    fn wait(&self, thread_id: usize) {
        for word in &self.thread_ids {
            if word.compare_exchange(0, thread_id + 1, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                break;
            }
        }
        for _ in 0..PATIENCE_MS / STEP_MS {
            if self.go.load(Ordering::Acquire) {
                return;
            }
            let step = libc::timespec { tv_sec: 0, tv_nsec: STEP_MS as libc::c_long * 1_000_000 };
            // SAFETY: reads `step`, which lives, and may be called in a signal handler. Cut short, it only waits less.
            unsafe { libc::nanosleep(&raw const step, ptr::null_mut()) };
        }
    }
}

/// The thread that calls a processor.
struct Caller {
    crash_signal: *const CrashSignal,
    thread_id: usize,
}

thread_local! {
    /// The current caller of a processor in this thread.
    static CALLER: Cell<*const Caller> = const { Cell::new(ptr::null()) };
}

/// Restores the former caller, on every way out.
struct Leave(*const Caller);

impl Drop for Leave {
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        CALLER.set(self.0);
    }
}

/// Calls a processor, as the thread with this ID of a run.
pub(crate) fn within<T>(crash_signal: &CrashSignal, thread_id: usize, call: impl FnOnce() -> T) -> T {
    let caller = Caller { crash_signal, thread_id };
    let _leave = Leave(CALLER.replace(&raw const caller));
    compiler_fence(Ordering::SeqCst);
    call()
}

/// Installs the handlers, once for the whole process.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: all zero is a valid `sigaction`, and each call gets pointers to ones that live. The handler
        // does only what a signal handler may do.
        unsafe {
            let mut former: [libc::sigaction; SIGNALS.len()] = std::mem::zeroed();
            for (signal, former) in SIGNALS.iter().zip(&mut former) {
                libc::sigaction(*signal, ptr::null(), former);
            }
            // Before the handler can be called.
            let _ = FORMER.set(former);
            let mut watch: libc::sigaction = std::mem::zeroed();
            watch.sa_sigaction = on_signal as *const () as libc::sighandler_t;
            // On the stack for signals: after a stack overflow there is no other.
            watch.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            for signal in SIGNALS {
                libc::sigaction(signal, &raw const watch, ptr::null_mut());
            }
            libc::atexit(on_exit);
        }
    });
}

/// Waits if this thread is within the call of a processor, and only once.
fn wait_for_last_commit() {
    let caller = CALLER.replace(ptr::null());
    if caller.is_null() {
        return;
    }
    // SAFETY: `within` has not returned, so its caller and what that borrows live.
    let (crash_signal, thread_id) = unsafe { (&*(*caller).crash_signal, (*caller).thread_id) };
    crash_signal.wait(thread_id);
}

extern "C" fn on_exit() {
    wait_for_last_commit();
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel gives a valid `info`; a signal that was sent names its sender.
    let (was_sent, is_own) = unsafe {
        let was_sent = (*info).si_code <= 0;
        (was_sent, !was_sent || (*info).si_pid() == libc::getpid())
    };
    if is_own {
        wait_for_last_commit();
    }
    let former = FORMER.get().map_or(&[][..], |former| former);
    for (signal, former) in SIGNALS.iter().zip(former) {
        // SAFETY: `former` is what the system gave.
        unsafe { libc::sigaction(*signal, former, ptr::null_mut()) };
    }
    if was_sent {
        // A fault happens again by itself. This comes once the handler has returned.
        // SAFETY: may be called in a signal handler.
        unsafe { libc::raise(signal) };
    }
}
