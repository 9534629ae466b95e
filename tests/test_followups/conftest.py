"""A shop in memory, follow-ups that are switched on, and people who do something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon
from tests.test_flows.conftest import make_order
from thankyou_flows.followups import receivers
from thankyou_flows.models import FollowUp, FollowUpStep, Message
from thankyou_flows.orders import record_order
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import Order, OrderState, Product

ANN = "ann@example.com"


def verified(user: Any) -> str:
    """Every account of these tests has proved its address; nobody asks the database for it."""
    return str(user.email)


@pytest.fixture(autouse=True)
def shop(settings: Any) -> Iterator[type[DummyStore]]:
    """The shop of these tests, also behind the lists; its signals are heard."""
    settings.THANKYOU_FLOWS = {
        "STORE": "thankyou_flows.stores.dummy.DummyStore",
        "BASE_URL": "https://shop.example",
        "MAIL_FOOTER": "The Tea Shop, Main street 1, Ljubljana",
    }
    settings.THANKYOU_COUPONS = {"VERIFIED_EMAIL": "tests.test_followups.conftest.verified"}
    settings.THANKYOU_WISHLISTS = {"CATALOG": "thankyou_flows.stores.dummy.DummyStore"}
    DummyStore.reset()
    cache.clear()
    # As signal_handlers.connect does; twice is as good as once.
    receivers.connect()
    yield DummyStore
    DummyStore.reset()


@pytest.fixture
def clock() -> Iterator[Any]:
    """A Monday noon that moves only when the test moves it."""
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Return what runs its block with the commit that follows; the worker that would be woken sleeps on."""

    def run() -> AbstractContextManager[Any]:
        manager: AbstractContextManager[Any] = django_capture_on_commit_callbacks(execute=True)
        return manager

    return run


@pytest.fixture(autouse=True)
def nobody_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at what is planned, so that nothing is sent beside them."""
    monkeypatch.setattr("thankyou_flows.mail.outbox.wake", lambda *_args, **_kwargs: None)


def make_follow_up(trigger: str, *steps: dict[str, Any], **fields: Any) -> FollowUp:
    """Switch on a follow-up; a step is the fields of a FollowUpStep, by default one mail after three days."""
    values = {
        "title": f"After {trigger}",
        "is_on": True,
        "switched_on_at": timezone.now() - timedelta(days=1),
        **fields,
    }
    follow_up = FollowUp.objects.create(trigger=trigger, **values)
    for number, step in enumerate(steps or ({},)):
        texts = {"subject": f"Mail {number}", "body": [], "sort_order": number}
        FollowUpStep.objects.create(follow_up=follow_up, **{**texts, **step})
    return follow_up


def make_campaign(**fields: Any) -> Campaign:
    """A campaign that runs."""
    values = {
        "title": "Five off",
        "status": Campaign.Status.RUNNING,
        "benefit": Campaign.Benefit.FREE_SHIPPING,
        **fields,
    }
    return Campaign.objects.create(**values)


def make_product(ref: str, price: Any = None, **fields: Any) -> Product:
    """Put a product into the shop."""
    product = Product(ref=ref, title=ref.title(), url=f"/{ref}/", price=price, **fields)
    DummyStore.products[ref] = product
    return product


def buy(number: str = "T-1001", *, email: str = ANN, **changes: Any) -> Order:
    """Somebody orders, and the shop says so."""
    order = DummyStore.add_order(make_order(number, email=email, **changes))
    record_order(order=order)
    return order


def move_on(number: str, state: OrderState, **changes: Any) -> Order:
    """The shop moves an order to its next state, and says so."""
    order = DummyStore.add_order(replace(DummyStore.orders[number], state=state, **changes))
    record_order(order=order)
    return order


def planned(**about: Any) -> list[Message]:
    """The messages in the outbox, in the order of their due times."""
    return list(Message.objects.filter(**about).order_by("due_at", "pk"))


def whys(messages: Iterable[Message] | None = None) -> list[str]:
    """Why messages are not sent; empty for one that waits."""
    found = Message.objects.order_by("pk") if messages is None else messages
    return [message.why_not for message in found]


def give(campaign: Campaign, *, number: str = "T-1001", **fields: Any) -> Coupon:
    """Give an order a coupon."""
    from coupons.issuing import issue

    holder = fields.pop("holder_key", customer_key(ANN))
    return issue(campaign=campaign, issue_key=f"order:{number}:campaign:{campaign.pk}", holder_key=holder, **fields)


def at(text: str) -> datetime:
    """A moment, as ISO 8601 has it."""
    return datetime.fromisoformat(text)
