"""A shop owner makes a campaign, looks at its numbers and switches it off, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from coupons.issuing import issue
from coupons.models import Campaign, Coupon

from .test_editor import Editor

TITLE = "Browser: birthday"


@pytest.fixture(autouse=True)
def _clean_campaigns() -> Iterator[None]:
    """The database is kept for the tests that follow: they shall not meet these campaigns."""
    yield
    Coupon.objects.filter(campaign__title=TITLE).delete()
    Campaign.objects.filter(title=TITLE).delete()


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_the_form_asks_only_what_matters(page: Page, axe: Callable[..., list[str]]) -> None:
    """What belongs to another choice is hidden; countries and products are found by name; it saves."""
    Editor(page).log_in()
    page.goto("/admin/thankyou_coupons_campaign/new/")
    expect(page.locator("#id_percent")).to_be_hidden()
    expect(page.locator("#id_word")).to_be_hidden()
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_benefit").select_option("percent")
    page.locator("#id_percent").fill("15")
    page.locator("#id_code_type").select_option("word")
    expect(page.locator("#id_word")).to_be_visible()
    expect(page.get_by_text("Anybody can guess a word, and it will be passed on.")).to_be_visible()
    page.locator("#id_code_type").select_option("single")
    page.get_by_role("tab", name="For which orders").click()
    finder = page.get_by_role("searchbox", name="Find in this list: Only deliveries to")
    finder.fill("germ")
    expect(page.get_by_role("checkbox", name="Austria")).to_be_hidden()
    page.get_by_role("checkbox", name="Germany").check()
    page.get_by_role("tab", name="Questions").click()
    page.get_by_role("button", name="Add question").click()
    expect(page.locator("#id_questions-0-choices")).to_be_hidden()
    page.locator("#id_questions-0-field_type").select_option("radio")
    expect(page.locator("#id_questions-0-choices")).to_be_visible()
    assert axe(page, "main") == []
    page.locator("#id_questions-0-label").fill("Which tea do you like best?")
    page.locator("#id_questions-0-choices").fill("Green\nBlack")
    page.locator("#id_questions-0-purpose").fill("So that we can suggest teas.")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("15% off · Draft")).to_be_visible()
    campaign = Campaign.objects.get(title=TITLE)
    assert campaign.countries == ["DE"]
    assert campaign.questions.get().choice_list == ["Green", "Black"]


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_numbers_fit_every_screen(
    context: Callable[..., BrowserContext], axe: Callable[..., list[str]], width: int
) -> None:
    """The plot is drawn, the table beside it says the same, and the switches work; light and dark."""
    campaign = Campaign.objects.create(title=TITLE, status="running")
    coupon = issue(campaign=campaign)
    page = context(viewport=(width, 900), dark=width == 768).new_page()
    Editor(page).log_in()
    page.goto(f"/admin/thankyou_coupons_campaign/inspect/{campaign.pk}/")
    expect(page.locator("ty-plot canvas")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Given out")).to_be_visible()
    assert not is_too_wide(page)
    assert axe(page, "main") == []
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("is paused: its coupons")).to_be_visible()
    page.goto(f"/admin/thankyou_coupons_coupon/inspect/{coupon.pk}/")
    expect(page.get_by_text("Resting: its campaign is not running.")).to_be_visible()
    assert not is_too_wide(page)
    assert axe(page, "main") == []
