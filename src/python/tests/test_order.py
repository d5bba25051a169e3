"""The names of a batch engine: configuration, batches, an engine with statistics and checkpoints."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import functions
import outlast
import pytest
from conftest import make_tree
from outlast import (
    BatchConfig,
    BatchProcessingEngine,
    CheckpointData,
    FileBatch,
    create_optimal_batches,
    execute_parallel_batches,
    process_batch,
    resume_failed_batch_job,
)
from test_durability import wait_for


def count_lines(path: Path) -> dict[str, Any]:
    """A function that was written for paths."""
    return {"name": path.name, "lines": len(path.read_text().splitlines())}


async def count_lines_soon(path: Path) -> dict[str, Any]:
    await asyncio.sleep(0.001)
    return count_lines(path)


def files_of(tree: Path) -> list[Path]:
    return sorted(tree.rglob("*.txt"))


def test_the_defaults() -> None:
    config = BatchConfig()
    assert (config.batch_size, config.max_concurrent_batches, config.worker_count) == (200, 4, 8)
    assert (config.memory_limit_mb, config.checkpoint_interval) == (1000, 1000)
    assert (config.retry_attempts, config.timeout_seconds) == (3, 300)


@pytest.mark.parametrize("processor", [count_lines, count_lines_soon])
def test_batches_are_cut_and_processed(folder: Path, processor: Any) -> None:
    files = files_of(make_tree(folder, 90))
    config = BatchConfig(batch_size=25, strategy="count", worker_count=2)
    batches = create_optimal_batches(files, config)
    assert [len(batch.files) for batch in batches] == [25, 25, 25, 15]
    assert sorted(file for batch in batches for file in batch.files) == files
    assert batches[0].total_size == sum(file.stat().st_size for file in batches[0].files)
    assert batches[0].estimated_processing_time > 0 and batches[0].created_at.tzinfo is not None
    one = process_batch(batches[0], processor, config)
    assert (one.ok, one.failed, one.errors) == (25, 0, [])
    assert {result.path: result.result["lines"] for result in one.results} == {
        file: len(file.read_text().splitlines()) for file in batches[0].files
    }
    done = execute_parallel_batches(batches, worker_count=2, processor=processor)
    assert (done.ok, done.failed, len(done.batches)) == (90, 0, 4)


def test_a_files_failure_stops_no_other_of_its_batch(folder: Path) -> None:
    files = files_of(make_tree(folder, 20))
    batch = FileBatch(7, [*files, folder / "gone.txt"])
    result = process_batch(batch, functions.fails, BatchConfig(worker_count=2, retry_attempts=1))
    assert (result.batch_id, result.ok, result.failed) == (7, 16, 4)
    assert result.left_out == [folder / "gone.txt"]
    assert {error.failure_class for error in result.errors} == {"parse", "processor"}
    executed = execute_parallel_batches([batch], 2, functions.fails, BatchConfig(retry_attempts=1))
    assert executed.errors_by_class == {"parse": 2, "processor": 2}
    assert process_batch(FileBatch(1, []), functions.fails).ok == 0


def test_calls_can_be_awaited(folder: Path) -> None:
    files = files_of(make_tree(folder, 30))
    config = BatchConfig(batch_size=10, strategy="count", worker_count=1)
    batches = create_optimal_batches(files, config)

    async def main() -> None:
        results = await asyncio.gather(*(process_batch(batch, count_lines, config) for batch in batches))
        assert [result.ok for result in results] == [10, 10, 10]
        engine = BatchProcessingEngine(config, processor=count_lines, state="s")
        ran = asyncio.create_task(engine.process_repository("tree"))
        assert (await ran).ok == 30
        assert (await engine.create_checkpoint()).job_id == 1

    asyncio.run(main())
    assert asyncio.run(process_batch(batches[0], count_lines, config)).ok == 10


def test_an_engine_processes_a_repository(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_tree(folder, 40)
    logger = logging.getLogger("mine")
    engine = BatchProcessingEngine(BatchConfig(worker_count=2), logger, processor=functions.logs)
    assert engine.get_processing_statistics().state == "idle"
    with caplog.at_level(logging.INFO, "mine"):
        done = engine.process_repository(Path("tree"))
    assert (done.ok, done.failed, done.exit_code) == (40, 0, 0)
    assert {record.name for record in caplog.records} == {"mine"}
    statistics = engine.get_processing_statistics()
    assert (statistics.ok, statistics.pending, statistics.state) == (40, 0, "idle")
    assert engine.process_repository("tree").unchanged == 40


def test_syntax_trees_need_no_function(folder: Path) -> None:
    (folder / "tree").mkdir()
    (folder / "tree/a.ast.json").write_text('{"_type": "Module", "body": []}')
    done = BatchProcessingEngine(BatchConfig(), logging.getLogger()).process_repository(folder / "tree")
    assert done.ok == 1


def test_a_job_goes_on_from_a_checkpoint(folder: Path) -> None:
    make_tree(folder, 100)

    async def main() -> CheckpointData:
        engine = BatchProcessingEngine(BatchConfig(worker_count=1), processor=functions.slow, state="s", version="1")
        run = engine.process_repository("tree")

        def midway() -> bool:
            statistics = engine.get_processing_statistics()
            return statistics.ok > 5 and statistics.pending > 0

        await asyncio.to_thread(wait_for, "it is midway", midway)
        live = engine.get_processing_statistics()
        assert live.job_id == 1 and live.workers
        checkpoint = await engine.create_checkpoint(1)
        engine.stop()
        assert (await run).interrupted
        return checkpoint

    checkpoint = CheckpointData.from_json(asyncio.run(main()).to_json())
    done = len(list(outlast.records("s", since="1:0")))
    assert len(list(outlast.records("s", since=checkpoint.cursor))) < done
    rest = resume_failed_batch_job(checkpoint.job_id, checkpoint)
    assert (rest.ok, rest.unchanged, rest.pending) == (100 - done, done, 0)
    paths = [record["path"] for record in outlast.records("s", since="1:0")]
    assert len(paths) == len(set(paths)) == 100
    with pytest.raises(outlast.UsageError, match="job"):
        resume_failed_batch_job(99, checkpoint)
