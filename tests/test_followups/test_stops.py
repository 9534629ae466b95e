"""Between planning and sending the world moves on: each thing that can happen, and what becomes of the mail (EM-12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djmoney.money import Money

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Redemption
from thankyou_flows.followups.planning import plan
from thankyou_flows.followups.stops import reconsider
from thankyou_flows.mail.composing import DoNotSend, SendLater
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import FollowUp, FollowUpStep, MailingList, Message, MessageKind, Subscription
from thankyou_flows.orders import record_order
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import OrderState
from wishlists.models import CatalogEvent, Inquiry, ListItem, ProductList

from .conftest import ANN, buy, give, make_campaign, make_follow_up, make_order, make_product, planned

pytestmark = pytest.mark.django_db

RULE = ("total", {"at_least": 10, "less_than": None, "currency": ""})


def euro(amount: Any) -> Money:
    return Money(amount, "EUR")


# A message of each kind -----------------------------------------------------------------------------


def order_message(trigger: str = "order_paid", **fields: Any) -> Message:
    """A mail about an order that is as its trigger says."""
    states = {"order_paid": "paid", "order_shipped": "shipped"}
    make_follow_up(trigger, **fields)
    buy(state=OrderState(states.get(trigger, "delivered")))
    return plan_one(trigger, "T-1001", {"order": "T-1001"})


def coupon_message(trigger: str = "coupon_unused", **fields: Any) -> Message:
    """A mail about a coupon that came with an order; it ends in ten days."""
    make_follow_up(trigger)
    buy()
    coupon = give(make_campaign(**{"deadline_minutes": 10 * 24 * 60, **fields}))
    at = coupon.ends_at if trigger == "coupon_expiring" else None
    return plan_one(trigger, str(coupon.pk), {"order": "T-1001"}, coupon=coupon, happened_at=at)


def sequence_message() -> Message:
    """The second mail of a sequence, of which the first has brought a coupon."""
    campaign = make_campaign()
    make_follow_up("order_paid", {"delay": 1, "campaign": campaign}, {"delay": 5, "campaign": campaign})
    buy()
    plan_all("order_paid", "T-1001", {"order": "T-1001"})
    first, second = planned()
    coupon = give(campaign)
    Message.objects.filter(pk=first.pk).update(state=Message.State.SENT, coupon=coupon)
    return second


def list_message() -> Message:
    """A reminder of a list that lay untouched."""
    make_follow_up("list_untouched")
    row = save().list
    ProductList.objects.update(changed_at=timezone.now() - timedelta(days=3))
    row.refresh_from_db()
    return plan_one("list_untouched", str(row.pk), {}, happened_at=row.changed_at)


def item_message(trigger: str = "price_dropped", kind: str = "price_drop") -> Message:
    """News of a saved product: it cost 10, and costs 8."""
    make_follow_up(trigger)
    item = save()
    make_product("tea", euro(8), left=2)
    event = CatalogEvent.objects.create(kind=kind, product_ref="tea", title="Tea", price=euro(8), price_before=euro(10))
    return plan_one(trigger, f"{event.pk}:{item.list.owner_id}", {})


def inquiry_message() -> Message:
    """A question that was answered."""
    make_follow_up("question_answered")
    inquiry = Inquiry.objects.create(email=ANN, text="Green?", state="answered", answered_at=timezone.now())
    return plan_one("question_answered", str(inquiry.pk), {})


def subscription_message() -> Message:
    """A sign-up that was confirmed."""
    make_follow_up("sign_up_confirmed")
    mailing_list = MailingList.objects.create(slug="news", title="News", purpose="News")
    row = Subscription.objects.create(
        mailing_list=mailing_list, email=ANN, email_key=customer_key(ANN), state="confirmed"
    )
    return plan_one("sign_up_confirmed", str(row.pk), {})


def save(email: str = ANN) -> ListItem:
    user = User.objects.create_user("ann", email, "secret", first_name="Ann")
    row = ProductList.objects.create(owner=user, kind="saved")
    return ListItem.objects.create(list=row, product_ref="tea", title="Tea", price=euro(10))


def plan_all(trigger: str, ref: str, context: dict[str, Any], **fields: Any) -> list[Message]:
    fields["happened_at"] = fields.get("happened_at") or timezone.now()
    return plan(trigger=trigger, email=ANN, ref=ref, context=context, **fields)


def plan_one(trigger: str, ref: str, context: dict[str, Any], **fields: Any) -> Message:
    (message,) = plan_all(trigger, ref, context, **fields)
    return message


# What happens meanwhile -----------------------------------------------------------------------------


def change_order(**changes: Any) -> None:
    DummyStore.add_order(replace(DummyStore.orders["T-1001"], **changes))


def order_again(**changes: Any) -> None:
    record_order(order=make_order("T-1002", **{"email": ANN, "placed_at": later(hours=1), **changes}))


def use(state: str = "redeemed", **fields: Any) -> None:
    coupon = Coupon.objects.get()
    values = {"expires_at": later(minutes=30), "redeemed_at": timezone.now() if state == "redeemed" else None}
    Redemption.objects.create(coupon=coupon, order_ref="T-1009", state=state, **{**values, **fields})
    Coupon.objects.update(used=1)


def edit(model: Any, **changes: Any) -> None:
    # Behind the model's back: a worker must not rely on a signal.
    model.objects.update(**changes)


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


Make = Callable[[], Message]

EVENTS: list[Any] = [
    # What its owner does.
    ("switched off", order_message, lambda: edit(FollowUp, is_on=False), "follow_up_off"),
    ("deleted", order_message, lambda: FollowUp.objects.all().delete(), "follow_up_gone"),
    ("mail deleted", order_message, lambda: FollowUpStep.objects.all().delete(), "follow_up_gone"),
    ("waits for something else", order_message, lambda: edit(FollowUp, trigger="order_shipped"), "changed"),
    (
        "is advertising now",
        lambda: order_message("order_shipped", kind=MessageKind.TRANSACTIONAL),
        lambda: edit(FollowUp, kind=MessageKind.FOLLOW_UP),
        "changed",
    ),
    (
        "conditions hold no more",
        lambda: order_message(rules=[RULE]),
        lambda: change_order(total=euro(9)),
        "rules",
    ),
    # What becomes of the order.
    ("cancelled", order_message, lambda: change_order(state=OrderState.CANCELLED), "order_over"),
    ("refunded", order_message, lambda: change_order(state=OrderState.REFUNDED), "order_over"),
    ("gone from the shop", order_message, DummyStore.orders.clear, "order_state"),
    ("payment taken back", order_message, lambda: change_order(state=OrderState.PLACED), "order_state"),
    (
        "not on its way after all",
        lambda: order_message("order_shipped"),
        lambda: change_order(state=OrderState.PAID),
        "order_state",
    ),
    (
        "not delivered after all",
        lambda: order_message("review_wanted"),
        lambda: change_order(state=OrderState.SHIPPED),
        "order_state",
    ),
    ("another address", order_message, lambda: change_order(email="ann@example.org"), "changed"),
    ("address erased", order_message, lambda: change_order(email=""), "changed"),
    ("ordered again", order_message, order_again, "ordered_again"),
    # What becomes of the coupon.
    ("coupon used", coupon_message, use, "coupon_used"),
    ("coupon revoked", coupon_message, lambda: edit(Coupon, state="revoked"), "coupon_over"),
    ("coupon over", coupon_message, lambda: edit(Coupon, ends_at=later(seconds=-1)), "coupon_over"),
    ("campaign paused", coupon_message, lambda: edit(Campaign, status="paused"), "coupon_over"),
    ("campaign over", coupon_message, lambda: edit(Campaign, ends_at=later(seconds=-1)), "coupon_over"),
    ("coupon deleted", coupon_message, lambda: Coupon.objects.all().delete(), "coupon_over"),
    ("its order refunded", coupon_message, lambda: change_order(state=OrderState.REFUNDED), "order_over"),
    ("no end any more", lambda: coupon_message("coupon_expiring"), lambda: edit(Coupon, ends_at=None), "changed"),
    ("coupon of the first mail used", sequence_message, use, "coupon_used"),
    ("coupon of the first mail revoked", sequence_message, lambda: edit(Coupon, state="revoked"), "coupon_over"),
    ("campaign of the sequence ended", sequence_message, lambda: edit(Campaign, status="ended"), "coupon_over"),
    # What becomes of the list.
    ("list deleted", list_message, lambda: ProductList.objects.all().delete(), "changed"),
    ("list emptied", list_message, lambda: ListItem.objects.all().delete(), "changed"),
    ("list touched", list_message, lambda: edit(ProductList, changed_at=timezone.now()), "changed"),
    ("owner's address changed", list_message, lambda: edit(User, email="ann@example.org"), "changed"),
    ("account closed", list_message, lambda: edit(User, is_active=False), "changed"),
    ("ordered instead", list_message, order_again, "ordered_again"),
    # What becomes of the saved product.
    ("price rose again", item_message, lambda: make_product("tea", euro(9)), "changed"),
    ("price in doubt", item_message, lambda: make_product("tea", None), "changed"),
    (
        "sold out again",
        lambda: item_message("back_in_stock", "back_in_stock"),
        lambda: make_product("tea", euro(8), available=False),
        "changed",
    ),
    (
        "plenty again",
        lambda: item_message("selling_out", "selling_out"),
        lambda: make_product("tea", euro(8), left=999),
        "changed",
    ),
    ("left the shop", item_message, DummyStore.products.clear, "changed"),
    ("not saved any more", item_message, lambda: ListItem.objects.all().delete(), "changed"),
    ("only in the cart", item_message, lambda: edit(ProductList, kind="cart"), "changed"),
    ("news withdrawn", item_message, lambda: CatalogEvent.objects.all().delete(), "changed"),
    # What becomes of questions and sign-ups.
    ("question reopened", inquiry_message, lambda: edit(Inquiry, state="open"), "changed"),
    ("question deleted", inquiry_message, lambda: Inquiry.objects.all().delete(), "changed"),
    ("left", subscription_message, lambda: edit(Subscription, state="left"), "left"),
]


@pytest.mark.parametrize(("make", "happens", "why"), [pytest.param(*row[1:], id=row[0]) for row in EVENTS])
def test_what_has_changed_is_not_sent(make: Make, happens: Callable[[], Any], why: str, clock: Any) -> None:
    """EM-12: each event between planning and sending; before it, the mail is fine."""
    message = make()
    reconsider(message, now=timezone.now())
    happens()
    # As a worker has it that claimed the message before.
    with pytest.raises(DoNotSend) as raised:
        reconsider(message, now=timezone.now())
    assert raised.value.why == why


def test_the_table_has_every_reason_there_is() -> None:
    """EM-12: each reason of this module is in the table above."""
    assert {row[3] for row in EVENTS} == {
        "follow_up_off",
        "follow_up_gone",
        "changed",
        "rules",
        "order_over",
        "order_state",
        "ordered_again",
        "coupon_used",
        "coupon_over",
        "left",
    }


FINE: list[Any] = [
    ("another customer ordered", order_message, lambda: order_again(email="bea@example.com")),
    ("the second order was cancelled", order_message, lambda: order_again(state=OrderState.CANCELLED)),
    ("an order of before", order_message, lambda: order_again(placed_at=later(days=-1))),
    ("goes on after an order", lambda: order_message(stops_after_order=False), order_again),
    ("owed whatever comes", lambda: order_message(kind=MessageKind.TRANSACTIONAL), order_again),
    ("delivered meanwhile", lambda: order_message("order_shipped"), lambda: change_order(state=OrderState.DELIVERED)),
    ("a use was given back", coupon_message, lambda: use("released")),
    ("a reservation ran out", coupon_message, lambda: use("reserved", expires_at=later(seconds=-1))),
    ("cheaper still", item_message, lambda: make_product("tea", euro(7))),
    ("on another list too", item_message, lambda: edit(ProductList, kind="wish")),
]


@pytest.mark.parametrize(("make", "happens"), [pytest.param(*row[1:], id=row[0]) for row in FINE])
def test_what_does_not_matter_stops_nothing(make: Make, happens: Callable[[], Any], clock: Any) -> None:
    """EM-12: a mail that is still true is not lost for a bad reason."""
    message = make()
    happens()
    reconsider(message, now=timezone.now())


def test_a_coupon_in_somebodys_checkout_waits(clock: Any) -> None:
    """EM-12: an order that is not paid yet holds it; if that comes to nothing, it is free again."""
    message = coupon_message()
    use("reserved")
    with pytest.raises(SendLater) as raised:
        reconsider(message, now=timezone.now())
    assert (raised.value.why, raised.value.until) == ("coupon_held", later(minutes=30))


def test_a_deadline_that_moved_moves_its_mail(clock: Any) -> None:
    """EM-12, AX-2: also if a worker had it in hand, and it may be sent until the end that counts."""
    message = coupon_message("coupon_expiring")
    end = later(days=20)
    Message.objects.update(state=Message.State.CLAIMED)
    edit(Coupon, ends_at=end)
    with pytest.raises(SendLater) as raised:
        reconsider(message, now=timezone.now())
    assert (raised.value.why, raised.value.until) == ("changed", end - timedelta(days=3))
    message.refresh_from_db()
    assert (message.happened_at, message.expires_at) == (end, end)
    clock.move_to(end - timedelta(days=3))
    reconsider(message, now=timezone.now())


def test_an_end_that_came_nearer_is_written_about_at_once(clock: Any) -> None:
    """EM-12: the mail is true, and just in time."""
    message = coupon_message("coupon_expiring")
    edit(Coupon, ends_at=later(days=2))
    reconsider(message, now=timezone.now())


def test_a_quiet_customer_who_ordered_is_not_quiet(clock: Any) -> None:
    """EM-12: whatever its owner has ticked."""
    make_follow_up("customer_quiet", stops_after_order=False)
    order = buy(placed_at=later(days=-3))
    message = plan_one("customer_quiet", order.number, {"order": order.number}, happened_at=order.placed_at)
    reconsider(message, now=timezone.now())
    order_again()
    with pytest.raises(DoNotSend, match="ordered_again"):
        reconsider(message, now=timezone.now())


def test_conditions_that_cannot_be_evaluated_do_not_hold(
    clock: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EM-9: a rule of a site's own that breaks stops its own mail, and is logged."""
    message = order_message(rules=[RULE])

    def broken(*_args: Any) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr("thankyou_flows.rules.TotalRule.matches", broken)
    with pytest.raises(DoNotSend, match="rules"):
        reconsider(message, now=timezone.now())
    assert "could not be evaluated" in caplog.text


def test_what_no_follow_up_planned_is_not_asked_about() -> None:
    """EM-12: confirmations and the like have no follow-up that could stop them; no query."""
    message = Message(composer="confirmation", reason="signup")
    with CaptureQueriesContext(connection) as queries:
        reconsider(message, now=timezone.now())
    assert len(queries) == 0


MAKERS = [order_message, coupon_message, sequence_message, list_message, item_message, inquiry_message]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("others", [1, 20])
def test_asking_again_costs_the_same_whatever_else_there_is(make: Make, others: int, clock: Any) -> None:
    """OP-7: a fixed number of queries for each message."""
    message = make()
    for n in range(others):
        record_order(order=make_order(f"O-{n}", email=ANN, placed_at=later(days=-5)))
        values = {"email": ANN, "email_key": customer_key(ANN), "composer": "follow_up", "kind": "follow_up"}
        Message.objects.create(dedupe_key=str(n), reason="order_paid", ref=message.ref, **values)
    for row in ProductList.objects.all():
        ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"p{n}", title="p") for n in range(others))
    with CaptureQueriesContext(connection) as queries:
        reconsider(message, now=timezone.now())
    assert len(queries) == {"list_message": 5, "item_message": 5, "inquiry_message": 4}.get(make.__name__, 3)


def test_the_worker_asks_and_says_why(clock: Any, committed: Any, mailoutbox: list[Any]) -> None:
    """EM-12: from the order to the mail; of two orders, the refunded one gets none, and the owner sees why."""
    make_follow_up(
        "order_paid",
        {"delay": 1, "body": [("text", {"text": "<p>Enjoy your tea.</p>"})]},
        kind=MessageKind.TRANSACTIONAL,
    )
    with committed():
        buy()
        buy("T-2000", email="bea@example.com")
    clock.shift(timedelta(days=1))
    # The shop has not told anybody of the refund.
    change_order(state=OrderState.REFUNDED)
    send_due()
    assert [mail.to for mail in mailoutbox] == [["bea@example.com"]]
    assert {message.ref: message.why_not for message in planned()} == {"T-1001": "order_over", "T-2000": ""}


def test_more_time_is_used_by_the_worker(clock: Any) -> None:
    """EM-12, AX-2: a mail in hand goes back, and out before the end that counts."""
    message = coupon_message("coupon_expiring")
    clock.move_to(message.due_at)
    end = message.happened_at + timedelta(days=5)
    edit(Coupon, ends_at=end)
    send_due()
    message.refresh_from_db()
    assert (message.state, message.due_at, message.expires_at) == ("planned", end - timedelta(days=3), end)
