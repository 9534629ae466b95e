"""Every page of the lists, empty and filled, looked at from all sides (AX-5, CM-6, TY-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from wishlists.lists import create_list, put_on_list
from wishlists.sharing import share

from .journey import Shopper, new_address
from .looking import faults
from .test_lists import EARL_GREY, OOLONG, PAGES, PASSWORD, close_and_reopen, log_in, save
from .watching import Watch

Look = Callable[[Page], None]


@pytest.fixture
def look(axe: Callable[..., list[str]], watch: Watch) -> Iterator[Look]:
    """A function that looks at the page as it is now. All that it finds is told at the end of the test."""
    watch.allow(r"status of 4(04|22)")
    found: list[str] = []
    yield lambda page: found.extend(faults(page, axe))
    assert not found, "\n".join(dict.fromkeys(found))


def test_what_a_guest_sees(shopper: Shopper, look: Look) -> None:
    page = shopper.page
    for path in ("/saved/", "/compare/", "/lists/device/", "/lists/left/", "/recent/", "/lists/ask/"):
        shopper.open(path)
        look(page)
    save(shopper, EARL_GREY)
    look(page)
    save(shopper, OOLONG)
    shopper.quick_take(PAGES[EARL_GREY])
    for path in ("/saved/", "/cart/", "/lists/device/", "/lists/ask/?list=saved", "/tea/"):
        shopper.open(path)
        look(page)
    shopper.open("/lists/ask/?list=saved")
    shopper.push("Send the question")
    expect(page.locator(".errorlist").first).to_be_visible()
    look(page)
    shopper.open("/saved/")
    shopper.push("Keep on this device for 30 days")
    close_and_reopen(page.context)
    shopper.open("/teaware/")
    expect(page.get_by_role("region", name="From an earlier visit")).to_be_visible()
    look(page)
    for path in ("/saved/", "/lists/left/"):
        shopper.open(path)
        look(page)


def test_what_an_account_sees(shopper: Shopper, look: Look) -> None:
    page, email = shopper.page, new_address()
    customer = get_user_model().objects.create_user(email, email, PASSWORD)
    save(shopper, EARL_GREY)
    log_in(shopper, customer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these things yours?")
    look(page)
    shopper.follow("Show me what", within="main")
    look(page)
    shopper.push("Add them to my account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Added to your account")
    look(page)
    shopper.open("/lists/")
    look(page)
    shopper.open("/lists/new/")
    look(page)
    birthday = create_list(user=customer, name="Birthday of a very long name " + "x" * 40)
    put_on_list(list=birthday, product_ref="KF-T01", note="In the tin, please. " * 8)
    for path in (
        "/lists/",
        f"/lists/{birthday.key}/",
        f"/lists/{birthday.key}/share/",
        f"/lists/{birthday.key}/delete/",
    ):
        shopper.open(path)
        look(page)
    shared = share(list=birthday, shown_name="Ada")
    shopper.open(f"/lists/{birthday.key}/share/")
    look(page)
    shopper.open(f"/shared/{shared.share_key}/")
    look(page)
    page.context.clear_cookies()
    for path in (f"/shared/{shared.share_key}/", "/shared/no-such-key/"):
        shopper.open(path)
        look(page)
