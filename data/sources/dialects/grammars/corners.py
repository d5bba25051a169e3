"""What the trees of Python's parsers write most differently."""

from __future__ import annotations, generator_stop

import os, os.path as paths
from . import *
from ... import far as away
from .near.by import (  # a comment
    one,
    two as second,
)

try:
    import fast as engine
except ImportError:
    import slow as engine

if os.name == "nt":
    from nt import open as opened
else:
    opened = None

_ = LIMIT = len("a" "b")
(here, [there, *others]), SPAN = (1, [2, 3]), 4
_.name = others[find()] = 5
type(_).kind = sorted(others)
counted: int = 0
declared: "str"
for _each in others:
    IN_LOOP = _each
with open(__file__) as lines, lock(find()) as (left, right):
    within = lines
while (walrus := opened) and find():
    counted += find(walrus)
del walrus
matched = [found for found in others if found if find(found)]
made = lambda given=find(): (given, find(given))


@cached(size=LIMIT if SPAN else 1)
@register.for_all([one for one in others])
def decorated(a, b=find(), /, *c: kind(), d=(lambda: find()), **e) -> kind(str):
    """Ends before the comment."""
    global shared
    shared = other = find(a)

    @inner.mark()
    async def within(x):
        return await x

    class Local:
        size = find()

    return within, Local
    # Not part of it.


class Shelf(base(), Generic, metaclass=meta()):
    label = find()

    @staticmethod  # And a comment.
    def sorted(items): return sorted(items, key=lambda item: item.key() or find())

    @classmethod
    async def fetch(cls, address):
        async with connect(address) as source, lock():
            async for part in source:
                await part
        names = {key: value async for key, value in source if key and value}
        return [await one(name) for name in names for name in name]

    @property
    def longest(self):
        return max(len(item) for item in self.items) if self.items else None

    @longest.setter
    def longest(self, value):
        self.items[0].sub().value = value
        # Also not part of it.

    def price(self, thing):
        match thing:
            case {"kind": "book" | "film" as kind, **other} if other and kind:
                return find(kind)
            case [Shelf(name=found), *_] | (found, _):
                return self.price(found)
            case -1 | 1 + 2j | None:
                pass
            case Point.origin | Point(x=0):
                return "".join(x for x in thing)
            case _:
                raise Missing(f"no price for {thing!r:>{width(thing)}} {find() if thing else 'none'}") from find()


def handled():
    try:
        find()
    except (ValueError, TypeError) as error:
        report(error)
    except OSError:
        pass
    else:
        find()
    finally:
        find()
    try:
        yield from find()
    except* KeyError as many:
        raise
    assert find(), find("why")
    print("a", end=""), exec("b")
    print(find)(1)[2](3).last(4)
    (yield)()
    not find() and find() or (find() and find()) or find()
    a < find() < b
    return -find(*others, **{}), a[find():find(1), ...], {**find()}, [*find()], (x := find())
    x: find() = 3
    match(a).b = 1


async def top(): return [x async for x in y] and await z()


if a and (
    # A comment in the middle.
    b
    or c
): pass
elif d: pass
else: e()
