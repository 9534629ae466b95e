"""Signing up from the thank-you page: a mail asks whether it was really this person, and only a button says yes."""

from __future__ import annotations

from playwright.sync_api import expect

from thankyou_flows.models import Subscription

from .journey import Shopper
from .watching import Watch


def test_a_sign_up_is_confirmed_by_a_button(either: Shopper) -> None:
    """EM-1, EM-2: the whole way, by the demo's mailbox; opening the link changes nothing."""
    page = either.page
    either.quick_order()
    block = page.locator("form", has=page.get_by_role("button", name="Send me the letter"))
    expect(block.get_by_label("E-mail", exact=True)).to_have_value(either.email)
    # A form that comes back within a second was filled by a program (EM-3).
    page.wait_for_timeout(1100)
    either.push("Send me the letter")
    expect(page.get_by_text("Please look into your mailbox")).to_be_visible()
    assert not Subscription.objects.filter(email=either.email, state=Subscription.State.CONFIRMED)

    either.open("/demo/mail/")
    either.follow("please confirm")
    either.hands.press(page.locator(".letter-text a"))
    expect(page.get_by_role("heading", level=1)).to_have_text("One more click")
    expect(page.get_by_text(either.email)).to_be_visible()
    assert not Subscription.objects.filter(email=either.email, state=Subscription.State.CONFIRMED)
    expect(page.locator("main").get_by_role("button")).to_have_count(1)
    either.push("Yes, put me on the list")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, you are on the list")
    assert Subscription.objects.get(email=either.email).state == Subscription.State.CONFIRMED


def test_a_mistyped_address_is_said_beside_the_field(either: Shopper, watch: Watch) -> None:
    """AX-3: the words stay, the field has the focus, nothing is sent."""
    watch.allow("status of 422")
    page = either.page
    either.quick_order()
    field = page.get_by_label("E-mail", exact=True)
    field.fill("ada@example")
    page.wait_for_timeout(1100)
    either.push("Send me the letter")
    expect(page.get_by_text("Please check this address")).to_be_visible()
    expect(field).to_have_value("ada@example")
    expect(field).to_have_attribute("aria-invalid", "true")
    if either.has_script:
        expect(field).to_be_focused()
    assert not [letter for letter in either.letters if "please confirm" in letter.subject]
