"""Starting a peer, watching what it writes and what memory it takes, and killing it with all its descendants."""

import ctypes
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from glob import iglob
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.01
PATH = re.compile(rb'^\{(?:"root":"[^"]*",)?"path":"((?:[^"\\]|\\.)*)"', re.MULTILINE)


class Failed(Exception):
    """A peer that did not do its work; the message says why."""


def adopt_orphans() -> None:
    """Makes processes whose parents end this process's children, so that none is lost sight of."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def descendants() -> list[int]:
    """Processes that descend from this one, ancestors first."""
    children: dict[int, list[int]] = {}
    for stat in iglob("/proc/[0-9]*/stat"):
        try:
            fields = Path(stat).read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.split("/")[2]))
    found = [os.getpid()]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]


def memory_bytes() -> int:
    """What all descendants take, pages that several share counted once."""
    total = 0
    for pid in descendants():
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(kib) << 10 for kib in re.findall(r"^Pss: +(\d+)", rollup, re.MULTILINE))
    return total


def end_all() -> None:
    """Kills every descendant at once, as a crash of the machine would, and waits until all are gone."""
    while pids := descendants():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(POLL_SECONDS)


class Run:
    """A peer at work."""

    def __init__(self, command: list[str], done: tuple[int, ...], log: Path, timeout_seconds: float) -> None:
        self.done, self.log, self.timeout_seconds = done, log, timeout_seconds
        # Outlast refuses settings that it does not know, such as this comparison's own.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTLAST_")}
        with open(log, "ab") as output:
            self.start = time.monotonic()
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=log.parent
            )

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    def poll(self, pause_seconds: float = POLL_SECONDS) -> bool:
        """Whether it still runs, after a pause. Fails when it has failed, or takes too long."""
        try:
            status = self.child.wait(pause_seconds)
        except subprocess.TimeoutExpired:
            if self.seconds > self.timeout_seconds:
                raise Failed(f"took more than {self.timeout_seconds:.0f} s") from None
            return True
        if status not in self.done:
            raise Failed(f"ended with status {status}, see {self.log}")
        return False

    def finish(self) -> float:
        """Seconds until it has ended by itself."""
        while self.poll(min(60, self.timeout_seconds)):
            pass
        return self.seconds

    def finish_and_weigh(self) -> int:
        """Peak memory of the whole process tree until it has ended by itself."""
        peak = 0
        while self.poll():
            peak = max(peak, memory_bytes())
        return peak


def record_files(state: Path) -> Iterator[Path]:
    """The files with a peer's records. What Spark has not listed in its metadata does not count."""
    metadata = state / "records" / "_spark_metadata"
    if metadata.exists():
        entries = (line for log in metadata.glob("[0-9]*") for line in log.read_text().splitlines()[1:])
        names = {os.path.basename(json.loads(entry)["path"]) for entry in entries}
        yield from (state / "records" / name for name in sorted(names))
    else:
        yield from sorted((*state.glob("records.ndjson"), *state.glob("records/*.ndjson")))


def record_lines(state: Path) -> Iterator[bytes]:
    """All lines, the last one even when it is torn."""
    for path in record_files(state):
        with open(path, "rb") as file:
            yield from file


def tail(state: Path) -> Callable[[], list[bytes]]:
    """A function that returns the paths of the records that have come since its last call."""
    offsets: dict[tuple[str, int], int] = {}
    last_row = 0

    def rows() -> list[bytes]:
        nonlocal last_row
        try:
            with sqlite3.connect(f"file:{state}/queue.db?mode=ro", uri=True, timeout=0.2) as database:
                found = database.execute("SELECT id, line FROM record WHERE id > ? ORDER BY id", (last_row,)).fetchall()
        except sqlite3.OperationalError:
            return []
        last_row = found[-1][0] if found else last_row
        return [line for _, line in found]

    def lines() -> list[bytes]:
        found = []
        for path in record_files(state):
            try:
                with open(path, "rb") as file:
                    status = os.fstat(file.fileno())
                    key = (path.name, status.st_ino)
                    # Shorter than before: what was not committed has been cut off.
                    file.seek(min(offsets.get(key, 0), status.st_size))
                    start = file.tell()
                    content = file.read()
            except FileNotFoundError:
                continue
            whole = content[: content.rfind(b"\n") + 1]
            offsets[key] = start + len(whole)
            found.append(whole)
        return found

    def new() -> list[bytes]:
        found = rows() if (state / "queue.db").exists() else lines()
        return [path for part in found for path in PATH.findall(part)]

    return new
