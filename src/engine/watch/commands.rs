//! What a watching process does for a command: roots added or removed, scans queued, jobs cancelled.

use std::path::{Path, PathBuf};

use super::{Enqueued, WatchContext, WatchState};
use crate::engine::command::{Command, CommandReply};
use crate::engine::error::{EngineError, Refusal, RootError};
use crate::engine::job_plan::{self, JobRequest};
use crate::engine::roots::{self, registry};
use crate::engine::store::Store;
use crate::ledger::{Job, JobEnd, JobKind};
use crate::model::{Root, RootName};
use crate::source::Source;

/// Most jobs that may wait when a client asks for another one. The process itself queues one for each root.
pub(super) const QUEUED_MAX: usize = 1000;

impl WatchState {
    pub(crate) fn carry_out(
        &mut self,
        order: Command,
        context: WatchContext<'_>,
    ) -> Result<CommandReply, EngineError> {
        match order {
            Command::Rescan { path: None, scheduled } => self.rescan_all(scheduled, context),
            Command::Rescan { path: Some(path), .. } => self.rescan(&PathBuf::from(path), context),
            Command::Add { root, name, priority } => self.add(&PathBuf::from(root), name, priority, context),
            Command::Remove { root, name } => self.remove(&PathBuf::from(root), name.as_deref(), context),
            Command::Cancel { job_id } => self.cancel(job_id, context),
            // The engine itself takes these.
            Command::Pause
            | Command::Resume
            | Command::Stop
            | Command::Checkpoint
            | Command::Workers { .. }
            | Command::Configure { .. }
            | Command::Reload => Err(EngineError::NoRun),
        }
    }

    fn rescan_all(
        &mut self,
        scheduled: bool,
        context: WatchContext<'_>,
    ) -> Result<CommandReply, EngineError> {
        let kind = if scheduled { JobKind::Scheduled } else { JobKind::Rescan };
        let is_under_way = |job: &Job| job.kind == JobKind::Scheduled && !job.end.is_final();
        if scheduled && let Some(job) = context.store.reader.jobs()?.iter().find(|job| is_under_way(job)) {
            let what = format!("nothing queued: job {}, which the schedule asked for, has not ended", job.id);
            return Ok(CommandReply { job_id: Some(job.id), ..CommandReply::text(what) });
        }
        let queued = self.queue_asked(context.store, JobRequest::of(kind, self.ids()))?;
        Ok(reply_of(&queued, "a scan of all roots"))
    }

    /// Returns the innermost served root that contains a path, and the relative path from there. The path may also be
    /// one below where the root leads.
    fn root_above(
        &self,
        path: &Path,
        context: &WatchContext<'_>,
    ) -> Result<Option<(Root, PathBuf)>, EngineError> {
        let infos = &context.store.state.info().roots;
        let target_of = |root: &Root| {
            let info = infos.iter().find(|info| info.id == root.id.0);
            info.map_or_else(|| root.path.clone(), |info| info.target().to_owned())
        };
        let places: Vec<_> = self.roots().map(|root| (root.clone(), target_of(root))).collect();
        if let Some(found) = roots::root_above(&places, path) {
            return Ok(Some(found));
        }
        let at = path.to_owned();
        let real = context.fs_probe.ask(path, move |_: &dyn Source| roots::resolved(&at));
        let real = real.map_err(|error| EngineError::root(path, error))?;
        Ok(roots::root_above(&places, &real))
    }

    /// Queues a job that a client asked for, unless too many wait.
    pub(super) fn queue_asked(&self, store: &mut Store, wanted: JobRequest) -> Result<Enqueued, EngineError> {
        match self.check_room(store) {
            // One that waits may do it.
            Err(error) => self.waiting_for(store, &wanted)?.ok_or(error),
            Ok(()) => self.queue(store, wanted),
        }
    }

    /// Checks whether another job may be queued for a client.
    fn check_room(&self, store: &Store) -> Result<(), EngineError> {
        let waiting = store.reader.jobs()?.iter().filter(|job| job.end == JobEnd::Queued).count();
        if waiting < QUEUED_MAX {
            return Ok(());
        }
        Err(Refusal::TooManyJobs { waiting, waiting_max: QUEUED_MAX }.into())
    }

    fn rescan(&mut self, path: &Path, context: WatchContext<'_>) -> Result<CommandReply, EngineError> {
        let outside = || EngineError::root(path, RootError::OutsideRoots);
        let (root, relative) = self.root_above(path, &context)?.ok_or_else(outside)?;
        // What is not a directory, or no longer exists, is seen from the directory above.
        let at = root.path.clone();
        let from = relative.clone();
        let is_scope = move |below: &&Path| at.join(below).is_dir() && below.to_str().is_some();
        let look = move |_: &dyn Source| from.ancestors().find(is_scope).map(Path::to_owned);
        let found = context.fs_probe.ask(&root.path, look);
        let found = found.map_err(|error| EngineError::root(&root.path, error))?;
        let below = found.unwrap_or_default();
        let scope = below.to_str().filter(|scope| !scope.is_empty()).map(str::to_owned);
        let is_path = below == relative;
        let shown = if below.as_os_str().is_empty() { root.path.clone() } else { root.path.join(&below) };
        let wanted = JobRequest { scope, ..JobRequest::of(JobKind::Rescan, vec![root.id.0]) };
        let queued = self.queue_asked(context.store, wanted)?;
        let what = if is_path {
            format!("a scan of {}", shown.display())
        } else {
            format!("a scan of {}, as {} is not a directory", shown.display(), path.display())
        };
        Ok(reply_of(&queued, &what))
    }

    fn add(
        &mut self,
        path: &Path,
        name: Option<RootName>,
        priority: i16,
        context: WatchContext<'_>,
    ) -> Result<CommandReply, EngineError> {
        let mut given = roots::resolve_root(context.fs_probe, path).map_err(|not_there| not_there.error)?;
        roots::name_all(&mut given, &self.names);
        for root in given.iter_mut().filter(|_| name.is_some()) {
            root.name.clone_from(&name);
        }
        if let Some((root, given)) = given.iter().find_map(|given| Some((self.find(&given.path)?, given))) {
            roots::check_name(&root.name, given)?;
            return Ok(CommandReply::text(format!("{} is served already", root.path.display())));
        }
        self.check_room(context.store)?;
        let infos =
            registry::register(context.store, &given, context.processor, context.fs_probe, context.config)?;
        let ids: Vec<u32> = infos.iter().map(|info| info.id).collect();
        context.store.describe(|state| {
            let added = state.roots.iter_mut().filter(|info| ids.contains(&info.id));
            added.for_each(|info| info.watched = true);
        })?;
        let shown = infos.iter().map(|info| info.path.display().to_string()).collect::<Vec<_>>().join(", ");
        infos.iter().for_each(|info| self.serve(info.root(), None));
        self.warn_of_nested(context.store);
        let queued =
            self.queue(context.store, JobRequest { priority, ..JobRequest::of(JobKind::Added, ids) })?;
        Ok(reply_of(&queued, &format!("the first scan of {shown}")))
    }

    pub(crate) fn remove(
        &mut self,
        path: &Path,
        name: Option<&str>,
        context: WatchContext<'_>,
    ) -> Result<CommandReply, EngineError> {
        let has_name = |root: &&Root| Some(root.name.as_str()) == name;
        let found = match self.find(path).or_else(|| self.roots().find(has_name)) {
            Some(root) => Some(root.clone()),
            None => self
                .root_above(path, &context)?
                .filter(|(_, below)| below.as_os_str().is_empty())
                .map(|at| at.0),
        };
        let root = found.ok_or_else(|| EngineError::root(path, RootError::NotServed))?;
        if self.ids().len() == 1 {
            return Err(EngineError::root(path, RootError::OnlyRoot));
        }
        self.leave(root.id);
        context.store.describe(|state| {
            let removed = state.roots.iter_mut().filter(|info| info.id == root.id.0);
            removed.for_each(|info| info.watched = false);
        })?;
        self.cancel_unserved(context.store)?;
        self.cancelled |= context.running.roots == [root.id.0];
        self.changed = true;
        let mut what =
            format!("{} is not served any more; its records stay as they are", root.path.display());
        if self.named.contains(&root.path) {
            what +=
                ". This process was started with it: name it no longer, or the next start serves it again";
        }
        Ok(CommandReply::text(what))
    }

    fn cancel(&mut self, id: u64, context: WatchContext<'_>) -> Result<CommandReply, EngineError> {
        if id == context.running.id && context.running.kind == JobKind::Watch {
            return Err(Refusal::WatchingJob { job_id: id }.into());
        }
        if id == context.running.id {
            self.cancelled = true;
            return Ok(CommandReply {
                job_id: Some(id),
                ..CommandReply::text(format!(
                    "job {id} scans no further; what it has found is processed still"
                ))
            });
        }
        let jobs = context.store.reader.jobs()?;
        let Some(job) = jobs.into_iter().find(|job| job.id == id && job.end == JobEnd::Queued) else {
            return Err(Refusal::EndedJob { job_id: id }.into());
        };
        context.store.commit_without_lines(&[], Some(&job_plan::ended(job, JobEnd::Cancelled)))?;
        Ok(CommandReply { job_id: Some(id), ..CommandReply::text(format!("job {id} is cancelled")) })
    }
}

fn reply_of(queued: &Enqueued, what: &str) -> CommandReply {
    let &Enqueued { job_id, is_new } = queued;
    let text = if is_new {
        format!("queued as job {job_id}: {what}")
    } else {
        format!("nothing queued: job {job_id} waits, and is {what}")
    };
    CommandReply { job_id: Some(job_id), ..CommandReply::text(text) }
}
