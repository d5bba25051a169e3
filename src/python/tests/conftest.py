"""What the tests share: a tree of files, a folder of its own for each, and programs that run as users run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, os.path.dirname(__file__))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("OUTLAST_")]:
        monkeypatch.delenv(name)
    yield tmp_path


def make_tree(folder: Path, files: int, name: str = "tree") -> Path:
    """Makes a tree of text files: file number N has N lines."""
    tree = folder / name
    for number in range(files):
        path = tree / f"{number % 10:02}" / f"{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("line\n" * (number % 50))
    return tree


class Program:
    """A program of a user, in a file of its own."""

    def __init__(self, folder: Path, source: str, name: str = "program.py") -> None:
        self.path = folder / name
        self.path.write_text(textwrap.dedent(source))

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Starts it."""
        # What starts the tests in the background may have SIGINT ignored, and a process passes that on.
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen([sys.executable, str(self.path), *arguments], cwd=self.path.parent, **options)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        command = [sys.executable, str(self.path), *arguments]
        return subprocess.run(command, cwd=self.path.parent, capture_output=True, text=True, timeout=120)
