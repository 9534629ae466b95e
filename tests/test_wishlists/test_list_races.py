"""Wish lists from many browser tabs at once, on PostgreSQL: the limits hold, and nothing is lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from wishlists import lists
from wishlists.exceptions import ListFull
from wishlists.lines import Line
from wishlists.lists import create_list, move_items, put_all, put_on_list, take_off
from wishlists.models import ProductList


def on(row: ProductList) -> list[tuple[str, str, int]]:
    return [(item.product_ref, item.options, item.quantity) for item in row.items.order_by("pk")]


def at_once(work: Callable[[int], Any], *, threads: int = 12) -> list[Any]:
    """Do it in so many threads at the same moment; return what each got, or raised."""
    results: list[Any] = [None] * threads
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait()
            results[number] = work(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def make_lists(user: User) -> list[Any]:
    return at_once(lambda number: create_list(user=user, name=f"List {number}"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_new_lists_at_once_keep_the_limit(customer: User, settings: Any) -> None:
    """SL-6: exactly the limit, whatever the number of browser tabs."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_lists": 3}}}
    results = make_lists(customer)
    assert ProductList.objects.of(customer).wish_lists().count() == 3
    assert sum(isinstance(result, ListFull) for result in results) == 9


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_there_would_be_more(customer: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock on the account is what keeps the limit: without it every tab sees room."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_lists": 3}}}
    looking = threading.Barrier(12)

    def look(user: Any) -> dict[str, int]:
        rows = ProductList.objects.of(user).wish_lists().values_list("name", "pk")
        found = dict(rows)
        looking.wait()
        return found

    monkeypatch.setattr(lists, "_lock_names", look)
    make_lists(customer)
    assert ProductList.objects.of(customer).wish_lists().count() == 12


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_list_filled_by_many_keeps_its_limit(customer: User, settings: Any) -> None:
    """SL-6: products on a list, put there by many tabs at once; a product that all put there is there once."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_items": 5}}}
    row = create_list(user=customer, name="Birthday")
    results = at_once(lambda number: put_on_list(list=row, product_ref=f"sku-{number}"))
    assert row.items.count() == 5
    assert sum(isinstance(result, ListFull) for result in results) == 7
    take_off(list=row, keys=[item.key for item in row.items.all()])
    at_once(lambda number: put_on_list(list=row, product_ref="tea", quantity=number + 1))
    assert on(row) == [("tea", "", 12)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_moves_in_both_directions_never_wait_for_each_other(customer: User) -> None:
    """Two lists are always locked in the same order: no deadlock, and nothing is lost or doubled."""
    first, second = create_list(user=customer, name="One"), create_list(user=customer, name="Two")
    for row, names in ((first, "abc"), (second, "cde")):
        put_all(list=row, lines=[Line(name) for name in names])
    keys = [(name, "") for name in "abcde"]
    rows = [(first, second), (second, first)]

    def move(number: int) -> int:
        source, target = rows[number % 2]
        return move_items(source=source, target=target, keys=keys)

    results = at_once(move)
    assert not [result for result in results if isinstance(result, Exception)]
    assert sorted(ref for ref, *_ in on(first) + on(second)) == list("abcde")
