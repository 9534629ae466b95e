"""A shop owner makes a follow-up from a ready-made one, looks at it, sends a test and switches it on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from coupons.holders import customer_key
from thankyou_flows.admin.followups import FollowUpIndexView
from thankyou_flows.models import FollowUp, Message, Suppression

from .test_editor import Editor

RECIPE = "Thanks and care tips"
TITLE = "Browser: care tips"
INDEX = "/admin/thankyou_flows_followup/"
#: Where pictures go, if somebody wants to look: SHOTS=/tmp/shots pytest …
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """The database is kept for the tests that follow: they shall not meet these rows. The demo's stay."""
    before = set(FollowUp.objects.values_list("pk", flat=True))
    yield
    Message.objects.filter(dedupe_key__startswith="browser:").delete()
    Message.objects.filter(reason="test").delete()
    Suppression.objects.filter(email_key__startswith="browser").delete()
    FollowUp.objects.exclude(pk__in=before).delete()


@pytest.fixture(autouse=True)
def _own_address() -> Iterator[None]:
    """Tests go to the address of whoever is signed in."""
    editor = get_user_model().objects.filter(username="editor")
    before = editor.get().email
    editor.update(email="editor@shop.example")
    yield
    editor.update(email=before)


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def look(page: Page, axe: Callable[..., list[str]], name: str) -> None:
    """What is seen fits, and says nothing that axe holds against it."""
    page.wait_for_load_state("load")
    shoot(page, name)
    assert not is_too_wide(page), name
    # Wagtail's own editor of rich text has no name; the field around it has.
    found = [each for each in axe(page, "main") if "public-DraftEditor-content" not in each]
    assert found == [], name


def test_from_a_ready_made_one_to_switched_on(page: Page, axe: Callable[..., list[str]]) -> None:
    """EM-11: with the mouse, in the order in which an owner thinks."""
    Editor(page).log_in()
    page.goto(INDEX)
    page.get_by_role("link", name="Start from a ready-made one").first.click()
    expect(page.get_by_role("heading", name="Would you review it?")).to_be_visible()
    assert axe(page, "main") == []
    page.get_by_role("listitem").filter(has_text=RECIPE).get_by_role("button", name="Start with this one").click()
    expect(page.get_by_text("is yours now, and off")).to_be_visible()
    follow_up = FollowUp.objects.filter(title=RECIPE).latest("pk")
    assert not follow_up.is_on

    expect(page.get_by_role("tab", name="The mails")).to_have_attribute("aria-selected", "true")
    page.locator("#id_steps-0-subject").fill("Your kettle: three tips")
    page.get_by_role("button", name="Toggle preview").click()
    frame = page.frame_locator("#w-preview-iframe")
    expect(frame.get_by_role("heading", name="Your kettle: three tips")).to_be_visible()
    expect(frame.frame_locator("iframe").get_by_text("Thank you for your order")).to_be_visible()
    shoot(page, "preview")
    page.get_by_role("button", name="Toggle preview").click()
    page.get_by_role("tab", name="When and to whom").click()
    expect(page.locator("#id_mailing_list")).to_be_hidden()
    page.locator("#id_kind").select_option("newsletter")
    expect(page.locator("#id_mailing_list")).to_be_visible()
    page.locator("#id_kind").select_option("follow_up")
    assert axe(page, "main") == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("is saved. It is off.")).to_be_visible()

    page.get_by_role("link", name="Send me a test").click()
    expect(page.get_by_text("editor@shop.example")).to_be_visible()
    page.get_by_role("button", name="Send me a test").click()
    expect(page.get_by_text("The test is on its way")).to_be_visible()
    assert Message.objects.get(reason="test").email == "editor@shop.example"

    page.get_by_role("link", name="Switch on").click()
    expect(page.get_by_text("From now on")).to_be_visible()
    assert axe(page, "main") == []
    page.get_by_role("button", name="Yes, switch it on").click()
    expect(page.get_by_text("is on.")).to_be_visible()
    follow_up.refresh_from_db()
    assert follow_up.is_on
    assert follow_up.steps.get().subject == "Your kettle: three tips"


def test_the_switch_by_keyboard(page: Page) -> None:
    """Each step is a link or a button that the keyboard reaches."""
    FollowUp.objects.create(title=TITLE, trigger="order_delivered", is_on=True, switched_on_at=timezone.now())
    Editor(page).log_in()
    page.goto(INDEX)
    page.get_by_role("link", name=f"Switch off “{TITLE}”").focus()
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Yes, switch it off")
    expect(button).to_be_visible()
    for _press in range(60):
        if button.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is off.")).to_be_visible()
    assert not FollowUp.objects.get(title=TITLE).is_on


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_screens_fit(
    context: Callable[..., BrowserContext],
    axe: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    dark: bool,
) -> None:
    """Lists, numbers, and one message, light and dark, with nothing in them and with much."""
    page = context(viewport=(width, 900), dark=dark).new_page()
    name = f"{width}-{'dark' if dark else 'light'}"
    Editor(page).log_in()
    with monkeypatch.context() as new_shop:
        # The demo has some; a new shop has none.
        new_shop.setattr(FollowUpIndexView, "get_base_queryset", lambda _self: FollowUp.objects.none())
        page.goto(INDEX)
        expect(page.get_by_role("link", name="Write one from scratch")).to_be_visible()
        look(page, axe, f"{name}-empty")
    page.goto("/admin/thankyou_flows_suppression/")
    look(page, axe, f"{name}-suppressions-empty")
    follow_up, message = make_rows()
    for place, address in {
        "list": INDEX,
        "recipes": f"{INDEX}recipes/",
        "form": f"{INDEX}edit/{follow_up.pk}/",
        "numbers": f"{INDEX}inspect/{follow_up.pk}/",
        "switch": f"{INDEX}switch/{follow_up.pk}/off/",
        "test": f"{INDEX}test/{follow_up.pk}/",
        "messages": "/admin/thankyou_flows_message/",
        "message": f"/admin/thankyou_flows_message/inspect/{message.pk}/",
        "suppressions": "/admin/thankyou_flows_suppression/",
    }.items():
        page.goto(address)
        look(page, axe, f"{name}-{place}")


def make_rows() -> tuple[FollowUp, Message]:
    """A follow-up with a month behind it."""
    from thankyou_flows.admin.recipes import RECIPES, build

    now = timezone.now()
    follow_up = build(RECIPES[0])
    follow_up.title, follow_up.is_on, follow_up.switched_on_at = TITLE, True, now
    follow_up.save()
    made = [
        Message.objects.create(
            dedupe_key=f"browser:{number}",
            kind="follow_up",
            composer="follow_up",
            reason="order_delivered",
            ref=f"K-{1000 + number}",
            email=f"a-customer-with-a-long-name-{number}@shop.example",
            email_key=customer_key(f"a{number}@shop.example"),
            follow_up=follow_up,
            subject="Thank you, and a few tips for your order",
            text="Rinse the kettle.",
            html="<!doctype html><html><body><h1>Thank you</h1><p>Rinse the kettle.</p></body></html>",
            **outcome(number, now),
        )
        for number in range(40)
    ]
    for number in range(5):
        Suppression.objects.create(email_key=f"browser{number}", scope="marketing", reason="left")
    return follow_up, made[0]


def outcome(number: int, now: object) -> dict[str, object]:
    at = now - timedelta(days=number % 29, hours=2)  # type: ignore[operator]
    if number % 7 == 6:
        return {"state": "skipped", "why_not": "ordered_again", "settled_at": at}
    if number % 11 == 10:
        return {"state": "failed", "why_not": "gave_up", "settled_at": at, "last_error": "451 try later"}
    if number % 5 == 4:
        return {"due_at": now + timedelta(days=3)}  # type: ignore[operator]
    return {
        "state": "sent",
        "ground": "soft_opt_in",
        "sent_at": at,
        "settled_at": at,
        "due_at": at,
        "created_at": at - timedelta(days=3),
        "delivery": "delivered",
        "delivered_at": at + timedelta(minutes=1),
        "converted_at": at + timedelta(hours=1) if number % 4 == 0 else None,
        "left_at": at if number == 13 else None,
    }
