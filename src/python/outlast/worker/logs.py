"""What the function logs and prints: to standard error and output, which the engine drains into its log.

Constraints: each line says the file's path itself, as the engine knows the oldest file in flight only.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import sys
from contextvars import ContextVar
from typing import Optional, TextIO

from outlast.file import File

# The file of a plain function; its threads see it, too.
current: Optional[File] = None
# The file of an async function.
current_task: ContextVar[Optional[File]] = ContextVar("outlast_file", default=None)


class _Marked(io.TextIOWrapper):
    """A stream whose lines begin with the path of the file. A line that is whole is passed on at once."""

    _begins_line = True

    def write(self, text: str) -> int:
        for part in text.splitlines(keepends=True):
            file = current_task.get() or current
            if self._begins_line and file is not None:
                super().write(f"{file.path}: ")
            super().write(part)
            self._begins_line = part.endswith("\n")
        return len(text)


def _marked(stream: TextIO) -> TextIO:
    # A path or a text that the encoding lacks must not fail a file.
    return _Marked(stream.buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)


class _OneLine(logging.Formatter):
    """Each record on a line, a traceback as well."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " | ")


def set_up() -> None:
    """Marks both streams, and sends the records of `logging`, from INFO on, to standard error, where the traceback of
    a fatal signal goes as well."""
    sys.stdout, sys.stderr = _marked(sys.stdout), _marked(sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    faulthandler.enable()
