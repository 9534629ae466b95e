"""What cannot be bought leaves accounts' carts by itself, waits among what is saved, and comes back with a word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from djmoney.money import Money

from wishlists.models import CatalogEvent, ListItem, ProductList
from wishlists.moving import park
from wishlists.news import finding, parking
from wishlists.news.finding import find_news
from wishlists.news.parking import park_unavailable
from wishlists.shelf import Shelf

from .catalogs import MemoryCatalog

pytestmark = pytest.mark.django_db


def put(user: User, ref: str, *, kind: str = "cart", quantity: int = 1, **values: Any) -> ListItem:
    row, _made = ProductList.objects.get_or_create(owner=user, kind=kind)
    return ListItem.objects.create(list=row, product_ref=ref, title=ref, quantity=quantity, **values)


def held(user: User, kind: str) -> list[tuple[str, int, bool]]:
    items = ListItem.objects.of(user).filter(list__kind=kind).order_by("product_ref", "options")
    return [(item.product_ref, item.quantity, item.parked) for item in items]


def test_it_is_parked_and_comes_back_with_a_word(customer: User) -> None:
    """Quantity, title, price and date stay; the news reaches it."""
    item = put(customer, "tea", quantity=3, price=Money(12, "EUR"), options="large")
    put(customer, "pot")
    find_news()
    MemoryCatalog.products["tea"] = replace(MemoryCatalog.products["tea"], available=False)
    assert find_news().parked == 1
    assert held(customer, "cart") == [("pot", 1, False)]
    assert held(customer, "saved") == [("tea", 3, True)]
    parked = ListItem.objects.get(pk=item.pk)
    assert (parked.options, parked.price, parked.added_at) == ("large", Money(12, "EUR"), item.added_at)
    assert find_news().parked == 0
    MemoryCatalog.products["tea"] = replace(MemoryCatalog.products["tea"], available=True)
    found = find_news()
    assert found.items == {CatalogEvent.Kind.BACK_IN_STOCK: 1}
    assert held(customer, "saved") == [("tea", 3, True)]  # the customer puts it back, not we


@pytest.mark.parametrize("ref", ["cup", "none", "dear"])
def test_whatever_makes_it_impossible_to_buy(ref: str, customer: User) -> None:
    """Not available, no piece left, no price."""
    put(customer, ref)
    assert find_news().parked == 1


def test_what_left_the_shop_is_not_parked(customer: User) -> None:
    """Nobody can say that it comes back: it stays in the cart, marked."""
    put(customer, "unknown")
    assert find_news().parked == 0
    assert held(customer, "cart") == [("unknown", 1, False)]


def test_saved_already(customer: User) -> None:
    """One item then, with all pieces, as on the page; what was saved by hand does not become something that waits."""
    put(customer, "cup", quantity=2)
    saved = put(customer, "cup", kind="saved", quantity=1, note="mine")
    assert park_unavailable(refs=["cup"]) == 1
    assert (held(customer, "cart"), held(customer, "saved")) == ([], [("cup", 3, False)])
    assert ListItem.objects.get(pk=saved.pk).note == "mine"


@pytest.mark.parametrize("saved", [None, (1, False), (1, True), (60, False), (98, True)], ids=str)
@pytest.mark.parametrize("quantity", [1, 60])
def test_the_command_does_as_the_page(
    django_user_model: type[User], quantity: int, saved: tuple[int, bool] | None
) -> None:
    """One rule, whoever comes first: the command, or the customer's own look at the cart. Too many pieces stay (SL-6)."""
    users = [django_user_model.objects.create(username=name) for name in ("looks", "sleeps")]
    for user in users:
        put(user, "cup", quantity=quantity)
        if saved:
            put(user, "cup", kind="saved", quantity=saved[0], parked=saved[1])
    request = RequestFactory().get("/")
    request.user = users[0]
    park(shelf=Shelf(request), cards=MemoryCatalog.products)
    park_unavailable(refs=["cup"])
    was, is_parked = saved or (0, True)
    is_moved = quantity + was <= 99
    wanted = ([], [("cup", quantity + was, is_parked)]) if is_moved else ([("cup", quantity, False)], [("cup", *saved)])
    for user in users:
        assert (held(user, "cart"), held(user, "saved")) == wanted


def test_the_page_alone_does_the_same(customer: User) -> None:
    """All pieces, and parked only if nobody saved any of them."""
    put(customer, "cup", quantity=2)
    put(customer, "cup", kind="saved")
    request = RequestFactory().get("/")
    request.user = customer
    park(shelf=Shelf(request), cards=MemoryCatalog.products)
    assert (held(customer, "cart"), held(customer, "saved")) == ([], [("cup", 3, False)])


def test_customers_do_not_wait_for_the_catalogue(customer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their rows are not touched in the transaction in which the catalogue is asked."""
    put(customer, "cup")
    depths: list[int] = []
    before = len(connection.savepoint_ids)

    def look(*, refs: Any) -> int:
        depths.append(len(connection.savepoint_ids) - before)
        return park_unavailable(refs=refs)

    monkeypatch.setattr(finding, "park_unavailable", look)
    assert find_news().parked == 1
    assert depths == [0]


def test_a_dry_run_parks_nothing(customer: User) -> None:
    """And says how many it would park."""
    put(customer, "cup")
    assert find_news(dry_run=True).parked == 1
    assert (held(customer, "cart"), held(customer, "saved")) == ([("cup", 1, False)], [])


def test_a_full_list_takes_no_more(customer: User, settings: Any) -> None:
    """SL-6: what does not fit stays in the cart, where it says why it cannot be bought."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"saved": {"max_items": 2}}}
    put(customer, "tea", kind="saved")
    for number in range(3):
        put(customer, "cup", options=str(number))
    assert park_unavailable(refs=["cup"]) == 1
    assert len(held(customer, "cart")) == 2


def test_a_shop_without_saving_for_later(customer: User, settings: Any) -> None:
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"saved": {"is_on": False}}}
    put(customer, "cup")
    assert find_news().parked == 0


def test_many_accounts_at_once(django_user_model: type[User], monkeypatch: pytest.MonkeyPatch) -> None:
    """In bulk: the queries do not grow with the accounts; chunks cover all."""
    counts = []
    for number in (2, 30):
        users = [django_user_model.objects.create(username=f"u{number}-{n}") for n in range(number)]
        for user in users:
            put(user, "cup", quantity=2)
            put(user, "tea")
        with CaptureQueriesContext(connection) as queries:
            assert park_unavailable(refs=["cup"]) == number
        counts.append(len(queries))
        assert all(held(user, "saved") == [("cup", 2, True)] for user in users)
        assert all(held(user, "cart") == [("tea", 1, False)] for user in users)
    assert counts[0] == counts[1]
    monkeypatch.setattr(parking, "CHUNK", 7)
    for user in users:
        put(user, "none")
    assert park_unavailable(refs=["none", "cup"]) == 30
