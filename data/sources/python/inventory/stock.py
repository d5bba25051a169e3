"""What lies where."""

from collections import defaultdict


class OutOfStock(Exception):
    """More was taken than there is."""


class Stock:
    def __init__(self):
        self._counts = defaultdict(int)
        self.moves = []

    def put(self, code, count=1):
        if count <= 0:
            raise ValueError("count must be positive")
        self._counts[code] += count
        self.moves.append(("in", code, count))

    def take(self, code, count=1):
        left = self._counts[code] - count
        if left < 0:
            raise OutOfStock(f"{code}: {count} wanted, {self._counts[code]} there")
        self._counts[code] = left
        self.moves.append(("out", code, count))

    def __getitem__(self, code):
        return self._counts.get(code, 0)

    def low(self, limit):
        return sorted(code for code, count in self._counts.items() if count < limit)
