"""What `outlast.run` and `outlast.watch` have in common: roots, a function and settings as words of a command line."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Callable, Optional, Union

from outlast import reference
from outlast.binary import Pathlike, Setting, flags
from outlast.errors import ConfigError, UsageError
from outlast.file import File
from outlast.process import log_level

Function = Callable[[File], Any]
AsyncFunction = Callable[[File], Awaitable[Any]]
# A function of a file, plain or async, or its name as `module:function`; none is the processor of syntax trees.
Processor = Union[Function, AsyncFunction, str, reference.Reference, None]
Roots = Union[Pathlike, Iterable[Pathlike]]

_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker")
# Each worker of a function is a process of 10 MB and more.
WORKERS_FOR_EACH_CORE = 16
WORKERS_ALWAYS = 64


def words(
    command: str,
    roots: Roots,
    processor: Processor,
    version: Optional[str],
    content: Optional[str],
    settings: Mapping[str, Setting],
) -> list[str]:
    """Returns the words of a command with these roots, this processor and these settings.

    Raises `ConfigError` for a function that can't run in another process, or too many workers for one, and
    `UsageError` for a call while a worker imports the program.
    """
    refuse_import()
    found = [command, *flags(settings)]
    if "log_level" not in settings and (level := log_level()):
        found.append(f"--log-level={level}")
    if processor is not None:
        if "exec" in settings:
            raise ConfigError("`processor` and `exec` are two processors: give one of them", 78)
        check_workers(settings.get("workers"))
        found.append(f"--exec={shlex.join(worker(processor, version, content))}")
    elif version is not None:
        found.append(f"--processor-version={version}")
    return [*found, "--", *as_sequence(roots)]


def refuse_import() -> None:
    """Raises `UsageError` while a worker imports the program: a run here would start workers without end."""
    if reference.is_importing:
        raise UsageError(
            "a run is started while a process of the first one imports this program: put what starts it below "
            '`if __name__ == "__main__":`',
            2,
        )


def check_workers(workers: Setting) -> None:
    """Raises `ConfigError` for a number of processes that no machine like this one is better off with."""
    most = max(WORKERS_ALWAYS, WORKERS_FOR_EACH_CORE * (os.cpu_count() or 1))
    if isinstance(workers, int) and workers > most:
        raise ConfigError(
            f"{workers} workers are as many Python processes: at most {most} on this machine. For more files at a "
            "time, make the function `async def`: each process has 64 of its calls in flight",
            78,
        )


def reference_of(processor: Union[Function, AsyncFunction, str, reference.Reference]) -> reference.Reference:
    """Returns the reference to a function. Raises `ConfigError` for one that can't run in another process."""
    try:
        return reference.of(processor)
    except reference.NotImportable as problem:
        raise ConfigError(str(problem), 78) from None


def worker(
    processor: Union[Function, AsyncFunction, str, reference.Reference],
    version: Optional[str],
    content: Optional[str],
) -> list[str]:
    """Returns the command that runs a function. Raises `ConfigError` for one that can't run in another process."""
    if not sys.executable:
        raise ConfigError("this program is no Python that can be started again: `sys.executable` is empty", 78)
    named = reference_of(processor)
    # A brace is an escape there: the engine has placeholders of its own.
    paths = json.dumps([os.path.abspath(path) for path in sys.path]).replace("{", "\\u007b").replace("}", "\\u007d")
    found: list[str] = [sys.executable, _WORKER, named.name, "--sys-path", paths]
    for flag, value in (("--file", named.file), ("--version", version), ("--content", content)):
        found += [flag, value] if value is not None else []
    if braces := [word for word in found if _has_placeholder(word)]:
        raise ConfigError(f"{braces[0]} holds braces that the engine takes for a placeholder: rename it", 78)
    return found


def _has_placeholder(word: str) -> bool:
    return any(mark in word for mark in ("{}", "{/}", "{//}", "{.}"))


def as_sequence(paths: Roots) -> Sequence[str]:
    """Returns one path, or several, as texts."""
    many: Iterable[Pathlike] = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return [os.fspath(path) for path in many]
