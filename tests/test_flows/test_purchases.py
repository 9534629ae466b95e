"""What an account saved and then bought is counted when the order is paid, whatever way the news comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from djmoney.money import Money

from thankyou_flows.orders import record_order
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import Order, OrderLine, OrderState
from wishlists.models import Save
from wishlists.saves import record_saves

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(settings: Any, django_user_model: Any) -> Any:
    settings.THANKYOU_FLOWS = {"STORE": "thankyou_flows.stores.dummy.DummyStore"}
    DummyStore.reset()
    return django_user_model.objects.create_user("clara", "clara@example.org", "x")


def order_of(customer: Any, state: OrderState, *refs: str, number: str = "1") -> Order:
    price = Money(5, "EUR")
    return DummyStore.add_order(
        Order(
            number=number,
            state=state,
            placed_at=timezone.now(),
            lines=tuple(OrderLine(product_ref=ref, title=ref, quantity=1, total=price) for ref in refs),
            shipping=Money(0, "EUR"),
            total=price * len(refs),
            subtotal=price * len(refs),
        ),
        owner=customer,
    )


def bought() -> list[str]:
    return list(Save.objects.exclude(bought_at=None).values_list("product_ref", flat=True))


@pytest.mark.parametrize("states", [["paid"], ["placed", "paid"], ["placed", "shipped", "delivered"]])
def test_saved_things_count_as_bought_when_the_order_is_paid(
    customer: Any, states: list[str], django_capture_on_commit_callbacks: Any
):
    """However the order came to be paid; a second order of the same thing changes nothing."""
    record_saves(user=customer, titles={"tea": "Tea", "pot": "Pot"}, now=timezone.now() - timedelta(days=3))
    for state in states:
        with django_capture_on_commit_callbacks(execute=True):
            record_order(order=order_of(customer, OrderState(state), "tea", "cup"))
    assert bought() == ["tea"]
    at = Save.objects.get(product_ref="tea").bought_at
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=order_of(customer, OrderState.PAID, "tea", number="2"))
    assert Save.objects.get(product_ref="tea").bought_at == at


@pytest.mark.parametrize("states", [["placed"], ["placed", "cancelled"]])
def test_an_order_that_is_not_paid_counts_nothing(
    customer: Any, states: list[str], django_capture_on_commit_callbacks: Any
):
    record_saves(user=customer, titles={"tea": "Tea"})
    for state in states:
        with django_capture_on_commit_callbacks(execute=True):
            record_order(order=order_of(customer, OrderState(state), "tea"))
    assert bought() == []


def test_a_guests_order_and_another_customers_count_nothing(
    customer: Any, django_user_model: Any, django_capture_on_commit_callbacks: Any
):
    record_saves(user=customer, titles={"tea": "Tea"})
    other = django_user_model.objects.create_user("otto", "otto@example.org", "x")
    for number, owner in (("1", None), ("2", other)):
        with django_capture_on_commit_callbacks(execute=True):
            record_order(order=order_of(owner, OrderState.PAID, "tea", number=number))
    assert bought() == []
