"""Calls an async function for all files in flight at once, on one event loop.

Constraints: answers go out in the order in which the files came in, whichever is done first. Sending may block: the
engine reads at all times.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any, Callable, Optional

from outlast.file import File
from outlast.worker import logs
from outlast.worker.answers import answer, failure
from outlast.worker.channel import READ, Channel, decoded
from outlast.worker.one_by_one import NOT_NOW

Function = Callable[[File], Awaitable[Any]]


async def serve(channel: Channel, function: Function) -> None:
    """Answers for files until the engine says stop, or is gone."""
    loop = asyncio.get_running_loop()
    worker = _Worker(channel, function, loop.create_future())
    loop.add_reader(channel.socket, worker.read)
    try:
        await worker.end
    finally:
        loop.remove_reader(channel.socket)
    await asyncio.gather(*worker.in_flight, return_exceptions=True)
    worker.put()


class _Worker:
    """The files in flight, and the bytes of a message that is not whole yet."""

    def __init__(self, channel: Channel, function: Function, end: asyncio.Future[None]) -> None:
        self.channel = channel
        self.function = function
        self.end = end
        self.in_flight: deque[asyncio.Task[bytes]] = deque()
        self.received = bytearray()
        # A message whose content is not whole yet.
        self.waiting: Optional[dict[str, Any]] = None

    def read(self) -> None:
        """Reads what is there, and begins the files of which all is there."""
        received = self.channel.socket.recv(READ)
        self.received += received
        while not self.end.done():
            message = self.waiting or self._message()
            if message is None:
                break
            length = message.get("bytes", 0)
            if len(self.received) < length:
                self.waiting = message
                break
            self.waiting = None
            content = bytes(self.received[:length]) if "bytes" in message else None
            del self.received[:length]
            self._take(message, content)
        if not received and not self.end.done():
            # Nobody is there to be answered.
            self.in_flight.clear()
            self.end.set_result(None)

    def _message(self) -> Optional[dict[str, Any]]:
        at = self.received.find(b"\n")
        if at < 0:
            return None
        message = decoded(self.received[:at])
        del self.received[: at + 1]
        return message

    def _take(self, message: dict[str, Any], content: Optional[bytes]) -> None:
        if message["type"] == "stop":
            self.end.set_result(None)
        elif message["type"] == "file":
            task = asyncio.ensure_future(self._answer(message["id"], File(message, content)))
            self.in_flight.append(task)
            task.add_done_callback(self.put)

    def put(self, _: object = None) -> None:
        """Sends the answers that are next."""
        try:
            while self.in_flight and self.in_flight[0].done():
                self.channel.answer(self.in_flight.popleft().result())
            self.channel.flush()
        except SystemExit as not_now:
            if not self.end.done():
                self.end.set_exception(not_now)

    async def _answer(self, number: int, file: File) -> bytes:
        logs.current_task.set(file)
        try:
            return answer(number, await self.function(file))
        except SystemExit as error:
            if error.code == NOT_NOW:
                raise
            return failure(number, error)
        except (Exception, asyncio.CancelledError) as error:
            return failure(number, error)
