//! The registry of a state's roots: registering, choosing for a job, and pruning.

use super::probe::FsProbe;
use super::{GivenRoot, identity};
use crate::engine::Store;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition;
use crate::ledger::{Entry, LedgerReader, ReadyPosition, RootInfo};
use crate::model::config::BatchConfig;
use crate::model::key::{FileKey, RootId};
use crate::source::Source;

/// Files checked at once when a changed filter is applied to pending ones.
const PRUNE_FILES: usize = 8192;

/// Finds or adds each root in the state, and records what changed since its last run.
pub(crate) fn register(
    store: &mut Store,
    roots: &[GivenRoot],
    processor: &str,
    fs_probe: &FsProbe,
    config: &BatchConfig,
) -> Result<Vec<RootInfo>, EngineError> {
    let source = fs_probe.source().as_ref();
    let before = store.state.info().roots.clone();
    let mut infos = before.clone();
    let used = last_used(&store.reader)?;
    let (chosen, filtered) = choose(&mut infos, roots, processor, &source.filters(), config, used)?;
    if infos != before {
        super::warn_of_new(fs_probe, &before, &chosen);
        // Files no longer let in leave the queue before the new filters are recorded.
        prune(store, &filtered, source)?;
        // Otherwise the first attempt would record the identities of the new ones, and write the state once more.
        identity::mark_new(fs_probe, infos.iter_mut().skip(before.len()));
        store.describe(|state| state.roots = infos)?;
    }
    Ok(chosen)
}

/// Returns the highest number of a root that a remembered job names: a new root must not reuse one.
pub(crate) fn last_used(reader: &LedgerReader) -> Result<u32, EngineError> {
    Ok(reader.jobs()?.iter().flat_map(|job| &job.roots).copied().max().unwrap_or(0))
}

/// Returns the chosen roots as a run with this processor and these filters leaves them, and which of them had other
/// filters before. A chosen root's target is where its path leads now; that of others, where it led when last probed.
pub(crate) fn choose(
    infos: &mut Vec<RootInfo>,
    roots: &[GivenRoot],
    processor: &str,
    filters: &str,
    config: &BatchConfig,
    used: u32,
) -> Result<(Vec<RootInfo>, Vec<RootId>), EngineError> {
    let mut chosen = Vec::new();
    let mut filtered = Vec::new();
    for root in super::each_once(infos, roots) {
        let at = super::find_or_add(infos, root, processor, used)?;
        let Some(info) = infos.get_mut(at) else { continue };
        if info.processor != processor {
            check_processor(info, processor, config)?;
            tracing::warn!(root = %info.name, from = %info.processor, to = %processor,
                "the processor changed: every file is due again");
        }
        if info.processor != processor || config.reprocess {
            info.epoch += 1;
            processor.clone_into(&mut info.processor);
        }
        if info.filters != filters {
            filtered.push(RootId(info.id));
            filters.clone_into(&mut info.filters);
        }
        chosen.push(RootInfo { target: root.target.clone(), ..info.clone() });
    }
    Ok((chosen, filtered))
}

/// A new version of a processor takes over its own records; another processor only where that is requested.
pub(crate) fn check_processor(
    info: &RootInfo,
    processor: &str,
    config: &BatchConfig,
) -> Result<(), EngineError> {
    let name = |identity: &str| identity.rsplit_once('/').map_or(identity, |(name, _)| name).to_owned();
    if config.change_processor || info.processor.is_empty() || name(&info.processor) == name(processor) {
        return Ok(());
    }
    let wanted = processor.to_owned();
    Err(EngineError::OtherProcessor { path: info.path.clone(), found: info.processor.clone(), wanted })
}

/// Removes pending files that the filters no longer let in from the queue. One with a record keeps it, and is due
/// again when a filter lets it in.
fn prune(store: &mut Store, roots: &[RootId], source: &dyn Source) -> Result<(), EngineError> {
    let mut position = Some(ReadyPosition::default());
    while let Some(from) = position {
        let ready = store.reader.ready(&from, PRUNE_FILES)?;
        let mut changes: Vec<(FileKey, Option<Entry>)> = Vec::new();
        for (key, entry) in ready.files {
            if roots.contains(&key.root()) && !source.accepts(&key.relative_path()) {
                changes.push((key, transition::hidden(&entry)));
            }
        }
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        if !changes.is_empty() {
            store.commit_without_lines(&changes, None)?;
        }
        position = ready.next;
    }
    Ok(())
}
