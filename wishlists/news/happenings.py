"""What happened to a product between two looks at the catalogue: pure functions, no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from djmoney.money import Money

from ..catalog import Card, pieces_left
from ..conf import app_settings
from ..models import CatalogEvent
from ..pricing import is_buyable, is_lower, is_reduction

Kind = CatalogEvent.Kind

#: More pieces than a column can count are as good as this many.
MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Look:
    """A product as the catalogue has it at one moment."""

    #: What one piece costs, or cost when it could last be bought.
    price: Money | None
    available: bool
    #: Pieces in stock; None if the shop does not say.
    left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened, and the figures that prove it."""

    kind: Kind
    price: Money | None
    price_before: Money | None = None
    lowest_price: Money | None = None
    left: int | None = None


def look_at(card: Card | None, before: Look | None) -> Look:
    """Return what the catalogue says of a product today; ``card`` is None if the product has left the shop.

    While it cannot be bought, the price of before stays: a reduction that nobody can have is news once they can.
    """
    price_before = before.price if before is not None else None
    left = pieces_left(card) if card is not None else None
    left = None if left is None else min(left, MOST)
    if not is_buyable(card) or card.price is None:
        return Look(price_before, False, left)
    # As it is kept: what a database rounds must not look like a reduction the next time.
    return Look(Money(round(Decimal(card.price.amount), 3), card.price.currency), True, left)


def may_have_dropped(before: Look | None, now: Look) -> bool:
    """Say whether the price is lower than at the last look, so that the lowest price of 30 days is worth asking for."""
    return before is not None and now.available and is_lower(now.price, before.price)


def compare(before: Look | None, now: Look, *, lowest: Money | None = None) -> Iterator[Happening]:
    """Say what happened since the last look. The first look at a product is no news.

    ``lowest`` is the lowest price of the 30 days before, where the shop keeps it: a price that is not below it is no
    reduction, and may not be called one (Dir. 98/6/EC art. 6a). Pieces left are told if the shop says how many, once for
    each time they fall to LOW_STOCK (CD-5).
    """
    if before is None or not now.available:
        return
    if not before.available:
        yield Happening(kind=Kind.BACK_IN_STOCK, price=now.price, left=now.left)
    if is_reduction(now=now.price, then=before.price, lowest=lowest):
        yield Happening(
            kind=Kind.PRICE_DROP, price=now.price, price_before=before.price, lowest_price=lowest, left=now.left
        )
    if now.left is not None and before.left is not None and now.left <= app_settings.low_stock < before.left:
        yield Happening(kind=Kind.SELLING_OUT, price=now.price, left=now.left)


def concerns(event: CatalogEvent, price_when_saved: Money | None) -> bool:
    """Say whether an event is news for an item: a price drop is, if the item cost more when it was saved.

    What it cost in another currency cannot be compared, and then nothing is said; if it is not known what it cost, the
    last look at the catalogue decides.
    """
    if event.kind != Kind.PRICE_DROP or price_when_saved is None:
        return True
    return is_lower(event.price, price_when_saved)


def still_holds(event: CatalogEvent, card: Card | None) -> bool:
    """Say whether what was news then is true today, for a page that shows it (CD-5)."""
    if not is_buyable(card):
        return False
    if event.kind == Kind.PRICE_DROP:
        return event.price is not None and (card.price == event.price or is_lower(card.price, event.price))
    if event.kind == Kind.SELLING_OUT:
        left = pieces_left(card)
        return left is not None and left <= app_settings.low_stock
    return True
