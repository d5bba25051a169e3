//! How near the process is to its memory limit, and its control group and machine to theirs.

use std::fmt;

use super::machine::{Machine, Usage};
use super::memory_budget::OWN_BYTES;

/// From here on the use of group or machine makes batches smaller; below this, an excess is over.
const NEAR_PERCENT: u8 = 90;
/// A group this full, with less left than this process may still take, is about to lose a process.
const FULL_PERCENT: u8 = 95;
/// Share of time in which tasks wait for memory that counts as pressure: it is a multiple of what a healthy
/// machine shows, and reached long before anything is killed.
const STALL_PERCENT: f32 = 10.0;
/// What such pressure counts as: batches become an eighth.
const STALL_COUNTS_AS: u8 = 85;

/// Memory pressure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pressure {
    /// Share of the limit in use, in percent; raised where group or machine is short. At most 255.
    pub percent: u8,
    /// Whether nothing more should be begun: until it is below 90 % again.
    pub over: bool,
    /// Why, for a person, where it is over.
    pub why: Option<String>,
    pub rss_bytes: u64,
    pub limit_bytes: u64,
}

/// Reads the use of memory, with hysteresis: what is over stays so until it is clearly below.
pub(crate) struct Meter {
    limit_bytes: u64,
    read: Box<dyn FnMut() -> Usage + Send>,
    over: bool,
}

impl Meter {
    /// Measures this process on its machine, and the processes that work for it by this function.
    pub(crate) fn of_machine(
        limit_bytes: u64,
        machine: Machine,
        children_bytes: impl Fn() -> u64 + Send + 'static,
    ) -> Self {
        Self::new(limit_bytes, move || Usage { children_bytes: children_bytes(), ..machine.usage() })
    }

    /// Uses readings from another source.
    pub(crate) fn new(limit_bytes: u64, read: impl FnMut() -> Usage + Send + 'static) -> Self {
        Self { limit_bytes: limit_bytes.max(1), read: Box::new(read), over: false }
    }

    /// Sets the limit from now on.
    pub(crate) fn set_limit(&mut self, limit_bytes: u64) {
        self.limit_bytes = limit_bytes.max(1);
    }

    /// Returns the current pressure. Costs some ten system calls.
    pub(crate) fn look(&mut self) -> Pressure {
        let usage = (self.read)();
        let used = usage.rss_bytes.saturating_add(usage.children_bytes);
        let who = if usage.children_bytes == 0 { "this process" } else { "this process with its children" };
        let own = Filled { who, used, limit: self.limit_bytes };
        let around = surroundings(&usage);
        let may_take = self.limit_bytes.saturating_sub(used).max(OWN_BYTES);
        let bound = if self.over { NEAR_PERCENT } else { FULL_PERCENT };
        let own_bound = if self.over { NEAR_PERCENT } else { 100 };
        let is_full = |one: &&Filled| one.is_above(bound) && one.left() < may_take;
        let cause =
            Some(&own).filter(|own| own.is_above(own_bound)).or(around.iter().flatten().find(is_full));
        self.over = cause.is_some();
        let near = around.iter().flatten().filter(|one| one.is_above(NEAR_PERCENT)).map(Filled::percent);
        let stalls = usage.some_avg10.is_some_and(|share| share > STALL_PERCENT).then_some(STALL_COUNTS_AS);
        Pressure {
            percent: near.chain(stalls).fold(own.percent(), u8::max),
            over: self.over,
            why: cause.map(ToString::to_string),
            rss_bytes: used,
            limit_bytes: self.limit_bytes,
        }
    }
}

/// Returns how full the control group and the whole machine are.
fn surroundings(usage: &Usage) -> [Option<Filled>; 2] {
    let group = usage.group.map(|group| Filled {
        who: "the control group",
        used: group.used_bytes,
        limit: group.limit_bytes,
    });
    let machine = usage.total_bytes.zip(usage.available_bytes).map(|(total, available)| Filled {
        who: "the machine",
        used: total.saturating_sub(available),
        limit: total,
    });
    [group, machine]
}

/// How full one thing is.
struct Filled {
    who: &'static str,
    used: u64,
    limit: u64,
}

impl Filled {
    fn percent(&self) -> u8 {
        let percent = u128::from(self.used) * 100 / u128::from(self.limit.max(1));
        u8::try_from(percent).unwrap_or(u8::MAX)
    }

    fn is_above(&self, percent: u8) -> bool {
        u128::from(self.used) * 100 > u128::from(self.limit) * u128::from(percent)
    }

    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes >> 20;
        write!(f, "{} uses {} MiB of memory, the limit is {} MiB", self.who, mib(self.used), mib(self.limit))
    }
}
