"""Lending."""
from __future__ import annotations
import os, json as j
import a.b.c
import a.b as ab
from . import shelf
from ..books import Book as B, Index
from books import (one, two as zwei,)
from math import *

LIMIT = 3
total, (other, *rest) = 0, (1, [2])
names: list[str] = []
count: int
x = y = 1
if os.name == "nt":
    INNER = 1
type Rule = int
print("start")

@audited(by="desk")
class Desk(Base[int], metaclass=make()):
    size = 4
    MAX: int = 5

    @property
    def name(self) -> str: return self._name
    @name.setter
    def name(self, value): self._name = check(value)
    @staticmethod
    def create(): return Desk()
    @classmethod
    async def later(cls, n: int = default()): await cls.run(n)

    def lend(self, days, /, *args: int, shelf=None, **kw) -> Loan:
        if days > 3 and self.count() or not days:
            raise ValueError("no")
        elif days == 1:
            one()
        else:
            two()
        for i in range(3): step(i)
        else: never()
        while days > 3: days -= 1
        try:
            risky()
        except (A, B) as e:
            log(e)
        finally:
            end()
        with open("x") as f, other(): f.read()
        match days:
            case 0: zero()
            case 1 | 2 if days: few()
            case [a, *_]: many(a)
            case _: rest()
        xs = [f(x) for x in xs if x for y in x if y]
        g = lambda v: double(v)
        z = a() if b() else c()
        if (n := size()) > 3: use(n)
        assert check(n), message()
        self.shelf[0].open()
        "".join(xs)
        super().lend(days)
        print(f"{fmt(n)!r}")
        (self.rule)(n)
        def local(x): return x
        class Inner: pass
        return local(x)

def outer():
    global total
    def inner(): yield value()
    return inner

@decorate
def top(a: int = default()) -> None: helper(a)
def generic[T](x: T) -> T: return x
class Gen[T]: ...
