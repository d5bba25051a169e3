"""`outlast.run`."""

from __future__ import annotations

import signal
from typing import Optional

from outlast import command
from outlast.binary import Pathlike, Setting, state_folder
from outlast.process import Running
from outlast.progress import display
from outlast.summary import Interrupted, Summary


def run(
    roots: command.Roots = (),
    *,
    processor: command.Processor = None,
    state: Optional[Pathlike] = None,
    version: Optional[str] = None,
    content: Optional[str] = None,
    progress: Optional[bool] = None,
    **settings: Setting,
) -> Summary:
    """Processes every file below a folder, or several, once, going on where the last run stopped.

    `processor` is a function of an `outlast.File`, plain or async, that a module defines, and that returns what JSON
    has; it runs in `workers` processes. Without one, files are syntax trees. `state` is the folder that remembers
    what is done, `.outlast` by default. With another `version` every file is processed again; without one, that is
    so when the function's module is edited. `content` is `inline`, by default, where the engine reads each file for
    the function, or `path`, for files that do not fit into memory. `progress` shows a bar in a terminal or a notebook
    by default, `True` also lines elsewhere, `False` nothing. The other settings are those of the guide's page
    *Configuration*, with underscores: `include=["*.txt"]`, `timeout="30s"`, `retry_attempts=5`.

    Files that fail raise nothing: see `Summary.check`. Raises `UsageError` for a wrong setting, `ConfigError` for a
    function that no other process can import, `Interrupted` after a Ctrl-C, and other kinds of `OutlastError`.
    """
    words = command.words("run", roots, processor, version, content, _with_state(state, settings))
    return finish(Running(words, display(progress)), state)


def _with_state(state: Optional[Pathlike], settings: dict[str, Setting]) -> dict[str, Setting]:
    return settings if state is None else {"state": state, **settings}


def finish(running: Running, state: Optional[Pathlike]) -> Summary:
    """Waits for the end of a run, and returns how it ended. Raises as `run` does."""
    exit_code = running.wait()
    printed = running.printed()
    if not printed and exit_code in (130, -signal.SIGINT):
        raise Interrupted(Summary(exit_code=130, interrupted=True))
    if not printed or exit_code not in (0, 3, 4, 130, 143):
        raise running.error(exit_code)
    running.log_messages()
    summary = Summary.of(printed, exit_code, state_folder(state))
    if exit_code == 130:
        raise Interrupted(summary)
    return summary
