//! Checks the served roots: which went away, are back, or lead elsewhere than before.

use super::{WatchContext, WatchState};
use crate::engine::error::{EngineError, ProbeError};
use crate::engine::roots::identity::{LostRoot, RootIdentities, RootVerdict, known_files};
use crate::engine::roots::probe::{FsProbe, ProbeHandle};
use crate::engine::roots::{GivenRoot, registry};
use crate::model::{BatchConfig, FileKey, Root};
use crate::source::Source;

/// A served root.
#[derive(Debug)]
pub(crate) struct ServedRoot {
    pub(super) root: Root,
    /// Why it can't be served just now.
    pub(super) away: Option<LostRoot>,
    /// It was registered by this process.
    pub(super) is_registered: bool,
    /// The probe whether it went away, or is back.
    pub(super) look: Option<ProbeHandle<RootVerdict>>,
    /// Files that it had when it went away, used to recognise it.
    pub(super) known: Option<Vec<FileKey>>,
}

impl ServedRoot {
    /// Returns the last probe's answer, if it is new, and begins the next probe.
    fn look(
        &mut self,
        fs_probe: &FsProbe,
        question: impl FnOnce(&dyn Source) -> RootVerdict + Send + 'static,
    ) -> Option<RootVerdict> {
        let answer = match &self.look {
            Some(look) => Some(look.answer()?),
            None => None,
        };
        let begun = fs_probe.begin(&self.root.path, question);
        let overdue = begun
            .as_ref()
            .err()
            .filter(|error| **error == ProbeError::Overdue)
            .map(|error| RootVerdict::Lost(error.to_string()));
        self.look = begun.ok();
        answer.and_then(Result::ok).or(overdue)
    }
}

impl WatchState {
    /// Returns the roots that went away, and those that lead elsewhere than before: what the running job knows of
    /// these is no longer true.
    pub(super) fn look_at_those_here(
        &mut self,
        context: &mut WatchContext<'_>,
    ) -> Result<(Vec<LostRoot>, Vec<u32>), EngineError> {
        let WatchContext { store, fs_probe, .. } = context;
        let mut lost = Vec::new();
        let mut led = Vec::new();
        let identities = RootIdentities::of(store.state.info());
        for served in self.served.iter_mut().filter(|served| served.away.is_none()) {
            let before = identities.clone();
            let root = served.root.clone();
            match served.look(fs_probe, move |source| before.compare(source, &root)) {
                Some(RootVerdict::Lost(why)) => lost.push(LostRoot::new(served.root.clone(), why)),
                Some(RootVerdict::Leads(seen)) => {
                    let path = served.root.path.display();
                    let target = seen.target.display().to_string();
                    tracing::warn!("{path}: leads to {target} now, which is watched and scanned");
                    RootIdentities::of(store.state.info()).accept(store, served.root.id, seen)?;
                    served.look = None;
                    led.push(served.root.id.0);
                }
                Some(RootVerdict::Same(_)) | None => {}
            }
        }
        self.changed |= !led.is_empty();
        Ok((lost, led))
    }

    pub(super) fn came_back(&mut self, context: &mut WatchContext<'_>) -> Result<Vec<u32>, EngineError> {
        let WatchContext { store, fs_probe, processor, config, .. } = context;
        let mut back = Vec::new();
        let identities = RootIdentities::of(store.state.info());
        for served in self.served.iter_mut().filter(|served| served.away.is_some()) {
            let identities = identities.clone();
            let root = served.root.clone();
            let known = match &served.known {
                Some(known) => known.clone(),
                None => served.known.insert(known_files(&store.reader, &root)?).clone(),
            };
            let accept_empty = config.accept_empty;
            let lost = served.away.clone();
            let look = move |source: &dyn Source| {
                let seen = identities.recognise(source, &root, &known, accept_empty);
                let unlisted = || lost.and_then(|lost| lost.still_unlisted(source));
                seen.and_then(|seen| unlisted().map_or(Ok(seen), Err))
                    .map_or_else(RootVerdict::Lost, RootVerdict::Same)
            };
            if let Some(RootVerdict::Same(seen)) = served.look(fs_probe, look) {
                // It may be another directory with the same files, and would be lost again at once.
                RootIdentities::of(store.state.info()).accept(store, served.root.id, seen)?;
                // The processor and the filters may have changed since it was last there.
                let reprocess = config.reprocess && !served.is_registered;
                let config = BatchConfig { reprocess, ..(*config).clone() };
                let root = GivenRoot::known(served.root.path.clone());
                registry::register(store, &[root], processor, fs_probe, &config)?;
                tracing::warn!("{}: is back", served.root.path.display());
                served.away = None;
                served.is_registered = true;
                served.look = None;
                served.known = None;
                back.push(served.root.id.0);
            }
        }
        Ok(back)
    }
}
