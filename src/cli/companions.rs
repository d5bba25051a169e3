//! What lives while the process holds the state: others' ways to ask it and to give it orders.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outlast::BatchConfig;
use outlast::engine::Engine;
use outlast::service::{Controlled, Desk, NextJob, Reload, Reloading, Signals};

use super::Configured;

/// All that goes with an engine.
pub(crate) struct Company {
    desk: Arc<Desk>,
    reload: Arc<Reload>,
}

/// What was started; dropped before the state is closed.
pub(crate) struct Companions {
    _control: Option<Controlled>,
    _reloading: Option<Reloading>,
}

impl Company {
    /// For an engine that is given this configuration.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        configured: Configured<'_>,
        config: &BatchConfig,
        signals: &Signals,
        next_job: NextJob,
    ) -> Self {
        let Configured { layers, settings, set_level } = configured;
        let signals = signals.clone();
        let reload = Reload::new(layers, settings.clone(), config.clone(), Arc::clone(engine), next_job)
            .applying(set_level)
            .applying(move |settings| {
                signals.set_drain(Duration::from_secs(settings.batch().drain_seconds));
            });
        let reload = Arc::new(reload);
        let by_order = Arc::clone(&reload);
        let desk = Desk::new(Arc::clone(engine)).with_reload(move || by_order.read_again());
        Self { desk: Arc::new(desk), reload }
    }

    /// Starts what lives while the process holds this state. What can't be started is said, and done without.
    pub(crate) fn join(&self, state: &Path) -> Companions {
        let control = Controlled::listen(state, Arc::clone(&self.desk))
            .inspect_err(|error| tracing::warn!(%error, "status, explain and ctl can't ask this process"));
        let reloading = Reloading::start(Arc::clone(&self.reload))
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP would end this process"));
        Companions { _control: control.ok(), _reloading: reloading.ok() }
    }
}
