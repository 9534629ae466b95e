"""Places: one mail a person and day that is not transactional, whatever comes at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from thankyou_flows.mail import caps, gate
from thankyou_flows.mail.gate import take_place
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import Contact, Message, MessageKind

from .outboxes import COMPOSER, Backend
from .people import ANN, ANN_KEY, at_once, make_list, make_message, noon, sign_up

NOON = noon()
TRANSACTIONAL = MessageKind.TRANSACTIONAL


def days(count: float) -> timedelta:
    return timedelta(days=count)


@pytest.mark.django_db
def test_the_first_place_makes_a_contact() -> None:
    """EM-12: somebody who is not known yet becomes a contact by the first mail."""
    message = make_message(language="de")
    assert take_place(message=message, now=NOON)
    contact = Contact.objects.get()
    assert (contact.email, contact.email_key, contact.language) == (ANN, ANN_KEY, "de")
    assert (contact.last_marketing_at, contact.last_marketing_key) == (NOON, message.key)


@pytest.mark.django_db
def test_one_place_a_day() -> None:
    """EM-12: the second message of a day has none, the first one keeps it for its next attempt, the day after is free."""
    first, second = make_message(), make_message()
    assert take_place(message=first, now=NOON)
    assert not take_place(message=second, now=NOON + timedelta(hours=23))
    assert take_place(message=first, now=NOON + timedelta(hours=23))
    assert not take_place(message=second, now=NOON + timedelta(hours=25))
    assert take_place(message=second, now=NOON + timedelta(hours=47))


@pytest.mark.django_db
@pytest.mark.parametrize(("frequency", "span"), [("all", 1), ("weekly", 7), ("monthly", 30)])
def test_as_often_as_the_person_wants(frequency: str, span: int) -> None:
    """EM-12: the guard itself knows how often, not only the judge."""
    Contact.objects.create(email=ANN, email_key=ANN_KEY, frequency=frequency, last_marketing_at=NOON)
    message = make_message()
    assert not take_place(message=message, now=NOON + days(span) - timedelta(seconds=1))
    assert take_place(message=message, now=NOON + days(span))


@pytest.mark.django_db
def test_no_place_in_a_pause_and_for_nobody() -> None:
    """EM-12: a pause that began after the gate was asked; a message whose person is erased; a receipt needs no place."""
    Contact.objects.create(email=ANN, email_key=ANN_KEY, paused_until=NOON + days(1))
    assert not take_place(message=make_message(), now=NOON)
    assert not take_place(message=make_message(email=""), now=NOON)
    assert take_place(message=make_message(TRANSACTIONAL), now=NOON)


@pytest.mark.django_db
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=20))
def test_never_two_within_the_rest(steps: list[tuple[int, int]]) -> None:
    """EM-12: whatever message comes when, no two different ones are sent within 24 hours."""
    Contact.objects.all().delete()
    Message.objects.all().delete()
    messages = [make_message() for _n in range(3)]
    now, sent = NOON, []
    for which, hours in steps:
        now += timedelta(hours=hours)
        if take_place(message=messages[which], now=now):
            sent.append((now, messages[which].key))
    for at, key in sent:
        others = [other_at for other_at, other in sent if other != key]
        assert all(abs(at - other) >= timedelta(hours=24) for other in others)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [True, False], ids=["contact", "stranger"])
def test_of_two_workers_one_gets_the_place(known: bool) -> None:
    """EM-12: eight messages for one person, eight workers at the same moment: one is sent."""
    if known:
        Contact.objects.create(email=ANN, email_key=ANN_KEY)
    messages = [make_message() for _n in range(8)]
    results = at_once(*[lambda message=message: take_place(message=message, now=NOON) for message in messages])
    assert sorted(results) == [False] * 7 + [True]
    assert Contact.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_guard_all_would_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The WHERE of the update is what keeps the place for one: without it every worker gets it."""
    monkeypatch.setattr(caps, "_has_place", lambda key, now: Q())
    Contact.objects.create(email=ANN, email_key=ANN_KEY)
    messages = [make_message() for _n in range(8)]
    results = at_once(*[lambda message=message: take_place(message=message, now=NOON) for message in messages])
    assert sum(results) == 8


@pytest.fixture
def two_workers(use_backend: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Backend]:
    """Return a function that lets two workers send a letter each to Ann: both ask the gate before either has sent."""

    def work() -> Backend:
        mailing_list = make_list()
        sign_up(mailing_list)
        for _n in range(2):
            make_message(mailing_list=mailing_list, composer=COMPOSER)
        asked, place, backend = Barrier(2), gate.take_place, Backend()
        use_backend(backend)

        def take_together(**arguments: Any) -> bool:
            asked.wait(timeout=10)
            return place(**arguments)

        monkeypatch.setattr(gate, "take_place", take_together)
        results = at_once(*[lambda: send_due(limit=1)] * 2)
        assert not [each for each in results if isinstance(each, Exception)]
        return backend

    return work


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_and_two_messages_for_one_person(two_workers: Any) -> None:
    """EM-12: both due at the same moment, each in the hands of another worker: one is sent, the other waits."""
    assert len(two_workers().sent) == 1
    assert sorted(Message.objects.values_list("state", flat=True)) == [Message.State.PLANNED, Message.State.SENT]
    waiting = Message.objects.get(state=Message.State.PLANNED)
    assert waiting.due_at >= Contact.objects.get().last_marketing_at + timedelta(hours=24)


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_two_workers_without_the_place(two_workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place decides, not the gate: without its guard, both are sent."""
    monkeypatch.setattr(caps, "_has_place", lambda key, now: Q())
    assert len(two_workers().sent) == 2
