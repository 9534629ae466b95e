"""Campaigns, coupons and baskets for the tests of ``coupons``."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from djmoney.money import Money

from coupons.facts import BasketFacts, BasketLine
from coupons.issuing import issue
from coupons.models import Campaign, Coupon

#: A moment to count from, where the test does not care which.
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def make_campaign(**changes: Any) -> Campaign:
    """Return a running campaign that gives free shipping, unless changed."""
    return Campaign.objects.create(**{"title": "Test", "status": Campaign.Status.RUNNING, **changes})


def make_coupon(*, now: datetime = NOW, usage_limit: int | None = None, holder_key: str = "", **changes: Any) -> Coupon:
    """Return a coupon of its own running campaign."""
    return issue(campaign=make_campaign(**changes), usage_limit=usage_limit, holder_key=holder_key, now=now)


def make_facts(
    *prices: str, quantity: int = 1, shipping: str = "4.90", currency: str = "EUR", customer_key: str = ""
) -> BasketFacts:
    """Return a basket with a line for each price."""
    lines = tuple(
        BasketLine(ref=str(ref), product_ref=f"p{ref}", quantity=quantity, unit_price=Money(Decimal(price), currency))
        for ref, price in enumerate(prices or ("20.00",))
    )
    return BasketFacts(
        lines=lines, shipping=Money(Decimal(shipping), currency), currency=currency, customer_key=customer_key
    )
