import os.path as paths
from .shelf import Shelf, open_all as open_shelves

MAX_DAYS = 14


@registered
class Loan(Shelf):
    @staticmethod
    async def fetch(name, days=MAX_DAYS):
        if name and days > 3:
            return await open_shelves(paths.join("a", name))
        for day in range(days):
            self.items.append(day)


def run(*names):
    def inner(name):
        return [Loan(n).fetch(n) for n in names if n]

    return inner(names[0]).pop()
