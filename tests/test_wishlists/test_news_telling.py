"""News from the catalogue: who hears of it and how, when things go wrong, the command, memory, and what pages show."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djmoney.money import Money

from wishlists import signals
from wishlists.catalog import ProductCard
from wishlists.models import CatalogEvent, ListItem, ProductList, ProductWatch
from wishlists.news import finding, telling
from wishlists.news.finding import find_news
from wishlists.news.telling import fresh_news, news_of, tell_waiting

from .news_world import BACK, PRICE_DROP, Shop, heard_fixture, kinds, look_fixture, save, shop_fixture  # noqa: F401

pytestmark = pytest.mark.django_db

# Who hears, and how ---------------------------------------------------------------------------------


def test_only_saved_and_wish_lists_hear(customer: User, look: Any, heard: list[Any]) -> None:
    """Comparison and recently viewed are looks in passing; a cart shows today's prices anyway."""
    for kind in ("cart", "compare", "recent"):
        save(customer, kind=kind)
    assert look().products == 1
    Shop.set(price=5)
    look()
    assert (heard, kinds()) == ([], [])


def test_many_items_come_in_parts(customer: User, look: Any, heard: list[Any], monkeypatch: Any) -> None:
    """In chunks, with lists and owners, and without one query an item."""
    row = ProductList.objects.create(owner=customer, kind="wish")
    ListItem.objects.bulk_create(ListItem(list=row, product_ref="tea", options=str(n)) for n in range(25))
    look()
    Shop.set(price=5)
    monkeypatch.setattr(telling, "CHUNK", 10)
    monkeypatch.setattr(finding, "BATCH", 10)
    owners = []
    receiver = lambda items, **_more: owners.extend(item.list.owner.email for item in items)  # noqa: E731
    signals.price_dropped.connect(receiver)
    try:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            look()
    finally:
        signals.price_dropped.disconnect(receiver)
    assert [len(items) for _kind, items in heard] == [10, 10, 5]
    assert owners == [customer.email] * 25
    assert len({pk for _kind, items in heard for pk in items}) == 25
    assert len(queries) < 40


def test_batches_ask_the_catalogue_once_each(customer: User, look: Any, monkeypatch: Any) -> None:
    """One question a batch, each product once, the lowest price only of what became cheaper."""
    monkeypatch.setattr(finding, "BATCH", 10)
    row = ProductList.objects.create(owner=customer, kind="wish")
    for number in range(25):
        Shop.set(f"p{number:02}")
    for options in ("", "large"):
        ListItem.objects.bulk_create(
            ListItem(list=row, product_ref=f"p{number:02}", options=options) for number in range(25)
        )
    look()
    assert Shop.asked == [("products", 10), ("products", 10), ("products", 5)]
    Shop.asked.clear()
    Shop.set("p12", price=1)
    look()
    assert Shop.asked == [("products", 10), ("products", 10), ("lowest", 1), ("products", 5)]


def test_queries_do_not_grow_with_items(customer: User, look: Any) -> None:
    """One batch costs the same for one item and for forty."""
    row = ProductList.objects.create(owner=customer, kind="wish")
    counts = []
    for number in (1, 20):
        for new in range(number):
            Shop.set(f"p{number}-{new}")
            ListItem.objects.create(list=row, product_ref=f"p{number}-{new}")
            ListItem.objects.create(list=row, product_ref=f"p{number}-{new}", options="x")
        look()
        Shop.cards = {ref: replace(card, price=card.price / 2) for ref, card in Shop.cards.items()}
        with CaptureQueriesContext(connection) as queries:
            find_news()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_one_that_was_on_no_list_starts_anew(customer: User, look: Any) -> None:
    """A watch from last year must not make a price drop of today for somebody who saves it today."""
    item = save(customer)
    look()
    item.delete()
    look()
    assert not ProductWatch.objects.exists()
    save(customer, price=99)
    Shop.set(price=1)
    look()
    assert kinds() == []


# When things go wrong -------------------------------------------------------------------------------


def test_a_crash_between_batches(customer: User, look: Any, heard: list[Any], monkeypatch: Any) -> None:
    """What was done stays done and is told once; the next run goes on."""
    monkeypatch.setattr(finding, "BATCH", 1)
    for ref in ("a", "b", "c"):
        Shop.set(ref)
        save(customer, ref)
    look()
    for ref in ("a", "b", "c"):
        Shop.set(ref, price=5)
    asked = iter([None, RuntimeError("the power went")])
    original = Shop.get_products

    def breaks(self: Shop, *, refs: Iterable[str]) -> Any:
        if (error := next(asked, None)) is not None:
            raise error
        return original(self, refs=refs)

    monkeypatch.setattr(Shop, "get_products", breaks)
    with pytest.raises(RuntimeError):
        look()
    assert [event.product_ref for event in CatalogEvent.objects.all()] == ["a"]
    assert ProductWatch.objects.get(product_ref="b").price == Money(10, "EUR")
    look()
    assert [event.product_ref for event in CatalogEvent.objects.all()] == ["a", "b", "c"]
    assert len(heard) == 3


def test_written_down_and_not_told(customer: User, look: Any, heard: list[Any]) -> None:
    """A command that died before its signals: the next one tells, once."""
    save(customer)
    look()
    Shop.set(price=5)
    find_news()
    assert (kinds(), heard) == ([PRICE_DROP], [])
    look()
    assert len(heard) == 1
    assert tell_waiting() == 0


def test_a_receiver_that_raises(customer: User, look: Any, heard: list[Any]) -> None:
    """Disturbs neither the command nor the other receivers."""
    save(customer)
    look()
    Shop.set(price=5)

    def breaks(**_more: Any) -> None:
        raise ValueError("no")

    signals.price_dropped.connect(breaks)
    try:
        look()
    finally:
        signals.price_dropped.disconnect(breaks)
    assert len(heard) == 1


# The command ----------------------------------------------------------------------------------------


def test_dry_run_changes_nothing(customer: User, look: Any, heard: list[Any]) -> None:
    """It says what would be told, and parks nothing."""
    save(customer)
    save(customer, "pot", kind="cart")
    Shop.set("pot")
    look()
    Shop.set(price=5)
    Shop.sell_out("pot")
    before = list(ProductWatch.objects.order_by("pk").values())
    out = io.StringIO()
    call_command("find_list_news", "--dry-run", stdout=out)
    assert list(ProductWatch.objects.order_by("pk").values()) == before
    assert (kinds(), heard, ListItem.objects.filter(parked=True).count()) == ([], [], 0)
    assert "price_drop 'tea': price=€5.00 before=€10.00 items=1" in out.getvalue()
    assert "would_tell: products=2 price_drop=1 price_drop_items=1" in out.getvalue()
    assert "parked=1" in out.getvalue()


def test_the_command_says_what_it_did(customer: User, settings: Any) -> None:
    save(customer)
    out = io.StringIO()
    call_command("find_list_news", stdout=out)
    assert out.getvalue().startswith("told: products=1 price_drop=0")
    settings.THANKYOU_WISHLISTS = {}
    with pytest.raises(CommandError, match="catalogue"):
        call_command("find_list_news", stdout=out)


def test_memory_does_not_grow_with_the_number_of_items(django_user_model: type[User], monkeypatch: Any) -> None:
    """Ten times as many saved items, about the same peak: holding them would take 5 MB more at least."""

    class Endless(Shop):
        price = 10

        def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
            return {ref: ProductCard(ref=ref, title=ref, url="", price=Money(self.price, "EUR")) for ref in refs}

    # As many batches with fewer rows: memory is traced slowly. The benchmark takes 100,000 items as they are.
    monkeypatch.setattr(finding, "BATCH", 100)
    peaks = []
    for number in (500, 5_000):
        ListItem.objects.all().delete()
        user = django_user_model.objects.create_user(f"user{number}")
        row = ProductList.objects.create(owner=user, kind="wish")
        ListItem.objects.bulk_create(
            (ListItem(list=row, product_ref=f"p{n // 2}", options=str(n % 2)) for n in range(number)), batch_size=1000
        )
        catalog = Endless()
        find_news(catalog=catalog)
        catalog.price = 5
        tracemalloc.start()
        try:
            found = find_news(catalog=catalog)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert found.items[PRICE_DROP] == number
    assert peaks[1] - peaks[0] < 1_500_000, peaks


# On pages -------------------------------------------------------------------------------------------


def test_fresh_news_in_one_query(customer: User, look: Any, django_assert_num_queries: Any) -> None:
    """What happened to items in the last 30 days; what does not hold any more is left out (CD-5)."""
    items = [save(customer), save(customer, "pot", kind="wish"), save(customer, "cup", kind="wish")]
    for ref in ("pot", "cup"):
        Shop.set(ref)
    look()
    Shop.set(price=5)
    Shop.set("pot", price=5)
    look()
    tea, pot, cup = items
    with django_assert_num_queries(1):
        found = fresh_news(items=items, cards=Shop.cards)
    assert {pk: [event.kind for event in events] for pk, events in found.items()} == {
        tea.pk: [PRICE_DROP],
        pot.pk: [PRICE_DROP],
    }
    Shop.set(price=6)
    Shop.sell_out("pot")
    assert fresh_news(items=items, cards=Shop.cards) == {}
    assert fresh_news(items=items).keys() == {tea.pk, pot.pk}
    assert fresh_news(items=items, now=timezone.now() + timedelta(days=31)) == {}
    with django_assert_num_queries(0):
        assert fresh_news(items=[]) == {}


def test_news_of_an_account(customer: User, look: Any, django_user_model: Any, django_assert_num_queries: Any) -> None:
    """SL-3: one's own, newest first; nobody has none."""
    other = django_user_model.objects.create_user("other")
    for user in (customer, other):
        save(user)
    look()
    Shop.set(price=5)
    look(now=timezone.now() - timedelta(days=2))
    Shop.sell_out()
    look()
    Shop.restock()
    look()
    with django_assert_num_queries(1):
        rows = news_of(user=customer)
        assert [(row.event.kind, row.item.list.owner_id) for row in rows] == [
            (BACK, customer.pk),
            (PRICE_DROP, customer.pk),
        ]
    assert len(news_of(user=customer, since=timezone.now() - timedelta(days=1))) == 1
    assert news_of(user=AnonymousUser()) == []
