"""What the gate looks up of people: as the rows say it, and by a fixed number of queries."""

from __future__ import annotations

from typing import Any

import pytest

from thankyou_flows.mail.gate import PastOrder, Standing, judge, standings
from thankyou_flows.models import (
    Contact,
    FollowUp,
    Ground,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)
from thankyou_flows.values import Objection, OrderState

from .people import ANN_KEY, make_list, make_message, make_order_record, noon, sign_up
from .test_gate import days, said

NOON = noon()
TRANSACTIONAL, FOLLOW_UP, NEWSLETTER = MessageKind.TRANSACTIONAL, MessageKind.FOLLOW_UP, MessageKind.NEWSLETTER
Reason = Suppression.Reason
FOLLOW_UPS = Suppression.FOLLOW_UPS


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["coupon_unused", "list_untouched", "sign_up_confirmed"])
def test_a_number_that_names_something_else_is_no_order(reason: str) -> None:
    """EM-11: coupon 57 is not order 57: what was offered with an old order of that number says nothing here."""
    make_order_record("57", placed_at=NOON - days(30), objection=Objection.NOT_OFFERED)
    make_order_record("58", placed_at=NOON - days(3))
    messages = {ref: make_message(FOLLOW_UP, reason=reason, ref=ref) for ref in ("57", "59")}
    known = standings(messages.values(), now=NOON)[ANN_KEY]
    assert not known.orders
    assert {said(message, known) for message in messages.values()} == {Ground.SOFT_OPT_IN}
    about_order = make_message(FOLLOW_UP, reason="order_paid", ref="57")
    assert said(about_order, standings([about_order], now=NOON)[ANN_KEY]) == WhyNot.NOT_OFFERED


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(OrderState), ids=str)
@pytest.mark.parametrize("reason", ["order_paid", "coupon_unused"])
def test_only_a_sale_is_a_ground(state: OrderState, reason: str) -> None:
    """EM-11: an order that is not paid, or was given back, is no sale; an objection made with it counts all the same."""
    make_order_record("T-1", placed_at=NOON - days(3), state=state)
    message = make_message(FOLLOW_UP, reason=reason, ref="T-1")
    is_sale = state in {OrderState.PAID, OrderState.SHIPPED, OrderState.DELIVERED}
    assert said(message, standings([message], now=NOON)[ANN_KEY]) == (
        Ground.SOFT_OPT_IN if is_sale else WhyNot.NO_CONSENT
    )
    make_order_record("T-2", placed_at=NOON - days(4))
    make_order_record("T-3", placed_at=NOON - days(1), state=state, objection=Objection.USED)
    older = make_message(FOLLOW_UP, reason="order_paid", ref="T-2")
    assert said(older, standings([older], now=NOON)[ANN_KEY]) == WhyNot.OBJECTED


@pytest.mark.django_db
def test_what_is_known_of_a_person() -> None:
    """EM-6, EM-11: standings say it as the rows do."""
    letters, tips = make_list("letters"), make_list("tips", covers_follow_ups=True)
    sign_up(letters)
    sign_up(tips)
    sign_up(make_list("news"), state=Subscription.State.PENDING)
    sign_up(make_list("old"), state=Subscription.State.LEFT)
    Suppression.objects.create(email_key=ANN_KEY, scope=FOLLOW_UPS, reason=Reason.OBJECTED)
    Contact.objects.filter(email_key=ANN_KEY).update(
        frequency=Contact.Frequency.WEEKLY, paused_until=NOON, time_zone="Asia/Tokyo", last_marketing_at=NOON - days(2)
    )
    make_order_record("T-1", placed_at=NOON - days(90), objection=Objection.USED)
    make_order_record("T-2", placed_at=NOON - days(9))
    make_order_record("T-3", placed_at=NOON - days(5), state=OrderState.REFUNDED, objection=Objection.NOT_OFFERED)
    make_order_record("T-5", placed_at=NOON - days(4), state=OrderState.PLACED, objection=Objection.NOT_OFFERED)
    make_order_record("T-6", placed_at=NOON - days(12), objection=Objection.NOT_OFFERED)
    make_order_record("T-4", placed_at=NOON - days(1), email="somebody@example.com")
    for age in (1, 29, 31):
        make_message(NEWSLETTER, state=Message.State.SENT, sent_at=NOON - days(age))
    make_message(TRANSACTIONAL, state=Message.State.SENT, sent_at=NOON - days(1))
    messages = [make_message(FOLLOW_UP, reason="order_paid", ref=ref) for ref in ("T-3", "T-5", "T-6")]
    assert standings(messages, now=NOON) == {
        ANN_KEY: Standing(
            confirmed=frozenset({"letters", "tips"}),
            confirmed_for_follow_ups=frozenset({"tips"}),
            pending=frozenset({"news"}),
            left=frozenset({"old"}),
            suppressed={FOLLOW_UPS: Reason.OBJECTED},
            last_order_at=NOON - days(9),
            objection=Objection.OFFERED,
            orders={"T-6": PastOrder(placed_at=NOON - days(12), objection=Objection.NOT_OFFERED)},
            objected_at=NOON - days(90),
            rest=days(7),
            paused_until=NOON,
            time_zone="Asia/Tokyo",
            last_marketing_at=NOON - days(2),
            sent_in_30_days=2,
        )
    }


@pytest.mark.django_db
def test_room_comes_back_with_the_eighth_newest(settings: Any) -> None:
    """EM-12: nine in a month of eight: two must grow old before there is room."""
    for age in range(1, 10):
        make_message(NEWSLETTER, state=Message.State.SENT, sent_at=NOON - days(age))
    standing = standings([make_message()], now=NOON)[ANN_KEY]
    assert (standing.sent_in_30_days, standing.room_at) == (9, NOON - days(8) + days(30))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries(count: int, django_assert_num_queries: Any) -> None:
    """EM-6: seven for any number of messages, one for transactional ones; judging needs none."""
    letters = make_list()
    follow_up = FollowUp.objects.create(title="Care", trigger="order_paid", mailing_list=letters)
    for number in range(count):
        email = f"person{number}@example.com"
        sign_up(letters, email)
        make_order_record(f"T-{number}", email=email)
        make_message(NEWSLETTER, email=email, mailing_list=letters)
        make_message(FOLLOW_UP, email=email, follow_up=follow_up, ref=f"T-{number}")
        make_message(TRANSACTIONAL, email=email)
    messages = list(Message.objects.all())
    with django_assert_num_queries(8):
        known = standings(messages, now=NOON)
    with django_assert_num_queries(0):
        for message in messages:
            judge(message=message, standing=known[message.email_key], now=NOON)
    receipts = list(Message.objects.filter(kind=TRANSACTIONAL))
    with django_assert_num_queries(1):
        standings(receipts, now=NOON)
    ready = list(Message.objects.select_related("mailing_list", "follow_up__mailing_list"))
    with django_assert_num_queries(5):
        standings(ready, now=NOON)
