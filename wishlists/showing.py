"""A shared wish list as its page shows it: the rows of the list, and what others are getting of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .catalog import Card
from .gifts import Taken
from .models import GiftMark, ListItem
from .rows import Row
from .rows import rows_of as plain_rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """A line, and what others are getting of it."""

    row: Row
    item: ListItem
    taken: int = 0
    mine: GiftMark | None = None

    @property
    def left(self) -> int:
        """Pieces that nobody is getting yet."""
        return max(self.item.quantity - self.taken, 0)

    @property
    def most(self) -> int:
        """Pieces that the one who is looking can say to be getting: what is left, and what is marked already."""
        return self.left + (self.mine.quantity if self.mine is not None else 0)


def rows_of(
    items: Iterable[ListItem], *, also: Iterable[str] = (), taken: Taken | None = None
) -> tuple[list[WishRow], Mapping[str, Card]]:
    """Return the lines of a page and all cards, as ``rows.rows_of``."""
    items = list(items)
    rows, cards = plain_rows_of(items, also=also)
    taken = taken or Taken()
    found = [
        WishRow(row=row, item=item, taken=taken.all.get(item.key, 0), mine=taken.mine.get(item.key))
        for row, item in zip(rows, items, strict=True)
    ]
    return found, cards
