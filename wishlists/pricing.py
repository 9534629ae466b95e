"""A list at the prices of this moment: what the catalogue says of each line, asked once (CK-4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeGuard

from djmoney.money import Money

from .catalog import Card, Catalog, accepts_options
from .kinds import CART
from .lines import Line, Lines


class Problem(StrEnum):
    """Why a line does not count as the customer left it."""

    GONE = "gone"  # the shop does not know the product any more
    UNAVAILABLE = "unavailable"  # known, but cannot be bought now
    REDUCED = "reduced"  # fewer pieces in stock than asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A line with today's facts. ``quantity`` is what can be bought, ``line.quantity`` what was asked for."""

    line: Line
    card: Card | None
    quantity: int
    unit_price: Money | None
    problem: Problem | None = None

    @property
    def is_buyable(self) -> bool:
        """Say whether at least one piece can be ordered now."""
        return self.quantity > 0 and self.unit_price is not None

    @property
    def total(self) -> Money | None:
        """Price of all pieces; None if the line cannot be bought."""
        return None if self.unit_price is None or not self.quantity else self.unit_price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLines:
    """A list with the catalogue's prices of this moment (CK-4)."""

    lines: tuple[PricedLine, ...] = ()
    cards: Mapping[str, Card] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def buyable(self) -> tuple[PricedLine, ...]:
        """The lines that can be ordered now."""
        return tuple(line for line in self.lines if line.is_buyable)

    @property
    def problems(self) -> tuple[PricedLine, ...]:
        """The lines that the customer must be told about."""
        return tuple(line for line in self.lines if line.problem is not None)

    @property
    def count(self) -> int:
        """Number of pieces that can be ordered now."""
        return sum(line.quantity for line in self.buyable)

    @property
    def subtotal(self) -> Money | None:
        """Sum of the lines that can be ordered; None if there are none (no line, no currency)."""
        prices = [
            (line.unit_price, line.quantity) for line in self.lines if line.unit_price is not None and line.quantity
        ]
        if not prices:
            return None
        # Amounts, because adding a hundred Money objects takes longer than all the rest; one currency is the catalogue's word.
        total = sum(unit_price.amount * quantity for unit_price, quantity in prices)
        return Money(total, prices[0][0].currency)


def price(lines: Lines, catalog: Catalog, *, also: Iterable[str] = ()) -> PricedLines:
    """Return the list with today's prices and availability, by one ``get_products`` call for all lines (CK-4).

    ``also`` names further products to look up in the same call; they come back in ``cards`` only.
    """
    refs = list(dict.fromkeys([*(line.product_ref for line in lines), *also]))
    cards = catalog.get_products(refs=refs) if refs else {}
    return PricedLines(lines=price_list(lines, cards), cards=cards)


def price_list(lines: Lines, cards: Mapping[str, Card]) -> tuple[PricedLine, ...]:
    """Return the lines of a list with what ``cards`` of this moment say of them.

    In a cart, all options of a product share its stock: what an earlier line has taken, a later one cannot. On any other
    list each line is as if it were bought alone: what is only saved takes no stock from others.
    """
    if lines.kind != CART:
        return price_alone(lines, cards)
    priced: list[PricedLine] = []
    taken: dict[str, int] = {}
    for line in lines:
        ref = line.product_ref
        priced.append(price_line(line, cards.get(ref), taken=taken.get(ref, 0)))
        taken[ref] = taken.get(ref, 0) + priced[-1].quantity
    return tuple(priced)


def price_alone(lines: Iterable[Line], cards: Mapping[str, Card]) -> tuple[PricedLine, ...]:
    """Return lines with what ``cards`` say of them, each as if it were bought alone."""
    return tuple(price_line(line, cards.get(line.product_ref)) for line in lines)


def price_line(line: Line, card: Card | None, *, taken: int = 0) -> PricedLine:
    """Return one line with what the catalogue says of its product; ``card`` is None if it says nothing.

    ``taken`` pieces of its stock are in other lines already. Options that the product does not come in cannot be bought.
    """
    if card is None:
        return PricedLine(line=line, card=None, quantity=0, unit_price=None, problem=Problem.GONE)
    left = None if card.max_quantity is None else card.max_quantity - taken
    if not is_buyable(card) or not accepts_options(card, line.options) or (left is not None and left < 1):
        return PricedLine(line=line, card=card, quantity=0, unit_price=card.price, problem=Problem.UNAVAILABLE)
    quantity = line.quantity if left is None else min(line.quantity, left)
    problem = Problem.REDUCED if quantity < line.quantity else None
    return PricedLine(line=line, card=card, quantity=quantity, unit_price=card.price, problem=problem)


def is_buyable(card: Card | None) -> TypeGuard[Card]:
    """Say whether at least one piece of this product can be ordered now."""
    return card is not None and card.available and card.price is not None and card.max_quantity != 0


def is_lower(price: Money | None, than: Money | None) -> bool:
    """Say whether one price is lower than another. Prices in different currencies are never compared."""
    return price is not None and than is not None and price.currency == than.currency and price.amount < than.amount


def is_reduction(*, now: Money | None, then: Money | None, lowest: Money | None) -> bool:
    """Say whether a price may be called a reduction of an earlier one (``then``): the one rule of it (CD-8).

    ``lowest`` is the lowest price of the 30 days before today's price came, where the shop keeps it: what is not below
    that, not even the same, may not be announced as reduced (Dir. 98/6/EC art. 6a).
    """
    return is_lower(now, then) and (lowest is None or is_lower(now, lowest))
