"""Starts a worker: imports the function, and answers for files until the engine says stop."""

from __future__ import annotations

import argparse
import inspect
import os
import socket
import sys
from collections.abc import Sequence

from outlast import reference
from outlast.worker import logs, one_by_one
from outlast.worker.channel import Channel

# Files in flight: enough that a worker never waits for the engine, few enough that one which dies costs little.
WINDOW = 16
WINDOW_ASYNC = 64


def main(arguments: Sequence[str]) -> int:
    """Runs the worker. Returns the exit code: 0 once the engine says stop, 2 for a wrong command line, 78 for a
    function that can't be imported."""
    options = _parser().parse_args(arguments)
    descriptor = os.environ.get("OUTLAST_EXEC_FD")
    if descriptor is None:
        print(
            "outlast.worker: is started by the engine: outlast run ROOT --exec "
            f"'python -m outlast.worker {options.function}'",
            file=sys.stderr,
        )
        return 2
    # Before anything of the function's own can start a process or print.
    os.environ.pop("OUTLAST_EXEC_FD")
    os.set_inheritable(int(descriptor), False)
    logs.set_up()
    try:
        function = reference.imported(options.function, options.file)
    except reference.NotImportable as problem:
        print(f"outlast.worker: {problem}", file=sys.stderr)
        return 78
    is_async = inspect.iscoroutinefunction(function)
    channel = Channel(socket.socket(fileno=int(descriptor)))
    channel.hello()
    channel.send(
        {
            "type": "ready",
            "version": 1,
            "identity": reference.identity(options.function, options.file, options.version),
            "include": options.include or ["*"],
            "content": options.content,
            "window": options.window or (WINDOW_ASYNC if is_async else WINDOW),
        }
    )
    if is_async:
        # A plain function starts without them, in half the time.
        import asyncio

        from outlast.worker import together

        asyncio.run(together.serve(channel, function))
    else:
        one_by_one.serve(channel, function)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m outlast.worker", description="Runs a function for outlast.")
    parser.add_argument("function", metavar="MODULE:FUNCTION", help="what is called with each file")
    parser.add_argument("--version", help="its version, instead of a digest of its module's file")
    parser.add_argument("--include", action="append", help="a glob of the files that it processes [default: *]")
    parser.add_argument("--content", choices=["path", "inline"], default="inline", help="who reads the files")
    parser.add_argument("--window", type=int, help="files in flight at once")
    parser.add_argument("--file", help="the module's file, for one that can't be imported by its name")
    parser.add_argument("--sys-path", help="where modules are searched, a list in JSON")
    return parser
