"""A box at the checkout, and the mail with a link to questions: neither may break an order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django import forms
from django.core import mail
from django.test import RequestFactory
from django.utils import timezone

from coupons.models import Campaign, Coupon
from thankyou_flows.mail.composing import DoNotSend
from thankyou_flows.models import ConsentReceipt, MailingList, Message, Subscription
from thankyou_flows.newsletter import checkout, checkout_wording, sign_up_at_checkout
from thankyou_flows.newsletter.forms import NewsletterBox
from thankyou_flows.unlock_mail import compose, mail_unlock_link

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Clock:
    """Time stands still until a form comes back."""

    now: ClassVar[time_machine.Traveller]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(START, tick=False) as Clock.now:
        yield


class CheckoutForm(NewsletterBox):
    """A shop's own form."""

    name = forms.CharField()


def shown(form: forms.Form) -> str:
    return str(form["newsletter_shown"].value())


def order(rf: RequestFactory, *, after: timedelta = timedelta(minutes=2), **data: str) -> tuple[Any, bool]:
    """The form comes back after a while."""
    Clock.now.shift(after)
    form = CheckoutForm({"name": "Ann", **data})
    assert form.is_valid()
    return form, form.sign_up(request=rf.post("/checkout/"), email="ann@example.com")


def test_the_box_is_not_ticked(newsletter: MailingList, settings: Any) -> None:
    """EM-1, EM-4: it says what it is for, how often, and that one can leave."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "PRIVACY_URL": "/privacy/"}
    form = CheckoutForm()
    html = form.as_p()
    assert "checked" not in html
    for text in ("“Letters”. What is new. Twice a month.", "I can leave at any time.", "/privacy/"):
        assert text in html
        assert text in checkout_wording()


def test_a_tick_asks_by_mail(
    newsletter: MailingList, rf: RequestFactory, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-1, EM-4: what stood beside the box is kept, also if the owner has changed the list since."""
    wording, form = checkout_wording(), CheckoutForm()
    MailingList.objects.update(promise="Every day.")
    with django_capture_on_commit_callbacks(execute=True):
        assert order(rf, newsletter="on", newsletter_shown=shown(form))[1]
    receipt = ConsentReceipt.objects.get()
    assert receipt.wording == wording
    assert "Twice a month." in wording
    assert (receipt.method, receipt.source, receipt.path) == ("checkout", "checkout", "/checkout/")
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "data",
    [{}, {"newsletter": "on"}, {"newsletter": "on", "newsletter_shown": "forged"}],
    ids=["off", "lost", "forged"],
)
def test_no_tick_or_no_proof_is_no_consent(newsletter: MailingList, rf: RequestFactory, data: dict[str, str]) -> None:
    """EM-4: and the order goes on."""
    assert not order(rf, **data)[1]
    assert not Subscription.objects.exists()


def test_a_form_that_comes_back_says_the_same(newsletter: MailingList) -> None:
    """EM-4: label and proof belong together."""
    first = CheckoutForm()
    MailingList.objects.update(promise="Every day.")
    again = CheckoutForm({"newsletter": "on", "newsletter_shown": shown(first)})
    assert not again.is_valid()
    assert "Twice a month." in again.as_p()
    assert "Every day." not in again.as_p()


def test_a_page_that_was_open_for_long_is_shown_anew(newsletter: MailingList, rf: RequestFactory) -> None:
    """EM-4: what was read yesterday is not agreed to today. The order goes on, and the customer is told."""
    first = CheckoutForm()
    MailingList.objects.update(promise="Every day.")
    day = timedelta(days=1)
    assert order(rf, after=day, newsletter="on", newsletter_shown=shown(first))[1]
    form, signed_up = order(rf, after=timedelta(minutes=1), newsletter="on", newsletter_shown=shown(first))
    assert not signed_up
    assert Subscription.objects.count() == 1
    assert "open for long" in form.newsletter_problem
    html = form.as_p()
    assert "Every day." in html and "checked" not in html and shown(form) != shown(first)
    # Ticked again, beside the words of today.
    again, signed_up = order(rf, newsletter="on", newsletter_shown=shown(form))
    assert signed_up and again.newsletter_problem == ""
    # Who has not ticked it hears nothing.
    assert order(rf, after=2 * day, newsletter_shown=shown(first))[0].newsletter_problem == ""


@pytest.mark.parametrize("seconds", [0, 0.9, 1.1])
def test_a_program_is_quicker_than_a_customer(newsletter: MailingList, rf: RequestFactory, seconds: float) -> None:
    """EM-3: below MIN_FILL_SECONDS the order goes on, without a sign-up."""
    stamp = shown(CheckoutForm())
    form, signed_up = order(rf, after=timedelta(seconds=seconds), newsletter="on", newsletter_shown=stamp)
    assert (signed_up, Subscription.objects.exists(), form.newsletter_problem == "") == ((seconds > 1,) * 3)
    # It is no reason to read it anew.
    assert shown(form) == stamp


def test_a_closed_list_has_no_box(newsletter: MailingList, rf: RequestFactory) -> None:
    MailingList.objects.update(is_open=False)
    assert list(CheckoutForm().fields) == ["name"]
    assert not order(rf, newsletter="on")[1]


def test_an_order_does_not_fail_for_a_newsletter(
    newsletter: MailingList, rf: RequestFactory, monkeypatch: Any, caplog: Any
) -> None:
    """EM-10: whatever breaks is logged without the address, and the transaction of the order stays whole."""
    from django.db import connection

    def fail(**kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM thankyou_flows_message")

    request = rf.post("/checkout/")
    assert not sign_up_at_checkout(request=request, email="no address", wording="w")
    assert not sign_up_at_checkout(request=request, email="", wording="w")
    assert not sign_up_at_checkout(request=request, email="ann@example.com", wording="")
    monkeypatch.setattr(checkout, "subscribe_visitor", fail)
    assert not sign_up_at_checkout(request=request, email="ann@example.com", wording="w")
    assert not Subscription.objects.exists()
    assert "ann@example.com" not in caplog.text


# The mail with a link to questions ----------------------------------------------------------------


@pytest.fixture
def locked(campaign: Campaign) -> Coupon:
    return Coupon.objects.create(campaign=campaign, state=Coupon.State.LOCKED)


def test_the_link_is_made_when_the_mail_is_written(locked: Coupon, django_capture_on_commit_callbacks: Any) -> None:
    """TY-4, EM-10: the row holds a reference and no token; limits as ever."""
    facts = {"coupon": locked, "email": "ann@example.com", "base_url": "https://shop.example/"}
    with django_capture_on_commit_callbacks():
        assert mail_unlock_link(**facts)
    row = Message.objects.get()
    letter = compose(message=row, now=timezone.now())
    [token] = letter.secrets
    assert f"https://shop.example/coupons/link/{token}" in letter.text or token in letter.text
    assert token not in str(list(Message.objects.values()))
    assert row.coupon == locked
    assert not mail_unlock_link(**facts)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [({"state": "available"}, "done"), ({"state": "revoked"}, "coupon_over"), ({"ends_at": -1}, "coupon_over")],
    ids=["unlocked", "revoked", "over"],
)
def test_a_late_link_is_not_mailed(locked: Coupon, change: dict[str, Any], why: str) -> None:
    """EM-12: nobody is asked for what is answered or over."""
    mail_unlock_link(coupon=locked, email="ann@example.com", base_url="https://shop.example")
    if "ends_at" in change:
        change = {"ends_at": timezone.now() - timedelta(days=1)}
    Coupon.objects.update(**change)
    with pytest.raises(DoNotSend) as refusal:
        compose(message=Message.objects.get(), now=timezone.now())
    assert refusal.value.why == why
