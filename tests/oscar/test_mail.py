"""Mail after an order in an Oscar shop: who gets it without a field in Oscar's checkout, and what its coupon is worth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import FollowUp, FollowUpStep, MailingList, Message, OrderRecord, Subscription, WhyNot
from thankyou_flows.values import Objection

from .conftest import NOW, SHIPPING, model

ANA = "ana@example.com"


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def step(shop: Any, clock: Any) -> FollowUpStep:
    """A follow-up that brings ten percent off, three days after an order is paid."""
    campaign = Campaign.objects.create(title="Next time", status="running", benefit="percent", percent=Decimal(10))
    follow_up = FollowUp.objects.create(title="Tips", trigger="order_paid", is_on=True, switched_on_at=timezone.now())
    text = {"text": "<p>Pour the water when it has stopped boiling.</p>"}
    return FollowUpStep.objects.create(
        follow_up=follow_up,
        delay=3,
        subject="Tips for you",
        campaign=campaign,
        body=[("text", text), ("coupon", {"heading": "", "how": ""})],
    )


@pytest.fixture
def order(customer: Callable[..., Any], product: Any, step: FollowUpStep) -> Any:
    """A guest orders by Oscar's own checkout."""
    return customer(ANA).order(product)


def letters() -> list[Any]:
    """The mails about the follow-up; Oscar sends its own about the order."""
    return [each for each in mail.outbox if each.subject == "Tips for you"]


def wait_and_send(clock: Any, capture: Callable[..., Any]) -> Message:
    clock.shift(timedelta(days=3, minutes=1))
    with capture(execute=True):
        send_due()
    return Message.objects.get()


def test_an_order_plans_mail_to_the_address_of_the_order(order: Any) -> None:
    """EM-11: a guest's too; nobody has asked whether they object, which Oscar's checkout does not offer."""
    message = Message.objects.get()
    assert (message.email, message.email_key, message.ref) == (ANA, customer_key(ANA), order.number)
    assert message.due_at == timezone.now() + timedelta(days=3)
    assert OrderRecord.objects.get(number=order.number).objection == Objection.NOT_OFFERED


def test_without_an_offer_to_object_there_is_no_soft_opt_in(
    order: Any, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-11: and no coupon is given to somebody who does not hear of it."""
    message = wait_and_send(clock, django_capture_on_commit_callbacks)
    assert (message.state, message.why_not) == ("skipped", WhyNot.NOT_OFFERED)
    assert (letters(), Coupon.objects.count()) == ([], 0)


def test_whoever_has_confirmed_a_list_that_covers_it_gets_it_with_a_coupon_that_oscar_honours(
    order: Any,
    clock: Any,
    django_capture_on_commit_callbacks: Any,
    customer: Callable[..., Any],
    make_product: Callable[..., Any],
) -> None:
    """EM-6, CO-9: the coupon is one of Oscar's vouchers by the time the mail is there."""
    letter = MailingList.objects.create(slug="letter", title="Letter", covers_follow_ups=True)
    Subscription.objects.create(mailing_list=letter, email=ANA, email_key=customer_key(ANA), state="confirmed")
    message = wait_and_send(clock, django_capture_on_commit_callbacks)
    assert (message.state, message.ground) == ("sent", "consent")
    coupon = Coupon.objects.get()
    [sent] = letters()
    assert sent.to == [ANA]
    assert coupon.display_code in sent.body
    assert model("voucher.Voucher").objects.get(code=coupon.display_code).is_active()
    again = customer(ANA).order(make_product(price="50.00"), code=coupon.display_code)
    assert again.total_incl_tax == Decimal("45.00") + SHIPPING
    coupon.refresh_from_db()
    assert coupon.used == 1
