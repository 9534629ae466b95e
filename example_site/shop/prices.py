"""The prices that products have had: a reduction is compared with the lowest of the 30 days before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Min, OuterRef, Q, Subquery
from django.utils import timezone
from djmoney.money import Money

from .models import PriceRecord, Product


def record_price(*, product: Product, now: datetime | None = None) -> bool:
    """Note the price of a product from now on, if it is another than before; return whether it is."""
    now = now or timezone.now()
    with transaction.atomic():
        today = PriceRecord.objects.select_for_update().filter(product=product, until=None).first()
        if today is not None and today.price == product.price:
            return False
        if today is not None:
            today.until = max(now, today.since)
            today.save(update_fields=["until"])
        PriceRecord.objects.create(product=product, price=product.price, since=now)
    return True


def write_past(*, product: Product, past: Sequence[tuple[int, Decimal]], now: datetime | None = None) -> None:
    """Give a product a past: what it cost from so many days ago on, oldest first; then came today's price.

    The last entry says since when today's price holds; its amount is that of the product.
    """
    now = now or timezone.now()
    begins = [now - timedelta(days=days) for days, _amount in past]
    with transaction.atomic():
        product.prices.all().delete()
        PriceRecord.objects.bulk_create(
            PriceRecord(product=product, price=Money(amount, product.price.currency), since=since, until=until)
            for (_days, amount), since, until in zip(past, begins, [*begins[1:], None], strict=True)
        )


def lowest_before(*, skus: Iterable[str], days: int = 30) -> dict[str, Money]:
    """Return the lowest price in the days before today's price came, in today's currency (Dir. 98/6/EC art. 6a).

    Left out is what has always cost the same. One query.
    """
    today = PriceRecord.objects.filter(product=OuterRef("product"), until=None)
    rows = (
        PriceRecord.objects.filter(product__sku__in=list(skus), until__isnull=False)
        .annotate(began=Subquery(today.values("since")[:1]), currency=Subquery(today.values("price_currency")[:1]))
        .filter(until__gt=F("began") - timedelta(days=days), price_currency=F("currency"))
        .order_by()
        .values_list("product__sku", "price_currency")
        .annotate(lowest=Min("price"))
    )
    return {sku: Money(lowest, currency) for sku, currency, lowest in rows}


def prices_at(*, skus: Iterable[str], at: datetime) -> dict[str, Money]:
    """Return what products cost at a moment. Left out is what was not sold yet. One query."""
    then = Q(since__lte=at) & (Q(until=None) | Q(until__gt=at))
    rows = PriceRecord.objects.filter(then, product__sku__in=list(skus)).order_by("since").select_related("product")
    return {row.product.sku: row.price for row in rows}
