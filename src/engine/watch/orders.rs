//! Orders that need the state, carried out by the thread that holds it.

use std::path::{Path, PathBuf};

use super::agenda::{Agenda, Present, Queued};
use crate::engine::coordinator::Coordinator;
use crate::engine::error::EngineError;
use crate::engine::job::{self, Wanted};
use crate::engine::lookout::Lookout;
use crate::engine::order::{Order, OrderDone, Ordered};
use crate::engine::results::WatchFigures;
use crate::engine::run_state::Ending;
use crate::engine::store::Store;
use crate::ledger::{Job, JobEnd, JobKind};
use crate::model::BatchConfig;
use crate::source::Source;

impl Coordinator<'_> {
    /// Carries out what needs the state. An error is the state's own: the run can't go on with it.
    pub(crate) fn carry_out(&mut self, ordered: Ordered) -> Result<(), EngineError> {
        let Some(agenda) = self.agenda.as_deref_mut() else {
            let what = "this is a single run: only `outlast watch` takes that order";
            // Whoever asked may have gone.
            let _ = ordered.reply.try_send(Err(EngineError::Job(what.to_owned())));
            return Ok(());
        };
        let hands = Hands {
            store: self.committer.store_mut(),
            lookout: self.set.guard.lookout,
            processor: self.set.context.processor.identity(),
            running: &self.set.plan.job,
            config: &self.set.context.config,
        };
        match agenda.carry_out(ordered.order, hands) {
            Err(error) if error.is_of_the_state() => return Err(error),
            // Whoever asked may have gone.
            done => drop(ordered.reply.try_send(done)),
        }
        self.switch_if_wanted()
    }

    /// Looks at what a watching process has to do.
    pub(crate) fn look_at_agenda(&mut self) -> Result<(), EngineError> {
        let Some(agenda) = self.agenda.as_deref_mut().filter(|agenda| agenda.is_due()) else { return Ok(()) };
        let (store, context) = (self.committer.store_mut(), self.set.context);
        let present = Present {
            lookout: self.set.guard.lookout,
            processor: context.processor.identity(),
            config: &context.config,
        };
        let lost = agenda.look(store, &present, &self.set.plan.job)?;
        let figures = agenda.figures(store);
        agenda.tell_of_polling(&figures.status);
        self.run.statistics.watch = Some(WatchFigures { latency: self.run.latency.figures(), ..figures });
        if let Some(lost) = lost {
            self.lost_root(lost);
        }
        self.switch_if_wanted()
    }

    /// Makes room for another job where one should come first.
    pub(crate) fn switch_if_wanted(&mut self) -> Result<(), EngineError> {
        let Some(agenda) = self.agenda.as_deref() else { return Ok(()) };
        if agenda.wants_switch(self.committer.store(), &self.set.plan.job)? {
            self.end(Ending::Superseded);
        }
        Ok(())
    }
}

/// What carrying out an order takes.
struct Hands<'a> {
    store: &'a mut Store,
    lookout: &'a Lookout,
    processor: &'a str,
    running: &'a Job,
    config: &'a BatchConfig,
}

impl Agenda {
    fn carry_out(&mut self, order: Order, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        match order {
            Order::Rescan { path: None, scheduled } => self.rescan_all(scheduled, hands),
            Order::Rescan { path: Some(path), .. } => self.rescan(&PathBuf::from(path), hands),
            Order::Add { root, priority } => self.add(PathBuf::from(root), priority, hands),
            Order::Remove { root } => self.remove(&PathBuf::from(root), hands),
            Order::Cancel { job } => self.cancel(job, hands),
            other => Err(EngineError::Job(format!("nothing that a job does: {other:?}"))),
        }
    }

    fn rescan_all(&mut self, scheduled: bool, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        let kind = if scheduled { JobKind::Scheduled } else { JobKind::Rescan };
        let is_under_way = |job: &Job| job.kind == JobKind::Scheduled && !job.end.is_final();
        if scheduled && let Some(job) = hands.store.reader.jobs()?.iter().find(|job| is_under_way(job)) {
            let what = format!("nothing queued: job {}, which the schedule asked for, has not ended", job.id);
            return Ok(OrderDone { job: Some(job.id), ..OrderDone::told(what) });
        }
        let queued = self.queue(hands.store, Wanted::of(kind, self.ids()))?;
        Ok(told(&queued, "a scan of all roots"))
    }

    fn rescan(&mut self, path: &Path, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        let what = "lies in none of the roots that are served";
        let (root, _) = self.root_above(path).ok_or_else(|| EngineError::root(path, what))?;
        // What is no folder, or not there any more, is seen from the folder above.
        let is_scope = |folder: &&Path| folder.is_dir() && folder.to_str().is_some();
        let from = path.to_owned();
        let look = move |_: &dyn Source| from.ancestors().find(is_scope).map(Path::to_owned);
        let found = hands.lookout.ask(&root.path, look);
        let found = found.map_err(|error| EngineError::root(&root.path, error.to_string()))?;
        let folder = found.as_deref().filter(|folder| folder.starts_with(&root.path));
        let below = folder.and_then(|folder| folder.strip_prefix(&root.path).ok()).unwrap_or(Path::new(""));
        let scope = below.to_str().filter(|scope| !scope.is_empty()).map(str::to_owned);
        let shown = folder.unwrap_or(&root.path).to_owned();
        let wanted = Wanted { scope, ..Wanted::of(JobKind::Rescan, vec![root.id.0]) };
        let queued = self.queue(hands.store, wanted)?;
        let what = match shown == path {
            true => format!("a scan of {}", shown.display()),
            false => format!("a scan of {}, as {} is no folder", shown.display(), path.display()),
        };
        Ok(told(&queued, &what))
    }

    fn add(&mut self, path: PathBuf, priority: i16, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        let paths = job::resolve_root(hands.lookout, &path).map_err(|(error, _)| error)?;
        if let Some(root) = paths.iter().find_map(|path| self.find(path)) {
            return Ok(OrderDone::told(format!("{} is served already", root.path.display())));
        }
        let infos = job::register(
            hands.store,
            &paths,
            hands.processor,
            hands.lookout.source().as_ref(),
            hands.config,
        )?;
        let ids: Vec<u32> = infos.iter().map(|info| info.id).collect();
        hands.store.state.update(|state| {
            let added = state.roots.iter_mut().filter(|info| ids.contains(&info.id));
            added.for_each(|info| info.watched = true);
        })?;
        let shown = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        infos.iter().for_each(|info| self.serve(info.root(), None));
        self.warn_of_nested(hands.store);
        let queued = self.queue(hands.store, Wanted { priority, ..Wanted::of(JobKind::Added, ids) })?;
        Ok(told(&queued, &format!("the first scan of {shown}")))
    }

    fn remove(&mut self, path: &Path, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        let root =
            self.find(path).ok_or_else(|| EngineError::root(path, "is no root that is served"))?.clone();
        if self.ids().len() == 1 {
            return Err(EngineError::root(path, "is the only root; to end the process, order `stop`"));
        }
        self.leave(root.id);
        hands.store.state.update(|state| {
            let removed = state.roots.iter_mut().filter(|info| info.id == root.id.0);
            removed.for_each(|info| info.watched = false);
        })?;
        self.cancel_unserved(hands.store)?;
        self.cancelled |= hands.running.roots == [root.id.0];
        self.changed = true;
        let mut what =
            format!("{} is not served any more; its records stay as they are", root.path.display());
        if self.named.contains(&root.path) {
            what +=
                ". This process was started with it: name it no longer, or the next start serves it again";
        }
        Ok(OrderDone::told(what))
    }

    fn cancel(&mut self, id: u64, hands: Hands<'_>) -> Result<OrderDone, EngineError> {
        if id == hands.running.id && hands.running.kind == JobKind::Watch {
            return Err(EngineError::Job(format!(
                "job {id} is the watching itself; to end it, order `stop`"
            )));
        }
        if id == hands.running.id {
            self.cancelled = true;
            return Ok(OrderDone {
                job: Some(id),
                ..OrderDone::told(format!("job {id} scans no further; what it has found is processed still"))
            });
        }
        let jobs = hands.store.reader.jobs()?;
        let Some(job) = jobs.into_iter().find(|job| job.id == id && job.end == JobEnd::Queued) else {
            return Err(EngineError::Job(format!("no job {id} waits or runs; see `outlast jobs`")));
        };
        hands.store.commit_without_lines(&[], Some(&job::ended(job, JobEnd::Cancelled)))?;
        Ok(OrderDone { job: Some(id), ..OrderDone::told(format!("job {id} is cancelled")) })
    }
}

fn told(queued: &Queued, what: &str) -> OrderDone {
    let &Queued { job, is_new } = queued;
    let told = match is_new {
        true => format!("queued as job {job}: {what}"),
        false => format!("nothing queued: job {job} waits, and is {what}"),
    };
    OrderDone { job: Some(job), ..OrderDone::told(told) }
}
