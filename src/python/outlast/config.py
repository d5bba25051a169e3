"""The settings of batches, and batches."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from outlast.binary import Setting


@dataclass
class BatchConfig:
    """Settings of a run. Sizes are in MiB, times in seconds; `retry_attempts` counts the first attempt, too."""

    batch_size: int = 200
    # Batches kept ready for each worker.
    max_concurrent_batches: int = 4
    # Processes of a function, or threads where there is none.
    worker_count: int = 8
    memory_limit_mb: int = 1000
    # Files after which a commit is due before its 100 ms have passed.
    checkpoint_interval: int = 1000
    retry_attempts: int = 3
    timeout_seconds: int = 300
    # Globs of the files; none are the processor's own.
    include: Optional[Sequence[str]] = None
    exclude: Optional[Sequence[str]] = None
    # How files are cut into batches: adaptive, count, size or language.
    strategy: str = "adaptive"
    # Which files come first: path, smallest, largest, newest or oldest.
    order: str = "path"

    def settings(self) -> dict[str, Setting]:
        """Returns the settings by the names of the command."""
        return {
            **self.of_batches(),
            "batches_ahead": self.max_concurrent_batches,
            "memory_limit": f"{self.memory_limit_mb}MiB",
            "checkpoint_interval": self.checkpoint_interval,
            "retry_attempts": self.retry_attempts,
            "timeout": self.timeout_seconds,
        }

    def of_batches(self) -> dict[str, Setting]:
        """Returns those of them that say how files are cut into batches."""
        return {
            "batch_size": self.batch_size,
            "workers": self.worker_count,
            "include": self.include,
            "exclude": self.exclude,
            "strategy": self.strategy,
            "order": self.order,
        }


@dataclass
class FileBatch:
    """Files that are processed together. `estimated_processing_time` is in seconds, `total_size` in bytes."""

    batch_id: int
    files: list[Path]
    total_size: int = 0
    estimated_processing_time: float = 0.0
    # high, normal or low
    priority: str = "normal"
    created_at: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
