//! The instants that a crash comes at.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use super::Rng;

/// When a run is cut short.
#[derive(Debug)]
pub(crate) enum Moment {
    /// Any time that a whole run takes.
    After(Duration),
    /// So soon after the record log has grown for the n-th time: between the syncs of a tick, or behind.
    Growth(u64, Duration),
}

impl Moment {
    pub(crate) fn choose(rng: &mut Rng, whole_run: Duration) -> Self {
        match rng.within(0..100) {
            0..25 => Self::After(rng.time_up_to(whole_run / 5)),
            25..55 => Self::After(rng.time_up_to(whole_run)),
            _ => Self::Growth(rng.within(1..4), rng.time_up_to(Duration::from_millis(12))),
        }
    }

    /// Waits for the instant, or for the end of the run.
    pub(crate) fn wait(&self, run: &mut Child, records: &Path) {
        match *self {
            Self::After(time) => std::thread::sleep(time),
            Self::Growth(times, delay) => {
                let size = || read_sizes(records);
                let (mut last, mut grown) = (size(), 0);
                while grown < times && run.try_wait().unwrap().is_none() {
                    std::thread::sleep(Duration::from_micros(300));
                    let now = size();
                    grown += u64::from(now > last);
                    last = now;
                }
                std::thread::sleep(delay);
            }
        }
    }
}

fn read_sizes(records: &Path) -> u64 {
    let entries = std::fs::read_dir(records).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}
