"""What happens plans messages: to whom, of what, and that it happens once (EM-11, EM-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.followups import planning, receivers
from thankyou_flows.followups.planning import plan, report_download
from thankyou_flows.mail.suppression import suppress
from thankyou_flows.models import Contact, MailingList, Message, MessageKind, Subscription, Suppression, WhyNot
from thankyou_flows.signals import subscription_confirmed
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import OrderState

from .conftest import ANN, buy, give, make_campaign, make_follow_up, move_on, planned, whys

pytestmark = pytest.mark.django_db


# Orders ---------------------------------------------------------------------------------------------


def test_an_order_plans_all_mails_of_its_follow_ups_once(clock: Any, committed: Any) -> None:
    """EM-11: who, what about, when, until when, and never twice."""
    follow_up = make_follow_up("order_paid", {"delay": 3}, {"delay": 20})
    with committed():
        buy(language="de", time_zone="Asia/Tokyo")
    first, second = planned()
    now = timezone.now()
    assert (first.email, first.email_key, first.language) == (ANN, customer_key(ANN), "de")
    assert (first.reason, first.ref, first.context["order"]) == ("order_paid", "T-1001", "T-1001")
    assert (first.follow_up, first.composer, first.kind) == (follow_up, "follow_up", MessageKind.FOLLOW_UP)
    assert (first.due_at, second.due_at) == (now + timedelta(days=3), now + timedelta(days=20))
    assert first.expires_at == now + timedelta(days=10)
    assert len(first.dedupe_key) <= 200
    assert Contact.objects.get().time_zone == "Asia/Tokyo"
    with committed():
        receivers.on_order_recorded(order=DummyStore.orders["T-1001"])
    assert len(planned()) == 2


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param(["placed"], [], id="placed"),
        pytest.param(["paid"], ["order_paid"], id="paid"),
        pytest.param(["shipped"], ["order_paid", "order_shipped"], id="shipped"),
        pytest.param(["delivered"], ["order_delivered", "order_paid", "review_wanted"], id="delivered"),
        pytest.param(["placed", "shipped"], ["order_paid", "order_shipped"], id="invoice"),
        pytest.param(["placed", "paid", "shipped", "paid", "shipped"], ["order_paid", "order_shipped"], id="back"),
        pytest.param(["paid", "delivered"], ["order_delivered", "order_paid", "review_wanted"], id="jump"),
        pytest.param(["cancelled"], [], id="cancelled"),
    ],
)
def test_each_trigger_of_an_order_fires_once(
    states: list[str], expected: list[str], clock: Any, committed: Any
) -> None:
    """TY-8: whatever the shop reports first, and however often."""
    for key in ("order_paid", "order_shipped", "order_delivered", "review_wanted"):
        make_follow_up(key)
    with committed():
        buy(state=OrderState(states[0]))
    for state in states[1:]:
        with committed():
            move_on("T-1001", OrderState(state))
    assert sorted(message.reason for message in planned()) == expected


def test_what_happened_before_it_was_switched_on_plans_nothing(clock: Any) -> None:
    """EM-11: a follow-up that is switched on today writes nobody about last month."""
    now = timezone.now()
    make_follow_up("order_paid", switched_on_at=now)
    assert not _plan(happened_at=now - timedelta(seconds=1))
    assert _plan(happened_at=now)


def test_history_that_a_shop_brings_along_plans_nothing(clock: Any, committed: Any) -> None:
    """EM-11: a mail of which the time is over before it is planned is not written."""
    make_follow_up("order_paid", {"delay": 3}, {"delay": 30}, switched_on_at=timezone.now() - timedelta(days=365))
    with committed():
        buy(placed_at=timezone.now() - timedelta(days=11))
    assert [message.step.delay for message in planned()] == [30]


def test_nothing_is_planned_for_a_follow_up_that_is_off_or_an_order_without_address(clock: Any, committed: Any) -> None:
    """EM-11: off by default; and nobody is written to at no address."""
    make_follow_up("order_paid", is_on=False)
    with committed():
        buy()
    make_follow_up("order_paid")
    with committed():
        buy("T-1002", email="")
    assert planned() == []


@pytest.mark.parametrize(
    ("trigger", "kind", "planned_as"),
    [
        ("order_shipped", MessageKind.TRANSACTIONAL, MessageKind.TRANSACTIONAL),
        ("order_shipped", MessageKind.NEWSLETTER, MessageKind.NEWSLETTER),
        ("review_wanted", MessageKind.TRANSACTIONAL, MessageKind.FOLLOW_UP),
        ("coupon_unused", MessageKind.TRANSACTIONAL, MessageKind.FOLLOW_UP),
    ],
)
def test_only_what_answers_the_customer_can_be_transactional(
    trigger: str, kind: str, planned_as: str, clock: Any
) -> None:
    """EM-11: asking for a review is advertising, whatever somebody ticks."""
    make_follow_up(trigger, kind=kind)
    assert [message.kind for message in _plan(trigger=trigger)] == [planned_as]


def test_conditions_are_looked_at_when_it_is_planned(clock: Any, committed: Any) -> None:
    """EM-12: a customer whom the mail is not meant for is not even planned."""
    make_follow_up("order_paid", rules=[("total", {"at_least": 10, "less_than": None, "currency": ""})])
    make_follow_up("order_paid", rules=[("total", {"at_least": 100, "less_than": None, "currency": ""})])
    make_follow_up("order_paid", rules=[("customer", {"kind": "first"})])
    make_follow_up("order_paid", rules=[("customer", {"kind": "returning"})])
    with committed():
        buy()
    titles = [message.follow_up.rules[0].block_type for message in planned()]
    assert titles == ["total", "customer"]


def test_a_condition_on_an_order_does_not_hold_without_one(clock: Any) -> None:
    """EM-12: somebody who has never ordered did not order for 10 euros."""
    make_follow_up("question_answered", rules=[("total", {"at_least": 10, "less_than": None, "currency": ""})])
    make_follow_up("question_answered")
    assert len(_plan(trigger="question_answered", ref="1", context={})) == 1


@pytest.mark.parametrize(("follow_ups", "mails"), [(1, 1), (20, 1), (1, 20)])
def test_looking_up_costs_the_same_for_one_mail_and_for_twenty(follow_ups: int, mails: int, clock: Any) -> None:
    """OP-7: planning happens while a customer orders."""
    for _n in range(follow_ups):
        make_follow_up("order_paid", *({"delay": 3} for _step in range(mails)))
    buy()
    with CaptureQueriesContext(connection) as queries:
        messages = _plan()
    assert len(messages) == follow_ups * mails
    # The outbox looks once for each row that it writes. Beside that: the mails, the contact, what is planned, whether
    # the person asked for erasure, and the contact once more when it is made.
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 5 + len(messages)
    with CaptureQueriesContext(connection) as queries:
        assert _plan() == []
    # Savepoint, mails, contact, what is planned, release.
    assert len(queries) == 5


def test_a_checkout_never_breaks(clock: Any, committed: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """OP-4: what goes wrong here is logged, and the order is there."""
    make_follow_up("order_paid")

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("thankyou_flows.mail.outbox.queue", broken)
    with committed():
        buy()
    assert "could not be planned" in caplog.text
    monkeypatch.setattr("thankyou_flows.followups.receivers.anybody_waits", broken)
    receivers.on_order_recorded(order=DummyStore.orders["T-1001"])
    assert "could not act on some news (on_order_recorded)" in caplog.text
    assert ANN not in caplog.text


def test_a_failure_leaves_the_callers_transaction_usable(clock: Any) -> None:
    """OP-4: plan() may be called in the middle of something."""
    make_follow_up("order_paid")
    assert plan(trigger="order_paid", email="not an address", ref="1", happened_at=timezone.now()) == []
    assert plan(trigger="nobody_knows_it", email=ANN, ref="1", happened_at=timezone.now()) == []
    assert plan(trigger="order_paid", email="", ref="1", happened_at=timezone.now()) == []
    assert Message.objects.count() == 0


def test_long_references_fit(clock: Any) -> None:
    """EM-10: the key of what must not be written twice has at most 200 characters, and tells references apart."""
    make_follow_up("download_delivered")
    assert len(report_download(email=ANN, name="x" * 300, url="https://shop.example/guide.pdf")) == 1
    assert len(report_download(email=ANN, name="x" * 127 + "y")) == 1
    assert report_download(email=ANN, name="x" * 300) == []
    message = planned()[0]
    assert (message.ref, message.context["url"]) == ("x" * 128, "https://shop.example/guide.pdf")
    assert not Contact.objects.exists()


# What ends them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.REFUNDED])
def test_an_order_that_came_to_nothing_stops_its_mails_at_once(state: OrderState, clock: Any, committed: Any) -> None:
    """EM-12: also those about the coupon that came with it, and no others."""
    make_follow_up("order_paid")
    make_follow_up("coupon_unused")
    with committed():
        buy("T-1000", email="bea@example.com")
        buy()
        give(make_campaign())
    with committed():
        move_on("T-1001", state)
    assert sorted(whys(planned(ref="T-1000"))) == [""]
    assert whys(planned(email=ANN)) == [WhyNot.ORDER_OVER, WhyNot.ORDER_OVER]


def test_a_second_order_stops_what_it_ends(clock: Any, committed: Any) -> None:
    """EM-12: what stops after an order, and was about something before it; its own mails are planned."""
    stopping = make_follow_up("order_paid")
    going_on = make_follow_up("order_paid", stops_after_order=False)
    owed = make_follow_up("order_paid", kind=MessageKind.TRANSACTIONAL)
    with committed():
        buy()
    clock.shift(timedelta(days=1))
    with committed():
        buy("T-1002")
        buy("T-2000", email="bea@example.com")
    assert whys(planned(ref="T-1001", follow_up=stopping)) == [WhyNot.ORDERED_AGAIN]
    assert whys(planned(ref="T-1001", follow_up=going_on)) == [""]
    assert whys(planned(ref="T-1001", follow_up=owed)) == [""]
    assert whys(planned(ref="T-1002")) == ["", "", ""]
    assert whys(planned(ref="T-2000")) == ["", "", ""]


def test_a_second_order_that_is_not_paid_stops_nothing_yet(clock: Any, committed: Any) -> None:
    """EM-12: many unpaid orders come to nothing. Paid, it counts."""
    make_follow_up("order_paid")
    with committed():
        buy()
    clock.shift(timedelta(days=1))
    with committed():
        buy("T-1002", state=OrderState.PLACED)
    assert whys(planned(ref="T-1001")) == [""]
    with committed():
        move_on("T-1002", OrderState.PAID)
    assert whys(planned(ref="T-1001")) == [WhyNot.ORDERED_AGAIN]


# Sign-ups -------------------------------------------------------------------------------------------


def test_a_confirmed_sign_up_is_welcomed_by_its_own_list(clock: Any) -> None:
    """EM-11: a welcome for one list is not sent to the people of another; without a list it belongs to the one signed up
    to.
    """
    recipes, news = (MailingList.objects.create(slug=slug, title=slug, purpose="x") for slug in ("recipes", "news"))
    make_follow_up("sign_up_confirmed", title="all")
    make_follow_up("sign_up_confirmed", title="recipes", mailing_list=recipes)
    make_follow_up("sign_up_confirmed", title="news", mailing_list=news)
    subscription = Subscription.objects.create(
        mailing_list=recipes, email=ANN, email_key=customer_key(ANN), state="confirmed", confirmed_at=timezone.now()
    )
    for _twice in range(2):
        subscription_confirmed.send(sender=Subscription, subscription=subscription)
    found = [(m.follow_up.title, m.mailing_list) for m in planned()]
    assert sorted(found, key=str) == [("all", recipes), ("recipes", recipes)]


def _plan(**changes: Any) -> list[Message]:
    values: dict[str, Any] = {
        "trigger": "order_paid",
        "email": ANN,
        "ref": "T-1001",
        "happened_at": timezone.now(),
        "context": {"order": "T-1001"},
    }
    return planning.plan(**{**values, **changes})


def test_of_somebody_erased_nothing_is_kept_again(clock: Any) -> None:
    """EM-13: no contact and no message for what the gate would stop; what answers the order itself is still planned."""
    suppress(email_key=customer_key(ANN), scope=Suppression.MARKETING, reason=Suppression.Reason.ERASED)
    make_follow_up("order_paid", title="Tips")
    assert plan(trigger="order_paid", email=ANN, ref="T-1", happened_at=timezone.now(), language="sl") == []
    assert (Contact.objects.count(), Message.objects.count()) == (0, 0)
    needed = make_follow_up("order_paid", title="How to set it up", kind="transactional")
    (message,) = plan(trigger="order_paid", email=ANN, ref="T-1", happened_at=timezone.now())
    assert message.follow_up == needed
    (other,) = plan(trigger="order_paid", email="bea@example.com", ref="T-2", happened_at=timezone.now())[:1]
    assert other.email == "bea@example.com"


@pytest.mark.parametrize("reason", [each for each in Suppression.Reason if each != "erased"])
def test_whoever_only_left_may_come_back_before_it_is_sent(reason: str, clock: Any) -> None:
    """EM-6: the gate decides when it counts."""
    suppress(email_key=customer_key(ANN), scope=Suppression.MARKETING, reason=Suppression.Reason(reason))
    make_follow_up("order_paid")
    assert len(plan(trigger="order_paid", email=ANN, ref="T-1", happened_at=timezone.now())) == 1
