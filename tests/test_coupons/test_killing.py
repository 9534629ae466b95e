"""A process that dies at the worst moment loses nothing and blocks nobody (CO-2): it is really killed, with SIGKILL."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from djmoney.money import Money

from coupons.exceptions import InvalidCode
from coupons.models import Coupon, Redemption, RedemptionQuerySet
from coupons.redemption import _Payment, redeem, release_expired, reserve
from coupons.verifying import verify
from example_site.shop.models import Category, Order, Payment, Product
from example_site.shop.payments import record_success
from example_site.shop.placing import Customer, place_order
from tests.test_coupons.dying import die_at
from tests.test_coupons.factories import NOW, make_coupon, make_facts

pytestmark = [pytest.mark.django_db(transaction=True)]

FACTS = make_facts()
AT_ONCE = timedelta(0)
LATER = timedelta(minutes=31)
CUSTOMER = Customer(
    email="ada@example.com", name="Ada Lovelace", street="Rosenweg 1", postcode="10115", city="Berlin", country="DE"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The name of the test's database for another process; SQLite's, which is in memory, becomes a file meanwhile."""
    if connection.vendor != "sqlite":
        yield str(connection.settings_dict["NAME"])
        return
    path = tmp_path / "killing.sqlite3"
    in_memory = connections["default"]
    in_memory.ensure_connection()
    with closing(sqlite3.connect(path)) as file:
        in_memory.connection.backup(file)
    on_disk = connections.create_connection("default")
    on_disk.settings_dict = {**in_memory.settings_dict, "NAME": str(path)}
    connections["default"] = on_disk
    try:
        yield str(path)
    finally:
        on_disk.close()
        connections["default"] = in_memory


def next_customer(coupon: Coupon, now: datetime) -> Redemption:
    """Somebody else takes the coupon's only use. Raises InvalidCode if it is taken."""
    return reserve(code=coupon.code, order_ref="next", facts=FACTS, now=now)


def states(coupon: Coupon) -> dict[str, tuple[str, bool]]:
    """Return the uses by their orders, each with whether it is over the limit; the books must be right."""
    assert verify() == []
    return {row.order_ref: (row.state, row.over_limit) for row in coupon.redemptions.all()}


def killed_after_reserving(database: str, count: int = 1) -> list[Coupon]:
    """Return coupons whose only uses are held by checkouts of a process that is no more, each by another order."""
    coupons = [make_coupon(usage_limit=1) for _ in range(count)]
    codes = ",".join(coupon.code for coupon in coupons)
    die_at("reserve", database=database, codes=codes, now=NOW.isoformat())
    for number, coupon in enumerate(coupons):
        assert states(coupon) == {f"dead {number}": ("reserved", False)}
    return coupons


# Between reserve and redeem


def test_uses_are_given_back_once_when_their_time_is_over(database: str) -> None:
    """CO-2: until then it is the customer's, who may come back and pay; then it is the next one's, who needs no
    sweep.
    """
    first, second, third = killed_after_reserving(database, 3)
    with pytest.raises(InvalidCode):
        next_customer(first, NOW + timedelta(minutes=29))
    reserve(code=third.code, order_ref="dead 2", facts=FACTS, now=NOW + timedelta(minutes=29))
    next_customer(second, NOW + LATER)
    assert [release_expired(now=NOW + LATER) for _ in range(2)] == [1, 0]
    assert states(first) == {"dead 0": ("released", False)}
    next_customer(first, NOW + LATER)
    assert states(first) == {"dead 0": ("released", False), "next": ("reserved", False)}
    assert states(second) == {"dead 1": ("released", False), "next": ("reserved", False)}
    redeem(order_ref="dead 2", now=NOW + LATER)
    assert states(third) == {"dead 2": ("redeemed", False)}


def test_a_late_payment_counts_all_the_same(database: str) -> None:
    """CO-2: a paid order is never refused; it is over the limit only if somebody else has the use by now."""
    now = NOW + LATER
    coupons = killed_after_reserving(database, 4)
    next_customer(coupons[0], now)
    assert release_expired(now=now) == 3
    next_customer(coupons[1], now)
    for number, is_taken in enumerate([True, True, False, False]):
        order = f"dead {number}"
        for _ in range(2):
            assert [row.order_ref for row in redeem(order_ref=order, now=now)] == [order]
        others = {"next": ("reserved", False)} if is_taken else {}
        assert states(coupons[number]) == {order: ("redeemed", is_taken), **others}


def test_killed_in_the_midst_of_reserving(database: str) -> None:
    """CO-1, CO-2: the counter is raised and not committed; the use is free at once, and no lock is left behind."""
    coupon = make_coupon(usage_limit=1)
    die_at("reserve_in_a_transaction", database=database, codes=coupon.code, now=NOW.isoformat())
    start = monotonic()
    next_customer(coupon, NOW)
    # Less than ``uses.PATIENCE``: nobody has waited for the dead.
    assert monotonic() - start < 5
    assert states(coupon) == {"next": ("reserved", False)}


# Between payment and redeem, in a whole shop


@pytest.fixture
def tea(database: str) -> Product:
    category = Category.objects.create(slug="tea", title="Tea")
    return Product.objects.create(
        sku="T-1", title="Tea", slug="t-1", category=category, price=Money(10, "EUR"), stock=5
    )


def place(*, token: uuid.UUID, code: str, now: datetime) -> Order:
    return place_order(
        token=token,
        quantities={("T-1", ""): 1},
        customer=CUSTOMER,
        shipping_method="standard",
        payment_method="card",
        codes=[code],
        now=now,
    )


@pytest.mark.parametrize(
    ("until", "is_done", "wait"),
    [
        pytest.param("before the coupon is redeemed", False, AT_ONCE, id="before redeem"),
        pytest.param("before the coupon is redeemed", False, LATER, id="before redeem, told late"),
        pytest.param("before the transaction is committed", False, AT_ONCE, id="before commit"),
        pytest.param("before the provider has heard", True, LATER, id="before the answer"),
    ],
)
def test_the_payment_is_told_again(database: str, tea: Product, until: str, is_done: bool, wait: timedelta) -> None:
    """CO-2: payment providers repeat what nobody has confirmed; the second time the order is paid and the coupon used,
    once, also when the reservation has run out and somebody else took the use.
    """
    now = timezone.now()
    coupon = make_coupon(now=now, usage_limit=1)
    order = place(token=uuid.uuid4(), code=coupon.code, now=now)
    payment = order.payments.get()
    arguments = {"reference": str(payment.reference), "until": until, "now": now.isoformat()}
    die_at("hear_of_payment", database=database, **arguments)
    assert states(coupon) == {order.number: ("redeemed" if is_done else "reserved", False)}
    is_taken = wait is LATER and not is_done
    if is_taken:
        next_customer(coupon, now + LATER)

    assert record_success(payment=Payment.objects.get(pk=payment.pk), now=now + wait) is not is_done
    assert record_success(payment=Payment.objects.get(pk=payment.pk), now=now + wait) is False
    order.refresh_from_db()
    assert order.state == "paid"
    others = {"next": ("reserved", False)} if is_taken else {}
    assert states(coupon) == {order.number: ("redeemed", is_taken), **others}


def test_the_form_is_sent_again(database: str, tea: Product) -> None:
    """CO-2: the order was placed by a process that could not say so. The customer clicks again, gets that order, and
    pays.
    """
    now, token = timezone.now(), uuid.uuid4()
    coupon = make_coupon(now=now, usage_limit=1)
    die_at("place_order", database=database, token=str(token), code=coupon.code, now=now.isoformat())
    order = place(token=token, code=coupon.code, now=now)
    assert Order.objects.count() == 1
    tea.refresh_from_db()
    assert tea.stock == 4
    assert record_success(payment=order.payments.get(), now=now)
    assert states(coupon) == {order.number: ("redeemed", False)}


# Teeth


@pytest.mark.teeth
def test_without_giving_back_the_next_customer_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-2: if nothing ever ran out, the dead checkout would hold its use for ever; and a ``redeem`` that knows only
    what is reserved would lose the use of a paid order. The tests above would notice both.
    """

    def is_reserved(self: Any, row: Redemption) -> bool:
        return row.state == Redemption.State.RESERVED

    blocked, lost = killed_after_reserving(database, 2)
    with monkeypatch.context() as patch:
        patch.setattr(RedemptionQuerySet, "run_out", lambda self, *, now: self.none())
        assert release_expired(now=NOW + LATER) == 0
        with pytest.raises(InvalidCode):
            next_customer(blocked, NOW + LATER)
    assert release_expired(now=NOW + LATER) == 2
    monkeypatch.setattr(_Payment, "_is_paid", is_reserved)
    assert redeem(order_ref="dead 1", now=NOW + LATER) == []
    assert states(lost) == {"dead 1": ("released", False)}
