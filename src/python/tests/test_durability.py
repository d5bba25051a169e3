"""What is left after kills, poison and Ctrl-C: each file once, and no process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Optional, TypeVar

import functions
import outlast
import pytest
from conftest import Program, make_tree

FILES = 120

SLOW = """
import sys
sys.path.insert(0, {tests!r})
import functions
import outlast

try:
    done = outlast.run("tree", processor=functions.slow, state="s", workers=2, version="1")
    print("done", done.ok, done.unchanged, flush=True)
except outlast.Interrupted as interrupted:
    print("interrupted", interrupted.summary.ok, interrupted.summary.pending, interrupted.exit_code, flush=True)
except outlast.OutlastError as error:
    print("ended", error.exit_code, flush=True)
"""

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], Optional[T]], seconds: float = 60) -> T:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


def descendants(pid: int) -> list[int]:
    """The processes below one, and those that they have started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def alive(pids: list[int]) -> list[int]:
    def is_alive(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [pid for pid in pids if is_alive(pid)]


def logged() -> list[str]:
    return [record["path"] for record in outlast.records("s", since="1:0")]


def some_are_done() -> Optional[int]:
    """How many files are done, once some are."""
    try:
        done = len(logged())
    except outlast.OutlastError:
        return None
    return done if 0 < done < FILES / 2 else None


@pytest.fixture
def program(folder: Path) -> Program:
    make_tree(folder, FILES)
    return Program(folder, SLOW.format(tests=os.path.dirname(__file__)))


def started(program: Program) -> tuple[subprocess.Popen[str], list[int]]:
    """Starts it, and waits until some files are done. Returns it, and the processes below it, the engine first."""
    running = program.start()
    wait_for("some files are done", some_are_done)
    return running, descendants(running.pid)


def goes_on(program: Program) -> None:
    """The same program does the rest, and each file has one record."""
    said = program.run()
    assert said.stdout.startswith("done"), said
    _, ok, unchanged = said.stdout.split()
    assert int(ok) + int(unchanged) == FILES and int(unchanged) > 0, said.stdout
    paths = logged()
    assert len(paths) == len(set(paths)) == FILES


def test_a_run_whose_python_is_killed_ends_with_it_and_goes_on(program: Program) -> None:
    running, below = started(program)
    assert len(below) >= 3, "the engine and two workers"
    running.kill()
    running.communicate()
    wait_for("no process is left", lambda: not alive(below), 20)
    goes_on(program)


def test_a_run_whose_engine_is_killed_says_so_and_goes_on(program: Program) -> None:
    running, below = started(program)
    os.kill(below[0], signal.SIGKILL)
    output, _ = running.communicate(timeout=60)
    assert output == "ended -9\n"
    wait_for("no process is left", lambda: not alive(below), 20)
    goes_on(program)


def test_ctrl_c_finishes_the_files_in_flight_and_blames_none(program: Program) -> None:
    running, below = started(program)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    word, ok, pending, code = output.split()
    assert (word, code) == ("interrupted", "130") and int(ok) > 0 and int(pending) > 0
    assert not alive(below)
    calls = Path("calls").read_text().splitlines()
    assert len(calls) == len(set(calls)) == int(ok), "what was begun was finished"
    goes_on(program)
    assert not list(outlast.records("s", status="failed"))


def test_poison_is_found_and_stops_no_other(folder: Path) -> None:
    make_tree(folder, 40)
    begun = time.monotonic()
    done = outlast.run("tree", processor=functions.poison, state="s", workers=2, timeout="2s", retry_attempts=1)
    assert time.monotonic() - begun < 60
    assert (done.ok, done.failed) == (37, 3)
    errors = {record["path"]: record["error"] for record in outlast.records("s", status="failed")}
    segfault = errors["03/00003.txt"]
    assert segfault["class"] == "crash"
    assert "Segmentation fault" in segfault["message"] and "in poison" in segfault["message"]
    assert errors["05/00005.txt"]["class"] == "timeout"
    hog = errors["06/00006.txt"]
    assert hog["class"] == "processor" and hog["message"].startswith("MemoryError")
