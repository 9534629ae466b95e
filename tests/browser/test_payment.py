"""Money that comes late, and a card that is declined: the order waits, and says so."""

from __future__ import annotations

from playwright.sync_api import expect

from coupons.models import Coupon

from .journey import NEARLY_AN_HOUR, Shopper


def test_a_late_payment_starts_the_offer_by_a_press(either: Shopper) -> None:
    """Nothing runs out while a transfer is on its way: the time of the offer starts when the customer says so."""
    page = either.page
    either.quick_take()
    either.go_to_checkout()
    either.fill_in()
    either.choose("Bank transfer")
    either.place()
    expect(page.locator(".ty-state")).to_contain_text("waiting for the payment")
    expect(either.offer).to_have_count(0)
    order = either.last_order
    thanks = page.url
    assert order.state == "placed"
    assert not Coupon.objects.filter(issue_key__startswith=f"order:{order.number}:")

    either.open("/demo/bank/")
    either.push(f"The money arrives {order.number}")
    expect(page.get_by_text("has come")).to_be_visible()
    assert either.last_order.state == "paid"

    page.goto(thanks)
    expect(page.locator(".ty-state")).to_contain_text("paid and confirmed")
    expect(either.offer).to_contain_text("Your time starts when you press the button")
    either.push("Start my offer")
    expect(either.offer).to_contain_text("Free shipping until")
    assert either.deadline == either.offer_coupon.ends_at
    if either.has_script:
        expect(either.clock).to_have_text(NEARLY_AN_HOUR)
    else:
        expect(either.clock).to_be_hidden()


def test_a_declined_card_is_no_dead_end(either: Shopper) -> None:
    page = either.page
    either.quick_take()
    either.go_to_checkout()
    either.fill_in()
    either.choose("Card that is declined")
    either.place()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pay ")
    either.push("Pay ", within="main")
    expect(page.get_by_role("heading", level=1)).to_have_text("The payment did not go through")
    order = either.last_order
    assert order.state == "placed"
    assert not either.letters
    either.hands.choose(page.get_by_role("radio", name="Card Succeeds at once"))
    either.push("Try again")
    assert either.pay().pk == order.pk
    assert either.last_order.state == "paid"
    expect(either.offer).to_contain_text("Free shipping until")
    assert len(either.letters) == 1
