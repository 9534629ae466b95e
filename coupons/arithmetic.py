"""How much coupons take off: pure functions over plain facts, exact to the smallest unit of the currency (CO-4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from djmoney.money import Money
from moneyed import get_currency

from .conditions import Scope
from .exceptions import CouponError
from .facts import BasketFacts

#: Coupons are applied in this order, and within a kind in the order given: a percentage is of the goods' price as
#: little reduced as possible, which is what customers expect, and the result does not depend on the order in which
#: they typed their codes.
ORDER: Final[Mapping[str, int]] = {"free_product": 0, "percent": 1, "amount": 2, "free_shipping": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class Benefit:
    """What one coupon promises. ``percent`` is between 0 and 100; ``amount`` is in the basket's currency."""

    code: str
    title: str
    kind: str
    percent: Decimal | None = None
    amount: Money | None = None
    #: The product of which one piece is free.
    product_ref: str = ""
    #: The lines it is for; a free product is its own.
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, kw_only=True, slots=True)
class CouponDiscount:
    """What one coupon takes off: ``lines`` by ``BasketLine.ref`` (only lines that get something) and off the
    shipping.
    """

    code: str
    title: str
    lines: Mapping[str, Money]
    shipping: Money

    @property
    def goods(self) -> Money:
        """Sum of what comes off the lines."""
        return sum(self.lines.values(), Money(0, self.shipping.currency))

    @property
    def amount(self) -> Money:
        """Sum of everything this coupon takes off."""
        return self.goods + self.shipping


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A code that was not accepted: ``text`` as it was typed (shortened), and why."""

    text: str
    error: CouponError

    @property
    def message(self) -> str:
        """The text for the customer, in the active language."""
        return self.error.message


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A basket with its coupons applied. Nothing in it is ever below zero, and its sums are exact (CO-4)."""

    facts: BasketFacts
    discounts: tuple[CouponDiscount, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def subtotal(self) -> Money:
        """Goods before coupons."""
        return self.facts.subtotal

    @property
    def discount(self) -> Money:
        """What all coupons take off the goods."""
        return sum((each.goods for each in self.discounts), Money(0, self.facts.currency))

    @property
    def shipping_discount(self) -> Money:
        """What all coupons take off the shipping."""
        return sum((each.shipping for each in self.discounts), Money(0, self.facts.currency))

    @property
    def shipping(self) -> Money:
        """Shipping that is left to pay."""
        return self.facts.shipping - self.shipping_discount

    @property
    def total(self) -> Money:
        """What the customer pays: goods and shipping after coupons."""
        return self.subtotal - self.discount + self.shipping


def minor_unit(currency: str) -> Decimal:
    """Return the smallest unit of a currency by ISO 4217: 1 for JPY, 0.01 for EUR, 0.001 for KWD."""
    return Decimal(1) / get_currency(currency).sub_unit


def apply(*, benefits: Sequence[Benefit], facts: BasketFacts, refusals: Iterable[Refusal] = ()) -> Quote:
    """Return the quote of a basket with these benefits, in the order that ``ORDER`` defines (CO-4).

    Each is worked out on what the ones before it left over, and only on the lines of its scope. A percentage is
    rounded half up on each line; an amount is spread over the lines in proportion to what is left of them, by largest
    remainder (ties to the earlier line); both count only whole smallest units and never exceed what is left. A free
    product takes the price of one piece, on the line of this product where that is most (ties to the earlier line),
    whatever the scope: the gift need not be among the goods that earn it. Free shipping takes what shipping is left.
    """
    unit = minor_unit(facts.currency)
    left = {line.ref: _units(line.total, unit) if line.discountable else 0 for line in facts.lines}
    shipping = facts.shipping
    nothing = Money(0, facts.currency)
    discounts = []
    for benefit in sorted(benefits, key=lambda each: ORDER[each.kind]):
        taken = _off_goods(benefit, facts, left, unit)
        off_shipping = nothing
        if benefit.kind == "free_shipping":
            off_shipping, shipping = shipping, nothing
        for ref, units in taken.items():
            left[ref] -= units
        lines = {ref: Money(units * unit, facts.currency) for ref, units in taken.items() if units}
        discounts.append(CouponDiscount(code=benefit.code, title=benefit.title, lines=lines, shipping=off_shipping))
    return Quote(facts=facts, discounts=tuple(discounts), refusals=tuple(refusals))


def _off_goods(benefit: Benefit, facts: BasketFacts, left: Mapping[str, int], unit: Decimal) -> dict[str, int]:
    """Return what a benefit takes off each line, in smallest units, given what is left of the lines."""
    if benefit.kind == "free_product":
        pieces = {
            line.ref: min(_units(line.unit_price, unit), left[line.ref])
            for line in facts.lines
            if line.product_ref == benefit.product_ref
        }
        dearest = max(pieces, key=lambda ref: pieces[ref], default=None)
        return {} if dearest is None else {dearest: pieces[dearest]}
    covered = {line.ref: left[line.ref] for line in benefit.scope.lines(facts)}
    if benefit.kind == "percent" and benefit.percent is not None:
        return {ref: _percent(own, benefit.percent) for ref, own in covered.items()}
    if benefit.kind == "amount" and benefit.amount is not None:
        return _spread(_units(benefit.amount, unit), covered)
    return {}


def _units(money: Money, unit: Decimal) -> int:
    """Return how many whole smallest units an amount has."""
    return int((money.amount / unit).to_integral_value(ROUND_FLOOR))


def _percent(units: int, percent: Decimal) -> int:
    share = (units * percent / 100).to_integral_value(ROUND_HALF_UP)
    return max(0, min(units, int(share)))


def _spread(units: int, left: Mapping[str, int]) -> dict[str, int]:
    """Return shares of ``units`` in proportion to ``left``: whole numbers, none above its line, in sum ``min(units,
    all)``.
    """
    everything = sum(left.values())
    units = max(0, min(units, everything))
    if not units:
        return {}
    shares = {ref: divmod(units * own, everything) for ref, own in left.items()}
    missing = units - sum(whole for whole, _ in shares.values())
    # Sorting is stable: of equal remainders the earlier line comes first.
    first = sorted(shares, key=lambda ref: -shares[ref][1])[:missing]
    return {ref: whole + (ref in first) for ref, (whole, _) in shares.items()}
