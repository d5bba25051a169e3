"""A process of the command `outlast`: its messages, its signals, its end.

Constraints: it is a session of its own, so that a Ctrl-C in the terminal reaches it once, from here; it ends when this
process ends, even by SIGKILL, as its standard input does then; both its streams are drained at all times.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import threading
import traceback
from collections import deque
from collections.abc import Sequence
from typing import IO, Any, Optional

from outlast import binary
from outlast.errors import OutlastError, error_of
from outlast.progress import Display

logger = logging.getLogger("outlast")

# Messages that are kept for an exception.
_MESSAGES_MAX = 20
_LEVELS = {"ERROR": logging.ERROR, "WARN": logging.WARNING, "INFO": logging.INFO, "DEBUG": logging.DEBUG}


def ask(command: Sequence[str]) -> Any:
    """Runs a command to its end, and returns the JSON that it prints.

    Raises `OutlastError` where its exit code is another than 0 and 4, which is that nothing matched.
    """
    printed = output([command[0], "--format=json", *command[1:]], may_end_with=(0, 4))
    return json.loads(printed) if printed.strip() else None


def output(command: Sequence[str], may_end_with: Sequence[int] = (0,)) -> bytes:
    """Runs a command to its end, and returns what it prints. Raises `OutlastError` for any other exit code."""
    done = subprocess.run([binary.find(), *command], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode not in may_end_with:
        raise error_of(done.returncode, plain(done.stderr.decode(errors="replace").splitlines()))
    return done.stdout


def plain(lines: Sequence[str]) -> str:
    """Returns what the command says for people, as one text."""
    return "\n".join(line[len("outlast: ") :] if line.startswith("outlast: ") else line for line in lines)


def log_level(log: logging.Logger = logger) -> Optional[str]:
    """Returns the level that a logger wants; none for that of the settings."""
    level = log.getEffectiveLevel()
    if level <= logging.DEBUG:
        return "debug"
    return "info" if level <= logging.INFO else None


class Running:
    """`outlast run` or `outlast watch`, while it runs."""

    def __init__(
        self,
        command: Sequence[str],
        display: Optional[Display] = None,
        log: logging.Logger = logger,
    ) -> None:
        """Starts it, with progress shown there, and its log passed on to this logger. Raises `OSError` where that can't
        be done."""
        seconds = display.seconds if display else 1.0
        options = ["--format=json", "--log-format=json", "--progress=auto", f"--heartbeat={seconds}s"]
        self._display = display
        self._logger = log
        self._messages: deque[str] = deque(maxlen=_MESSAGES_MAX)
        self._printed = b""
        # The latest figures; none before the first second.
        self.statistics: Optional[dict[str, Any]] = None
        self._process = subprocess.Popen(
            [binary.find(), command[0], "--end-with-stdin", *options, *command[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._threads = [
            threading.Thread(target=work, args=(stream,), name=f"outlast-{name}", daemon=True)
            for name, work, stream in (
                ("stdout", self._take_printed, self._process.stdout),
                ("stderr", self._take_lines, self._process.stderr),
            )
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Asks it to finish the files in flight and to end; a second time, to end at once."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once. What was committed stays."""
        self._process.kill()

    def wait(self) -> int:
        """Waits for its end, and returns its exit code. A `KeyboardInterrupt` meanwhile is passed on to it."""
        try:
            while True:
                try:
                    for thread in self._threads:
                        thread.join()
                    return self._process.wait()
                except KeyboardInterrupt:
                    self.interrupt()
        finally:
            if self._display:
                self._display.end()
            self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def printed(self) -> dict[str, Any]:
        """Returns the object that it printed; empty if it printed none."""
        return dict(json.loads(self._printed)) if self._printed.strip() else {}

    def error(self, exit_code: int) -> OutlastError:
        """Returns the exception for an exit code, with what it said."""
        return error_of(exit_code, plain(list(self._messages)))

    def log_messages(self) -> None:
        """Logs what it said beside its log: once it is known that no exception says it."""
        for message in self._messages:
            self._logger.warning("%s", plain([message]))
        self._messages.clear()

    def _take_printed(self, stream: IO[bytes]) -> None:
        self._printed = stream.read()

    def _take_lines(self, stream: IO[bytes]) -> None:
        has_failed = False
        for raw in stream:
            line = raw.decode(errors="replace").rstrip("\n")
            try:
                message = json.loads(line) if line.startswith("{") else None
            except ValueError:
                message = None
            if not isinstance(message, dict):
                self._messages.append(line)
                continue
            try:
                self._show(message)
            except Exception:
                # A filter of the user's, or a stream that is closed: the process waits for ever if nobody reads on.
                self._display = None
                if logging.raiseExceptions and not has_failed:
                    traceback.print_exc()
                has_failed = True

    def _show(self, message: dict[str, Any]) -> None:
        if "pending_bytes" not in message:
            _log(message, self._logger)
            return
        self.statistics = message
        if self._display:
            self._display.show(message)


def _log(message: dict[str, Any], log: logging.Logger) -> None:
    """Passes an event of its log on."""
    fields = dict(message.get("fields", {}))
    text = str(fields.pop("message", ""))
    # A line of a function's process names its file itself.
    if fields and "stream" not in fields:
        text += " (" + ", ".join(f"{name}={value}" for name, value in fields.items()) + ")"
    log.log(_LEVELS.get(str(message.get("level")), logging.DEBUG), "%s", text)
