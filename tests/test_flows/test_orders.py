"""What the shop reports is recorded once, and never breaks a sale (DESIGN §4, TY-8)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from thankyou_flows.models import OrderRecord
from thankyou_flows.orders import is_first_order, record_order, report_order
from thankyou_flows.signals import order_recorded, order_state_changed
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import OrderState

from .conftest import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(request: Any) -> list[tuple[str, str]]:
    """What is announced, as (signal, new state)."""
    heard: list[tuple[str, str]] = []

    def on_recorded(sender: Any, *, record: OrderRecord, **kwargs: Any) -> None:
        heard.append(("recorded", record.state))

    def on_changed(sender: Any, *, old_state: str, new_state: str, **kwargs: Any) -> None:
        heard.append((old_state, new_state))

    order_recorded.connect(on_recorded)
    order_state_changed.connect(on_changed)
    request.addfinalizer(lambda: order_recorded.disconnect(on_recorded))
    request.addfinalizer(lambda: order_state_changed.disconnect(on_changed))
    return heard


def test_news_goes_out_once_and_after_commit(
    news: list[tuple[str, str]], django_capture_on_commit_callbacks: Any
) -> None:
    """TY-8: placed, paid, paid again, placed-comes-late."""
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=make_order(state=OrderState.PLACED))
        assert news == []
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            record_order(order=make_order(state=OrderState.PAID))
    assert news == [("recorded", "placed"), ("placed", "paid")]
    assert OrderRecord.objects.get().state == OrderState.PAID


def test_a_report_waits_for_the_commit(order: Any, django_capture_on_commit_callbacks: Any, dummy_store: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        report_order(number=order.number)
        assert dummy_store.calls == []
    assert OrderRecord.objects.get().number == order.number


def test_a_report_never_raises(
    monkeypatch: Any, order: Any, caplog: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """OP-4."""

    def broken(self: Any, *, number: str) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(DummyStore, "get_order", broken)
    with django_capture_on_commit_callbacks(execute=True):
        report_order(number=order.number)
    assert "could not be recorded" in caplog.text


def test_an_order_the_store_does_not_find_is_logged(caplog: Any, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        report_order(number="nowhere")
    assert not OrderRecord.objects.exists()
    assert "does not find" in caplog.text


def test_a_listener_that_raises_harms_nobody(django_capture_on_commit_callbacks: Any, request: Any) -> None:
    def broken(sender: Any, **kwargs: Any) -> None:
        raise RuntimeError("listener")

    order_recorded.connect(broken)
    request.addfinalizer(lambda: order_recorded.disconnect(broken))
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=make_order())
    assert OrderRecord.objects.count() == 1


def test_cancelled_orders_do_not_make_a_customer() -> None:
    """An order that came to nothing leaves the next one a first order; an unknown customer is neither."""
    from datetime import timedelta

    from django.utils import timezone

    from coupons.holders import customer_key

    first = make_order("T-1", state=OrderState.CANCELLED, placed_at=timezone.now() - timedelta(days=1))
    second = make_order("T-2")
    record_order(order=first)
    record_order(order=second)
    key = customer_key(second.email)
    assert is_first_order(order=second, key=key) is True
    record_order(order=make_order("T-0", placed_at=timezone.now() - timedelta(days=2)))
    assert is_first_order(order=second, key=key) is False
    assert is_first_order(order=second, key="") is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_reporters_at_once_record_one_order(news: list[tuple[str, str]]) -> None:
    """TY-8: the webhook and the browser come at the same moment, twenty times."""
    barrier = threading.Barrier(20)
    errors: list[Exception] = []

    def run(n: int) -> None:
        try:
            barrier.wait()
            record_order(order=make_order(state=OrderState.PAID if n % 2 else OrderState.PLACED))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert OrderRecord.objects.count() == 1
    assert OrderRecord.objects.get().lines.count() == 1
    assert [name for name, _ in news].count("recorded") == 1


def test_news_that_overtake_each_other_do_not_move_the_record_back(
    dummy_store: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """TY-8: one reporter reads "paid", another reads and records "shipped", then the first one goes on."""
    dummy_store.add_order(make_order(state=OrderState.PAID))
    record_order(order=make_order(state=OrderState.PAID))
    overtaken = [False]
    honest = DummyStore.get_order

    def get_order(self: DummyStore, *, number: str) -> Any:
        read = honest(self, number=number)
        if not overtaken[0]:
            overtaken[0] = True
            dummy_store.add_order(make_order(state=OrderState.SHIPPED))
            record_order(order=make_order(state=OrderState.SHIPPED))
        return read

    monkeypatch.setattr(DummyStore, "get_order", get_order)
    with django_capture_on_commit_callbacks(execute=True):
        report_order(number="T-1001")
    assert OrderRecord.objects.get().state == OrderState.SHIPPED
