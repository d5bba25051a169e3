"""Progress: a bar in a terminal and in Jupyter, a line now and then elsewhere, if it is asked for."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, Optional, Protocol

# Time between two updates, in seconds: of a bar, and of lines.
BAR_SECONDS = 0.2
LINE_SECONDS = 5.0


class Display(Protocol):
    """Something that shows how far a run is."""

    seconds: float

    def show(self, statistics: dict[str, Any]) -> None:
        """Shows the figures of a running process, as `outlast status` has them under `running`."""

    def end(self) -> None:
        """Takes away what is shown."""


def display(wanted: Optional[bool]) -> Optional[Display]:
    """Returns the display for this process: none where none is wanted, or nobody looks."""
    if wanted is False:
        return None
    if in_notebook():
        return _Notebook()
    if sys.stderr is not None and sys.stderr.isatty():
        return _Terminal()
    return _Lines() if wanted else None


def in_notebook() -> bool:
    """Returns whether this is the kernel of a notebook."""
    return "ipykernel" in sys.modules and "IPython" in sys.modules


def described(statistics: dict[str, Any]) -> tuple[float, str]:
    """Returns which share is done, from 0 to 1, and a text for it."""
    done = int(statistics.get("ok", 0)) + int(statistics.get("failed", 0))
    total = done + int(statistics.get("pending", 0))
    rate = done / max(float(statistics.get("elapsed_seconds", 0.0)), 1e-3)
    text = f"{done} of {total} files, {rate:.0f} files/s"
    for name in ("unchanged", "failed"):
        text += f", {statistics[name]} {name}" if statistics.get(name) else ""
    words = {"scanning": "still finding files", "draining": "stopping", "waiting": "waiting", "paused": "paused"}
    state = words.get(str(statistics.get("state")))
    return (done / total if total else 0.0), text + (f", {state}" if state else "")


class _Terminal:
    seconds = BAR_SECONDS

    def show(self, statistics: dict[str, Any]) -> None:
        share, text = described(statistics)
        filled = round(16 * share)
        line = f"{'█' * filled}{'░' * (16 - filled)} {share:4.0%} {text}"
        self._write("\r" + line[: shutil.get_terminal_size().columns - 1] + "\x1b[K")

    def end(self) -> None:
        self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, UnicodeEncodeError):
            pass


class _Notebook:
    seconds = BAR_SECONDS

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, statistics: dict[str, Any]) -> None:
        share, text = described(statistics)
        self._put(f'<progress value="{share:.4f}" max="1" style="width:16em"></progress> {share:.0%} {text}')

    def end(self) -> None:
        if self._handle is not None:
            self._put("")

    def _put(self, html: str) -> None:
        from IPython.display import HTML, display  # type: ignore[import-not-found, unused-ignore]

        if self._handle is None:
            self._handle = display(HTML(html), display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
        else:
            self._handle.update(HTML(html))  # type: ignore[no-untyped-call, unused-ignore]


class _Lines:
    seconds = LINE_SECONDS

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, statistics: dict[str, Any]) -> None:
        print(f"outlast: {described(statistics)[1]}", file=sys.stderr)

    def end(self) -> None:
        pass
