"""What came with Python 3.12 to 3.14."""

type Plain = int | str
type Pair[T: (int, bound()), *Rest, **Options] = tuple[T, kind(T)]


def first[T: Shelf](items: list[T]) -> T:
    type Local = [T for T in T.__name__ if T]
    return items[0]


class Box[T](Base[T], key=find()):
    type Inside = T

    async def open[S](self, other: S = find()) -> tuple[T, S]:
        return self, other


def quoted(names):
    return f"{f"{find(names)}" if names else 'none'} {", ".join(names)!r:>{width()}} {{}}"


def tried(name):
    try:
        find(name)
    except ValueError, TypeError:
        return t"no {name} {find(name)!r:>{width()}}"
    with (lock() as one, lock(one)):
        return [names for names in find()]
