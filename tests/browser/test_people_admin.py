"""A shop owner hands over what is known of somebody, and erases it (EM-13)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from coupons.holders import customer_key
from thankyou_flows.models import Contact, Message, Suppression
from wishlists.models import Inquiry

EMAIL = "browser.leaver@example.com"
INDEX = "/admin/thankyou_flows_people/"


@pytest.fixture(autouse=True)
def somebody() -> Iterator[None]:
    """Who asks to be erased. The database is kept for the tests that follow."""
    key = customer_key(EMAIL)
    Contact.objects.create(email=EMAIL, email_key=key)
    Inquiry.objects.create(email=EMAIL, name="Ann", text="Is it green?")
    facts = {"kind": "newsletter", "composer": "email", "reason": "browser", "state": "sent"}
    message = Message.objects.create(dedupe_key="browser:people", email=EMAIL, email_key=key, subject="Hello", **facts)
    yield
    Message.objects.filter(pk=message.pk).delete()
    Suppression.objects.filter(email_key=key).delete()
    Contact.objects.filter(email_key=key).delete()
    Inquiry.objects.filter(email=EMAIL).delete()


def log_in(page: Page) -> None:
    """As the owner: the demo's editor has no such right."""
    page.goto("/admin/")
    page.get_by_role("textbox", name="Username").fill("admin")
    page.get_by_role("textbox", name="Password").fill("admin")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Kettle & Fern")).to_be_visible()


def look(page: Page, axe: Callable[..., list[str]]) -> None:
    """What is seen fits, and says nothing that axe holds against it."""
    page.wait_for_load_state("load")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert axe(page, "main") == []


@pytest.mark.parametrize("width", [1280, 320])
def test_an_owner_hands_over_and_erases(
    context: Callable[..., BrowserContext], axe: Callable[..., list[str]], width: int
) -> None:
    """EM-13, NF-3: with a mouse, at a desk and on the smallest phone; the address is in no address of a page."""
    page = context(viewport=(width, 800), accept_downloads=True).new_page()
    log_in(page)
    page.goto(INDEX)
    look(page, axe)
    page.get_by_label("E-mail address").fill(EMAIL.upper())
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("heading", name="What is known by")).to_be_visible()
    look(page, axe)

    with page.expect_download() as handed:
        page.get_by_role("button", name="Download everything").click()
    export = json.loads(handed.value.path().read_text(encoding="utf-8"))
    assert [row["text"] for row in export["data"]["thankyou_wishlists.inquiry"]["rows"]] == ["Is it green?"]

    page.get_by_role("button", name="Erase…").click()
    expect(page.get_by_role("heading", name="What happens to what is known by")).to_be_visible()
    look(page, axe)
    page.get_by_label("Type the address once more").fill("somebody@example.com")
    page.get_by_role("button", name="Yes, erase this person").click()
    expect(page.get_by_text("This is not the same address.")).to_be_visible()
    look(page, axe)
    assert Contact.objects.filter(email=EMAIL).exists()
    page.get_by_label("Type the address once more").fill(EMAIL)
    page.get_by_role("button", name="Yes, erase this person").click()
    expect(page.get_by_text("Erased:")).to_be_visible()
    assert "@" not in page.url and "%40" not in page.url
    assert not Contact.objects.filter(email=EMAIL).exists()
    assert not Inquiry.objects.filter(email=EMAIL).exists()
    assert Message.objects.get(dedupe_key="browser:people").email == ""
