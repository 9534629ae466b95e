"""How parcels travel: the shipping methods, what they cost and how long they take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.money import Money

CURRENCY = "EUR"
#: Express saves this many days, and still needs a day for the road.
EXPRESS_SAVES_DAYS = 2


class ShippingMethod(models.TextChoices):
    """The choices at the checkout."""

    STANDARD = "standard", _("Standard")
    EXPRESS = "express", _("Express")

    @property
    def cost(self) -> Money:
        """Price of one parcel, tax included."""
        return Money(Decimal("9.90") if self is ShippingMethod.EXPRESS else Decimal("4.90"), CURRENCY)


def expect_delivery(
    *, method: str, delivery_days: Iterable[tuple[int, int]], today: date
) -> tuple[date, date] | tuple[None, None]:
    """Return the earliest and the latest day an order is at the door.

    ``delivery_days`` holds (at least, at most) of every product; the slowest decides, since it travels in one parcel.
    """
    days = list(delivery_days)
    if not days:
        return None, None
    earliest, latest = max(low for low, _high in days), max(high for _low, high in days)
    if method == ShippingMethod.EXPRESS:
        earliest, latest = max(1, earliest - EXPRESS_SAVES_DAYS), max(2, latest - EXPRESS_SAVES_DAYS)
    return today + timedelta(days=earliest), today + timedelta(days=latest)
