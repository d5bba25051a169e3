"""Calls a plain function for one file after the other."""

from __future__ import annotations

from typing import Any, Callable

from outlast.file import File
from outlast.worker import logs
from outlast.worker.answers import answer, failure
from outlast.worker.channel import Channel

# Exit code that says: not now, and no file is to blame.
NOT_NOW = 75


def serve(channel: Channel, function: Callable[[File], Any]) -> None:
    """Answers for files until the engine says stop, or is gone."""
    next_message, say = channel.message, channel.answer
    while True:
        message = next_message()
        if message is None or message["type"] == "stop":
            break
        if message["type"] != "file":
            continue
        length = message.get("bytes")
        file = logs.current = File(message, None if length is None else channel.content(length))
        try:
            line = answer(message["id"], function(file))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # Such as `asyncio.CancelledError`, and the outcomes of pytest.
            if isinstance(error, SystemExit) and error.code == NOT_NOW:
                raise
            line = failure(message["id"], error)
        say(line)
    channel.flush()
