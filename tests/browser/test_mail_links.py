"""The pages behind the links of a mail, with and without scripts: leaving, and choosing what to get."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from coupons.holders import customer_key
from tests.test_mail.people import make_message, sign_up
from thankyou_flows.mail.links import Holder, make_token, preferences_url, unsubscribe_url
from thankyou_flows.models import Contact, MailingList, Message, MessageKind, Subscription, Suppression

from .journey import Shopper
from .looking import NARROW, WIDE, faults
from .watching import Watch

EMAIL = "grace.mail@example.com"


@pytest.fixture
def letter() -> Iterator[Message]:
    """A newsletter that Grace got; there is a second list, with many words, that she is not on."""
    lists = [
        MailingList.objects.create(
            slug="mail-letters", title="Letters from the shop", purpose="What is new, and recipes."
        ),
        MailingList.objects.create(
            slug="mail-harvest",
            title="Harvest notes",
            purpose="Where the first flush comes from, who picks it, and when a small lot is in the shop.",
            promise="Four times a year.",
            covers_follow_ups=True,
        ),
    ]
    sign_up(lists[0], EMAIL)
    message = make_message(email=EMAIL, mailing_list=lists[0], state=Message.State.SENT)
    yield message
    key = customer_key(EMAIL)
    Message.objects.filter(email_key=key).delete()
    Subscription.objects.filter(mailing_list__in=lists).delete()
    Contact.objects.filter(email_key=key).delete()
    Suppression.objects.of(key).delete()
    for each in lists:
        each.delete()


def path_of(url: str) -> str:
    return urlsplit(url).path


def test_leaving_a_list(either: Shopper, letter: Message) -> None:
    """EM-5: one button, and it is done; the way to the preferences is there before and after."""
    page = either.page
    either.open(path_of(unsubscribe_url(letter)))
    expect(page.get_by_role("heading", level=1)).to_have_text("Unsubscribe?")
    either.push("Unsubscribe")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert Subscription.objects.get(email=EMAIL).state == Subscription.State.LEFT
    either.follow("See what else you get")
    expect(page.get_by_role("checkbox", name="Letters from the shop")).not_to_be_checked()


def test_choosing_what_to_get(either: Shopper, letter: Message) -> None:
    """EM-5: boxes and one button; the page then shows what was saved."""
    page = either.page
    either.open(path_of(preferences_url(letter)))
    page.get_by_role("checkbox", name="Harvest notes").check()
    page.get_by_role("radio", name="At most one a month").check()
    page.get_by_role("radio", name="Two weeks").check()
    either.push("Save")
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_role("checkbox", name="Harvest notes")).to_be_checked()
    expect(page.get_by_role("radio", name="At most one a month")).to_be_checked()
    expect(page.get_by_role("radio", name="As now, until")).to_be_checked()
    either.push("Stop all letters, tips and offers")
    expect(page.get_by_role("status")).to_contain_text("no more letters, tips and offers from us")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_each_state_from_all_sides(
    shopper: Shopper, letter: Message, axe: Callable[..., list[str]], watch: Watch
) -> None:
    """AX-5: every page and every state of it, narrow and wide, light and dark, with large text."""
    watch.allow(r"status of 404")
    page, found = shopper.page, []
    follow_up = make_message(MessageKind.FOLLOW_UP, email=EMAIL, state=Message.State.SENT)
    preferences, unknown = path_of(preferences_url(letter)), make_token(Holder(email_key=customer_key("x@example.com")))

    def look(name: str) -> None:
        found.extend(faults(page, axe))
        keep(page, name)

    for name, path in (
        ("unsubscribe-list", path_of(unsubscribe_url(letter))),
        ("unsubscribe-follow-ups", path_of(unsubscribe_url(follow_up))),
        ("gone", "/thanks/mail/unsubscribe/made-up/"),
        ("preferences", preferences),
        ("saved", f"{preferences}?done=saved"),
        ("unknown", f"/thanks/mail/preferences/{unknown}/"),
    ):
        shopper.open(path)
        look(name)
    shopper.open(preferences)
    page.locator("[name=frequency]").first.evaluate("each => { each.checked = true; each.value = 'hourly' }")
    shopper.push("Save")
    expect(page.get_by_text("Please choose one of these")).to_be_visible()
    look("error")
    shopper.open(path_of(unsubscribe_url(letter)))
    shopper.push("Unsubscribe")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    look("unsubscribed")
    Suppression.objects.create(
        email_key=customer_key(EMAIL), scope=Suppression.MARKETING, reason=Suppression.Reason.BOUNCED
    )
    shopper.open(preferences)
    look("blocked")
    assert not found, "\n".join(dict.fromkeys(found))


def keep(page: Page, name: str) -> None:
    """Take pictures where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    sizes: list[Any] = [NARROW, WIDE]
    for size in sizes:
        for scheme in ("dark", "light"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=f"{folder}/{name}-{size['width']}-{scheme}.png", full_page=True)
