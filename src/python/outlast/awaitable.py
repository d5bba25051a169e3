"""Calls whose result can be used at once, or awaited.

Within a running event loop such a call goes on in a thread of its own: `await` leaves the loop free meanwhile, and the
first look at the result without `await` waits for it. Elsewhere the call returns the result, which `asyncio.run` takes
as well.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Callable, TypeVar, cast

Call = TypeVar("Call", bound=Callable[..., Any])


class Ready(Coroutine[Any, Any, Any]):
    """A result that can be awaited, though it is there."""

    def __await__(self) -> Generator[Any, Any, Any]:
        return self
        yield

    def send(self, value: Any) -> Any:
        raise StopIteration(self)

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        pass


class _Going(Coroutine[Any, Any, Any]):
    """The call that goes on in a thread. It looks like its result, for which each look waits."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._future: Future[Any] = Future()
        self._waiting: Any = None
        thread = threading.Thread(target=self._run, args=(work,), name="outlast-call", daemon=True)
        thread.start()

    def _run(self, work: Callable[[], Any]) -> None:
        # It can't be cancelled from here on: a loop that stops waiting leaves it to its end.
        self._future.set_running_or_notify_cancel()
        try:
            self._future.set_result(work())
        except BaseException as error:
            self._future.set_exception(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._future.result(), name)

    def __repr__(self) -> str:
        return repr(self._future.result()) if self._future.done() else "<a call that goes on>"

    def __await__(self) -> Generator[Any, Any, Any]:
        return asyncio.wrap_future(self._future).__await__()

    def send(self, value: Any) -> Any:
        self._waiting = self._waiting or self.__await__()
        return self._waiting.send(value)

    def throw(self, *error: Any) -> Any:
        self._waiting = self._waiting or self.__await__()
        return self._waiting.throw(*error)

    def close(self) -> None:
        if self._waiting is not None:
            self._waiting.close()


def usable_both_ways(call: Call) -> Call:
    """Makes a call that blocks, and whose result is a `Ready`, one that can be awaited as well."""

    @functools.wraps(call)
    def either(*arguments: Any, **named: Any) -> Any:
        work = functools.partial(call, *arguments, **named)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return work()
        return _Going(work)

    return cast(Call, either)
