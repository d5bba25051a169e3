"""Items that can be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """One kind of thing, known by its code."""

    code: str
    name: str
    price: Decimal = Decimal("0.00")
    tags: tuple[str, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if not self.code.isalnum():
            raise ValueError(f"{self.code!r} is no item code")

    def has_tag(self, tag: str) -> bool:
        return tag.casefold() in (own.casefold() for own in self.tags)
