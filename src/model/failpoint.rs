//! Places at which a test makes the system fail: before, and where it means something else also after, each call that
//! makes state durable.
//!
//! They exist in debug builds and unit tests only: a release build has nothing of them. A whole process gets its
//! fault from the environment; a test in the same process arms its own thread with [`arm`].
//!
//! | `OUTLAST_FAILPOINT` | the fault |
//! |---|---|
//! | `7=EIO`, `7=ENOSPC` | the 7th hit of the process, counted over all places, fails |
//! | `7=short` | of the 7th hit, a write, half is written; then there is no room |
//! | `7=abort` | the process ends at the 7th hit |
//! | `7..9=EIO` | the 7th and the 8th hit fail |
//! | `count` | none |
//!
//! Each hit appends its place, and `write` where something is written, to the file named in `OUTLAST_FAILPOINT_LOG`.

use std::io::{self, Write};

/// Causes the fault that is due at this hit, if any.
///
/// # Errors
/// The fault.
#[inline(always)]
pub fn hit(place: &'static str) -> io::Result<()> {
    #[cfg(any(test, debug_assertions))]
    debug::hit(place, false).map_or(Ok(()), debug::strike)?;
    let _ = place;
    Ok(())
}

/// Writes all bytes, or causes the fault that is due at this hit.
///
/// # Errors
/// The fault, or that of the writer.
#[inline(always)]
pub fn write_all(place: &'static str, to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    #[cfg(any(test, debug_assertions))]
    if let Some(fault) = debug::hit(place, true) {
        if fault == debug::Fault::Short {
            to.write_all(&bytes[..bytes.len() / 2])?;
        }
        debug::strike(fault)?;
    }
    let _ = place;
    to.write_all(bytes)
}

#[cfg(any(test, debug_assertions))]
pub use debug::{Armed, Fault, arm};

#[cfg(any(test, debug_assertions))]
mod debug {
    use std::cell::RefCell;
    use std::fs::File;
    use std::io::{self, Write};
    use std::ops::Range;
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::io::Errno;

    /// The fault at a place.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Fault {
        /// The device failed.
        Io,
        /// There is no room on the device.
        NoSpace,
        /// There is room for half of what is written.
        Short,
        /// The process ends.
        Abort,
    }

    /// The hits at which a fault happens, from 1.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Plan {
        hits: Range<u64>,
        fault: Fault,
    }

    impl Plan {
        /// Parses a plan; `None` where the text is not one.
        fn parse(text: &str) -> Option<Self> {
            let (hits, fault) = text.split_once('=')?;
            let fault = match fault {
                "EIO" => Fault::Io,
                "ENOSPC" => Fault::NoSpace,
                "short" => Fault::Short,
                "abort" => Fault::Abort,
                _ => return None,
            };
            let hits = match hits.split_once("..") {
                Some((from, to)) => from.parse().ok()?..to.parse().ok()?,
                None => hits.parse().ok().map(|hit: u64| hit..hit + 1)?,
            };
            Some(Self { hits, fault })
        }

        fn at(&self, hit: u64) -> Option<Fault> {
            self.hits.contains(&hit).then_some(self.fault)
        }
    }

    struct Environment {
        plan: Option<Plan>,
        log: Option<PathBuf>,
        hits: AtomicU64,
    }

    impl Environment {
        fn get() -> &'static Self {
            static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
            ENVIRONMENT.get_or_init(|| {
                let text = std::env::var("OUTLAST_FAILPOINT").unwrap_or_default();
                let plan = Plan::parse(&text);
                if plan.is_none() && !matches!(text.as_str(), "" | "count") {
                    let what = format!("OUTLAST_FAILPOINT={text:?} can't be read: no fault will happen\n");
                    // There may be no reader.
                    let _ = std::io::Write::write_all(&mut std::io::stderr(), what.as_bytes());
                }
                let log = std::env::var_os("OUTLAST_FAILPOINT_LOG").map(PathBuf::from);
                Self { plan, log, hits: AtomicU64::new(0) }
            })
        }
    }

    struct OfThread {
        plan: Plan,
        hits: u64,
    }

    thread_local! {
        static ARMED: RefCell<Option<OfThread>> = const { RefCell::new(None) };
    }

    /// Causes a fault in this thread, at these of its following hits, from 1, until the guard is dropped. Other
    /// threads are not affected.
    #[must_use]
    pub fn arm(hits: Range<u64>, fault: Fault) -> Armed {
        ARMED.set(Some(OfThread { plan: Plan { hits, fault }, hits: 0 }));
        Armed(std::marker::PhantomData)
    }

    /// Disarms the thread when it is dropped.
    #[derive(Debug)]
    pub struct Armed(std::marker::PhantomData<*const ()>);

    impl Armed {
        /// Returns the number of hits in this thread since it was armed.
        pub fn hits(&self) -> u64 {
            ARMED.with_borrow(|armed| armed.as_ref().map_or(0, |armed| armed.hits))
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            ARMED.set(None);
        }
    }

    pub(super) fn hit(place: &str, is_write: bool) -> Option<Fault> {
        let of_thread = ARMED.with_borrow_mut(|armed| {
            let armed = armed.as_mut()?;
            armed.hits += 1;
            armed.plan.at(armed.hits)
        });
        let environment = Environment::get();
        let count = environment.hits.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(path) = &environment.log {
            let line = format!("{place}{}\n", if is_write { " write" } else { "" });
            let file = File::options().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
        }
        of_thread.or_else(|| environment.plan.as_ref()?.at(count))
    }

    pub(super) fn strike(fault: Fault) -> io::Result<()> {
        match fault {
            Fault::Io => Err(Errno::IO.into()),
            Fault::NoSpace | Fault::Short => Err(Errno::NOSPC.into()),
            Fault::Abort => std::process::abort(),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::model::failpoint::{hit, write_all};

        #[test]
        fn a_fault_happens_at_its_hits_and_in_its_thread_only() {
            let armed = arm(2..4, Fault::NoSpace);
            let kinds: Vec<_> = (0..4).map(|_| hit("here").map_err(|error| error.kind())).collect();
            let full = Err(io::ErrorKind::StorageFull);
            assert_eq!(kinds, [Ok(()), full, full, Ok(())]);
            assert_eq!(armed.hits(), 4);
            let elsewhere = std::thread::spawn(|| (0..4).all(|_| hit("there").is_ok()));
            assert!(elsewhere.join().unwrap());
            drop(armed);
            assert!((0..4).all(|_| hit("here").is_ok()));
        }

        #[test]
        fn a_short_write_writes_half() {
            let _armed = arm(1..2, Fault::Short);
            let mut written = Vec::new();
            let error = write_all("here", &mut written, b"abcdef").unwrap_err();
            assert_eq!((error.kind(), written.as_slice()), (io::ErrorKind::StorageFull, &b"abc"[..]));
            write_all("here", &mut written, b"xy").unwrap();
            assert_eq!(written, b"abcxy");
        }

        #[test]
        fn a_plan_is_read_or_refused() {
            let plan = |hits, fault| Some(Plan { hits, fault });
            assert_eq!(Plan::parse("7=EIO"), plan(7..8, Fault::Io));
            assert_eq!(Plan::parse("3..9=abort"), plan(3..9, Fault::Abort));
            for text in ["", "count", "7", "=EIO", "7=", "7=EWHAT", "x..9=EIO"] {
                assert_eq!(Plan::parse(text), None, "{text}");
            }
        }
    }
}
