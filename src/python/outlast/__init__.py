"""Outlast: every file under a folder processed once, durably, with a Python function as the work.

    import outlast

    def parse(file: outlast.File) -> dict:
        return {"lines": file.read_bytes().count(b"\\n")}

    if __name__ == "__main__":
        done = outlast.run("tree", processor=parse, include=["*.txt"], state="s")
        print(done.ok, "files")
        for record in outlast.records("s"):
            print(record["path"], record["result"])

The engine is the command `outlast`, which comes with this package; a function runs in processes that it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outlast.batches import create_optimal_batches, execute_parallel_batches, process_batch
    from outlast.config import BatchConfig, FileBatch
    from outlast.engine import (
        BatchProcessingEngine,
        BatchStatistics,
        CheckpointData,
        RepositoryProcessingResult,
        resume_failed_batch_job,
    )
    from outlast.errors import (
        ConfigError,
        CursorGone,
        FileError,
        FilesFailed,
        NoState,
        OutlastError,
        StateDamaged,
        StateInUse,
        Unavailable,
        UsageError,
    )
    from outlast.file import File
    from outlast.record_log import Record, Records, commit, records
    from outlast.results import BatchExecutionResult, BatchResult, ProcessingError, ProcessingResult
    from outlast.runs import run
    from outlast.summary import Interrupted, Summary
    from outlast.tables import Table, duckdb, pandas, polars, table
    from outlast.watching import Watch, watch

_MODULES = {
    "batches": ("create_optimal_batches", "execute_parallel_batches", "process_batch"),
    "config": ("BatchConfig", "FileBatch"),
    "engine": (
        "BatchProcessingEngine",
        "BatchStatistics",
        "CheckpointData",
        "RepositoryProcessingResult",
        "resume_failed_batch_job",
    ),
    "errors": (
        "ConfigError",
        "CursorGone",
        "FileError",
        "FilesFailed",
        "NoState",
        "OutlastError",
        "StateDamaged",
        "StateInUse",
        "Unavailable",
        "UsageError",
    ),
    "file": ("File",),
    "record_log": (
        "Record",
        "Records",
        "commit",
        "records",
    ),
    "results": (
        "BatchExecutionResult",
        "BatchResult",
        "ProcessingError",
        "ProcessingResult",
    ),
    "runs": ("run",),
    "summary": ("Interrupted", "Summary"),
    "tables": (
        "Table",
        "duckdb",
        "pandas",
        "polars",
        "table",
    ),
    "watching": ("Watch", "watch"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imports a name when it is first used: a worker, which imports this package as well, needs few of them."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'outlast' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"outlast.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "BatchConfig",
    "BatchExecutionResult",
    "BatchProcessingEngine",
    "BatchResult",
    "BatchStatistics",
    "CheckpointData",
    "ConfigError",
    "CursorGone",
    "File",
    "FileBatch",
    "FileError",
    "FilesFailed",
    "Interrupted",
    "NoState",
    "OutlastError",
    "ProcessingError",
    "ProcessingResult",
    "Record",
    "Records",
    "RepositoryProcessingResult",
    "StateDamaged",
    "StateInUse",
    "Summary",
    "Table",
    "Unavailable",
    "UsageError",
    "Watch",
    "commit",
    "create_optimal_batches",
    "duckdb",
    "execute_parallel_batches",
    "pandas",
    "polars",
    "process_batch",
    "records",
    "resume_failed_batch_job",
    "run",
    "table",
    "watch",
]
