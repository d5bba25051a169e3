"""What can be raised: by a run, and by a function for its file."""

from __future__ import annotations

from typing import Optional


class OutlastError(Exception):
    """A command of `outlast` that did not do its work.

    `exit_code` is the command's, as in the guide's table. `failure_class` is the class of failure where files are the
    reason, such as `parse`; the others have none.
    """

    exit_code: int
    failure_class: Optional[str]

    def __init__(self, message: str, exit_code: int = 1, failure_class: Optional[str] = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.failure_class = failure_class


class UsageError(OutlastError):
    """The call can't be right: an unknown root, another processor than before. Exit code 2."""


class FilesFailed(OutlastError):
    """Files failed: what `Summary.check` raises. Exit code 3.

    `classes` has the number of failed files of each class; `failure_class` is the most frequent one.
    """

    classes: dict[str, int]

    def __init__(self, message: str, classes: dict[str, int]) -> None:
        most = max(classes, key=lambda name: classes[name]) if classes else None
        super().__init__(message, 3, most)
        self.classes = classes


class NoState(OutlastError):
    """There is no state, or it is gone. Exit code 10."""


class StateInUse(OutlastError):
    """Another run has the state. Exit code 11."""


class StateDamaged(OutlastError):
    """The state is damaged: `outlast repair` makes a sound one. Exit code 12."""


class CursorGone(OutlastError):
    """The log no longer has what comes after the cursor: start over with the current records. Exit code 13."""


class Unavailable(OutlastError):
    """A resource did not come back in time. All work is kept: try again later. Exit code 75."""


class ConfigError(OutlastError):
    """A setting is wrong, or the function can't be called in a process of its own. Exit code 78."""


_BY_CODE: dict[int, type[OutlastError]] = {
    2: UsageError,
    10: NoState,
    11: StateInUse,
    12: StateDamaged,
    13: CursorGone,
    75: Unavailable,
    78: ConfigError,
}


def error_of(exit_code: int, message: str) -> OutlastError:
    """Returns the exception for an exit code."""
    kind = _BY_CODE.get(exit_code, OutlastError)
    return kind(message or f"outlast ended with exit code {exit_code}", exit_code)


class FileError(Exception):
    """What a function raises to say more of its file's failure than any other exception does.

    `failure_class` is `parse`, `unsupported`, `processor` or `io-transient`; `line` and `column` are a place in the
    file, from 1; `retry` says that another attempt may help.
    """

    def __init__(
        self,
        message: str,
        failure_class: str = "processor",
        *,
        line: Optional[int] = None,
        column: Optional[int] = None,
        retry: bool = False,
    ) -> None:
        if failure_class not in ("parse", "unsupported", "processor", "io-transient"):
            raise ValueError(f"{failure_class!r} is no class of failure that a function can give its file")
        super().__init__(message)
        self.failure_class = failure_class
        self.line = line
        self.column = column
        self.retry = retry
