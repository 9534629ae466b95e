"""Comparing products and looking back at them, as customers do it, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import BrowserContext, Page, expect

from example_site.shop.models import ProductPage

from .journey import Shopper
from .looking import faults
from .watching import Watch

#: How far an element has scrolled, as soon as it has, or after half a minute. Not ``wait_for_function``: if the first look
#: comes too early, the second one is an ``eval`` by the page itself, which its Content-Security-Policy refuses.
SCROLLED = """(element) => new Promise((done) => {
  const end = performance.now() + 30_000;
  const look = () => element.scrollLeft > 0 || performance.now() > end
    ? done(element.scrollLeft) : requestAnimationFrame(look);
  look();
})"""


@pytest.fixture
def addresses() -> list[str]:
    """The pages of some products."""
    return [page.url for page in ProductPage.objects.live().order_by("pk")[:5]]


@pytest.fixture
def remembering_shop(settings: Any) -> None:
    """A shop that offers to remember what was looked at."""
    lists = dict(django_settings.THANKYOU_WISHLISTS)
    settings.THANKYOU_WISHLISTS = {**lists, "KINDS": {**lists.get("KINDS", {}), "recent": {"is_on": True}}}


def names(context: BrowserContext) -> set[str]:
    """The cookies of a browser."""
    return {str(cookie.get("name", "")) for cookie in context.cookies()}


def without_header(page: Page) -> Page:
    """The page without the shop's own header, which other tests look at."""
    page.evaluate("document.querySelector('.site-header').remove()")
    return page


def test_up_to_four_products_are_compared_and_a_fifth_replaces_one(either: Shopper, addresses: list[str], watch: Watch):
    """Issue 4: nothing disappears silently, and one click is enough."""
    watch.allow("status of 422")
    page = either.page
    for address in addresses[:4]:
        page.goto(address)
        page.locator("main form.ty-compare-form button").first.click()
        expect(page.get_by_role("link", name="Compare now").first).to_be_visible()
    page.goto(addresses[4])
    page.locator("main form.ty-compare-form button").first.click()
    expect(page.get_by_role("status").first).to_contain_text("You can compare up to 4 products.")
    page.get_by_role("button", name="Replace with").nth(1).click()
    page.goto("/compare/")
    expect(page.locator("thead th")).to_have_count(5)
    page.get_by_role("link", name="Show only differences").click()
    expect(page.get_by_role("link", name="Show all rows")).to_be_visible()
    page.get_by_role("button", name="Take all out").click()
    expect(page.get_by_role("status").first).to_contain_text("Your comparison is empty now.")


def test_the_comparison_is_good_to_look_at_and_scrolls_by_the_keyboard(
    page: Page, addresses: list[str], axe: Callable[..., list[str]]
):
    """AX: axe, 320 px, 200 % text; wider than the window, it scrolls in a region that takes the focus."""
    for address in addresses[:4]:
        page.goto(address)
        page.locator("main form.ty-compare-form button").first.click()
        expect(page.get_by_role("link", name="Compare now").first).to_be_visible()
    page.goto("/compare/")
    assert list(faults(without_header(page), axe)) == []
    page.set_viewport_size({"width": 320, "height": 640})
    region = page.get_by_role("region", name="Compare products")
    region.focus()
    page.keyboard.press("ArrowRight")
    assert region.evaluate(SCROLLED) > 0
    assert page.locator("tbody th").first.bounding_box()["x"] >= 0  # type: ignore[index]


@pytest.mark.usefixtures("remembering_shop")
def test_what_was_looked_at_is_remembered_after_a_click_only(
    context: Callable[..., BrowserContext], addresses: list[str], axe: Callable[..., list[str]]
):
    """CK-6: no cookie before; off forgets."""
    browser = context()
    page = browser.new_page()
    switch = page.get_by_label("Remember what I look at")
    for address in addresses[:2]:
        page.goto(address)
        expect(switch).to_be_visible()
    assert names(browser) == set()
    switch.check()
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    page.goto(addresses[2])
    expect(page.locator(".ty-recent-products li")).to_have_count(1)
    expect(switch).to_be_checked()
    page.goto("/recent/")
    expect(page.locator(".ty-recent-products li")).to_have_count(2)
    assert list(faults(without_header(page), axe)) == []
    page.get_by_role("button", name="Stop and forget").click()
    expect(page.get_by_role("status").first).to_contain_text("is forgotten")
    assert "cart_recent" not in names(browser)


@pytest.mark.usefixtures("remembering_shop")
def test_the_switch_on_the_page_of_a_product_forgets(context: Callable[..., BrowserContext], addresses: list[str]):
    browser = context()
    page = browser.new_page()
    page.goto(addresses[0])
    switch = page.get_by_label("Remember what I look at")
    switch.check()
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    switch.uncheck()
    expect(page.locator(".ty-recent-status")).to_contain_text("is forgotten")
    assert names(browser) == set()
