"""The cart as a value and what can be done to it: pure functions, no request, no database, no prices kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeGuard

from djmoney.money import Money

from .catalog import Card, Catalog
from .conf import app_settings
from .exceptions import CartFull

#: Longest product or option reference in characters; a cookie has to hold fifty of them.
MAX_REF_LENGTH = 128


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many pieces of one product. ``options`` is an opaque reference to a variant, often empty."""

    product_ref: str
    quantity: int
    options: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes a line the same line: the product and its options."""
        return self.product_ref, self.options


@dataclass(frozen=True, slots=True)
class Cart:
    """References and quantities, oldest line first, nothing else (D7, CK-1)."""

    lines: tuple[CartLine, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __iter__(self) -> Iterator[CartLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        """Number of lines; the number of pieces is ``count``."""
        return len(self.lines)

    @property
    def count(self) -> int:
        """Number of pieces."""
        return sum(line.quantity for line in self.lines)

    def find(self, *, product_ref: str, options: str = "") -> CartLine | None:
        """Return the line of this product and these options, if there is one."""
        return next((line for line in self.lines if line.key == (product_ref, options)), None)


def is_ref(text: object, *, empty: bool = False) -> bool:
    """Say whether ``text`` can be a reference: short, printable (no NUL or lone surrogate reaches a database)."""
    return isinstance(text, str) and (bool(text) or empty) and len(text) <= MAX_REF_LENGTH and text.isprintable()


def add(cart: Cart, *, product_ref: str, quantity: int = 1, options: str = "") -> Cart:
    """Return the cart with ``quantity`` more pieces of a product.

    Raises CartFull if it would have more than MAX_LINES lines, or more than MAX_QUANTITY pieces in one line, and
    ValueError for a quantity below 1 or something that cannot be a reference.
    """
    if quantity < 1:
        raise ValueError("quantity must be 1 or more")
    if not is_ref(product_ref) or not is_ref(options, empty=True):
        raise ValueError("not a product reference")
    present = cart.find(product_ref=product_ref, options=options)
    if present is not None:
        return set_quantity(cart, product_ref=product_ref, quantity=present.quantity + quantity, options=options)
    if len(cart) >= app_settings.max_lines:
        raise CartFull("lines", limit=app_settings.max_lines)
    _check_quantity(quantity)
    return Cart((*cart.lines, CartLine(product_ref, quantity, options)))


def set_quantity(cart: Cart, *, product_ref: str, quantity: int, options: str = "") -> Cart:
    """Return the cart with exactly ``quantity`` pieces in this line; 0 removes it.

    A line that is not there (removed in another tab) is not brought back: the cart comes back as it was. Raises
    CartFull above MAX_QUANTITY, ValueError below 0.
    """
    if quantity < 0:
        raise ValueError("quantity must be 0 or more")
    if quantity == 0:
        return remove(cart, product_ref=product_ref, options=options)
    _check_quantity(quantity)
    key = product_ref, options
    return Cart(tuple(replace(line, quantity=quantity) if line.key == key else line for line in cart))


def remove(cart: Cart, *, product_ref: str, options: str = "") -> Cart:
    """Return the cart without this line; removing twice is removing once."""
    return Cart(tuple(line for line in cart if line.key != (product_ref, options)))


def clear(cart: Cart) -> Cart:
    """Return an empty cart."""
    return Cart()


def _check_quantity(quantity: int) -> None:
    if quantity > app_settings.max_quantity:
        raise CartFull("quantity", limit=app_settings.max_quantity)


class Problem(StrEnum):
    """Why a line does not count as the customer left it."""

    GONE = "gone"  # the shop does not know the product any more
    UNAVAILABLE = "unavailable"  # known, but cannot be bought now
    REDUCED = "reduced"  # fewer pieces in stock than asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A line with today's facts. ``quantity`` is what can be bought, ``line.quantity`` what was asked for."""

    line: CartLine
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
class PricedCart:
    """A cart with the catalogue's prices of this moment (CK-4)."""

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
        totals = [line.total for line in self.lines if line.total is not None]
        return sum(totals[1:], start=totals[0]) if totals else None


def price(cart: Cart, catalog: Catalog, *, also: Iterable[str] = ()) -> PricedCart:
    """Return the cart with today's prices and availability, by one ``get_products`` call for all lines (CK-4).

    ``also`` names further products to look up in the same call; they come back in ``cards`` only.
    """
    refs = list(dict.fromkeys([*(line.product_ref for line in cart), *also]))
    cards = catalog.get_products(refs=refs) if refs else {}
    return PricedCart(lines=tuple(_priced(line, cards.get(line.product_ref)) for line in cart), cards=cards)


def _priced(line: CartLine, card: Card | None) -> PricedLine:
    if card is None:
        return PricedLine(line=line, card=None, quantity=0, unit_price=None, problem=Problem.GONE)
    if not is_buyable(card):
        return PricedLine(line=line, card=card, quantity=0, unit_price=card.price, problem=Problem.UNAVAILABLE)
    quantity = line.quantity if card.max_quantity is None else min(line.quantity, card.max_quantity)
    problem = Problem.REDUCED if quantity < line.quantity else None
    return PricedLine(line=line, card=card, quantity=quantity, unit_price=card.price, problem=problem)


def is_buyable(card: Card | None) -> TypeGuard[Card]:
    """Say whether at least one piece of this product can be ordered now."""
    return card is not None and card.available and card.price is not None and card.max_quantity != 0
