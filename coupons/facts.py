"""What this app needs to know of a basket, as plain values: the shop fills them in."""

from __future__ import annotations

from dataclasses import dataclass

from djmoney.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketLine:
    """One line of a basket. ``ref`` is unique in the basket, ``unit_price`` is what the customer pays before coupons.

    Nothing is taken off a line that is not ``discountable`` (a gift card, a book at a fixed price); it counts towards a
    minimum spend like any other. Raises ``ValueError`` for a negative quantity or price.
    """

    ref: str
    product_ref: str
    quantity: int
    unit_price: Money
    category_refs: tuple[str, ...] = ()
    discountable: bool = True

    def __post_init__(self) -> None:
        if self.quantity < 0 or self.unit_price.amount < 0:
            raise ValueError(f"line {self.ref!r}: quantity and price must not be negative")

    @property
    def total(self) -> Money:
        """Price of the whole line before coupons."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketFacts:
    """A basket: its lines, the shipping cost before coupons, one ISO 4217 currency for all, and the customer if known.

    ``customer_key`` comes from ``holders.customer_key``, ``account_key`` from ``holders.user_key``. ``country`` is
    where the order is delivered to (ISO 3166-1 alpha-2, upper case), ``previous_orders`` how many orders this customer
    has placed before, cancelled ones left out; an empty text and ``None`` say "not known yet", as for a guest before
    the address form.

    What a basket merely *shows* must not depend on an address that was only typed, or it tells everybody who is a
    customer (CO-6): give the ``customer_key`` of a verified address there, and that of the form when the order is
    placed. Raises ``ValueError`` for mixed currencies, repeated line refs or negative shipping (CO-4).
    """

    lines: tuple[BasketLine, ...]
    shipping: Money
    currency: str
    customer_key: str = ""
    country: str = ""
    previous_orders: int | None = None
    account_key: str = ""

    def __post_init__(self) -> None:
        prices = [line.unit_price for line in self.lines]
        if any(money.currency.code != self.currency for money in [*prices, self.shipping]):
            raise ValueError(f"all amounts of a basket must be in its currency, {self.currency}")
        if len({line.ref for line in self.lines}) != len(self.lines):
            raise ValueError("the lines of a basket must have different refs")
        if self.shipping.amount < 0:
            raise ValueError("shipping must not be negative")

    @property
    def subtotal(self) -> Money:
        """Price of all lines before coupons and shipping."""
        return sum((line.total for line in self.lines), Money(0, self.currency))
