"""Places: one mail a person and day that is not transactional, whatever comes at the same moment."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from thankyou_flows.mail import caps, gate
from thankyou_flows.mail.composing import DoNotSend
from thankyou_flows.mail.gate import take_place
from thankyou_flows.mail.outbox import stop
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import Contact, Message, MessageKind, WhyNot

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


def write_to_ann(*composers: str, **contact: Any) -> list[Message]:
    """Plan a letter to Ann by each of these composers, all due by now."""
    mailing_list = make_list()
    sign_up(mailing_list)
    Contact.objects.filter(email_key=ANN_KEY).update(**contact)
    return [make_message(mailing_list=mailing_list, composer=composer) for composer in composers]


def say_nothing(*, message: Message, now: Any) -> Any:
    raise DoNotSend(WhyNot.DONE)


def break_down(*, message: Message, now: Any) -> Any:
    raise ValueError("a poisoned mail")


NOTHING, BROKEN = f"{__name__}.say_nothing", f"{__name__}.break_down"


@pytest.mark.django_db
@pytest.mark.parametrize("composer", [NOTHING, BROKEN], ids=["nothing to say", "cannot be written"])
def test_what_is_not_sent_takes_no_place(composer: str, use_backend: Any) -> None:
    """EM-12: the first has nothing to say, so the second of the same day goes out at once."""
    backend = Backend()
    use_backend(backend)
    _first, second = write_to_ann(composer, COMPOSER)
    send_due()
    assert len(backend.sent) == 1
    assert Contact.objects.get().last_marketing_key == second.key


def refuse(email: Any) -> None:
    raise smtplib.SMTPRecipientsRefused({email.to[0]: (450, b"come back later")})


def drop_the_line(email: Any) -> None:
    raise RuntimeError("perhaps it is out")


@pytest.mark.django_db
@pytest.mark.parametrize(("fail", "is_kept"), [(refuse, False), (drop_the_line, True)], ids=["refused", "uncertain"])
def test_the_place_of_what_was_not_taken_is_given_back(fail: Any, is_kept: bool, use_backend: Any) -> None:
    """EM-12: what was there before is there again; unless nobody knows whether the mail went out."""
    use_backend(Backend(before=fail))
    long_ago = timezone.now() - days(40)
    [message] = write_to_ann(COMPOSER, last_marketing_at=long_ago, last_marketing_key="earlier")
    assert send_due().retried == 1
    contact = Contact.objects.get()
    assert contact.last_marketing_key == (message.key if is_kept else "earlier")
    assert (contact.last_marketing_at == long_ago) is not is_kept


@pytest.mark.django_db
def test_stopped_at_the_last_moment_gives_the_place_back(use_backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-12: the message was stopped behind the taking of its place."""
    use_backend(Backend())
    place = gate.take_place

    def take_and_stop(**arguments: Any) -> bool:
        taken = place(**arguments)
        stop(messages=Message.objects.all(), why=WhyNot.BY_HAND)
        return taken

    monkeypatch.setattr(gate, "take_place", take_and_stop)
    write_to_ann(COMPOSER)
    send_due()
    assert (Contact.objects.get().last_marketing_at, Contact.objects.get().last_marketing_key) == (None, "")


@pytest.mark.django_db
def test_a_place_that_somebody_died_with(use_backend: Any) -> None:
    """EM-12: nobody knows any more what was before, so the newest mail that was sent counts."""
    use_backend(Backend(before=refuse))
    sent_at = timezone.now() - days(3)
    [message] = write_to_ann(COMPOSER)
    earlier = make_message(state=Message.State.SENT, sent_at=sent_at)
    Contact.objects.update(last_marketing_at=timezone.now(), last_marketing_key=message.key)
    assert send_due().retried == 1
    contact = Contact.objects.get()
    assert (contact.last_marketing_at, contact.last_marketing_key) == (sent_at, earlier.key)


@pytest.mark.django_db
def test_what_is_in_hands_keeps_its_place() -> None:
    """EM-12: another worker has taken the message over, and its place with it."""
    [message] = write_to_ann(COMPOSER)
    assert take_place(message=message, now=NOON)
    for state in (Message.State.CLAIMED, Message.State.ATTEMPTING, Message.State.SENT):
        Message.objects.update(state=state)
        assert not gate.give_place_back(message=message, before=gate.Place())
    Message.objects.update(state=Message.State.PLANNED)
    assert gate.give_place_back(message=message, before=gate.Place())


@pytest.mark.django_db
def test_the_month_holds_within_a_batch(use_backend: Any, settings: Any) -> None:
    """EM-12: three letters of one batch and room for two, in a shop that has no rest between them."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_REST_HOURS": 0, "MAILS_IN_30_DAYS": 2}
    backend = Backend()
    use_backend(backend)
    write_to_ann(COMPOSER, COMPOSER, COMPOSER)
    send_due()
    assert len(backend.sent) == 2
    assert Message.objects.get(state=Message.State.PLANNED).why_not == WhyNot.TOO_MANY


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
