//! What the allocator keeps, and for whom.
#![cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "the setting has no safe face"))]

#[cfg(target_env = "gnu")]
use std::num::NonZero;

/// From this size on, a buffer is mapped from the system, and goes back to it when it is freed.
///
/// Left to itself, glibc raises the threshold with each large buffer that is freed, and keeps what each thread
/// freed: eight threads that hold one buffer of 20 MiB at a time between them end with 164 MiB, and with 2 MiB
/// where the threshold is fixed. Workers' own buffers for small files are kept by the workers.
#[cfg(target_env = "gnu")]
const MAPPED_BYTES: libc::c_int = 4 << 20;
/// What is freed below that stays with the process up to this, for each of glibc's arenas: the lines of a group of
/// files, which one thread fills and another frees, and the megabyte here and there that a commit tick of 8,192 files
/// is made of. At glibc's own 128 KiB, and with 1 MiB for the other, they were given back and asked for again tick by
/// tick: 2 % of the CPU time of 100,000 small files.
#[cfg(target_env = "gnu")]
const KEPT_BYTES: libc::c_int = 8 << 20;

/// Arenas for each core. Every thread takes one of its own while there are fewer, and what it has freed stays there:
/// with glibc's own eight for each core, a first run over 1,000,000 files on two cores took 95 to 110 MB, with two 70;
/// with one and a half, threads wait for each other, 2 % of the time.
#[cfg(target_env = "gnu")]
const ARENAS_PER_CORE: usize = 2;

/// Makes freed memory the system's again, so that a limit of memory can hold.
pub(crate) fn set_up() {
    #[cfg(target_env = "gnu")]
    let arenas = std::thread::available_parallelism().map_or(1, NonZero::get) * ARENAS_PER_CORE;
    #[cfg(target_env = "gnu")]
    // SAFETY: it only sets parameters of the allocator, before any other thread is started.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
            libc::mallopt(libc::M_ARENA_MAX, arenas as libc::c_int);
        }
    }
}
