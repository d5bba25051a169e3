"""What a function returns or raises, as an answer on a line."""

from __future__ import annotations

import dataclasses
import datetime
import json
import operator
import os
import sys
import traceback
from types import TracebackType
from typing import Any, Optional

from outlast.errors import FileError
from outlast.worker.channel import encoder

# A failure's message has no more of these frames, and is not longer, in characters.
FRAMES_MAX = 8
MESSAGE_MAX = 4000
# A message of the protocol has at most 64 MiB, in bytes.
RESULT_MAX = (64 << 20) - 1024
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def _plain(value: Any) -> Any:
    """Converts what JSON lacks: dataclasses, paths, times, and the numbers of NumPy."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    item = getattr(value, "item", None)
    if getattr(value, "shape", None) == () and callable(item):
        return item()
    raise TypeError(f"a {type(value).__name__} in the result is nothing that JSON has: return dict, list, str, "
                    "int, float, bool or None")


_encode_result = encoder(_plain).encode
_encode = encoder().encode


def answer(number: int, result: Any) -> bytes:
    """Returns the line for a result; where JSON lacks something in it, that of a failure."""
    try:
        encoded = _encode_result(result).encode()
        if len(encoded) > RESULT_MAX:
            return failed(number, "processor", f"the result is {len(encoded)} bytes of JSON: at most {RESULT_MAX}")
        return b'{"type":"result","id":%d,"result":%b}\n' % (number, encoded)
    except (TypeError, ValueError, RecursionError) as error:
        what = str(error) or type(error).__name__
        return failed(number, "processor", f"the result can't be written as JSON: {what}")


def failure(number: int, error: BaseException) -> bytes:
    """Returns the line for an exception."""
    if isinstance(error, FileError):
        return failed(number, error.failure_class, str(error), error.line, error.column, error.retry)
    if isinstance(error, json.JSONDecodeError):
        return failed(number, "parse", described(error), error.lineno, error.colno)
    return failed(number, "processor", described(error))


def failed(
    number: int,
    failure_class: str,
    message: str,
    line: Optional[int] = None,
    column: Optional[int] = None,
    retry: bool = False,
) -> bytes:
    """Returns the line for a failure of this class."""
    message = message if len(message) <= MESSAGE_MAX else message[:MESSAGE_MAX] + " … (cut)"
    # What a name or a text has of no UTF-8 is shown as an escape.
    message = message.encode("utf-8", "backslashreplace").decode()
    answer: dict[str, Any] = {"type": "error", "id": number, "class": failure_class, "message": message}
    for name, place in (("line", line), ("column", column)):
        # Whatever else a function gives is no place, and no reason to end its process.
        if place is not None and _is_place(place):
            answer[name] = operator.index(place)
    if retry:
        answer["retry"] = True
    return _encode(answer).encode() + b"\n"


def _is_place(value: Any) -> bool:
    """Returns whether this is a line or a column, by its type of number: also NumPy's."""
    try:
        return 0 < operator.index(value) < 1 << 32
    except TypeError:
        return False


def described(error: BaseException) -> str:
    """Describes an exception on one line: what it says, its frames in the function's own code, and its cause."""
    text = "".join(traceback.format_exception_only(type(error), error)).strip().replace("\n", " ")
    where = " | ".join(_frames(error.__traceback__))
    text += f" [{where}]" if where else ""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        text += f"; caused by {''.join(traceback.format_exception_only(type(cause), cause)).strip()}"
    return text


def _frames(trace: Optional[TracebackType]) -> list[str]:
    """Returns the frames of the function and of what it calls, without those of this package and, where others are
    left, of Python's library and installed packages."""
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(_OWN)]
    own = [frame for frame in frames if _is_own(frame.filename)] or frames
    folder = os.getcwd() + os.sep
    shown = []
    for frame in own[-FRAMES_MAX:]:
        name = frame.filename[len(folder) :] if frame.filename.startswith(folder) else frame.filename
        shown.append(f"{name}:{frame.lineno} in {frame.name}" + (f": {frame.line}" if frame.line else ""))
    return shown


def _is_own(name: str) -> bool:
    is_installed = f"{os.sep}site-packages{os.sep}" in name or f"{os.sep}dist-packages{os.sep}" in name
    return not (is_installed or name.startswith((_LIBRARY, sys.prefix + os.sep + "lib", "<frozen")))
