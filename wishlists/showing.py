"""A wish list as its pages show it: the items with today's facts, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from djmoney.money import Money

from .availability import availability_text
from .catalog import Card, get_catalog, option_titles_of
from .gifts import Taken
from .kinds import WISH
from .lines import Lines, key_text
from .models import GiftMark, ListItem
from .moving import can_be_bought
from .pricing import PricedLine, price


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """An item, what the catalogue says of it today, and what others are getting of it."""

    item: ListItem
    line: PricedLine
    option_title: str
    taken: int = 0
    mine: GiftMark | None = None

    @property
    def card(self) -> Card | None:
        return self.line.card

    @property
    def title(self) -> str:
        """What to call it: as the shop does, and if that knows it no more, as it did then."""
        return self.card.title if self.card is not None else self.item.title

    @property
    def key_text(self) -> str:
        """The value of its checkbox."""
        return key_text(self.item.key)

    @property
    def cheaper_by(self) -> Money | None:
        """How much less it costs than when it was saved; None if it does not, or in another currency."""
        before, now = self.item.price, self.line.unit_price
        if before is None or now is None or before.currency != now.currency or now >= before:
            return None
        return before - now

    @property
    def availability(self) -> str:
        """Whether it can be had now, in words."""
        return availability_text(self.card, self.item.options)

    @property
    def is_buyable(self) -> bool:
        """Whether at least one piece can be put into the cart now."""
        return can_be_bought(self.item.line, self.card)

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
    """Return the lines of a page and all cards, by one question to the catalogue, and one more if there are options.

    ``also`` names further products to look up in the same question.
    """
    items = list(items)
    catalog = get_catalog()
    priced = price(Lines(tuple(item.line for item in items), WISH), catalog, also=also)
    titles = option_titles_of(catalog, keys=[item.key for item in items], cards=priced.cards)
    taken = taken or Taken()
    rows = [
        WishRow(
            item=item,
            line=line,
            option_title=titles.get(item.key, ""),
            taken=taken.all.get(item.key, 0),
            mine=taken.mine.get(item.key),
        )
        for item, line in zip(items, priced.lines, strict=True)
    ]
    return rows, priced.cards
