"""Lends things, with most of what Python's grammar has."""

from __future__ import annotations

import asyncio
import os.path, json as codec
import collections.abc as shapes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from . import shelves
from .errors import Late as TooLate, Missing
from ..common.clock import *

if TYPE_CHECKING:
    from decimal import Decimal

MAX_DAYS: int = 14
RATES = {"book": 1, "film": 3}
first, (second, *rest) = 1, (2, 3, 4)
log = open_later = None
late: "Decimal"


class Lender(Protocol):
    def lend(self, name: str) -> int: ...


@dataclass(frozen=True)
class Shelf:
    name: str
    items: list[str] = field(default_factory=list)

    class Label:
        def __init__(self, text):
            self.text = text.strip().upper()

    @staticmethod
    def open(path, /, *more, sort=False, **options):
        with open(path) as lines, shelves.lock(path):
            return Shelf(path, [codec.loads(line) for line in lines if line.strip() and line[0] != "#"])

    @classmethod
    async def fetch(cls, address):
        async with shelves.connect(address) as source:
            names = {name async for name in source}
        return cls(address, sorted(names, key=lambda name: name.lower()))

    @property
    def longest(self):
        return max((len(item) for item in self.items), default=0) if self.items else None

    def price(self, thing):
        match thing:
            case {"kind": "book" | "film" as kind, **other} if other:
                return RATES[kind]
            case [Shelf(name=found), *_]:
                return self.price(found)
            case _:
                raise Missing(f"no price for {thing!r:>10}")


async def watch(shelf: Shelf, /, every=1.5) -> None:
    """Looks at a shelf again and again."""
    count = 0

    def tell(message):
        nonlocal count
        count += 1
        print("étagère", message, sep=": ")

    async def one(name):
        try:
            await asyncio.wait_for(shelves.find(name), timeout=every)
        except (TooLate, asyncio.TimeoutError) as late:
            tell(late)
        else:
            tell("fine")
        finally:
            del name

    while (left := MAX_DAYS - count) > 0 or not shelf.items:
        async for name in shelves.walk(shelf):
            await one(name)
        for index in range(left):
            if index % 2:
                continue
            elif index > 5 and index < 9 and left:
                break
            tell(index)
    assert count, "nothing seen"
    handlers = {"tell": tell}
    handlers["tell"](os.path.join("a", *rest))
    (lambda: tell(0))()
    shelves.of(shelf).first().close()


if __name__ == "__main__":
    asyncio.run(watch(Shelf("a")))


def group():
    try:
        yield from (1, 2)
    except* ValueError as many:
        global log
        log = many
