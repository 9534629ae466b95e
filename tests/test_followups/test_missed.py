"""Nothing is lost when nobody hears the news, and nothing is looked up again and again (OP-5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Coupon
from thankyou_flows.followups import looks
from thankyou_flows.followups.facts import order_number
from thankyou_flows.followups.looking import look_around
from thankyou_flows.models import FollowUp, FollowUpStep, LastLook, MailingList, Message, Subscription, WhyNot
from thankyou_flows.signals import subscription_confirmed
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import OrderState

from .conftest import ANN, buy, give, make_campaign, make_follow_up, move_on, planned

pytestmark = pytest.mark.django_db


def settle(clock: Any) -> None:
    """What was committed is visible to everybody by now."""
    clock.shift(looks.SETTLING + timedelta(seconds=1))


def fetched() -> list[str]:
    """Return the numbers of the orders that the shop was asked for."""
    return [arguments["number"] for name, arguments in DummyStore.calls if name == "get_order"]


# What nobody heard of -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["placed"], []),
        (["paid"], ["order_paid"]),
        (["placed", "paid"], ["order_paid"]),
        (["shipped"], ["order_paid", "order_shipped"]),
        (["paid", "shipped", "delivered"], ["order_delivered", "order_paid", "review_wanted"]),
        (["paid", "cancelled"], []),
    ],
)
def test_an_order_nobody_heard_of_is_planned_once(states: list[str], expected: list[str], clock: Any) -> None:
    """OP-5: the process died after the commit."""
    for key in ("order_paid", "order_shipped", "order_delivered", "review_wanted"):
        make_follow_up(key)
    placed = timezone.now()
    # No commit, so that no signal is delivered.
    buy(state=OrderState(states[0]))
    clock.shift(timedelta(hours=1))
    for state in states[1:]:
        move_on("T-1001", OrderState(state))
    moved = timezone.now() if states[1:] else placed
    assert planned() == []
    settle(clock)
    assert look_around() == len(expected)
    assert sorted(message.reason for message in planned()) == expected
    last = {"paid": "order_paid", "shipped": "order_shipped", "delivered": "order_delivered"}.get(states[-1])
    assert all(message.happened_at == moved for message in planned(reason=last))
    for _round in range(3):
        clock.shift(looks.INTERVAL)
        assert look_around() == 0
    assert look_around(force=True) == 0


def test_a_receiver_that_dies_loses_nothing(clock: Any, committed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-5: the database was away when the news came."""
    make_follow_up("order_paid", {"delay": 1}, {"delay": 5})

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("away")

    with monkeypatch.context() as patch, committed():
        patch.setattr("thankyou_flows.followups.receivers.anybody_waits", broken)
        buy()
    assert planned() == []
    settle(clock)
    assert [look_around(), look_around(force=True)] == [2, 0]


def test_coupons_and_sign_ups_nobody_heard_of_are_planned_once(clock: Any) -> None:
    """OP-5: given, unlocked, confirmed."""
    buy()
    mailing_list = MailingList.objects.create(slug="news", title="News", purpose="News")
    for key in ("coupon_unused", "coupon_unlocked", "sign_up_confirmed"):
        make_follow_up(key)
    campaign = make_campaign()
    coupon = give(campaign)
    give(campaign, number="T-2", locked=True)
    unlocked = give(campaign, number="T-3", locked=True)
    Coupon.objects.filter(pk=unlocked.pk).update(state="available", unlocked_at=timezone.now())
    buy("T-3")
    row = Subscription.objects.create(
        mailing_list=mailing_list,
        email=ANN,
        email_key=customer_key(ANN),
        state="confirmed",
        confirmed_at=timezone.now(),
    )
    settle(clock)
    assert look_around() == 4
    assert {(m.reason, m.ref) for m in planned()} == {
        ("coupon_unused", str(coupon.pk)),
        ("coupon_unused", str(unlocked.pk)),
        ("coupon_unlocked", str(unlocked.pk)),
        ("sign_up_confirmed", str(row.pk)),
    }
    subscription_confirmed.send(sender=Subscription, subscription=row)
    assert [look_around(force=True), Message.objects.count()] == [0, 4]


def test_what_happened_before_it_was_switched_on_is_not_offered(clock: Any) -> None:
    """EM-11: an old order that moves on is not paid anew."""
    buy()
    clock.shift(timedelta(days=2))
    make_follow_up("order_paid", switched_on_at=timezone.now())
    make_follow_up("order_shipped", switched_on_at=timezone.now())
    clock.shift(timedelta(hours=1))
    move_on("T-1001", OrderState.SHIPPED)
    settle(clock)
    assert look_around() == 1
    assert planned()[0].reason == "order_shipped"


@pytest.mark.parametrize("people", [1, 20])
def test_where_the_news_was_heard_the_shop_is_not_asked(people: int, clock: Any, committed: Any) -> None:
    """OP-7: the same number of queries for one and for twenty, and none of it to the shop."""
    make_follow_up("order_paid")
    with committed():
        for n in range(people):
            buy(f"N-{n}", email=f"p{n}@example.com")
    settle(clock)
    DummyStore.calls.clear()
    look_around()
    with CaptureQueriesContext(connection) as queries:
        assert look_around(force=True) == 0
    assert fetched() == []
    # Moved ends, which mails, the last look; its turn, its rows, and how far it came, with a savepoint.
    assert len(queries) == 3 + 5


# Looking again --------------------------------------------------------------------------------------


def quiet(count: int = 1) -> None:
    """So many customers who have been quiet, of whom none gets a mail: the condition does not hold."""
    rule = ("total", {"at_least": 9999, "less_than": None, "currency": ""})
    for n in range(count):
        buy(f"Q-{n}", email=f"q{n}@example.com", placed_at=timezone.now() - timedelta(days=61))
    make_follow_up("customer_quiet", {"delay": 60}, {"delay": 65}, rules=[rule])
    DummyStore.calls.clear()


def test_who_gets_no_mail_is_looked_up_once(clock: Any) -> None:
    """OP-7: over three rounds, and for two mails."""
    quiet(3)
    settle(clock)
    for _round in range(3):
        assert look_around() == 0
        clock.shift(looks.INTERVAL)
    assert sorted(fetched()) == ["Q-0", "Q-1", "Q-2"]
    look_around(force=True)
    assert len(fetched()) == 6


def test_it_looks_every_fifteen_minutes_at_most(clock: Any) -> None:
    """OP-7: a worker that looks around each twenty seconds asks for nothing in between."""
    quiet()
    look_around()
    at = LastLook.objects.get().at
    clock.shift(looks.INTERVAL - timedelta(seconds=1))
    look_around()
    assert LastLook.objects.get().at == at
    clock.shift(timedelta(seconds=1))
    look_around()
    assert LastLook.objects.get().at == timezone.now()


@pytest.mark.parametrize(
    "change",
    [
        lambda: FollowUp.objects.update(switched_on_at=timezone.now()),
        lambda: FollowUpStep.objects.filter(delay=60).update(delay=59),
    ],
    ids=["switched on", "another delay"],
)
def test_what_its_owner_changes_is_looked_at_again_at_once(change: Any, clock: Any) -> None:
    """EM-11: all of the last LATE_DAYS, and no waiting for the next quarter of an hour."""
    quiet()
    settle(clock)
    look_around()
    change()
    for _round in range(2):
        look_around()
    assert fetched() == ["Q-0", "Q-0"]


def test_killed_for_good_the_next_one_goes_on_where_it_was(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-5: after the lease, and without asking again for what was done."""
    monkeypatch.setattr(looks, "BATCH", 2)
    quiet(6)
    settle(clock)
    whole, taken = DummyStore.get_order, []

    class Killed(BaseException):
        """As SIGKILL."""

    def get_order(self: DummyStore, *, number: str) -> Any:
        taken.append(number)
        if len(taken) == 4:
            raise Killed
        return whole(self, number=number)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(DummyStore, "get_order", get_order)
        # Nobody gives anything back any more.
        patch.setattr(looks.Turn, "give_back", lambda *_args: None)
        look_around()
    look_around()
    assert fetched() == ["Q-0", "Q-1", "Q-2"]
    clock.shift(looks.LEASE)
    look_around()
    assert fetched() == ["Q-0", "Q-1", "Q-2", "Q-2", "Q-3", "Q-4", "Q-5"]


def test_a_shop_that_is_away_is_asked_again_later(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-4: after a few failures nobody else is asked for, nothing raises, and nobody is left out."""
    make_follow_up("customer_quiet", {"delay": 60})
    for n in range(6):
        buy(f"Q-{n}", email=f"q{n}@example.com", placed_at=timezone.now() - timedelta(days=61))
    tried = []

    def away(self: DummyStore, *, number: str) -> Any:
        tried.append(number)
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(DummyStore, "get_order", away)
        assert [look_around(), look_around()] == [0, 0]
    assert len(tried) == looks.AWAY
    clock.shift(looks.LEASE)
    assert look_around() == 6


def test_an_order_that_cannot_be_read_keeps_nobody_else_waiting(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-4: it is logged and left out."""
    make_follow_up("customer_quiet", {"delay": 60})
    for n in range(3):
        buy(f"Q-{n}", email=f"q{n}@example.com", placed_at=timezone.now() - timedelta(days=61))
    whole = DummyStore.get_order

    def get_order(self: DummyStore, *, number: str) -> Any:
        if number == "Q-0":
            raise ValueError
        return whole(self, number=number)

    monkeypatch.setattr(DummyStore, "get_order", get_order)
    assert look_around() == 2


def test_a_look_that_takes_long_goes_on_the_next_time(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-10: mail that is due does not wait for it."""
    make_follow_up("customer_quiet", {"delay": 60})
    for n in range(3):
        buy(f"Q-{n}", email=f"q{n}@example.com", placed_at=timezone.now() - timedelta(days=61))
    assert look_around(seconds=0) == 0
    # A slow shop: time is over with the first of them, which is planned all the same.
    ends = iter([False, True, True])
    monkeypatch.setattr(looks.Deadline, "is_over", lambda _self: next(ends))
    assert look_around(seconds=10) == 1
    monkeypatch.undo()
    assert look_around() == 2


def test_the_shop_is_asked_outside_of_transactions(
    clock: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-10: whoever sends mail never waits for a slow shop."""
    make_follow_up("customer_quiet", {"delay": 60})
    buy(placed_at=timezone.now() - timedelta(days=61))
    depth = len(connection.savepoint_ids)
    whole, seen = DummyStore.get_order, []

    def get_order(self: DummyStore, *, number: str) -> Any:
        seen.append(len(connection.savepoint_ids))
        return whole(self, number=number)

    monkeypatch.setattr(DummyStore, "get_order", get_order)
    assert look_around() == 1
    assert seen == [depth]


def test_an_order_whose_address_has_changed_names_nobody(clock: Any, shop: Any) -> None:
    """TY-3: the customer of the record is asked for, not whoever has the order's address now."""
    make_follow_up("customer_quiet", {"delay": 60})
    order = buy(placed_at=timezone.now() - timedelta(days=61))
    shop.add_order(replace(order, email="bea@example.com"))
    assert look_around() == 0


# Whom it is about -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "ref", "context", "number"),
    [
        ("order_paid", "T-1", {}, "T-1"),
        ("customer_quiet", "T-1", {}, "T-1"),
        ("order_paid", "T-1", {"order": "T-2"}, "T-2"),
        ("coupon_unused", "17", {}, ""),
        ("coupon_unused", "17", {"order": "T-2"}, "T-2"),
        ("nobody_knows_it", "17", {}, ""),
        ("list_untouched", "17", [], ""),
    ],
)
def test_one_function_says_which_order_a_message_is_about(reason: str, ref: str, context: Any, number: str) -> None:
    """TY-3: the primary key of something else is never taken for the number of an order."""
    assert order_number(Message(reason=reason, ref=ref, context=context)) == number


def test_stopping_joins_no_tables(clock: Any, committed: Any) -> None:
    """EM-10: an UPDATE over a join would not look again at the state of a row that it waited for."""
    make_follow_up("order_paid")
    with committed():
        buy()
    clock.shift(timedelta(days=1))
    with CaptureQueriesContext(connection) as queries, committed():
        buy("T-1002")
    (update,) = [
        q["sql"]
        for q in queries
        if q["sql"].startswith('UPDATE "thankyou_flows_message"') and WhyNot.ORDERED_AGAIN in q["sql"]
    ]
    assert "JOIN" not in update
    assert planned(ref="T-1001")[0].why_not == WhyNot.ORDERED_AGAIN
