"""Two commands at once, and customers who change their lists meanwhile, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from djmoney.money import Money

from wishlists import signals
from wishlists.accounts import AccountShelf
from wishlists.catalog import ProductCard
from wishlists.lines import Lines
from wishlists.models import CatalogEvent, ItemNews, ListItem, ProductList
from wishlists.news import finding
from wishlists.news.finding import find_news

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THREADS = 6
PRODUCTS = 30


class Shop:
    """Everything costs the same."""

    def __init__(self, price: int, *, available: bool = True) -> None:
        self.price, self.available = price, available

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        price = Money(self.price, "EUR")
        return {ref: ProductCard(ref=ref, title=ref, url="", price=price, available=self.available) for ref in refs}


def at_once(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    barrier = threading.Barrier(threads)

    def run(number: int) -> Any:
        try:
            barrier.wait(timeout=30)
            return work(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@pytest.fixture
def saved(customer: User, monkeypatch: pytest.MonkeyPatch) -> ProductList:
    """A wish list of thirty products, looked at once, ten to a batch."""
    monkeypatch.setattr(finding, "BATCH", 10)
    row = ProductList.objects.create(owner=customer, kind="wish")
    ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"p{n:02}") for n in range(PRODUCTS))
    find_news(catalog=Shop(10))
    return row


def race(told: list[tuple[int, int]]) -> list[Any]:
    """Let several commands meet the same reduction."""

    def note(event: CatalogEvent, items: list[ListItem], **_more: Any) -> None:
        told.extend((item.pk, event.pk) for item in items)

    signals.price_dropped.connect(note)
    try:
        return at_once(lambda _number: find_news(catalog=Shop(5)))
    finally:
        signals.price_dropped.disconnect(note)


def test_several_commands_tell_once(saved: ProductList) -> None:
    """At most once per item and event: who comes second waits, and then finds nothing new."""
    told: list[tuple[int, int]] = []
    results = race(told)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(result.events["price_drop"] for result in results) == PRODUCTS
    assert CatalogEvent.objects.count() == ItemNews.objects.count() == PRODUCTS
    assert len(told) == len(set(told)) == PRODUCTS
    assert len({pk for pk, _event in told}) == PRODUCTS


@pytest.mark.teeth
def test_without_taking_turns_the_same_is_told_twice(saved: ProductList, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race above has teeth: without its lock, several find the same reduction."""
    monkeypatch.setattr(finding, "take_turns", lambda: None)
    # Wide open: all have looked before the first one writes.
    barrier = threading.Barrier(THREADS)
    original = finding._write_looks

    def wait(*args: Any, **kwargs: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=2)
        original(*args, **kwargs)

    monkeypatch.setattr(finding, "_write_looks", wait)
    race([])
    assert CatalogEvent.objects.count() > PRODUCTS


def test_a_customer_removes_an_item_meanwhile(saved: ProductList, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is done once more without it, and nobody gets an error."""
    original, gone = finding._write_events, []

    def remove_before_commit(events: Any) -> Any:
        heard = original(events)
        if not gone:
            gone.append(True)
            results = at_once(lambda _number: ListItem.objects.filter(product_ref="p03").delete(), threads=1)
            assert not isinstance(results[0], Exception)
        return heard

    monkeypatch.setattr(finding, "_write_events", remove_before_commit)
    found = find_news(catalog=Shop(5))
    assert found.items["price_drop"] == ItemNews.objects.count() == PRODUCTS - 1


@pytest.mark.teeth
def test_without_another_try_the_command_would_break(saved: ProductList, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above has teeth."""
    monkeypatch.setattr(finding, "TRIES", 1)
    with pytest.raises(IntegrityError):
        test_a_customer_removes_an_item_meanwhile(saved, monkeypatch)


def test_parking_and_a_customer_at_the_same_cart(django_user_model: type[User]) -> None:
    """Nobody waits for ever, nobody gets an error, and nothing is lost: each item is in the cart or saved, once."""
    users = [django_user_model.objects.create(username=f"u{n}") for n in range(4)]
    for round_ in range(8):
        for user in users:
            ListItem.objects.of(user).delete()
            row, _made = ProductList.objects.get_or_create(owner=user, kind="cart")
            ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"p{n}", quantity=2) for n in range(5))

        def work(number: int) -> None:
            if number < 2:
                find_news(catalog=Shop(5, available=False))
                return
            shelf = AccountShelf(users[number - 2])
            cart = shelf.get("cart")
            # This customer takes one out while it is parked.
            shelf.save(Lines(tuple(line for line in cart if line.product_ref != "p1"), "cart"))

        results = at_once(work, threads=6)
        assert [result for result in results if result is not None] == [], round_
        for user in users:
            refs = sorted(ListItem.objects.of(user).values_list("product_ref", flat=True))
            assert set(refs) >= {"p0", "p2", "p3", "p4"}
            assert len(refs) == len(set(refs))
    find_news(catalog=Shop(5, available=False))
    assert not ListItem.objects.filter(list__kind="cart").exists()
