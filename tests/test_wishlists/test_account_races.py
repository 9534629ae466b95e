"""What twenty tabs of one account do at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from wishlists import accounts
from wishlists.accounts import AccountShelf
from wishlists.exceptions import ListFull
from wishlists.kinds import CART, SAVED
from wishlists.lines import Line, Lines, add
from wishlists.models import ListItem, ProductList

from .catalogs import PRODUCTS

THREADS = 20


def change(site: Any, **given: Any) -> None:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, **given}


def rows(user: User, kind: str = CART) -> list[tuple[str, str, int]]:
    items = ListItem.objects.of(user).filter(list__kind=kind).order_by("pk")
    return [(item.product_ref, item.options, item.quantity) for item in items]


def at_once(work: Any) -> list[Any]:
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        try:
            barrier.wait(timeout=30)
            return work(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def race_to_fill(customer: User) -> list[Any]:
    def work(number: int) -> None:
        shelf = AccountShelf(customer)
        shelf.save(add(shelf.get(SAVED), product_ref=f"sku-{number}"))

    return at_once(work)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_tabs_never_fill_a_list_above_its_limit(customer: User, site: Any):
    """SL-6: as many as fit, and every other one is told; whether the list is made by one of them or was read before."""
    change(site, KINDS={SAVED: {"max_items": 7}})
    for turn in range(10):
        ProductList.objects.all().delete()
        ListItem.objects.all().delete()
        held = turn % 2
        if held:
            AccountShelf(customer).save(Lines((Line("tea"),), SAVED), is_limited=False)
        results = race_to_fill(customer)
        refused = [result for result in results if result is not None]
        assert all(isinstance(result, ListFull) for result in refused), refused
        assert (len(rows(customer, SAVED)), len(refused)) == (7, 13 + held)
        assert ProductList.objects.count() == 1, "one list of a kind, however many begin it"


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_limit_does_not_hold(customer: User, site: Any, monkeypatch: pytest.MonkeyPatch):
    """The race above has teeth."""
    change(site, KINDS={SAVED: {"max_items": 7}})
    ProductList.objects.create(owner=customer, kind=SAVED)
    original, barrier = accounts.check_limits, threading.Barrier(THREADS)

    def unlocked(*, user: Any, kind: str, pk: int | None) -> ProductList:
        return ProductList.objects.of(user).get(kind=kind)

    def wait(row: ProductList, *, is_limited: bool) -> None:
        original(row, is_limited=is_limited)
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=5)

    monkeypatch.setattr(accounts, "touch_list", unlocked)
    monkeypatch.setattr(accounts, "check_limits", wait)
    race_to_fill(customer)
    assert len(rows(customer, SAVED)) > 7


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_tabs_add_the_same_product_once(customer: User):
    def work(_number: int) -> None:
        shelf = AccountShelf(customer)
        shelf.save(add(shelf.get(CART), product_ref="tea"), cards=PRODUCTS)

    results = at_once(work)
    assert not [result for result in results if result is not None]
    assert [(ref, options) for ref, options, _quantity in rows(customer)] == [("tea", "")]
