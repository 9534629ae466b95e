"""For which baskets a coupon is: pure functions over plain facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from djmoney.money import Money

if TYPE_CHECKING:
    from .facts import BasketFacts, BasketLine


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which lines a coupon is for. Empty sets ask for nothing; what is left out wins over what is let in."""

    products_in: frozenset[str] = frozenset()
    products_out: frozenset[str] = frozenset()
    categories_in: frozenset[str] = frozenset()
    categories_out: frozenset[str] = frozenset()

    def covers(self, line: BasketLine) -> bool:
        """Tell whether the coupon is for this line. A line is let in by its product or by one of its categories."""
        categories = frozenset(line.category_refs)
        if line.product_ref in self.products_out or categories & self.categories_out:
            return False
        if not self.products_in and not self.categories_in:
            return True
        return line.product_ref in self.products_in or bool(categories & self.categories_in)

    def lines(self, facts: BasketFacts) -> tuple[BasketLine, ...]:
        """Return the lines of a basket that the coupon is for."""
        return tuple(line for line in facts.lines if self.covers(line))


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Which baskets a coupon is for. Empty values ask for nothing."""

    scope: Scope = field(default_factory=Scope)
    minimum_spend: Money | None = None
    audience: str = "everybody"
    countries: frozenset[str] = frozenset()
    currency: str = ""
    #: A limit per customer: an order of somebody unknown cannot be counted.
    needs_customer: bool = False

    @property
    def asks_who(self) -> bool:
        """Whether it matters who orders."""
        return self.needs_customer or self.audience != "everybody"

    def spent(self, facts: BasketFacts) -> Money:
        """Return the price of the goods that the coupon is for, before coupons: what counts for the minimum spend."""
        return sum((line.total for line in self.scope.lines(facts)), Money(0, facts.currency))

    def why_not(self, facts: BasketFacts, *, final: bool = False) -> str:
        """Return the reason against this basket in one word, or an empty text.

        What the shop does not know yet (who a guest is, where to deliver) is no reason against a quote; it is against
        a ``final`` reservation, because then it will not become known any more (CO-10). Reasons: ``currency``,
        ``no_matching_product``, ``minimum_spend``, ``country``, ``country_unknown``, ``customer_unknown``,
        ``not_first_order``, ``not_returning``.
        """
        currency = self.currency or (self.minimum_spend.currency.code if self.minimum_spend is not None else "")
        if currency and currency != facts.currency:
            return "currency"
        if facts.lines and not self.scope.lines(facts):
            return "no_matching_product"
        if self.minimum_spend is not None and self.spent(facts) < self.minimum_spend:
            return "minimum_spend"
        return self._why_not_customer(facts, final=final)

    def _why_not_customer(self, facts: BasketFacts, *, final: bool) -> str:
        if self.countries:
            if not facts.country and final:
                return "country_unknown"
            if facts.country and facts.country not in self.countries:
                return "country"
        if self.needs_customer and not facts.customer_key and final:
            return "customer_unknown"
        if self.audience != "everybody":
            if facts.previous_orders is None:
                return "customer_unknown" if final else ""
            if self.audience == "first" and facts.previous_orders > 0:
                return "not_first_order"
            if self.audience == "returning" and facts.previous_orders == 0:
                return "not_returning"
        return ""
