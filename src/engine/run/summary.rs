//! The thread `summary`: writes the summary of a shard's state every 10 s, for readers on other machines.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::live::Shared;
use crate::engine::error::EngineError;
use crate::engine::query::shards::summary::ShardSummary;
use crate::engine::stats::ProcessingState;
use crate::engine::store::{Store, StoreView};
use crate::model::Shard;
use crate::model::joining::join_until;

const EVERY: Duration = Duration::from_secs(10);
/// The first one comes sooner, and so does the next one after a time without a view.
const SOON: Duration = Duration::from_secs(1);
/// How long the end waits for the thread, which a file system may block for ever.
const END: Duration = Duration::from_secs(2);

/// The writer of a shard's summaries, until its end.
pub(super) struct SummaryWriter {
    source: SummarySource,
    /// Nothing is ever sent: dropping it ends the thread.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct SummarySource {
    shared: Arc<Shared>,
    shard: Shard,
    processor: String,
}

impl SummaryWriter {
    /// Starts the thread. If that fails, only the last summary is written.
    pub(super) fn start(shared: Arc<Shared>, shard: Shard, processor: &str) -> Self {
        let source = SummarySource { shared, shard, processor: processor.to_owned() };
        let (end, ended) = sync_channel::<()>(0);
        let of_thread = source.clone();
        let thread = std::thread::Builder::new().name("summary".to_owned()).spawn(move || {
            let mut wait = SOON;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let view = of_thread.shared.of_run(|running| running.view.clone());
                wait = if view.is_some() { EVERY } else { SOON };
                view.iter().for_each(|view| of_thread.write_or_warn(view, false));
            }
        });
        let thread = thread.inspect_err(|error| tracing::warn!(%error, "no thread can write summaries"));
        Self { source, end: Some(end), thread: thread.ok() }
    }

    /// Writes the last summary, of a state that is about to be closed.
    pub(super) fn end(mut self, store: &Store) {
        self.stop();
        self.source.write_or_warn(&store.view(), true);
    }

    fn stop(&mut self) {
        drop(self.end.take());
        self.thread.take().into_iter().for_each(|thread| join_until(thread, Instant::now() + END));
    }
}

impl Drop for SummaryWriter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl SummarySource {
    fn write_or_warn(&self, view: &StoreView, ended: bool) {
        if let Err(error) = self.write(view, ended) {
            tracing::warn!(%error, "the summary of the shard can't be written");
        }
    }

    fn write(&self, view: &StoreView, ended: bool) -> Result<(), EngineError> {
        let (phase, progress) = self.shared.figures();
        let shown = (if ended { ProcessingState::Ended } else { phase }, progress);
        let summary = ShardSummary::of(view, self.shard, &self.processor, shown, ended)?;
        Ok(view.reader.put_summary(&summary.to_bytes())?)
    }
}
