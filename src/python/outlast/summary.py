"""How a run ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Optional

from outlast import process
from outlast.errors import FilesFailed


@dataclass(frozen=True)
class Summary:
    """The counts of a run, as the guide's page on commands explains them, and its exit code."""

    job_id: int = 0
    discovered: int = 0
    ok: int = 0
    failed: int = 0
    unchanged: int = 0
    pending: int = 0
    removed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    failed_earlier: int = 0
    new_failures: int = 0
    known_failures: int = 0
    unreadable_folders: int = 0
    batches: int = 0
    ticks: int = 0
    bytes: int = 0
    elapsed_seconds: float = 0.0
    files_per_second: float = 0.0
    resumed: bool = False
    first_commit_seconds: Optional[float] = None
    peak_rss_bytes: int = 0
    interrupted: bool = False
    stopped: Optional[str] = None
    # Of the command: 0 is done, 3 some files failed, 4 nothing matched.
    exit_code: int = 0
    # The state folder.
    state: str = ".outlast"
    # All that the command printed.
    printed: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, printed: Mapping[str, Any], exit_code: int, state: str) -> Summary:
        """Returns the summary that the command printed."""
        known = {one.name for one in fields(cls)} - {"exit_code", "state", "printed"}
        counts = {name: value for name, value in printed.items() if name in known}
        return cls(**counts, exit_code=exit_code, state=state, printed=printed)

    def failures(self) -> dict[str, int]:
        """Returns how many files of the state fail, by class. Raises `OutlastError` where the state can't be read."""
        answer = process.ask(["failures", f"--state={os.fspath(self.state)}"])
        return {str(one["class"]): int(one["failed"]) for one in answer["classes"]} if answer else {}

    def check(self) -> Summary:
        """Returns itself where no file fails, now or from an earlier run.

        Raises `FilesFailed`.
        """
        if self.exit_code != 3:
            return self
        classes = self.failures()
        failed = ", ".join(f"{count} as {name}" for name, count in sorted(classes.items()))
        what = f"files failed: {failed}" if classes else f"folders can't be listed: {self.unreadable_folders}"
        raise FilesFailed(f"{what}; `outlast failures --state {self.state}` has more", classes)


class Interrupted(KeyboardInterrupt):
    """A Ctrl-C, once the files in flight are finished: the work is kept, and the next run goes on.

    `summary` is how far the run came, `exit_code` is 130.
    """

    def __init__(self, summary: Summary) -> None:
        super().__init__(f"interrupted, with {summary.ok} files done; the next run goes on")
        self.summary = summary
        self.exit_code = summary.exit_code
