//! Services of a process while it holds the state: how others query and control it.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use outlast::BatchConfig;
use outlast::engine::Engine;
use outlast::service::settings::Settings;
use outlast::service::{
    ControlHandle, Controlled, NextJob, Reload, Reloading, Scheduled, Served, SharedSchedule, Signals,
    SystemdNotifier,
};

use super::{Configured, allocator};
use crate::cli::output::terminal::tell;

/// The services of an engine.
pub(crate) struct Services {
    control_handle: Arc<ControlHandle>,
    reload: Arc<Reload>,
    /// Set for a long-running process.
    schedule: Option<SharedSchedule>,
    /// Moves to the running services once they start.
    served: Cell<Option<Served>>,
}

/// The running services; dropped before the state is closed.
pub(crate) struct RunningServices {
    /// Ends first: the service manager gets no more status.
    _notifier: Option<SystemdNotifier>,
    _scheduled: Option<Scheduled>,
    _reloading: Option<Reloading>,
    _served: Option<Served>,
    _control: Option<Controlled>,
}

impl Services {
    /// Prepares an engine with this configuration. HTTP is served from now on: if that fails, nothing starts.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        configured: Configured<'_>,
        config: &BatchConfig,
        signals: &Signals,
        next_job: NextJob,
    ) -> Result<Self> {
        let Configured { layers, settings, set_level, reopen_log } = configured;
        #[cfg(feature = "otel")]
        super::otel::observe(engine);
        let signals = signals.clone();
        let schedule: SharedSchedule = Arc::new(Mutex::new(settings.fields().schedule.clone()));
        let changing = Arc::clone(&schedule);
        let reload = Reload::new(layers, settings.clone(), config.clone(), Arc::clone(engine), next_job)
            .reopening(reopen_log)
            .applying(set_level)
            .applying(move |settings| {
                signals.set_drain(Duration::from_secs(settings.fields().batch.drain_seconds));
            })
            .applying(move |settings| {
                *changing.lock().unwrap_or_else(PoisonError::into_inner) = settings.fields().schedule.clone();
            });
        let reload = Arc::new(reload);
        let by_order = Arc::clone(&reload);
        let control_handle =
            ControlHandle::new(Arc::clone(engine)).with_reload(move || by_order.read_again());
        let schedule = (next_job == NextJob::Here).then_some(schedule);
        let control_handle = Arc::new(control_handle);
        let served = serve(settings, &control_handle)?;
        if let Some(served) = &served {
            reload.changing_token(served.token_changer());
        }
        let served = Cell::new(served);
        Ok(Self { control_handle, reload, schedule, served })
    }

    /// Starts the services for the time that the process holds this state. A failure is reported, and tolerated.
    pub(crate) fn start(&self, state: &Path) -> RunningServices {
        allocator::state_is_open();
        let control = Controlled::listen(state, Arc::clone(&self.control_handle))
            .inspect_err(|error| tracing::warn!(%error, "status, explain and ctl can't ask this process"));
        let reloading = Reloading::start(Arc::clone(&self.reload))
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP would end this process"));
        let keep = |schedule: &SharedSchedule| {
            Scheduled::start(Arc::clone(schedule), Arc::clone(&self.control_handle))
                .inspect_err(|error| tracing::warn!(%error, "no scan is made by the schedule"))
                .ok()
        };
        let scheduled = self.schedule.as_ref().and_then(keep);
        // Last, as it reports readiness.
        let notifier = SystemdNotifier::start(Arc::clone(self.control_handle.engine()))
            .inspect_err(|error| tracing::warn!(%error, "nothing is reported to the service manager"));
        RunningServices {
            _notifier: notifier.ok(),
            _scheduled: scheduled,
            _reloading: reloading.ok(),
            _served: self.served.take().inspect(say_served),
            _control: control.ok(),
        }
    }
}

/// Serves HTTP, if configured. The address is printed once the state is held.
fn serve(settings: &Settings, control_handle: &Arc<ControlHandle>) -> Result<Option<Served>> {
    let Some(http) = settings.http()? else { return Ok(None) };
    Ok(Some(Served::start(&http, Arc::clone(control_handle))?))
}

fn say_served(served: &Served) {
    tell(&format!("outlast: serving http://{}/", served.address()));
    tracing::info!(address = %served.address(), "serving HTTP");
}
