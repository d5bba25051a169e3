//! Scans at set times: so long after the last one, or as a cron expression says.
//!
//! Constraints: never two such scans at once. A time that comes while a scan goes on is left out. However many times
//! were missed, because the process was down, the machine slept or the clock was set on, one scan makes up for
//! them. The clock that counts is the wall clock, which is looked at each half minute, since it may be set and the
//! machine may sleep.
//!
//! Cron expressions are meant in the time zone of the system, or that of `TZ`. Where summer time skips the time of
//! day, the scan begins at the first moment behind the gap; where the time of day comes twice, it begins once.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::control_handle::Desk;
use super::settings::ScheduleSettings;
use super::ticker::Ticking;
use crate::engine::Order;
use crate::ledger::{Job, JobKind};

/// How often the wall clock is looked at, at least.
const LOOK: Duration = Duration::from_secs(30);
/// How soon it is looked again after something was done.
const SOON: Duration = Duration::from_secs(1);

/// A cron expression of five fields.
pub(super) fn read_cron(text: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|wrong| wrong.to_string())
}

/// The time zone of the system, or that of `TZ`. A system that says nothing of one has UTC.
///
/// # Errors
/// `TZ`, or `/etc/localtime`, is no zone that is known.
pub(super) fn system_zone() -> Result<TimeZone, String> {
    const LOCAL: &str = "/etc/localtime";
    TimeZone::try_system().or_else(|wrong| match std::env::var_os("TZ") {
        Some(name) => Err(format!(
            "is meant in the time zone of TZ, which is {name:?}, and that is not known: name one such as \
             Europe/Berlin, or UTC"
        )),
        None if Path::new(LOCAL).symlink_metadata().is_err() => Ok(TimeZone::UTC),
        None => Err(format!(
            "is meant in the system's time zone, and {LOCAL} tells none that is known: set TZ, such as to \
             Europe/Berlin or UTC ({wrong})"
        )),
    })
}

/// The name of a zone whose data the system does not have, so that those of the program are used.
fn without_system_data(zone: &TimeZone) -> Option<&str> {
    let name = zone.iana_name().filter(|_| *zone != TimeZone::UTC)?;
    let folder = std::env::var_os("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".into());
    (!Path::new(&folder).join(name).exists()).then_some(name)
}

/// When scans are due.
#[derive(Debug, Clone)]
pub struct Schedule {
    every: Option<Duration>,
    cron: Option<Cron>,
    jitter: Duration,
    seed: u64,
    zone: TimeZone,
}

impl Schedule {
    /// What the settings say; the delays of each `seed` are its own. A cron expression that can't be read, which
    /// settings never have, counts as none.
    pub fn new(settings: &ScheduleSettings, seed: u64, zone: TimeZone) -> Self {
        let cron = settings.cron.as_deref().and_then(|text| read_cron(text).ok());
        Self { every: settings.every, cron, jitter: settings.jitter, seed, zone }
    }

    /// When the scan is due that follows the `last` one: a time up to `after` is due now. None for never. A last scan
    /// that lies ahead, as the clock was set back, counts as one that begins now.
    pub fn next(&self, after: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
        let from = last.filter(|last| *last <= after).unwrap_or(after);
        let every = self.every.and_then(|every| from.checked_add(every).ok());
        let by_cron = |cron: &Cron| cron.find_next_occurrence(&from.to_zoned(self.zone.clone()), false).ok();
        let cron = self.cron.as_ref().and_then(by_cron).map(|time| time.timestamp());
        let due = every.into_iter().chain(cron).min()?;
        due.checked_add(self.delay(due)).ok()
    }

    /// The delay of what is due at this time: always the same.
    fn delay(&self, due: Timestamp) -> Duration {
        let Ok(most @ 1..) = u64::try_from(self.jitter.as_millis()) else { return Duration::ZERO };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&due.as_millisecond().to_le_bytes());
        Duration::from_millis(first_of(&hasher) % most.saturating_add(1))
    }
}

/// What is known of scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Scans {
    /// When the last scan of everything began.
    last: Option<Timestamp>,
    /// Whether one goes on or waits for its turn.
    open: bool,
}

impl Scans {
    /// Those among the jobs that scan all that is served.
    fn of(jobs: &[Job]) -> Self {
        let scans = || jobs.iter().filter(|job| job.kind != JobKind::Watch && job.scope.is_none());
        // What is served is what the latest standing job works on, or the latest start scans; the first scan of a root
        // that was added leaves the others out.
        let serves = |job: &&Job| matches!(job.kind, JobKind::Watch | JobKind::Run);
        let served = jobs.iter().rev().find(serves).map(|job| job.roots.as_slice()).unwrap_or_default();
        let whole = || scans().filter(|job| served.iter().all(|root| job.roots.contains(root)));
        let start = |job: &Job| Timestamp::from_nanosecond(job.started.0.into()).ok();
        Self {
            last: whole().filter(|job| job.has_begun()).filter_map(start).max(),
            open: whole().any(|job| !job.end.is_final()),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing, for so long at most.
    Wait(Duration),
    /// A scan is due.
    Scan,
    /// One is due, and left out, since one goes on.
    LeaveOut,
}

/// Whose turn it is, as time goes by.
#[derive(Debug)]
struct Turns {
    /// When the last scan began, or was left out; before any is known, when this began.
    last: Timestamp,
}

impl Turns {
    /// What is due now. `look` is asked for the scans only when something seems to be.
    fn turn(&mut self, schedule: &Schedule, now: Timestamp, look: impl FnOnce() -> Scans) -> Turn {
        // The clock may have been set back.
        self.last = self.last.min(now);
        let wait = |last| match schedule.next(now, Some(last)) {
            Some(due) if due <= now => None,
            Some(due) => Some(Turn::Wait(
                Duration::try_from(due.duration_since(now)).map_or(LOOK, |wait| wait.min(LOOK)),
            )),
            None => Some(Turn::Wait(LOOK)),
        };
        if let Some(turn) = wait(self.last) {
            return turn;
        }
        let scans = look();
        if scans.open {
            self.last = now;
            return Turn::LeaveOut;
        }
        // Somebody may have asked for a scan meanwhile.
        self.last = scans.last.filter(|last| *last <= now).map_or(self.last, |last| last.max(self.last));
        wait(self.last).unwrap_or(Turn::Scan)
    }
}

/// Settings of a schedule that may change while it is kept, which is heeded within half a minute.
pub type SharedSchedule = Arc<Mutex<ScheduleSettings>>;

/// The thread can't be started.
#[derive(Debug, thiserror::Error)]
#[error("scans at set times can't be kept: {0}")]
pub struct ScheduleError(#[from] std::io::Error);

/// Asks for the scans that are due, on a thread named `schedule`, until dropped.
#[derive(Debug)]
pub struct Scheduled {
    _thread: Ticking,
}

impl Scheduled {
    /// Starts to keep a schedule.
    ///
    /// # Errors
    /// Where the system refuses the thread.
    pub fn start(settings: SharedSchedule, desk: Arc<Desk>) -> Result<Self, ScheduleError> {
        let has_cron = settings.lock().unwrap_or_else(PoisonError::into_inner).cron.is_some();
        if has_cron
            && let Ok(zone) = system_zone()
            && let Some(name) = without_system_data(&zone)
        {
            tracing::warn!(
                "the system has no data of the time zone {name}: cron goes by those that came with outlast"
            );
        }
        let mut keeper = Keeper { settings, desk, turns: None, zone: TimeZone::UTC };
        let thread = Ticking::start("schedule", SOON, move || keeper.step(Timestamp::now()))?;
        Ok(Self { _thread: thread })
    }
}

/// What the thread has.
struct Keeper {
    settings: SharedSchedule,
    desk: Arc<Desk>,
    /// None until the state can be read.
    turns: Option<Turns>,
    /// As it was last known.
    zone: TimeZone,
}

impl Keeper {
    /// Does what is due, and tells how long nothing is.
    fn step(&mut self, now: Timestamp) -> Duration {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(view) = self.desk.engine().view() else { return SOON };
        let scans = || view.reader.jobs().map(|jobs| Scans::of(&jobs)).unwrap_or_default();
        let begun = |last: Option<Timestamp>| last.filter(|last| *last <= now).unwrap_or(now);
        let turns = self.turns.get_or_insert_with(|| Turns { last: begun(scans().last) });
        // It was known when the settings were read.
        self.zone = system_zone().unwrap_or_else(|_| self.zone.clone());
        let schedule = Schedule::new(&settings, seed_of(&view.state), self.zone.clone());
        match turns.turn(&schedule, now, scans) {
            Turn::Wait(wait) => wait,
            Turn::LeaveOut => {
                tracing::info!("a scan is due by the schedule and left out, as one goes on or waits");
                SOON
            }
            Turn::Scan => match self.desk.order(Order::Rescan { path: None, scheduled: true }) {
                Ok(done) => {
                    tracing::info!("a scan is due by the schedule: {}", done.what);
                    turns.last = now;
                    SOON
                }
                Err(error) => {
                    tracing::warn!(%error, "a scan is due by the schedule and can't be asked for; trying again");
                    LOOK
                }
            },
        }
    }
}

/// A number that this state folder has on this machine, and hardly another one: states that have the same schedule
/// are not all scanned at the same time.
fn seed_of(state: &Path) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&std::fs::read("/etc/machine-id").unwrap_or_default());
    hasher.update(state.as_os_str().as_bytes());
    hasher.update(&state.metadata().map_or(0, |found| found.ino()).to_le_bytes());
    first_of(&hasher)
}

fn first_of(hasher: &blake3::Hasher) -> u64 {
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests;
