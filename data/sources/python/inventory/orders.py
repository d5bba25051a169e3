"""Orders wait until the stock can serve them."""

import asyncio
from typing import Iterable, Optional

from .stock import OutOfStock, Stock


class Order:
    def __init__(self, number: int, lines: Iterable[tuple[str, int]]):
        self.number = number
        self.lines = dict(lines)
        self.served: Optional[bool] = None


def serve(stock: Stock, order: Order) -> bool:
    taken = []
    try:
        for code, count in order.lines.items():
            stock.take(code, count)
            taken.append((code, count))
    except OutOfStock:
        for code, count in taken:
            stock.put(code, count)
        order.served = False
    else:
        order.served = True
    return order.served


async def serve_all(stock: Stock, orders: list[Order], pause: float = 0.0) -> int:
    served = 0
    for order in orders:
        served += serve(stock, order)
        await asyncio.sleep(pause)
    return served
