"""The demo's campaigns: what its thank-you pages can promise. Shared by the example shop and the Oscar demo."""

from __future__ import annotations

from decimal import Decimal

from djmoney.money import Money

from coupons.models import Campaign

FREE_SHIPPING = "Free shipping within the hour"
TEN_PERCENT = "10 % off the next order"
FIVE_EURO = "5 € off"


def load_campaigns() -> None:
    """What the thank-you pages can promise."""
    for title, values in {
        FREE_SHIPPING: {
            "benefit": Campaign.Benefit.FREE_SHIPPING,
            "deadline_minutes": 60,
            "terms": "For one more order, anywhere we deliver.",
        },
        TEN_PERCENT: {
            "benefit": Campaign.Benefit.PERCENT,
            "percent": Decimal(10),
            "deadline_minutes": 43_200,
            "terms": "For one order within 30 days, on everything in the shop.",
        },
        FIVE_EURO: {
            "benefit": Campaign.Benefit.AMOUNT,
            "amount": Money(5, "EUR"),
            "terms": "For one order, on everything in the shop.",
        },
    }.items():
        Campaign.objects.get_or_create(title=title, defaults={"status": Campaign.Status.RUNNING, **values})
