"""`outlast.watch`."""

from __future__ import annotations

import os
import signal
import time
from types import TracebackType
from typing import Any, Optional

from outlast import command, process
from outlast.binary import Pathlike, Setting, state_folder
from outlast.errors import NoState, OutlastError, StateInUse, Unavailable
from outlast.process import Running
from outlast.progress import display

# Time between two looks at whether it has begun, in seconds.
_LOOK = 0.05


class Watch:
    """A process that follows a folder, for as long as the `with` block lasts."""

    def __init__(self, words: list[str], state: str, progress: Optional[bool]) -> None:
        self._words = words
        self._progress = progress
        self._running: Optional[Running] = None
        # The state folder.
        self.state = state

    def __enter__(self) -> Watch:
        """Starts it, and waits until it has the state. Raises `OutlastError` where it can't."""
        if self._is_in_use():
            # Its status would be taken for that of the process that begins here.
            raise StateInUse(f"{self.state}: the state is in use by another process", 11)
        self._running = running = Running(self._words, display(self._progress))
        while True:
            if not running.is_running:
                raise running.error(running.wait())
            try:
                if self.status().get("running") is not None:
                    return self
            except (NoState, Unavailable):
                pass
            except OutlastError:
                if running.is_running:
                    self._end()
                    raise
            except BaseException:
                self._end()
                raise
            time.sleep(_LOOK)

    def _is_in_use(self) -> bool:
        try:
            return self.status().get("running") is not None
        except OutlastError:
            return False

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Ends it once the files in flight are finished. Raises `OutlastError` where it has failed before."""
        running = self._running
        if running is None:
            return
        exit_code = self._end()
        if kind is None and exit_code not in (0, 3, 4, 130, 143):
            raise running.error(exit_code)
        running.log_messages()

    def _end(self) -> int:
        running, self._running = self._running, None
        if running is None:
            return 0
        if running.is_running:
            running.interrupt(signal.SIGTERM)
        return running.wait()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._running is not None and self._running.is_running

    def status(self) -> dict[str, Any]:
        """Returns what `outlast status --format json` prints. Raises `OutlastError` where it does not answer."""
        return dict(process.ask(["status", f"--state={self.state}"]))

    def pause(self) -> None:
        """Begins no file until `resume`. Raises `OutlastError` where it does not answer; so do the others."""
        self._order("pause")

    def resume(self) -> None:
        """Goes on."""
        self._order("resume")

    def rescan(self, path: Optional[Pathlike] = None) -> None:
        """Scans everything again, or what is at and below a path."""
        self._order("rescan", *([] if path is None else [os.fspath(path)]))

    def checkpoint(self) -> str:
        """Commits what is finished, and returns the cursor after it."""
        self._order("checkpoint")
        return str(self.status()["records_end"])

    def stop(self) -> None:
        """Finishes the files in flight, keeps the rest pending, and ends it."""
        self._end()

    def wait(self) -> None:
        """Waits until it ends: by a signal, by `outlast ctl stop`, or as it fails."""
        if self._running is not None:
            self._running.wait()

    def _order(self, *words: str) -> None:
        process.ask(["ctl", f"--state={self.state}", *words])


def watch(
    roots: command.Roots = (),
    *,
    processor: command.Processor = None,
    state: Optional[Pathlike] = None,
    version: Optional[str] = None,
    content: Optional[str] = None,
    progress: Optional[bool] = None,
    **settings: Setting,
) -> Watch:
    """Returns a context manager: within it, a process keeps the records in step with the files.

    Its arguments are those of `run`, and it raises as that does.
    """
    folder = state_folder(state)
    words = command.words("watch", roots, processor, version, content, {"state": folder, **settings})
    return Watch(words, folder, progress)
