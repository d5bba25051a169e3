"""`outlast.records`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import IO, Any, Optional

from outlast import binary, process
from outlast.binary import Pathlike, Setting
from outlast.errors import error_of

# Records that `async for` takes at a time from its thread.
_AT_ONCE = 256


class Record(dict[str, Any]):
    """A record, as the guide's page *Records* explains it. `cursor` is where to go on once it is stored.

    The latest records of a state have one cursor in common, that of the state: it counts once all have been read.
    """

    cursor: str


class Records:
    """Records to be read with `for` or `async for`. Each loop reads them anew."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __iter__(self) -> Iterator[Record]:
        return _Reading(self._command).records()

    async def __aiter__(self) -> AsyncIterator[Record]:
        reading = _Reading(self._command)
        records = reading.records()
        # One that follows has no next 256 records: each is passed on as it comes.
        at_once = 1 if "--follow" in self._command else _AT_ONCE
        loop = asyncio.get_running_loop()
        try:
            while some := await loop.run_in_executor(None, lambda: list(islice(records, at_once))):
                for record in some:
                    yield record
        finally:
            # The thread that waits for a record ends with the process.
            reading.end()


def records(
    state: Optional[Pathlike] = None,
    *,
    since: Optional[str] = None,
    consumer: Optional[str] = None,
    follow: bool = False,
    **options: Setting,
) -> Records:
    """Returns the latest record of each file, or with `since` the log from a cursor on; `"1:0"` is its start.

    `consumer` goes on from the cursor that the state keeps under this name. `follow` does not end. `status`, `root`
    and `path` select latest records. Reading raises `NoState`, `CursorGone` where the log no longer has what comes
    next, and other kinds of `OutlastError`.
    """
    folder = binary.state_folder(state)
    flags: dict[str, Setting] = {"state": folder, "since": since, "consumer": consumer, "follow": follow, **options}
    return Records([binary.find(), "records", "--cursors", *binary.flags(flags)])


def commit(state: Pathlike, consumer: str, cursor: str) -> None:
    """Moves a consumer to a cursor, durably; the first time makes it. Raises `OutlastError`."""
    flags: dict[str, Setting] = {"state": state, "consumer": consumer, "commit": cursor}
    process.output(["records", *binary.flags(flags)])


class _Reading:
    """A process that prints records."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._has_ended = False

    def end(self) -> None:
        """Ends it at once, if it is there; its records end, too."""
        self._has_ended = True
        if self._process is not None:
            self._process.kill()

    def records(self) -> Iterator[Record]:
        """Starts it, and reads what it prints. Raises `OutlastError` for what it says, unless `end` came first."""
        said: list[bytes] = []

        def take(stream: IO[bytes]) -> None:
            said.extend(stream)

        reading = self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        if self._has_ended:
            reading.kill()
        assert reading.stdout is not None and reading.stderr is not None
        thread = threading.Thread(target=take, args=(reading.stderr,), name="outlast-stderr", daemon=True)
        thread.start()
        is_done = False
        try:
            for line in reading.stdout:
                record = Record(json.loads(line))
                record.cursor = record.pop("cursor")
                yield record
            is_done = True
        finally:
            # A loop that was left wants no more.
            if not is_done:
                reading.kill()
            reading.stdout.close()
            exit_code = reading.wait()
            thread.join()
            reading.stderr.close()
        if exit_code and not self._has_ended:
            raise error_of(exit_code, process.plain([line.decode(errors="replace").rstrip() for line in said]))
