"""What is shown of a run's progress."""

from __future__ import annotations

import os
import pty
from pathlib import Path

from conftest import Program, make_tree
from outlast.progress import described

SOURCE = """
import sys
import time
import outlast

def parse(file):
    time.sleep(0.05)

if __name__ == "__main__":
    outlast.run("tree", processor=parse, state=sys.argv[1], workers=2, version="1", progress=PROGRESS)
    print("done")
"""


def shown(program: Program) -> str:
    """What a terminal gets of a program."""
    master, slave = pty.openpty()
    running = program.start("s", stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            text += os.read(master, 4096)
        except OSError:
            break
    os.close(master)
    assert running.wait() == 0
    return text.decode()


def test_a_terminal_shows_a_bar_and_then_nothing(folder: Path) -> None:
    make_tree(folder, 60)
    text = shown(Program(folder, SOURCE.replace("PROGRESS", "None")))
    assert " of 60 files" in text and "█" in text
    assert text.rsplit("\r\x1b[K", 1)[1].strip() == "done"


def test_nothing_is_shown_where_none_is_wanted_or_nobody_looks(folder: Path) -> None:
    make_tree(folder, 60)
    assert shown(Program(folder, SOURCE.replace("PROGRESS", "False"))).strip() == "done"
    ended = Program(folder, SOURCE.replace("PROGRESS", "None")).run("t")
    assert (ended.stdout, ended.stderr) == ("done\n", "")


def test_the_words_of_a_bar() -> None:
    figures = {"ok": 30, "failed": 2, "pending": 32, "unchanged": 7, "elapsed_seconds": 4.0, "state": "draining"}
    assert described(figures) == (0.5, "32 of 64 files, 8 files/s, 7 unchanged, 2 failed, stopping")
    assert described({}) == (0.0, "0 of 0 files, 0 files/s")
