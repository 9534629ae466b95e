"""A shop whose prices and stock a test changes, somebody who saves things, and what receivers of the news are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from djmoney.money import Money

from wishlists import signals
from wishlists.catalog import ProductCard
from wishlists.models import CatalogEvent, ListItem, ProductList
from wishlists.news import finding
from wishlists.news.finding import find_news

PRICE_DROP, BACK, SELLING_OUT = (
    CatalogEvent.Kind.PRICE_DROP,
    CatalogEvent.Kind.BACK_IN_STOCK,
    CatalogEvent.Kind.SELLING_OUT,
)


class Shop:
    """A catalogue whose prices and stock a test changes, and which keeps its lowest prices if told so."""

    cards: ClassVar[dict[str, ProductCard]] = {}
    lowest: ClassVar[dict[str, Money]] = {}
    asked: ClassVar[list[tuple[str, int]]] = []

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        refs = list(refs)
        self.asked.append(("products", len(refs)))
        return {ref: self.cards[ref] for ref in refs if ref in self.cards}

    def get_lowest_prices(self, *, refs: Iterable[str], days: int = 30) -> dict[str, Money]:
        refs = list(refs)
        self.asked.append(("lowest", len(refs)))
        return {ref: self.lowest[ref] for ref in refs if ref in self.lowest}

    @classmethod
    def set(cls, ref: str = "tea", price: Any = 10, *, currency: str = "EUR", **values: Any) -> None:
        cls.cards[ref] = ProductCard(ref=ref, title=ref.title(), url=f"/{ref}/", price=Money(price, currency), **values)

    @classmethod
    def sell_out(cls, ref: str = "tea") -> None:
        cls.cards[ref] = replace(cls.cards[ref], available=False)

    @classmethod
    def restock(cls, ref: str = "tea") -> None:
        cls.cards[ref] = replace(cls.cards[ref], available=True)


@pytest.fixture(autouse=True, name="shop")
def shop_fixture(settings: Any, site: Any) -> type[Shop]:
    settings.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.news_world.Shop"}
    Shop.cards, Shop.lowest, Shop.asked = {}, {}, []
    Shop.set()
    return Shop


@pytest.fixture(autouse=True, name="heard")
def heard_fixture() -> Iterator[list[tuple[str, list[int]]]]:
    """What receivers of the three signals are told: kind, and the items' keys."""
    calls: list[tuple[str, list[int]]] = []

    def note(sender: Any, event: CatalogEvent, items: list[ListItem], **_more: Any) -> None:
        assert sender is CatalogEvent
        calls.append((event.kind, [item.pk for item in items]))

    named = (signals.price_dropped, signals.back_in_stock, signals.selling_out)
    for signal in named:
        signal.connect(note)
    yield calls
    for signal in named:
        signal.disconnect(note)


def save(
    user: User, ref: str = "tea", *, kind: str = "saved", price: Any = 10, currency: str = "EUR", **values: Any
) -> ListItem:
    """Put a product on a list, as if it had cost so much."""
    row, _made = ProductList.objects.get_or_create(owner=user, kind=kind)
    cost = Money(price, currency) if price is not None else None
    return ListItem.objects.create(list=row, product_ref=ref, title=ref, price=cost, **values)


@pytest.fixture(name="look")
def look_fixture(django_capture_on_commit_callbacks: Any) -> Any:
    """One run of the command, and what comes after its commits."""

    def run(**options: Any) -> finding.Found:
        with django_capture_on_commit_callbacks(execute=True):
            return find_news(**options)

    return run


def kinds() -> list[str]:
    return list(CatalogEvent.objects.values_list("kind", flat=True))
