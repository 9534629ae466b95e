"""Which mail an order followed, and that refunds correct it (D9)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from djmoney.money import Money

from coupons.facts import BasketFacts, BasketLine
from coupons.holders import customer_key
from coupons.issuing import issue
from coupons.models import Campaign
from coupons.redemption import reserve
from tests.test_flows.conftest import make_order
from tests.test_mail.reports import ANN, ago, make_message
from thankyou_flows.mail import conversions
from thankyou_flows.mail.conversions import note_order
from thankyou_flows.models import Contact, Message, MessageKind, OrderRecord
from thankyou_flows.orders import record_order
from thankyou_flows.values import OrderState

pytestmark = pytest.mark.django_db


def make_record(number: str = "T-1", *, state: str = "paid", email: str = ANN, **changes: Any) -> OrderRecord:
    facts: dict[str, Any] = {"total": Money("20", "EUR"), "placed_at": timezone.now(), "customer_key": ""}
    if email:
        facts["customer_key"] = customer_key(email)
    return OrderRecord.objects.create(number=number, state=state, **{**facts, **changes})


def note(record: OrderRecord) -> dict[str, str]:
    note_order(record=record)
    return converted()


def converted() -> dict[str, str]:
    """Return which message was converted by which order."""
    return dict(Message.objects.exclude(converted_at=None).values_list("key", "converted_order"))


def move(record: OrderRecord, state: str) -> OrderRecord:
    OrderRecord.objects.filter(pk=record.pk).update(state=state)
    return record


def test_an_order_converts_the_newest_mail() -> None:
    make_message("old", sent_at=ago(days=3))
    make_message("new", sent_at=ago(days=1))
    record = make_record()
    assert note(record) == {"new": "T-1"} == note(record)
    assert Message.objects.get(key="new").converted_at == record.placed_at


@pytest.mark.parametrize(
    ("message", "order"),
    [
        ({"sent_at": ago(days=8)}, {}),
        ({"sent_at": ago(hours=1)}, {"placed_at": ago(hours=2)}),
        ({"kind": MessageKind.TRANSACTIONAL}, {}),
        ({"state": "failed"}, {}),
        ({"state": "planned", "sent_at": None}, {}),
        ({"email": "bea@example.com"}, {}),
        ({}, {"email": ""}),
        ({"email": "", "email_key": ""}, {"email": ""}),
        ({}, {"state": "placed"}),
        ({}, {"state": "cancelled"}),
    ],
    ids=[
        "too long ago",
        "ordered before",
        "transactional",
        "failed",
        "not sent",
        "other",
        "guest",
        "nobody",
        "unpaid",
        "off",
    ],
)
def test_what_is_no_conversion(message: dict[str, Any], order: dict[str, Any]) -> None:
    make_message(**message)
    assert note(make_record(**order)) == {}


@pytest.mark.parametrize(("days", "counts"), [(2, True), (0, False)])
def test_how_many_days(settings: Any, days: int, counts: bool) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "CONVERSION_DAYS": days}
    make_message(sent_at=ago(days=1))
    assert bool(note(make_record())) is counts


def test_an_order_that_is_paid_later_was_still_placed_in_time() -> None:
    make_message(sent_at=ago(days=20))
    record = make_record(state="placed", placed_at=ago(days=18))
    assert note(record) == {}
    assert note(move(record, "shipped")) == {"m": "T-1"}


def test_a_mail_is_followed_by_one_order_and_an_order_follows_one_mail() -> None:
    make_message("old", sent_at=ago(days=3))
    make_message("new", sent_at=ago(days=1))
    note(make_record("T-1"))
    assert note(make_record("T-2")) == {"new": "T-1"}


@pytest.mark.parametrize("over", ["refunded", "cancelled"])
def test_a_refund_takes_it_back(over: str) -> None:
    make_message()
    record = make_record()
    note(record)
    assert note(move(record, over)) == {}
    assert note(make_record("T-2")) == {"m": "T-2"}


def test_news_that_overtake_each_other() -> None:
    """The signal of the payment arrives when the order is refunded already: the record of now is what counts."""
    make_message()
    record = make_record(state="paid")
    OrderRecord.objects.update(state="refunded")
    assert note(record) == {}
    OrderRecord.objects.all().delete()
    assert note(record) == {}


# Coupons


def use(coupon: Any, number: str) -> None:
    line = BasketLine(ref="1", product_ref="p", quantity=1, unit_price=Money("20", "EUR"))
    facts = BasketFacts(lines=(line,), shipping=Money("0", "EUR"), currency="EUR", customer_key=coupon.holder_key)
    reserve(code=coupon.code, order_ref=number, facts=facts)


@pytest.fixture
def campaign() -> Campaign:
    return Campaign.objects.create(title="Ten", status=Campaign.Status.RUNNING, benefit="percent", percent=10)


def test_the_mail_whose_coupon_was_used_comes_first(campaign: Campaign) -> None:
    """Whatever the days, and under whatever address the order was placed."""
    coupon = issue(campaign=campaign)
    make_message("first", coupon=coupon, sent_at=ago(days=60))
    make_message("second", coupon=coupon, sent_at=ago(days=40))
    make_message("newer", sent_at=ago(days=1))
    use(coupon, "T-1")
    assert note(make_record(email="work@example.com")) == {"second": "T-1"}


def test_a_word_that_everybody_knows(campaign: Campaign) -> None:
    """CO-8: somebody else's mail with the same public word brought nothing."""
    coupon = issue(campaign=campaign, usage_limit=9)
    type(coupon).objects.update(is_word=True)
    make_message("bea", email="bea@example.com", coupon=coupon, sent_at=ago(days=40))
    use(coupon, "T-1")
    assert note(make_record()) == {}
    make_message("ann", coupon=coupon, sent_at=ago(days=40))
    use(coupon, "T-2")
    assert note(make_record("T-2")) == {"ann": "T-2"}


def test_a_coupon_that_came_after_the_order(campaign: Campaign) -> None:
    coupon = issue(campaign=campaign)
    make_message(coupon=coupon, sent_at=ago(hours=1))
    use(coupon, "T-1")
    assert note(make_record(placed_at=ago(hours=2))) == {}


# From the shop


def test_from_the_shop_to_the_numbers(django_capture_on_commit_callbacks: Any) -> None:
    """The whole way: recorded, paid, refunded; and an order is something the customer did (EM-13)."""
    conversions.connect()
    make_message()
    contact = Contact.objects.create(email=ANN, email_key=customer_key(ANN), last_action_at=ago(days=400))
    placed_at = timezone.now()
    for state, expected in (("placed", {}), ("paid", {"m": "T-9"}), ("delivered", {"m": "T-9"}), ("refunded", {})):
        with django_capture_on_commit_callbacks(execute=True):
            record_order(order=make_order("T-9", email=ANN, placed_at=placed_at, state=OrderState(state)))
        assert converted() == expected, state
    contact.refresh_from_db()
    assert contact.last_action_at == placed_at


def test_an_old_order_is_no_new_action(django_capture_on_commit_callbacks: Any) -> None:
    """A shop that reports its history does not wake people up."""
    conversions.connect()
    before = ago(days=5)
    contact = Contact.objects.create(email=ANN, email_key=customer_key(ANN), last_action_at=before)
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=make_order("T-9", email=ANN, placed_at=before - timedelta(days=100)))
    contact.refresh_from_db()
    assert contact.last_action_at == before


def test_queries(django_assert_max_num_queries: Any) -> None:
    """The same few at one mail and at twenty."""
    for number in range(20):
        make_message(f"m{number}", sent_at=ago(days=number / 10))
    record = make_record()
    with django_assert_max_num_queries(8):
        note_order(record=record)


# At the same time


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_note_the_same_order() -> None:
    """Payment is reported twice at the same moment: one message, not two."""
    assert race() == ["old"]


@pytest.mark.teeth
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_there_would_be_two(monkeypatch: Any) -> None:
    monkeypatch.setattr(type(OrderRecord.objects.all()), "select_for_update", lambda self: self)
    assert len(race()) == 2


def race() -> list[str]:
    """Let two threads note one order, of which the second finds a newer mail; return what was converted."""
    make_message("old", sent_at=ago(days=3))
    record = make_record()
    look = conversions._by_time
    inside, go_on = threading.Event(), threading.Event()

    def look_slowly(record: OrderRecord) -> Any:
        found = look(record)
        if threading.current_thread().name == "first":
            inside.set()
            go_on.wait(timeout=0.2)
        return found

    def work() -> None:
        try:
            note_order(record=record)
        finally:
            connection.close()

    conversions._by_time = look_slowly
    try:
        threads = [threading.Thread(target=work, name=name) for name in ("first", "second")]
        threads[0].start()
        inside.wait(timeout=5)
        make_message("new", sent_at=ago(days=1))
        threads[1].start()
        threads[1].join(timeout=0.15)
        go_on.set()
        for thread in threads:
            thread.join(timeout=5)
    finally:
        conversions._by_time = look
    return sorted(converted())
