"""Random histories of prices and stock, beside a simple model of what is news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from djmoney.money import Money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wishlists.catalog import ProductCard
from wishlists.models import CatalogEvent, ItemNews, ListItem, ProductList, ProductWatch
from wishlists.news.finding import find_news

LOW = 3
PRICES = st.tuples(st.integers(1, 5), st.sampled_from(["EUR", "USD"]))


@dataclass(frozen=True)
class Day:
    """The product on one day, and at what price somebody saves it in the evening, if anybody does."""

    price: tuple[int, str]
    in_shop: bool
    available: bool
    left: int | None
    saved: tuple[int, str] | None
    looked: bool


DAYS = st.lists(
    st.builds(
        Day,
        price=PRICES,
        in_shop=st.sampled_from([True, True, True, False]),
        available=st.booleans(),
        left=st.sampled_from([None, 0, 1, LOW, LOW + 1, 9]),
        saved=st.none() | PRICES,
        looked=st.sampled_from([True, True, False]),
    ),
    max_size=12,
)


class Today:
    """A catalogue of one product."""

    day: Day

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        day = self.day
        if not day.in_shop or "tea" not in set(refs):
            return {}
        price = Money(*day.price)
        return {"tea": ProductCard(ref="tea", title="Tea", url="", price=price, available=day.available, left=day.left)}


def expected(days: list[Day]) -> list[tuple[int, str]]:
    """Return (number of the item, kind of event) for all that has to be told, in plain words.

    A look happens only when something is saved. Availability and stock are compared with the last look, a price with the
    last one at which it could be bought, and with what the item cost.
    """
    told: list[tuple[int, str]] = []
    items: list[tuple[int, str]] = []
    last_price: tuple[int, str] | None = None
    was_available, last_left, seen = False, None, False
    for day in days:
        if day.looked and items:
            can_buy = day.in_shop and day.available
            left = day.left if day.in_shop else None
            if seen and can_buy:
                amount, currency = day.price
                if not was_available:
                    told += [(number, "back_in_stock") for number in range(len(items))]
                if last_price and last_price[1] == currency and amount < last_price[0]:
                    cheaper = [n for n, (cost, money) in enumerate(items) if money == currency and amount < cost]
                    told += [(number, "price_drop") for number in cheaper]
                if left is not None and last_left is not None and left <= LOW < last_left:
                    told += [(number, "selling_out") for number in range(len(items))]
            seen, was_available, last_left = True, can_buy, left
            last_price = day.price if can_buy else last_price
        if day.saved is not None:
            items.append(day.saved)
    return told


@pytest.mark.django_db
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS)
def test_each_item_hears_of_what_happened_and_of_nothing_else(customer: User, days: list[Day]) -> None:
    """Drops only when really lower, per currency; each event once at most; and nothing is left out."""
    for model in (CatalogEvent, ProductWatch, ListItem):
        model.objects.all().delete()
    row, _made = ProductList.objects.get_or_create(owner=customer, kind="wish")
    catalog, numbers = Today(), {}
    for day in days:
        catalog.day = day
        if day.looked:
            find_news(catalog=catalog)
        if day.saved is not None:
            number = len(numbers)
            item = ListItem.objects.create(list=row, product_ref="tea", options=f"{number}", price=Money(*day.saved))
            numbers[item.pk] = number
    rows: list[Any] = list(ItemNews.objects.select_related("event", "item"))
    assert Counter((numbers[row.item_id], row.event.kind) for row in rows) == Counter(expected(days))
    assert len({(row.item_id, row.event_id) for row in rows}) == len(rows)
    for row in rows:
        event = row.event
        if event.kind == "price_drop":
            assert event.price.currency == event.price_before.currency == row.item.price.currency
            assert event.price < event.price_before
            assert event.price < row.item.price
        if event.kind == "selling_out":
            assert 0 <= event.left <= LOW
