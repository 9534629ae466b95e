"""Issue 3, done-when 7, in a real browser: the coupon for a few answers on the Oscar demo, which runs beside these tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .oscar_shop import oscar_shop

ADDRESS = {"first_name": "Ada", "last_name": "Lovelace", "line1": "Rosenweg 1", "line4": "Berlin", "postcode": "10115"}
CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page at a desk. Oscar fetches jQuery from elsewhere, and takes its own copy where that fails."""
    with oscar_shop(tmp_path) as url:
        context = browser.new_context(base_url=url, reduced_motion="reduce", locale="en-GB")
        context.set_default_timeout(30_000)
        context.route(lambda other: not other.startswith(url), lambda route: route.abort())
        yield context.new_page()
        context.close()


def open_basket(page: Page) -> None:
    """Put the first product of the shop into the basket and look at it."""
    page.goto("/catalogue/")
    page.get_by_role("button", name=re.compile("Add to")).first.click()
    page.wait_for_load_state("load")
    page.goto("/basket/")


def order(page: Page) -> str:
    """Go through Oscar's checkout as a guest, and return the preview's text."""
    page.goto("/checkout/")
    page.locator("#id_username").fill("ada@example.com")
    page.locator("input[name=options][value=anonymous]").check()
    page.get_by_role("button", name="Continue").click()
    for name, text in ADDRESS.items():
        page.locator(f"#id_{name}").fill(text)
    page.locator("#id_country").select_option("DE")
    page.get_by_role("button", name="Continue").click()
    # The one way of shipping and the one of payment choose themselves.
    page.get_by_role("link", name="Continue").or_(page.get_by_role("button", name="Continue")).first.click()
    button = page.get_by_role("button", name="Place order")
    expect(button).to_be_visible()
    preview = page.locator("body").inner_text()
    button.click()
    expect(page.locator(".ty-head__number")).to_be_visible()
    return preview


def test_unlocked_on_the_thank_you_page_used_at_oscars_checkout(page: Page) -> None:
    """CO-9: ordered twice as a guest, answered, typed into Oscar's own field, and paid less."""
    for _order in range(2):
        open_basket(page)
        order(page)
    block = page.locator(".ty-promise", has=page.get_by_role("heading", name="May we ask you something?"))
    assert not CODE.search(block.inner_text())
    page.get_by_role("radio", name="Green").check()
    page.get_by_role("checkbox", name="In a pot").check()
    page.get_by_role("button", name="Send and unlock").click()
    expect(block).to_contain_text(CODE)
    found = CODE.search(block.inner_text())
    assert found

    open_basket(page)
    page.locator("#voucher_form_link a").click()
    field = page.locator("#voucher_form_container #id_code")
    field.fill(found[0].lower())
    field.press("Enter")
    expect(page.get_by_text("15% off").first).to_be_visible()
    preview = order(page)
    assert "15% off" in preview
    before, after = (float(re.search(rf"{when} discounts\)\s+€([\d.]+)", preview)[1]) for when in ("before", "after"))
    assert after == pytest.approx(before * 0.85, abs=0.006)
    page.goto("/coupons/apply/?coupon=" + found[0])
    page.get_by_role("button", name="Use this code").click()
    expect(page.get_by_text("This code is not valid for your order.").first).to_be_visible()
