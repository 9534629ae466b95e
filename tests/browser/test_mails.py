"""A mail as mail programs show it: narrow and wide, light and dark, with and without pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.test_followups.mails import BASE, BODY, make_coupon, make_facts, render
from thankyou_flows.mail.cards import Picture

from .looking import SETTLED, WIDER_THAN_THE_PAGE

PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="1120" height="640">'
    b'<rect width="1120" height="640" fill="#b9c7b0"/><circle cx="560" cy="320" r="200" fill="#5b7a52"/></svg>'
)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture
def letters(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that writes a mail with all blocks into a file, and returns its address."""
    settings.THANKYOU_FLOWS = {
        **settings.THANKYOU_FLOWS,
        "MAIL_FOOTER": "The Tea Shop\n1 Main Street",
        "BASE_URL": BASE,
    }
    shown = Picture(src=f"{BASE}/media/kettle.jpg", alt="A kettle on a stove", width=560, url=f"{BASE}/kettles/")
    monkeypatch.setattr("thankyou_flows.mail.blocks.find_picture", lambda *_args, **_kwargs: shown)

    def write(*, language: str = "en-gb", **changes: Any) -> str:
        with translation.override(language):
            body = [*BODY[:2], ("image", {"image": None, "url": ""}), *BODY[2:]]
            html = render(body, facts=make_facts(**changes), preheader="Three tips").html
        path = tmp_path / f"mail-{language}.html"
        path.write_text(html)
        return path.as_uri()

    return write


#: What axe asks of a web page. A mail stands within one, that of the mail program, which has these.
OF_PAGES = ("landmark-one-main", "page-has-heading-one", "region")


def held_against(page: Page, axe: Callable[..., list[str]]) -> list[str]:
    """Return what axe holds against a mail."""
    return [each for each in axe(page) if not each.startswith(OF_PAGES)]


@pytest.fixture
def open_mail(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a mail in a browser of its own, and notes what it loads in ``page.loaded``."""
    opened: list[BrowserContext] = []

    def open_it(url: str, *, width: int, dark: bool = False, pictures: bool = True) -> Page:
        opened.append(
            browser.new_context(viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light")
        )
        page = opened[-1].new_page()
        loaded: list[str] = []

        def serve(route: Route) -> None:
            if route.request.url == url:
                route.continue_()
                return
            loaded.append(route.request.url)
            route.fulfill(body=PICTURE if pictures else b"", content_type="image/svg+xml")

        page.route("**/*", serve)
        page.goto(url)
        page.evaluate(SETTLED)
        page.loaded = loaded  # type: ignore[attr-defined]
        return page

    yield open_it
    for each in opened:
        each.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 600, 1000])
def test_a_mail_fits_and_can_be_read(
    letters: Callable[..., str], open_mail: Callable[..., Page], axe: Callable[..., list[str]], width: int, dark: bool
) -> None:
    """AX: no scrolling sideways at 320 px, nothing that axe finds, in the light and in the dark."""
    page = open_mail(letters(), width=width, dark=dark)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert held_against(page, axe) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(23, 26, 24)" if dark else "rgb(255, 255, 255)")
    assert page.locator(".sheet").evaluate("each => each.getBoundingClientRect().width") <= 600
    expect(page.get_by_text("Three tips", exact=True)).to_be_hidden()
    assert page.loaded, "no picture was asked for"  # type: ignore[attr-defined]
    assert {url.split("/media/")[0] for url in page.loaded} == {BASE}  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [320, 600])
def test_a_mail_says_all_without_its_pictures(
    letters: Callable[..., str], open_mail: Callable[..., Page], axe: Callable[..., list[str]], width: int
) -> None:
    """Many mail programs show none until they are asked."""
    page = open_mail(letters(), width=width, pictures=False)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert held_against(page, axe) == []
    expect(page.get_by_role("img", name="A kettle on a stove")).to_be_visible()
    for words in ("Hello, Ana", "10% off", "7K3M-9Q2X-ABCD", "Pot 1", "Unsubscribe"):
        expect(page.get_by_text(words, exact=words != "10% off").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 600])
def test_long_words_do_not_break_out(letters: Callable[..., str], open_mail: Callable[..., Page], width: int) -> None:
    page = open_mail(letters(first_name=LONG, title=LONG, shop_name=LONG), width=width)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []


@pytest.mark.parametrize("width", [320, 600])
def test_a_mail_from_right_to_left(
    letters: Callable[..., str], open_mail: Callable[..., Page], axe: Callable[..., list[str]], width: int
) -> None:
    page = open_mail(letters(language="ar"), width=width)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert held_against(page, axe) == []
    brand = page.locator(".brand")
    assert brand.evaluate("each => getComputedStyle(each).textAlign") in {"right", "start", "-webkit-right"}


def test_a_mail_holds_without_its_style_sheet(
    letters: Callable[..., str], open_mail: Callable[..., Page], axe: Callable[..., list[str]]
) -> None:
    """Mail programs that drop the head: what matters stands in the lines."""
    page = open_mail(letters(), width=320)
    page.evaluate("document.querySelectorAll('style').forEach((each) => each.remove())")
    page.evaluate(SETTLED)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert held_against(page, axe) == []
    button = page.get_by_role("link", name="Look at your list")
    assert button.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(29, 32, 30)"


def test_a_locked_coupon_shows_a_button_to_its_questions(
    letters: Callable[..., str], open_mail: Callable[..., Page], axe: Callable[..., list[str]]
) -> None:
    """CO-9."""
    page = open_mail(letters(coupon=make_coupon(state="locked", ends_at=None)), width=320)
    expect(page.get_by_role("link", name="Answer the questions")).to_be_visible()
    assert held_against(page, axe) == []
    assert "7K3M" not in page.content()
