"""The outcomes of files and batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from outlast.awaitable import Ready
from outlast.record_log import Record


@dataclass
class ProcessingError:
    """Why a file failed. `line` and `column` are a place in the file, from 1."""

    path: Path
    failure_class: str
    message: str
    line: Optional[int] = None
    column: Optional[int] = None


@dataclass
class ProcessingResult:
    """The outcome of a file: what the function returned, or why it failed."""

    path: Path
    # ok or failed
    status: str
    result: Any = None
    error: Optional[ProcessingError] = None
    attempts: int = 1

    @classmethod
    def of(cls, path: Path, record: Record) -> ProcessingResult:
        """Returns the outcome that a record has."""
        error = None
        if found := record.get("error"):
            error = ProcessingError(path, found["class"], found["message"], found.get("line"), found.get("column"))
        return cls(path, record["status"], record.get("result"), error, record.get("attempts", 1))


@dataclass
class BatchResult(Ready):
    """The outcomes of a batch. A file that a rule leaves out or that is gone has none: it is in `left_out`."""

    batch_id: int
    ok: int = 0
    failed: int = 0
    results: list[ProcessingResult] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def errors(self) -> list[ProcessingError]:
        """The failures."""
        return [result.error for result in self.results if result.error is not None]


@dataclass
class BatchExecutionResult(Ready):
    """The outcomes of several batches, in their order."""

    batches: list[BatchResult] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    files_per_second: float = 0.0

    @property
    def ok(self) -> int:
        """Files that were processed."""
        return sum(batch.ok for batch in self.batches)

    @property
    def failed(self) -> int:
        """Files that failed."""
        return sum(batch.failed for batch in self.batches)

    @property
    def errors(self) -> list[ProcessingError]:
        """The failures of all batches."""
        return [error for batch in self.batches for error in batch.errors]

    @property
    def errors_by_class(self) -> dict[str, int]:
        """How many files failed, by class of failure."""
        counts: dict[str, int] = {}
        for error in self.errors:
            counts[error.failure_class] = counts.get(error.failure_class, 0) + 1
        return counts
