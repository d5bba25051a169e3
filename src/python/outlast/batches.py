"""Batches: cutting files into them, and processing them without a state that stays.

Constraints: the command cuts and processes; here are only the files' names and the shape of what comes back.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from outlast import command, process
from outlast.awaitable import usable_both_ways
from outlast.binary import Pathlike, flags
from outlast.config import BatchConfig, FileBatch
from outlast.file import path_in
from outlast.process import Running
from outlast.record_log import records
from outlast.results import BatchExecutionResult, BatchResult, ProcessingResult
from outlast.runs import finish


def create_optimal_batches(
    files: Iterable[Pathlike],
    config: Optional[BatchConfig] = None,
) -> list[FileBatch]:
    """Cuts files into batches by their size, language and age, those of higher priority first.

    Files that are not there are left out, and so are those that the filters leave out: with no `include`, all count.
    Raises `UsageError` for a wrong setting.
    """
    config = config or BatchConfig()
    named = [os.path.abspath(file) for file in files]
    if not named:
        return []
    with _listed(named) as (root, listed):
        settings = {**config.of_batches(), "include": config.include or ["*"], "files_from": listed}
        plan = process.ask(["plan", *flags(settings), "--", root])
    return [_batch(planned) for planned in plan["batches"]] if plan else []


def _batch(planned: Mapping[str, Any]) -> FileBatch:
    return FileBatch(
        batch_id=planned["batch_id"],
        files=[Path(path_in(file, "abs")) for file in planned["files"]],
        total_size=planned["total_size"],
        estimated_processing_time=planned["estimated_processing_time"],
        priority=planned["priority"],
        # Python 3.9 and 3.10 read microseconds and no Z.
        created_at=datetime.datetime.fromisoformat(planned["created_at"][:26].rstrip("Z") + "+00:00"),
    )


@usable_both_ways
def process_batch(
    batch: FileBatch,
    processor: command.Processor,
    config: Optional[BatchConfig] = None,
) -> BatchResult:
    """Processes one batch in parallel. A file's failure stops no other.

    Raises `UsageError` for a wrong setting, and other kinds of `OutlastError`.
    """
    return _execute([batch], processor, config or BatchConfig()).batches[0]


@usable_both_ways
def execute_parallel_batches(
    batches: Sequence[FileBatch],
    worker_count: int = 8,
    processor: command.Processor = None,
    config: Optional[BatchConfig] = None,
) -> BatchExecutionResult:
    """Processes several batches, with `worker_count` workers in all. Raises as `process_batch` does."""
    config = BatchConfig(**{**vars(config or BatchConfig()), "worker_count": worker_count})
    return _execute(batches, processor, config)


def _execute(batches: Sequence[FileBatch], processor: command.Processor, config: BatchConfig) -> BatchExecutionResult:
    named = [os.path.abspath(file) for batch in batches for file in batch.files]
    if not named:
        return BatchExecutionResult([BatchResult(batch.batch_id) for batch in batches])
    with _listed(named) as (root, listed), tempfile.TemporaryDirectory(prefix="outlast-") as folder:
        state = os.path.join(folder, "state")
        include = config.include or (None if processor is None else ["*"])
        settings = {**config.settings(), "include": include, "files_from": listed, "state": state}
        summary = finish(Running(command.words("run", root, processor, None, None, settings)), state)
        found = {os.path.join(root, path_in(record, "path")): record for record in records(state)}
    result = BatchExecutionResult(elapsed_seconds=summary.elapsed_seconds, files_per_second=summary.files_per_second)
    for batch in batches:
        done = BatchResult(batch.batch_id, elapsed_seconds=summary.elapsed_seconds)
        for file in map(Path, batch.files):
            record = found.get(os.path.abspath(file))
            if record is None:
                done.left_out.append(file)
            else:
                done.results.append(ProcessingResult.of(file, record))
        done.failed = len(done.errors)
        done.ok = len(done.results) - done.failed
        result.batches.append(done)
    return result


@contextmanager
def _listed(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Writes a list of files for the command. Gives the folder above all of them, and the path of the list."""
    root = os.path.commonpath([os.path.dirname(file) for file in files])
    with tempfile.NamedTemporaryFile(prefix="outlast-", suffix=".list") as listed:
        listed.write(b"\0".join(map(os.fsencode, files)) + b"\0")
        listed.flush()
        yield root, listed.name
