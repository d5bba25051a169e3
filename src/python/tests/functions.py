"""Functions that the tests run, as a user's module has them."""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import resource
import sys
import time
from typing import Any

import outlast

log = logging.getLogger("functions")


def lines(file: outlast.File) -> dict[str, int]:
    return {"lines": file.read_bytes().count(b"\n")}


def of_path(path: Any) -> dict[str, Any]:
    """Takes it for a path, as functions do that were written for `pathlib`."""
    with open(path) as file:
        text = file.read()
    same = path.read_text() == text == path.open().read() and os.stat(path).st_size == path.stat().st_size
    return {"stem": path.stem, "suffix": path.suffix, "parent": path.parent.name, "same": same, "text": str(path)}


async def lines_soon(file: outlast.File) -> dict[str, int]:
    await asyncio.sleep(0.05 if file.stem.endswith("1") else 0)
    return lines(file)


def inner(text: str) -> int:
    return int(text)


def fails(file: outlast.File) -> int:
    if file.stem == "00007":
        return inner("no number")
    if file.stem == "00008":
        raise outlast.FileError("odd line", "parse", line=3, column=9)
    if file.stem == "00009":
        return len(json.loads('{"a":'))
    if file.stem == "00010":
        sys.exit("given up")
    return 0


def odd_results(file: outlast.File) -> Any:
    results = {"00001": float("nan"), "00002": {1, 2}, "00003": b"bytes", "00004": "\udc80", "00005": file.parent}
    return results.get(file.stem, "fine")


def poison(file: outlast.File) -> int:
    if file.stem == "00003":
        ctypes.string_at(0)
    if file.stem == "00005":
        time.sleep(600)
    if file.stem == "00006":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        return len(bytearray(8 << 30))
    return 1


def slow(file: outlast.File) -> int:
    time.sleep(0.02)
    with open("calls", "a") as calls:
        calls.write(f"{file.path}\n")
    return 1


def logs(file: outlast.File) -> int:
    log.info("seen, %d bytes", file.size)
    print("printed")
    return 1


def huge(file: outlast.File) -> str:
    return "x" * (66 << 20 if file.stem == "00001" else 1)


class Shelf:
    @staticmethod
    def size(file: outlast.File) -> int:
        return file.size

    def method(self, file: outlast.File) -> int:
        return file.size


def odd_failures(file: outlast.File) -> Any:
    """Fails with a line that is none, or with what is no `Exception`."""
    lines: dict[str, Any] = {"00001": "x", "00002": -1, "00003": 2**70, "00004": 1.5, "00005": 7}
    if file.stem in lines:
        raise outlast.FileError("odd", "parse", line=lines[file.stem])
    raise asyncio.CancelledError


def prints_much(file: outlast.File) -> int:
    for _ in range(2000):
        print("x" * 200)
    return 1
