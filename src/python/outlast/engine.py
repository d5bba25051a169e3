"""`BatchProcessingEngine`: a run, its live figures and its checkpoints, behind one object."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from outlast import command, process
from outlast.awaitable import Ready, usable_both_ways
from outlast.binary import Pathlike, Setting
from outlast.config import BatchConfig
from outlast.errors import OutlastError, UsageError
from outlast.process import Running
from outlast.progress import display
from outlast.reference import Reference
from outlast.runs import finish
from outlast.summary import Summary


class RepositoryProcessingResult(Summary, Ready):
    """The counts of a run."""


@dataclass
class BatchStatistics:
    """Live figures of a run, as of its last commit; those of the last one once it has ended."""

    # idle, scanning, processing, draining, waiting, paused or watching
    state: str = "idle"
    job_id: int = 0
    discovered: int = 0
    ok: int = 0
    failed: int = 0
    unchanged: int = 0
    pending: int = 0
    in_flight: int = 0
    bytes: int = 0
    elapsed_seconds: float = 0.0
    files_per_second: float = 0.0
    workers: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> BatchStatistics:
        """Returns those of the command's figures that have a name here."""
        return cls(**{name: value for name, value in figures.items() if name in cls.__dataclass_fields__})


@dataclass
class CheckpointData(Ready):
    """What has been committed, and all that it takes to go on from there, also in another process."""

    job_id: int
    # The state folder, as an absolute path.
    state: str
    # Where the record log ends: SEGMENT:OFFSET@STATE.
    cursor: str
    # The function as `module:function` and its file; none is the processor of syntax trees.
    processor: Optional[str] = None
    file: Optional[str] = None
    version: Optional[str] = None

    def to_json(self) -> str:
        """Returns it as text, to be kept."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CheckpointData:
        """Returns what `to_json` has made a text of."""
        return cls(**json.loads(text))


class BatchProcessingEngine:
    """Ingests repositories with one configuration.

    `logger` gets what the engine logs. `processor`, `state` and `version` are those of `outlast.run`.
    """

    def __init__(
        self,
        config: Optional[BatchConfig] = None,
        logger: Optional[logging.Logger] = None,
        *,
        processor: command.Processor = None,
        state: Pathlike = ".outlast",
        version: Optional[str] = None,
    ) -> None:
        self.config = config or BatchConfig()
        self.logger = logger or process.logger
        self._processor = processor
        self._state = os.path.abspath(state)
        self._version = version
        self._running: Optional[Running] = None
        self._last: dict[str, Any] = {}
        self._one_at_a_time = threading.Lock()

    @usable_both_ways
    def process_repository(
        self,
        path: command.Roots,
        processor: command.Processor = None,
        config: Optional[BatchConfig] = None,
        *,
        progress: Optional[bool] = False,
    ) -> RepositoryProcessingResult:
        """Processes every file below a folder once, going on where the last run stopped. Raises as `outlast.run`."""
        self._processor = processor or self._processor
        level = process.log_level(self.logger)
        settings = {**(config or self.config).settings(), "state": self._state, "log_level": level}
        words = command.words("run", path, self._processor, self._version, None, settings)
        return self._run(words, progress)

    @usable_both_ways
    def resume_failed_batch_job(
        self,
        job_id: int,
        checkpoint: Optional[CheckpointData] = None,
    ) -> RepositoryProcessingResult:
        """Goes on with a job, with its roots and settings. Raises `UsageError` where the state does not know it."""
        return self._resume(job_id, checkpoint)

    def _resume(self, job_id: int, checkpoint: Optional[CheckpointData]) -> RepositoryProcessingResult:
        job = _job_of(job_id, checkpoint)
        settings: dict[str, Setting] = {"state": checkpoint.state if checkpoint else self._state, "resume": job}
        words = command.words("run", (), self._processor, self._version, None, settings)
        return self._run(words, False)

    def _run(self, words: list[str], progress: Optional[bool]) -> RepositoryProcessingResult:
        with self._one_at_a_time:
            self._running = running = Running(words, display(progress), self.logger)
            try:
                summary = finish(running, self._state)
            finally:
                self._last = {**(running.statistics or {}), **running.printed(), "state": "idle"}
                self._running = None
        return RepositoryProcessingResult(**vars(summary))

    def get_processing_statistics(self) -> BatchStatistics:
        """Returns live figures of the run that goes on, or those of the last one. Never fails."""
        running = self._running
        if running is None:
            return BatchStatistics.of(self._last)
        try:
            return BatchStatistics.of(process.ask(["status", f"--state={self._state}"])["running"] or {})
        except OutlastError:
            return BatchStatistics.of(running.statistics or {})

    @usable_both_ways
    def create_checkpoint(self, job_id: Optional[int] = None) -> CheckpointData:
        """Commits what the run's workers have finished so far, and returns where that ends. Without a run, it returns
        what is committed.

        Raises `UsageError` where the state has no such job, `NoState` where there is none.
        """
        if self._running is not None:
            process.ask(["ctl", f"--state={self._state}", "checkpoint"])
        status = process.ask(["status", f"--state={self._state}"])
        jobs = [job["job_id"] for job in status["jobs"]]
        if status.get("running"):
            jobs.append(status["running"]["job_id"])
        if job_id is None:
            job_id = max(jobs, default=0)
        if job_id not in jobs:
            raise UsageError(f"{self._state} has no job {job_id}: it has {sorted(set(jobs))}", 2)
        return CheckpointData(job_id, self._state, status["records_end"], *self._named(), self._version)

    def _named(self) -> tuple[Optional[str], Optional[str]]:
        if self._processor is None:
            return None, None
        named = command.reference_of(self._processor)
        return named.name, named.file

    def stop(self) -> None:
        """Asks the run that goes on to finish the files in flight, and to end: its result is `interrupted`."""
        running = self._running
        if running is not None:
            running.interrupt(signal.SIGTERM)


def _job_of(job_id: int, checkpoint: Optional[CheckpointData]) -> str:
    """Returns the job as the command takes it: with the state that the checkpoint is of."""
    state = checkpoint.cursor.rpartition("@")[2] if checkpoint and "@" in checkpoint.cursor else ""
    return f"{job_id}@{state}" if state else str(job_id)


@usable_both_ways
def resume_failed_batch_job(
    job_id: int,
    checkpoint: CheckpointData,
    processor: command.Processor = None,
) -> RepositoryProcessingResult:
    """Goes on with a job from a checkpoint, with its roots, its settings and, unless another object for it is given,
    its function. Raises as `BatchProcessingEngine.resume_failed_batch_job`."""
    if processor is None and checkpoint.processor is not None:
        processor = Reference(checkpoint.processor, checkpoint.file)
    engine = BatchProcessingEngine(processor=processor, state=checkpoint.state, version=checkpoint.version)
    return engine._resume(job_id, checkpoint)
