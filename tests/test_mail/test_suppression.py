"""Leaving: what it writes, what it stops, who hears of it, and what a later yes takes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Event, Thread
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from thankyou_flows.mail import outbox, suppression
from thankyou_flows.mail.suppression import allow_follow_ups, leave, lift, list_scope, meet, suppress
from thankyou_flows.models import (
    ConsentReceipt,
    Contact,
    FollowUp,
    MailingList,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)
from thankyou_flows.signals import contact_left

from .people import ANN, ANN_KEY, at_once, dump, make_list, make_message, noon, sign_up

NOON = noon()
State = Message.State
Reason = Suppression.Reason
MARKETING, FOLLOW_UPS = Suppression.MARKETING, Suppression.FOLLOW_UPS

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str, str]]]:
    """What was announced: whose key, which scope, by which message."""
    news: list[tuple[str, str, str]] = []

    def listen(email_key: str, scope: str, message_key: str, **_: Any) -> None:
        news.append((email_key, scope, message_key))

    contact_left.connect(listen)
    yield news
    contact_left.disconnect(listen)


@pytest.fixture
def letters() -> MailingList:
    return make_list("letters")


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.of(ANN_KEY).values_list("scope", "reason"))


def all_kinds(letters: MailingList) -> dict[str, Message]:
    """One waiting message of each kind for Ann, and one newsletter for somebody else."""
    tips = make_list("tips")
    follow_up = FollowUp.objects.create(title="Tips", trigger="order_paid", mailing_list=tips)
    return {
        "receipt": make_message(MessageKind.TRANSACTIONAL),
        "letter": make_message(mailing_list=letters),
        "claimed letter": make_message(mailing_list=letters, state=State.CLAIMED, worker="w", lease_until=NOON),
        "letter being sent": make_message(mailing_list=letters, state=State.ATTEMPTING),
        "sent letter": make_message(mailing_list=letters, state=State.SENT),
        "other letter": make_message(mailing_list=tips),
        "follow-up": make_message(MessageKind.FOLLOW_UP),
        "follow-up of tips": make_message(MessageKind.FOLLOW_UP, follow_up=follow_up),
        "somebody's letter": make_message(mailing_list=letters, email="bob@example.com"),
    }


def stopped(messages: dict[str, Message]) -> dict[str, str]:
    found = {}
    for name, message in messages.items():
        message.refresh_from_db()
        if message.state == State.SKIPPED:
            found[name] = message.why_not
    return found


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("list:letters", {"letter", "claimed letter"}),
        ("list:tips", {"other letter", "follow-up of tips"}),
        (FOLLOW_UPS, {"follow-up", "follow-up of tips"}),
        (
            MARKETING,
            {"letter", "claimed letter", "other letter", "follow-up", "follow-up of tips"},
        ),
    ],
    ids=["list", "other_list", "follow_ups", "everything"],
)
def test_what_is_planned_stops_at_once(letters: MailingList, scope: str, names: set[str]) -> None:
    """EM-6, EM-12: also what a worker has claimed; never a receipt, never another person's."""
    messages = all_kinds(letters)
    assert suppress(email_key=ANN_KEY, scope=scope, reason=Reason.LEFT, now=NOON)
    assert stopped(messages) == dict.fromkeys(names, WhyNot.LEFT)
    messages["claimed letter"].refresh_from_db()
    assert messages["letter being sent"].state == State.ATTEMPTING


@pytest.mark.parametrize("reason", list(Reason), ids=str)
def test_each_reason_has_words_for_the_message(reason: Reason) -> None:
    """EM-6: the admin shows why a mail was not sent."""
    message = make_message()
    suppress(email_key=ANN_KEY, scope=MARKETING, reason=reason)
    message.refresh_from_db()
    assert message.why_not == suppression.WHY_NOT[reason]


def test_the_strongest_reason_stays() -> None:
    """EM-6: a bounce takes over a person's own wish, and not the other way round; the same twice is not new."""
    assert suppress(email_key=ANN_KEY, scope=MARKETING, reason=Reason.LEFT, now=NOON)
    assert not suppress(email_key=ANN_KEY, scope=MARKETING, reason=Reason.LEFT)
    assert suppress(email_key=ANN_KEY, scope=MARKETING, reason=Reason.COMPLAINED, message_key="m")
    assert suppress(email_key=ANN_KEY, scope=MARKETING, reason=Reason.BOUNCED)
    for weaker in (Reason.LEFT, Reason.OBJECTED, Reason.ERASED, Reason.MANUAL, Reason.COMPLAINED):
        assert not suppress(email_key=ANN_KEY, scope=MARKETING, reason=weaker)
    assert suppressed() == {MARKETING: Reason.BOUNCED}


def test_nobody_cannot_be_suppressed() -> None:
    """An empty key would be everybody's."""
    with pytest.raises(ValueError, match="whom"):
        suppress(email_key="", scope=MARKETING, reason=Reason.LEFT)
    with pytest.raises(ValueError, match="key"):
        leave(email_key="")


def test_leaving_a_list(letters: MailingList, heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """EM-4, EM-6: the sign-up, a receipt, the suppression, the message that led to it, and one announcement."""
    sign_up(letters)
    sign_up(make_list("news"))
    led_to_it = make_message(mailing_list=letters, state=State.SENT)
    for _n in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            leave(
                email_key=ANN_KEY,
                mailing_list=letters,
                method=ConsentReceipt.Method.ONE_CLICK,
                message=led_to_it,
                now=NOON,
            )
    row = Subscription.objects.get(mailing_list=letters)
    assert (row.state, row.left_at) == (Subscription.State.LEFT, NOON)
    receipt = ConsentReceipt.objects.get()
    assert (receipt.kind, receipt.method, receipt.subscription) == ("left", "one_click", row)
    assert receipt.purpose == "The letters: About letters. At most twice a month."
    assert suppressed() == {"list:letters": Reason.LEFT}
    led_to_it.refresh_from_db()
    assert led_to_it.left_at == NOON
    assert heard == [(ANN_KEY, "list:letters", led_to_it.key)]
    assert Subscription.objects.get(mailing_list__slug="news").state == Subscription.State.CONFIRMED


def test_objecting_to_follow_ups(letters: MailingList, heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """EM-6, EM-11: without a list it is an objection; no list is left."""
    sign_up(letters)
    with django_capture_on_commit_callbacks(execute=True):
        leave(email_key=ANN_KEY)
        leave(email_key=ANN_KEY)
    assert suppressed() == {FOLLOW_UPS: Reason.OBJECTED}
    assert heard == [(ANN_KEY, FOLLOW_UPS, "")]
    assert not ConsentReceipt.objects.exists()
    assert Subscription.objects.get().state == Subscription.State.CONFIRMED


def test_leaving_all(letters: MailingList, heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """EM-6: all lists, also those that wait for a confirmation, the follow-ups, and what may come; one announcement."""
    sign_up(letters)
    sign_up(make_list("news"), state=Subscription.State.PENDING)
    sign_up(make_list("old"), state=Subscription.State.LEFT)
    sign_up(letters, "bob@example.com")
    for _n in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            leave(email_key=ANN_KEY, everything=True)
    assert suppressed() == {
        MARKETING: Reason.LEFT,
        FOLLOW_UPS: Reason.OBJECTED,
        "list:letters": Reason.LEFT,
        "list:news": Reason.LEFT,
    }
    assert set(Subscription.objects.filter(email_key=ANN_KEY).values_list("state", flat=True)) == {"left"}
    assert ConsentReceipt.objects.count() == 2
    assert heard == [(ANN_KEY, MARKETING, "")]
    assert Subscription.objects.get(email="bob@example.com").state == Subscription.State.CONFIRMED


def test_somebody_unknown_can_leave(letters: MailingList) -> None:
    """EM-6: an erased person has no rows; the key is enough, and keeps them from being written to again."""
    leave(email_key=ANN_KEY, mailing_list=letters)
    leave(email_key=ANN_KEY, everything=True)
    assert suppressed() == {"list:letters": Reason.LEFT, MARKETING: Reason.LEFT, FOLLOW_UPS: Reason.OBJECTED}
    assert ANN not in dump()


def test_nothing_is_announced_before_the_commit(heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """House rule: signals come after the commit."""
    with django_capture_on_commit_callbacks() as callbacks:
        leave(email_key=ANN_KEY)
        assert heard == []
    assert len(callbacks) == 1


def test_a_new_yes_overrules_the_persons_own_no(letters: MailingList) -> None:
    """EM-6: the list's own and "everything"; the other lists and the follow-ups stay left."""
    leave(email_key=ANN_KEY, mailing_list=make_list("news"))
    leave(email_key=ANN_KEY, mailing_list=letters)
    leave(email_key=ANN_KEY, everything=True)
    lift(email_key=ANN_KEY, mailing_list=letters)
    assert suppressed() == {"list:news": Reason.LEFT, FOLLOW_UPS: Reason.OBJECTED}


def test_a_yes_to_a_list_is_none_to_follow_ups(letters: MailingList) -> None:
    """EM-11: where "everything" was written alone, lifting it leaves the objection to follow-ups behind."""
    suppress(email_key=ANN_KEY, scope=MARKETING, reason=Reason.ERASED, now=NOON)
    lift(email_key=ANN_KEY, mailing_list=letters)
    assert suppressed() == {FOLLOW_UPS: Reason.ERASED}
    lift(email_key=ANN_KEY, mailing_list=make_list("tips", covers_follow_ups=True))
    assert suppressed() == {}


@pytest.mark.parametrize("reason", [Reason.BOUNCED, Reason.COMPLAINED, Reason.MANUAL], ids=str)
def test_what_is_nobodys_wish_stays(letters: MailingList, reason: Reason) -> None:
    """EM-6: bounces and complaints are not overruled by a sign-up, nor by the preferences."""
    for scope in (MARKETING, FOLLOW_UPS, list_scope(letters)):
        suppress(email_key=ANN_KEY, scope=scope, reason=reason)
    before = suppressed()
    lift(email_key=ANN_KEY, mailing_list=letters)
    allow_follow_ups(email_key=ANN_KEY)
    assert suppressed() == before


def test_meeting_somebody() -> None:
    """EM-13: newer language and zone win, empty ones change nothing; only an action of their own counts as one."""
    meet(email=" Ann@Example.com ", language="de", now=NOON)
    later = NOON + timedelta(days=1)
    meet(email=ANN, time_zone="Asia/Tokyo", now=later)
    contact = Contact.objects.get()
    assert (contact.email, contact.email_key) == ("Ann@Example.com", ANN_KEY)
    assert (contact.language, contact.time_zone, contact.last_action_at) == ("de", "Asia/Tokyo", NOON)
    met = meet(email=ANN, language="sl", acted=True, now=later)
    contact.refresh_from_db()
    assert (contact.language, contact.last_action_at, met.language) == ("sl", later, "sl")
    with pytest.raises(ValueError, match="address"):
        meet(email=" ")


def test_meeting_somebody_again_writes_nothing(django_assert_num_queries: Any) -> None:
    """One query for somebody who is known."""
    meet(email=ANN, language="de")
    with django_assert_num_queries(1):
        meet(email=ANN, language="de")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_leaving_in_eight_tabs_at_once(heard: Any) -> None:
    """EM-6: one suppression a scope, one receipt a list, one announcement, and nobody waits for ever."""
    letters, news = make_list("letters"), make_list("news")
    sign_up(letters)
    sign_up(news)
    for _n in range(5):
        make_message(mailing_list=letters)
    results = at_once(*[lambda: leave(email_key=ANN_KEY, everything=True)] * 8)
    assert results == [None] * 8
    assert len(suppressed()) == 4
    assert ConsentReceipt.objects.count() == 2
    assert len(heard) == 1
    assert set(Message.objects.values_list("state", flat=True)) == {State.SKIPPED}


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_there_would_be_more_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock on the sign-ups is what makes it one receipt: without it, every tab leaves the list."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    sign_up(make_list("letters"))
    looked = Barrier(4)
    real = Subscription.objects.filter

    def wait(*args: Any, **kwargs: Any) -> Any:
        if "pk__in" in kwargs:
            looked.wait(timeout=10)
        return real(*args, **kwargs)

    monkeypatch.setattr(Subscription.objects, "filter", wait)
    at_once(*[lambda: leave(email_key=ANN_KEY, everything=True)] * 4)
    assert ConsentReceipt.objects.count() == 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scope", ["list:tips", FOLLOW_UPS, MARKETING], ids=["list", "follow_ups", "everything"])
def test_what_a_worker_has_just_handed_over_keeps_its_state(scope: str) -> None:
    """EM-10: the worker's step from claimed to being sent comes first; leaving waits for it and then sees it."""
    follow_up = FollowUp.objects.create(title="Tips", trigger="order_paid", mailing_list=make_list("tips"))
    message = make_message(MessageKind.FOLLOW_UP, follow_up=follow_up, state=State.CLAIMED)
    moved = Event()

    def worker() -> None:
        try:
            with transaction.atomic():
                Message.objects.filter(pk=message.pk, state=State.CLAIMED).update(state=State.ATTEMPTING)
                moved.set()
                sleep(0.2)
        finally:
            connection.close()

    thread = Thread(target=worker)
    thread.start()
    assert moved.wait(timeout=10)
    suppress(email_key=ANN_KEY, scope=scope, reason=Reason.LEFT)
    thread.join()
    message.refresh_from_db()
    assert message.state == State.ATTEMPTING


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_an_update_over_a_join_would_not_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above has teeth: picked by a join, the message that is being sent would be noted as not sent."""

    def by_join(email_key: str, scope: str) -> Any:
        return Message.objects.of(email_key).open().filter(follow_up__mailing_list__slug="tips")

    def stop_by_pk(*, messages: Any, why: Any, now: Any = None) -> int:
        return Message.objects.filter(pk__in=messages.values("pk")).update(state=State.SKIPPED, why_not=why)

    monkeypatch.setattr(suppression, "_stopped_by", by_join)
    monkeypatch.setattr(outbox, "stop", stop_by_pk)
    with pytest.raises(AssertionError):
        test_what_a_worker_has_just_handed_over_keeps_its_state("list:tips")
