"""What a script makes of an answer that is none: nothing is done twice, and the customer sees what was done."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from .watching import Watch

PAGE = "/tea/earl-grey/"
#: The element, its button, where it sends to, where one sees what came of it, and how often it is there then.
WAYS = {
    "add": ("ty-add-to-cart", "**/cart/add/", "/cart/"),
    "save": (".product-tools ty-save", "**/saved/add/", "/saved/"),
    "compare": ("main ty-compare", "**/compare/change/", "/compare/"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, page: Page, watch: Watch) -> tuple[Page, str, str, str, list[str]]:
    """A product page with one of the forms that a script sends, and the requests that it sends."""
    element, address, to = WAYS[request.param]
    sent: list[str] = []

    def note(made: Request) -> None:
        if made.method == "POST" and made.url.endswith(address.removeprefix("**")):
            sent.append(made.url)

    page.on("request", note)
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    return page, element, address, to, sent


def press(page: Page, element: str) -> None:
    page.locator(element).first.locator("button[type=submit]").click()


def test_an_error_page_after_it_was_done(way: tuple[Page, str, str, str, list[str]], watch: Watch) -> None:
    """A proxy that lost the shop's answer: the cart has one piece, not two, and that is what one sees."""
    watch.allow("status of 502")
    page, element, address, to, sent = way

    def lose(route: Route) -> None:
        route.fetch()
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route(address, lose)
    press(page, element)
    page.wait_for_url(f"**{to}")
    assert len(sent) == 1


def test_no_answer_at_all(way: tuple[Page, str, str, str, list[str]], watch: Watch) -> None:
    """The network failed: the form is sent as any form is."""
    watch.allow("ERR_FAILED")
    page, element, address, _to, sent = way
    page.route(address, lambda route: route.abort() if len(sent) == 1 else route.continue_())
    with page.expect_navigation():
        press(page, element)
    assert len(sent) == 2


def test_an_element_that_moves_sends_once(way: tuple[Page, str, str, str, list[str]]) -> None:
    """Scripts of a shop may put it elsewhere; it says what happened, once."""
    page, element, _address, _to, sent = way
    place = page.locator(element).first
    place.evaluate("(element) => { for (let n = 0; n < 3; n++) element.parentNode.append(element); }")
    moved = page.locator(element).last
    moved.locator("button[type=submit]").click()
    expect(moved.locator("[data-text]")).not_to_be_empty()
    assert len(sent) == 1
