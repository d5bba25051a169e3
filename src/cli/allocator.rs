//! How the allocator treats large buffers.
#![cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "the setting has no safe face"))]

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

/// Makes freed memory the system's again, so that a limit of memory can hold.
pub(crate) fn set_up() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only sets parameters of the allocator, before any other thread is started.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}
