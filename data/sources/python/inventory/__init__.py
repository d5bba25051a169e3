"""A small inventory: items, stock movements, orders and a monthly report."""

from .items import Item
from .stock import Stock

__all__ = ["Item", "Stock"]
