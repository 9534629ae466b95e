"""Many customers at once, on PostgreSQL: nothing is sold twice, and nothing ordered twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from djmoney.money import Money

from example_site.shop import payments, placing
from example_site.shop.exceptions import SoldOut
from example_site.shop.models import Category, Order, Payment, Product
from example_site.shop.placing import Customer, place_order
from tests.test_shop.conftest import ADDRESS

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THREADS = 20


def at_once(work: Callable[[int], Any], *, threads: int = THREADS) -> list[Any]:
    """Run the work in threads that start together; return results and exceptions."""
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


def make_tea(stock: int) -> Product:
    category, _created = Category.objects.get_or_create(slug="tea", defaults={"title": "Tea"})
    return Product.objects.create(
        sku="T-1", title="Tea", slug="t-1", category=category, price=Money(10, "EUR"), stock=stock
    )


def order_one(token: uuid.UUID) -> Order:
    return place_order(
        token=token,
        quantities={("T-1", ""): 1},
        customer=Customer(**ADDRESS),
        shipping_method="standard",
        payment_method="card",
    )


def test_twenty_customers_and_seven_pieces() -> None:
    """Exactly the stock is sold, whoever is quicker; the others are told."""
    tea = make_tea(7)
    results = at_once(lambda _number: order_one(uuid.uuid4()))
    assert sum(isinstance(result, Order) for result in results) == 7, results
    assert sum(isinstance(result, SoldOut) for result in results) == THREADS - 7, results
    tea.refresh_from_db()
    assert (tea.stock, Order.objects.count()) == (0, 7)


@pytest.mark.teeth
def test_without_the_guard_more_is_sold_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: "look, then take" sells more than seven."""

    def look_then_take(*, product: Product, quantity: int) -> bool:
        product = Product.objects.get(pk=product.pk)
        if product.stock < quantity:
            return False
        # As long as a busy shop may take between two statements.
        time.sleep(0.05)
        product.stock -= quantity
        product.save(update_fields=["stock"])
        return True

    monkeypatch.setattr(placing, "take_from_shelf", look_then_take)
    make_tea(7)
    at_once(lambda _number: order_one(uuid.uuid4()))
    assert Order.objects.count() > 7


def test_one_form_sent_twenty_times_at_once() -> None:
    """A double click makes one order, even if it takes the last piece."""
    tea = make_tea(1)
    token = uuid.uuid4()
    results = at_once(lambda _number: order_one(token))
    assert {result.pk for result in results if isinstance(result, Order)} == {Order.objects.get().pk}, results
    assert all(isinstance(result, Order) for result in results), results
    tea.refresh_from_db()
    assert tea.stock == 0


def test_one_payment_answered_twenty_times_at_once() -> None:
    """TY-8: the provider may say it as often as it likes."""
    make_tea(1)
    payment = order_one(uuid.uuid4()).payments.get()

    def answer(number: int) -> bool:
        mine = Payment.objects.select_related("order").get(pk=payment.pk)
        verb = payments.record_success if number % 2 else payments.record_failure
        return verb(payment=mine)

    results = at_once(answer)
    assert results.count(True) == 1, results
    assert results.count(False) == THREADS - 1, results
