"""Every page and every state of it, looked at from all sides: nothing for axe, nothing sticks out, fingers can hit it (AX-5).

The fixture ``watch`` adds: a strict CSP reports nothing (CM-6), no request leaves our origin (TY-7), the console is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .journey import Shopper
from .looking import faults
from .watching import Watch

Look = Callable[[Page], None]


@pytest.fixture
def look(axe: Callable[..., list[str]], watch: Watch) -> Iterator[Look]:
    """A function that looks at the page as it is now. All that it finds is told at the end of the test."""
    # Answers to mistakes are no successes, and the browser says so.
    watch.allow(r"status of 4(04|22)")
    found: list[str] = []
    yield lambda page: found.extend(faults(page, axe))
    assert not found, "\n".join(dict.fromkeys(found))


def test_the_shelves(shopper: Shopper, look: Look) -> None:
    for path in ("/", "/tea/", "/tea/earl-grey/", "/teaware/stovetop-kettle/", "/no-such-page/", "/thanks/"):
        shopper.open(path)
        look(shopper.page)
    for path in ("/account/login/", "/account/new/", "/demo/mail/", "/demo/bank/"):
        shopper.open(path)
        look(shopper.page)


def test_the_cart_and_the_checkout(shopper: Shopper, look: Look) -> None:
    page = shopper.page
    shopper.open("/cart/")
    look(page)
    shopper.quick_take()
    look(page)
    shopper.quick_take("/tea/jasmine-pearls/")
    shopper.go_to_cart()
    look(page)
    shopper.push("Remove")
    expect(page.get_by_role("button", name="Put it back")).to_be_visible()
    look(page)
    shopper.go_to_checkout()
    look(page)
    page.get_by_label("I have a code").fill("WRONG-CODE")
    shopper.push("Use it")
    expect(page.locator("#code-news")).to_be_visible()
    look(page)
    page.get_by_label("I have a code").fill("")
    shopper.place()
    expect(page.locator("#errors")).to_be_visible()
    look(page)
    shopper.fill_in()
    shopper.choose("Card that is declined")
    shopper.place()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pay ")
    look(page)
    shopper.push("Pay ", within="main")
    expect(page.get_by_role("heading", level=1)).to_have_text("The payment did not go through")
    look(page)


def test_an_offer_from_its_beginning_to_its_end(shopper: Shopper, look: Look, travel: Callable[..., None]) -> None:
    """AX-1: running, with more time, on the checkout, in its last minute, over before one's eyes, over from the start."""
    page = shopper.page
    shopper.quick_order()
    expect(shopper.clock).to_be_visible()
    look(page)
    shopper.push("I need more time")
    expect(shopper.offer).to_contain_text("Done: you have more time now.")
    look(page)
    thanks = page.url
    shopper.quick_take()
    shopper.go_to_checkout()
    expect(page.locator(".coupon")).to_be_visible()
    look(page)
    ends_at = shopper.offer_coupon.ends_at
    travel(ends_at - timedelta(seconds=58))
    page.goto(thanks)
    expect(shopper.clock).to_contain_text(" s")
    look(page)
    travel(ends_at - timedelta(seconds=2))
    page.reload()
    expect(shopper.offer).to_contain_text("This offer was valid until")
    look(page)
    page.reload()
    expect(shopper.offer).to_contain_text("This offer was valid until")
    look(page)


def test_what_somebody_with_a_link_sees(shopper: Shopper, context: Callable[..., Any], look: Look) -> None:
    number = shopper.quick_order().number
    other = context().new_page()
    other.goto(shopper.link_in_mail("order"))
    look(other)
    other.get_by_label("E-mail address of the order").fill("somebody-else@example.com")
    other.get_by_role("button", name="Show everything").click()
    expect(other.locator("#ty-confirm-error")).to_be_visible()
    look(other)
    stranger = context().new_page()
    stranger.goto(f"/thanks/order/{number}/")
    look(stranger)


def test_a_transfer_that_is_on_its_way(shopper: Shopper, look: Look) -> None:
    page = shopper.page
    shopper.quick_take()
    shopper.go_to_checkout()
    shopper.fill_in()
    shopper.choose("Bank transfer")
    shopper.place()
    expect(page.locator(".ty-state")).to_contain_text("waiting for the payment")
    look(page)
    thanks = page.url
    shopper.open("/demo/bank/")
    look(page)
    page.get_by_role("button", name=f"The money arrives {shopper.last_order.number}").click()
    expect(page.get_by_text("has come")).to_be_visible()
    look(page)
    page.goto(thanks)
    expect(page.get_by_role("button", name="Start my offer")).to_be_visible()
    look(page)


def test_the_newsletter(shopper: Shopper, look: Look) -> None:
    page = shopper.page
    shopper.quick_order()
    page.get_by_label("E-mail", exact=True).fill("no address")
    shopper.push("Send me the letter")
    expect(page.get_by_text("Please check this address")).to_be_visible()
    look(page)
    page.get_by_label("E-mail", exact=True).fill(shopper.email)
    shopper.push("Send me the letter")
    expect(page.get_by_text("Please look into your mailbox")).to_be_visible()
    look(page)
    shopper.open("/demo/mail/")
    look(page)
    shopper.follow("please confirm")
    expect(page.locator(".letter-frame")).to_be_visible()
    look(page)
    page.goto(shopper.link_in_mail("please confirm"))
    look(page)
    shopper.push("Yes, put me on the list")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, you are on the list")
    look(page)
    page.goto("/thanks/newsletter/confirm/nothing/")
    look(page)


def test_pages_stand_without_their_scripts(shopper: Shopper, look: Look, watch: Watch) -> None:
    """AX-7. The scripts do not arrive, as on a bad line; axe itself could not run in a browser without any."""
    shopper.page.context.route("**/*.js", lambda route: route.abort())
    watch.allow(r"\.js\b")
    shopper.quick_take()
    look(shopper.page)
    shopper.go_to_checkout()
    look(shopper.page)
    shopper.fill_in()
    shopper.place()
    shopper.pay()
    expect(shopper.clock).to_be_hidden()
    look(shopper.page)
