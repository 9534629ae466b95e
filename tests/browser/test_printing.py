"""Lists on paper: they fit it, and nothing of the shop around them is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from example_site.shop.models import Product
from example_site.shop.store import ExampleStore
from wishlists import cookies
from wishlists.catalog import Attribute
from wishlists.conf import app_settings
from wishlists.cookies import Kept
from wishlists.kinds import COMPARE, SAVED, WISH
from wishlists.lines import Line, Lines
from wishlists.models import ListItem, ProductList
from wishlists.models.keys import make_key

from .looking import CUT_OFF, SETTLED, WIDER_THAN_THE_PAGE

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
#: Width of the text on paper in CSS pixels: the sheet without the margins of print.css.
MARGINS = 2 * 12 / 25.4 * 96
WIDTHS = {
    ("A4", "portrait"): round(210 / 25.4 * 96 - MARGINS),
    ("A4", "landscape"): round(297 / 25.4 * 96 - MARGINS),
    ("Letter", "portrait"): round(8.5 * 96 - MARGINS),
    ("Letter", "landscape"): round(11 * 96 - MARGINS),
}
#: What belongs to the shop or to a mouse, and is on the paper all the same.
NOT_FOR_PAPER = """() => [...document.querySelectorAll(
    "header, footer, nav, form, button, input, select, .ty-button, .skip-link, .ty-screen-only, .ty-device-line")]
  .filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 120))"""
#: Text that is not black on nothing: the paper is white.
NOT_BLACK = """() => [...document.querySelectorAll(".ty-lists, .ty-lists *")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each, getComputedStyle(each)])
  .filter(([, style]) => style.color !== "rgb(0, 0, 0)" || style.backgroundColor !== "rgba(0, 0, 0, 0)")
  .map(([each]) => each.outerHTML.slice(0, 120))"""
#: Lines of text that stand on each other.
OVERLAPPING = """() => {
  const boxes = [...document.querySelectorAll(".ty-line-title, .ty-line-total, .ty-print-line, h1, .ty-lists td, .ty-lists th")]
    .filter((each) => each.checkVisibility()).map((each) => [each, each.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], index) => boxes.slice(index + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => `${one.textContent.trim()} / ${other.textContent.trim()}`));
}"""


class WordyStore(ExampleStore):
    """Says fifteen things of each product, some at length."""

    def get_attributes(self, *, refs: Iterable[str]) -> Mapping[str, Sequence[Attribute]]:
        words = ["short", "as long as a sentence that somebody has written with care", LONG_WORD]
        return {ref: [Attribute(f"Fact number {n}", f"{words[n % 3]} {ref}") for n in range(15)] for ref in refs}


@pytest.fixture
def refs(settings: Any) -> list[str]:
    """The shop's products, all of which have much to say."""
    settings.THANKYOU_WISHLISTS = {
        **django_settings.THANKYOU_WISHLISTS,
        "CATALOG": f"{__name__}.WordyStore",
    }
    return list(Product.objects.order_by("pk").values_list("sku", flat=True))


def give(context: BrowserContext, shop_url: str, kind: str, lines: Sequence[Line]) -> None:
    """Give a browser a guest's list."""
    value = cookies.encode(Kept(Lines(tuple(lines), kind), Lines(kind=kind)))
    context.add_cookies([{"name": app_settings.cookie_name(kind), "value": value, "url": shop_url}])


def faults_on_paper(page: Page, width: int) -> list[str]:
    """What is wrong with a page as it is printed on paper of this width."""
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": width, "height": 1000})
    page.evaluate(SETTLED)
    found = {
        "sticks out": page.evaluate(WIDER_THAN_THE_PAGE),
        "cut off": page.evaluate(CUT_OFF),
        "not for paper": page.evaluate(NOT_FOR_PAPER),
        "not black on white": page.evaluate(NOT_BLACK),
        "on each other": page.evaluate(OVERLAPPING),
    }
    return [f"{name}: {each}" for name, all_of in found.items() for each in all_of]


def sheets(page: Page, paper: str) -> list[tuple[float, float]]:
    """The width and height of each page of the PDF."""
    pdf = page.pdf(format=paper)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", pdf)
    assert len(boxes) == len(re.findall(rb"/Type\s*/Page\b", pdf))
    return [(float(width), float(height)) for width, height in boxes]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_comparison_fits_its_paper(
    context: Callable[..., BrowserContext], shop_url: str, refs: list[str], paper: str
):
    """Issue 4: four products with fifteen facts and long words, on two sheets turned sideways."""
    browser = context()
    give(browser, shop_url, COMPARE, [Line(ref) for ref in refs[:4]])
    page = browser.new_page()
    page.goto("/compare/")
    assert page.locator("tbody tr").count() == 15 + 3  # and price, availability, buttons
    assert faults_on_paper(page, WIDTHS[paper, "landscape"]) == []
    found = sheets(page, paper)
    assert 1 <= len(found) <= 2
    assert all(width > height for width, height in found)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_saved_list_of_thirty_fits_its_paper(
    context: Callable[..., BrowserContext], shop_url: str, refs: list[str], paper: str
):
    browser = context()
    lines = [Line(ref) for ref in refs] + [Line(ref, 2, "other") for ref in refs[: 30 - len(refs)]]
    give(browser, shop_url, SAVED, lines)
    page = browser.new_page()
    page.goto("/saved/")
    assert page.locator(".ty-line").count() == len(lines) >= 30
    assert faults_on_paper(page, WIDTHS[paper, "portrait"]) == []
    found = sheets(page, paper)
    assert 2 <= len(found) <= 4
    assert all(width < height for width, height in found)


def test_a_cart_fits_its_paper(context: Callable[..., BrowserContext], shop_url: str, refs: list[str]):
    browser = context()
    give(browser, shop_url, "cart", [Line(ref, 3) for ref in refs[:10]])
    page = browser.new_page()
    page.goto("/cart/")
    assert faults_on_paper(page, WIDTHS["A4", "portrait"]) == []
    assert page.locator(".ty-print-only", has_text="Quantity: 3").first.is_visible()
    assert 1 <= len(sheets(page, "A4")) <= 2


def test_a_wish_list_fits_its_paper_for_its_owner_and_for_others(
    context: Callable[..., BrowserContext], shop_url: str, refs: list[str]
):
    """Its note, quantity and priority are on the paper, too."""
    owner = get_user_model().objects.create_user("printing", "printing@example.com")
    row = ProductList.objects.create(
        owner=owner,
        kind=WISH,
        name=f"For {LONG_WORD}"[:80],
        share_key=make_key(),
        shared_at=timezone.now(),
        shares_additions=True,
    )
    at = row.created_at - timedelta(days=1)
    for ref in refs[:12]:
        ListItem.objects.create(list=row, product_ref=ref, quantity=4, note=LONG_WORD * 3, added_at=at)
    client = Client()
    client.force_login(owner)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    browser = context()
    browser.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": shop_url}])
    for seen_by, url in [(browser, f"/lists/{row.key}/"), (context(), f"/shared/{row.share_key}/")]:
        page = seen_by.new_page()
        page.goto(url)
        assert page.locator(".ty-line").count() == 12
        assert faults_on_paper(page, WIDTHS["Letter", "portrait"]) == []
        assert page.get_by_text("Wanted: 4").first.is_visible()
        assert 1 <= len(sheets(page, "Letter")) <= 3


def test_the_button_to_print_is_there_with_a_script_only(
    context: Callable[..., BrowserContext], shop_url: str, refs: list[str]
):
    """Without a script the browser's own menu prints."""
    for has_script in (True, False):
        browser = context(javascript=has_script)
        browser.add_init_script("window.print = () => { window.hasPrinted = true; }")
        give(browser, shop_url, COMPARE, [Line(ref) for ref in refs[:2]])
        page = browser.new_page()
        page.goto("/compare/")
        page.wait_for_load_state("load")
        button = page.get_by_role("button", name="Print")
        assert button.count() == int(has_script)
        if has_script:
            button.click()
            assert page.evaluate("window.hasPrinted")
