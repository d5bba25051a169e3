//! Scans at set times: so long after the last one, or as a cron expression says.
//!
//! Constraints: never two such scans at once. A time that comes during a scan is skipped. However many times were
//! missed, because the process was down, the machine slept or the clock was set forward, one scan makes up for them.
//! The wall clock counts, and is read each half minute, since it may be set and the machine may sleep.
//!
//! Cron expressions use the time zone of the system, or that of `TZ`. If summer time skips the time of day, the scan
//! begins at the first moment after the gap; if the time of day comes twice, it begins once.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::control_handle::ControlHandle;
use super::ticker::Ticker;
use crate::engine::Command;
use crate::ledger::{Job, JobKind};

/// How often the wall clock is read, at least.
const LOOK: Duration = Duration::from_secs(30);
/// How soon it is read again after an action.
const SOON: Duration = Duration::from_secs(1);

/// Parses a cron expression of five fields.
pub(super) fn read_cron(text: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|wrong| wrong.to_string())
}

/// Returns the time zone of the system, or that of `TZ`; UTC if the system has none.
///
/// # Errors
/// `TZ`, or `/etc/localtime`, is not a known zone.
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

/// Returns the name of a zone whose data the system lacks, so that the built-in data is used.
fn without_system_data(zone: &TimeZone) -> Option<&str> {
    let name = zone.iana_name().filter(|_| *zone != TimeZone::UTC)?;
    let folder = std::env::var_os("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".into());
    (!Path::new(&folder).join(name).exists()).then_some(name)
}

/// When all roots are scanned again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Time since the start of the last scan.
    pub every: Option<Duration>,
    /// Times, as a cron expression.
    pub cron: Option<String>,
    /// Random delay, at most.
    pub jitter: Duration,
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
    /// Creates a schedule from the settings; `seed` determines its delays. A cron expression that can't be parsed,
    /// which settings never contain, is ignored.
    pub fn new(settings: &ScheduleSettings, seed: u64, zone: TimeZone) -> Self {
        let cron = settings.cron.as_deref().and_then(|text| read_cron(text).ok());
        Self { every: settings.every, cron, jitter: settings.jitter, seed, zone }
    }

    /// Returns when the scan after `last` is due: a time up to `after` is due now, `None` is never. A last scan in
    /// the future, as the clock was set back, counts as one that begins now.
    pub fn next(&self, after: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
        let from = last.filter(|last| *last <= after).unwrap_or(after);
        let every = self.every.and_then(|every| from.checked_add(every).ok());
        let by_cron = |cron: &Cron| cron.find_next_occurrence(&from.to_zoned(self.zone.clone()), false).ok();
        let cron = self.cron.as_ref().and_then(by_cron).map(|time| time.timestamp());
        let due = every.into_iter().chain(cron).min()?;
        due.checked_add(self.delay(due)).ok()
    }

    /// Returns the delay of a scan due at this time: always the same.
    fn delay(&self, due: Timestamp) -> Duration {
        let Ok(most @ 1..) = u64::try_from(self.jitter.as_millis()) else { return Duration::ZERO };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&due.as_millisecond().to_le_bytes());
        Duration::from_millis(first_of(&hasher) % most.saturating_add(1))
    }
}

/// The known scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Scans {
    /// When the last scan of all roots began.
    last: Option<Timestamp>,
    /// Whether one runs or is queued.
    open: bool,
}

impl Scans {
    /// Selects the jobs that scan all served roots.
    fn of(jobs: &[Job]) -> Self {
        let scans = || {
            jobs.iter()
                .filter(|job| !matches!(job.kind, JobKind::Watch | JobKind::Listed) && job.scope.is_none())
        };
        // The served roots are those of the latest watch job or of the latest start's scans; the first scan of an
        // added root covers that root only.
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

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScheduleStep {
    /// Nothing, for so long at most.
    Wait(Duration),
    /// Start the scan that is due.
    Scan,
    /// Skip the scan that is due, since one is running.
    Skip,
}

/// The state of a schedule between two checks.
#[derive(Debug)]
struct ScheduleCursor {
    /// When the last scan began, or was skipped; before any is known, when the schedule began.
    last: Timestamp,
}

impl ScheduleCursor {
    /// Returns what is due now. Calls `look` for the scans only if a scan may be due.
    fn advance(&mut self, schedule: &Schedule, now: Timestamp, look: impl FnOnce() -> Scans) -> ScheduleStep {
        // The clock may have been set back.
        self.last = self.last.min(now);
        let wait = |last| match schedule.next(now, Some(last)) {
            Some(due) if due <= now => None,
            Some(due) => Some(ScheduleStep::Wait(
                Duration::try_from(due.duration_since(now)).map_or(LOOK, |wait| wait.min(LOOK)),
            )),
            None => Some(ScheduleStep::Wait(LOOK)),
        };
        if let Some(turn) = wait(self.last) {
            return turn;
        }
        let scans = look();
        if scans.open {
            self.last = now;
            return ScheduleStep::Skip;
        }
        // A scan may have been requested meanwhile.
        self.last = scans.last.filter(|last| *last <= now).map_or(self.last, |last| last.max(self.last));
        wait(self.last).unwrap_or(ScheduleStep::Scan)
    }
}

/// Settings of a schedule that may change while it runs; a change takes effect within half a minute.
pub type SharedSchedule = Arc<Mutex<ScheduleSettings>>;

/// The thread can't be started.
#[derive(Debug, thiserror::Error)]
#[error("scans at set times can't be kept: {0}")]
pub struct ScheduleError(#[from] std::io::Error);

/// The scheduler of due scans, on a thread named `schedule`, until dropped.
#[derive(Debug)]
pub struct Scheduled {
    _thread: Ticker,
}

impl Scheduled {
    /// Starts a schedule.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub fn start(
        settings: SharedSchedule,
        control_handle: Arc<ControlHandle>,
    ) -> Result<Self, ScheduleError> {
        let has_cron = settings.lock().unwrap_or_else(PoisonError::into_inner).cron.is_some();
        if has_cron
            && let Ok(zone) = system_zone()
            && let Some(name) = without_system_data(&zone)
        {
            tracing::warn!(
                "the system has no data of the time zone {name}: cron goes by those that came with outlast"
            );
        }
        let mut scheduler = Scheduler { settings, control_handle, cursor: None, zone: TimeZone::UTC };
        let thread = Ticker::start("schedule", SOON, move || scheduler.step(Timestamp::now()))?;
        Ok(Self { _thread: thread })
    }
}

/// The state of the thread.
struct Scheduler {
    settings: SharedSchedule,
    control_handle: Arc<ControlHandle>,
    /// `None` until the state can be read.
    cursor: Option<ScheduleCursor>,
    /// The last known zone.
    zone: TimeZone,
}

impl Scheduler {
    /// Does what is due, and returns how long nothing will be.
    fn step(&mut self, now: Timestamp) -> Duration {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(view) = self.control_handle.engine().view() else { return SOON };
        let scans = || view.reader.jobs().map(|jobs| Scans::of(&jobs)).unwrap_or_default();
        let begun = |last: Option<Timestamp>| last.filter(|last| *last <= now).unwrap_or(now);
        let cursor = self.cursor.get_or_insert_with(|| ScheduleCursor { last: begun(scans().last) });
        // It was valid when the settings were read.
        self.zone = system_zone().unwrap_or_else(|_| self.zone.clone());
        let schedule = Schedule::new(&settings, seed_of(&view.state), self.zone.clone());
        match cursor.advance(&schedule, now, scans) {
            ScheduleStep::Wait(wait) => wait,
            ScheduleStep::Skip => {
                tracing::info!("a scan is due by the schedule and left out, as one goes on or waits");
                SOON
            }
            ScheduleStep::Scan => {
                match self.control_handle.order(Command::Rescan { path: None, scheduled: true }) {
                    Ok(done) => {
                        tracing::info!("a scan is due by the schedule: {}", done.what);
                        cursor.last = now;
                        SOON
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a scan is due by the schedule and can't be asked for; trying again");
                        LOOK
                    }
                }
            }
        }
    }
}

/// Returns a number that is stable for this state folder on this machine and almost certainly unique: states with the
/// same schedule are not all scanned at the same time.
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
