"""What the tests of the outbox share: a shop in memory, messages, and mail servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tests.test_mail.outboxes import Plan, plan
from thankyou_flows.mail import connections
from thankyou_flows.models import Message
from thankyou_flows.stores.dummy import DummyStore


@pytest.fixture(autouse=True)
def quiet_shop(settings: Any) -> Iterator[None]:
    """A shop without orders, and nobody's counts of an earlier test."""
    settings.THANKYOU_FLOWS = {
        "STORE": "thankyou_flows.stores.dummy.DummyStore",
        "BASE_URL": "https://shop.example",
        "QUIET_HOURS": "",
    }
    DummyStore.reset()
    cache.clear()
    yield
    DummyStore.reset()


@pytest.fixture
def planned(db: None) -> Plan:
    """Return a function that writes a message into the outbox, without waking anybody."""
    return plan


@pytest.fixture
def use_backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that sets the mail backend for the test."""

    def use(backend: Any) -> None:
        monkeypatch.setattr(connections, "get_connection", lambda: backend)

    return use


@pytest.fixture
def states(db: None) -> Callable[[], dict[str, str]]:
    """Return a function that says in which state each message is, by its dedupe key."""
    return lambda: dict(Message.objects.order_by("pk").values_list("dedupe_key", "state"))
