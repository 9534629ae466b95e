"""What can lead to a follow-up: the vocabulary, news of lists and questions, and triggers of a site's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from djmoney.money import Money

from thankyou_flows.followups import receivers, triggers
from thankyou_flows.followups.planning import plan, report_download
from thankyou_flows.followups.stops import reconsider
from thankyou_flows.followups.triggers import About, Trigger, all_triggers, get_trigger, register, trigger_choices
from thankyou_flows.mail.composing import DoNotSend
from thankyou_flows.models import Contact, FollowUp, Message
from wishlists.inquiries import answer
from wishlists.models import Inquiry, ListItem, ProductList
from wishlists.news.finding import find_news

from .conftest import ANN, buy, make_follow_up, make_product, planned


@pytest.fixture
def visit() -> Iterator[Trigger]:
    """A shop with a tea room wants to write after a visit; its app says so once, in ``AppConfig.ready``."""
    yield register(
        Trigger(key="visit", label="A guest was in our tea room", about=About.CUSTOMER, may_be_transactional=True)
    )
    del triggers._ALL["visit"]


def test_all_that_the_issue_names_can_lead_to_a_follow_up() -> None:
    """EM-11: what a follow-up can wait for; asking for reviews and reminders is never transactional."""
    found = {trigger.key: trigger for trigger in all_triggers()}
    assert set(found) >= {
        *("order_paid", "order_shipped", "order_delivered", "review_wanted"),
        *("coupon_unused", "coupon_expiring", "coupon_unlocked", "offer_ending"),
        *("list_untouched", "price_dropped", "back_in_stock", "selling_out", "question_answered"),
        *("download_delivered", "sign_up_confirmed", "customer_quiet"),
    }
    answers = {key for key, trigger in found.items() if trigger.may_be_transactional}
    assert answers == {"order_paid", "order_shipped", "order_delivered", "question_answered", "download_delivered"}
    assert {key for key, trigger in found.items() if trigger.before_end} == {"coupon_expiring", "offer_ending"}
    assert {key for key, trigger in found.items() if trigger.looked_for} == {"list_untouched", "customer_quiet"}


@pytest.mark.django_db
def test_a_site_adds_a_trigger_and_says_when_it_happens(visit: Trigger, clock: Any) -> None:
    """D10: one line to register, one call to plan."""
    assert ("visit", visit.label) in trigger_choices()
    follow_up = make_follow_up("visit", kind="transactional")
    follow_up.full_clean(exclude=["rules"])
    buy("T-1001", email=ANN)
    now = timezone.now()
    arguments: dict[str, Any] = {
        "trigger": "visit",
        "email": ANN,
        "ref": "T-1001",
        "happened_at": now,
        "language": "sl",
    }
    (message,) = plan(**arguments)
    assert (message.due_at, message.language) == (now + timedelta(days=3), "sl")
    assert message.kind == "transactional"
    reconsider(message, now=now)
    assert plan(**arguments) == []


@pytest.mark.django_db
def test_a_trigger_that_nobody_registers_any_more_is_gone(visit: Trigger, clock: Any) -> None:
    """EM-12: what an app planned that was taken out of the project is not sent."""
    make_follow_up("visit")
    (message,) = plan(trigger="visit", email=ANN, ref="", happened_at=timezone.now())
    triggers._ALL.pop("visit")
    with pytest.raises(DoNotSend, match="follow_up_gone"):
        reconsider(message, now=timezone.now())
    assert get_trigger("visit") is None
    register(visit)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trigger", "before", "after"),
    [
        ("price_dropped", {"price": "10"}, {"price": "8"}),
        ("back_in_stock", {"price": "10", "available": False}, {"price": "10"}),
        ("selling_out", {"price": "10", "left": 50}, {"price": "10", "left": 1}),
    ],
)
def test_news_of_a_saved_product_goes_to_those_who_saved_it(
    trigger: str, before: dict[str, Any], after: dict[str, Any], clock: Any, committed: Any
) -> None:
    """SL: once for each person, on however many lists it is; only to addresses that are proved, and open accounts."""
    make_follow_up(trigger, {"delay": 1, "delay_unit": "hours"})
    ann = User.objects.create_user("ann", ANN)
    for user in (
        ann,
        User.objects.create_user("bea"),
        User.objects.create_user("cid", "c@example.com", is_active=False),
    ):
        for kind in ("saved", "wish"):
            row = ProductList.objects.create(owner=user, kind=kind)
            ListItem.objects.create(list=row, product_ref="tea", price=Money(10, "EUR"))
    _look(committed, **before)
    _look(committed, **after)
    (message,) = planned()
    assert (message.email, message.reason) == (ANN, trigger)
    assert message.ref.endswith(f":{ann.pk}")
    reconsider(message, now=timezone.now())
    _look(committed, **after)
    assert len(planned()) == 1


def _look(committed: Any, price: str, **fields: Any) -> None:
    make_product("tea", Money(price, "EUR"), **fields)
    with committed():
        find_news()


@pytest.mark.django_db
def test_an_answer_leads_to_a_follow_up_and_makes_no_contact(clock: Any, committed: Any) -> None:
    """EM-3: an address that somebody has typed into a form is nobody's before it is confirmed."""
    make_follow_up("question_answered", kind="transactional")
    inquiry = Inquiry.objects.create(email=ANN, text="Green?", language="de")
    with committed():
        answer(inquiry=inquiry, text="Yes.", by=User.objects.create_user("staff"))
    (message,) = planned()
    assert (message.email, message.language, message.ref) == (ANN, "de", str(inquiry.pk))
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_a_download_is_told_by_who_delivers_it(clock: Any) -> None:
    """EM-11: once for each download and person."""
    make_follow_up("download_delivered")
    for _twice in range(2):
        report_download(email=ANN, name="Care guide", url="/guides/care.pdf", language="en")
    report_download(email=ANN, name="Brewing chart")
    assert sorted(message.context["title"] for message in planned()) == ["Brewing chart", "Care guide"]


@pytest.mark.django_db
def test_connecting_twice_is_connecting_once(clock: Any, committed: Any) -> None:
    """Nothing is heard twice."""
    make_follow_up("order_paid")
    receivers.connect()
    with committed():
        buy()
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_whoever_looks_at_the_form_sees_every_trigger() -> None:
    """The choices are asked for when they are needed, so that a site's own are among them."""
    field = FollowUp._meta.get_field("trigger")
    assert {key for key, _label in field.choices} == {trigger.key for trigger in all_triggers()}
