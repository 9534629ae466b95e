"""From the thank-you page to a coupon that is used, without a reminder for it; and out again by the preference page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from coupons.holders import customer_key
from coupons.models import Coupon
from example_site.demo.campaigns import WELCOME
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import FollowUp, Message, Suppression, WhyNot

from .journey import Shopper

#: The demo's follow-up of unused coupons writes five days after them.
REMINDER = "Your coupon"


@pytest.fixture(autouse=True)
def _reminders() -> Iterator[None]:
    """The demo's reminder, running since before the test."""
    reminders = FollowUp.objects.filter(trigger="coupon_unused")
    reminders.update(is_on=True, switched_on_at=datetime.now(UTC) - timedelta(days=1))
    yield
    Message.objects.open().filter(reason="coupon_unused").delete()


def a_week_later() -> time_machine.travel:
    """Travel to a noon when every reminder is due, and nobody sleeps."""
    noon = datetime.now(UTC).replace(hour=11, minute=0, second=0) + timedelta(days=8)
    return time_machine.travel(noon, tick=True)


def reminders(shopper: Shopper) -> list[str]:
    return [letter.subject for letter in shopper.letters if letter.subject.startswith(REMINDER)]


def sign_up(shopper: Shopper) -> Coupon:
    """Sign up on the thank-you page, confirm by the mail, and return the coupon that comes with it."""
    # A form that comes back within a second was filled by a program (EM-3).
    shopper.page.wait_for_timeout(1100)
    shopper.push("Send me the letter")
    expect(shopper.page.get_by_text("Please look into your mailbox")).to_be_visible()
    shopper.open(shopper.link_in_mail("please confirm"))
    shopper.push("Yes, put me on the list")
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Thank you, you are on the list")
    coupon = Coupon.objects.get(campaign__title=WELCOME, holder_key=customer_key(shopper.email))
    expect(shopper.page.locator("main").get_by_text(coupon.display_code).first).to_be_visible()
    return coupon


def test_who_used_the_coupon_hears_no_more_of_it(either: Shopper) -> None:
    """EM-1, EM-12: opts in, confirms, gets the coupon, uses it; the reminder that was planned for it is not sent."""
    either.quick_order()
    coupon = sign_up(either)
    planned = Message.objects.get(reason="coupon_unused", coupon=coupon)
    assert planned.is_open

    either.quick_take("/tea/earl-grey/")
    either.go_to_checkout()
    either.fill_in()
    either.hands.write(either.page.locator("#id_code"), coupon.display_code)
    either.push("Use it")
    expect(either.page.get_by_text("Your coupon is on this order")).to_be_visible()
    either.place()
    order = either.pay()
    assert coupon.code in order.coupon_codes

    with a_week_later():
        send_due()
    planned.refresh_from_db()
    assert (planned.state, planned.why_not) == (Message.State.SKIPPED, WhyNot.COUPON_USED)
    # The second order brought another coupon, of which a reminder may speak; of the used one none does.
    assert not [
        letter
        for letter in either.letters
        if letter.subject.startswith(REMINDER) and coupon.display_code in letter.text
    ]


def test_who_has_not_used_it_is_reminded_and_can_leave(either: Shopper) -> None:
    """EM-5, EM-6, EM-11: the teeth of the test above; then one page, one button, and nothing more is sent."""
    either.quick_order()
    with a_week_later():
        send_due()
        assert len(reminders(either)) == 1
        letter = next(letter for letter in either.letters if letter.subject.startswith(REMINDER))
        assert "/mail/preferences/" in letter.text
        link = next(word for word in letter.text.split() if "/mail/preferences/" in word)
        either.open(link.strip("<>.,"))
        expect(either.page.get_by_role("heading", level=1)).to_have_text("Your mails")
        expect(either.page.get_by_text(either.email)).to_have_count(0)
        assert not Suppression.objects.of(customer_key(either.email)).exists()
        either.push("Stop all letters, tips and offers")
        expect(either.page.get_by_text("You get no more letters, tips and offers from us")).to_be_visible()
    assert Suppression.objects.of(customer_key(either.email)).filter(scope=Suppression.MARKETING).exists()
    assert not Message.objects.open().marketing().filter(email_key=customer_key(either.email)).exists()


def test_who_objects_at_the_checkout_gets_none(either: Shopper) -> None:
    """EM-11: the box at the checkout is the objection."""
    either.quick_take()
    either.go_to_checkout()
    either.fill_in()
    either.page.get_by_label("No tips and offers after my order, please").check()
    either.place()
    either.pay()
    with a_week_later():
        send_due()
    assert reminders(either) == []
    message = Message.objects.filter(reason="coupon_unused", email_key=customer_key(either.email)).first()
    assert message is not None and message.why_not == WhyNot.OBJECTED
