"""Lists as customers use them: saved with a heart, kept on a shared computer, found again, merged by a click, shared."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from wishlists import cookies
from wishlists.models import GiftMark, Inquiry, ListItem, MergeReceipt, ProductList, Save
from wishlists.moving import save_product

from .journey import Keyboard, Shopper, new_address
from .watching import Watch

Open = Callable[..., BrowserContext]

EARL_GREY, OOLONG, SENCHA = "Earl Grey", "Mountain Oolong", "Sencha Morning"
PAGES = {EARL_GREY: "/tea/earl-grey/", OOLONG: "/tea/mountain-oolong/", SENCHA: "/tea/sencha-morning/"}
PASSWORD = "long-enough-for-a-test"


@pytest.fixture
def customer() -> Any:
    """Somebody with an account of their own in the shop."""
    email = new_address()
    return get_user_model().objects.create_user(email, email, PASSWORD, first_name="Secretmarker")


def heart(page: Page) -> Locator:
    return page.locator(".product-tools ty-save button")


def save(shopper: Shopper, product: str) -> None:
    """Press the heart of a product page, and see what is said about it."""
    shopper.open(PAGES[product])
    if shopper.has_script:
        expect(heart(shopper.page)).to_have_attribute("aria-pressed", "false")
    shopper.hands.press(heart(shopper.page))
    said = shopper.page.locator(".product-tools ty-save").locator(
        ".ty-add-status [data-text]:not(:empty), .ty-added:target"
    )
    expect(said.filter(visible=True)).to_have_count(1)


def log_in(shopper: Shopper, customer: Any, *, path: str = "/account/login/") -> None:
    shopper.open(path)
    shopper.hands.write(shopper.page.get_by_label("E-mail", exact=True), customer.email)
    shopper.hands.write(shopper.page.get_by_label("Password"), PASSWORD)
    shopper.push("Log in", within="main")


def log_out(shopper: Shopper) -> None:
    shopper.open("/account/")
    shopper.push("Log out")
    expect(shopper.page.locator(".site-tools")).to_be_visible()


def titles(page: Page) -> list[str]:
    """What stands on the list that the page shows."""
    page.wait_for_load_state("load")
    return page.locator("main .ty-line .ty-line-title a").all_inner_texts()


def on_page(shopper: Shopper, path: str) -> list[str]:
    shopper.open(path)
    return titles(shopper.page)


def close_and_reopen(context: BrowserContext) -> None:
    """What is left of the cookies when the browser was closed: those with a date."""
    kept = [cookie for cookie in context.cookies() if cookie.get("expires", -1) != -1]
    context.clear_cookies()
    context.add_cookies(kept)


def contents(context: BrowserContext) -> str:
    """Everything that our cookies hold, as text."""
    values = {str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()}
    decoded = []
    for kind in ("cart", "saved", "compare", "recent"):
        name = "cart" if kind == "cart" else f"cart_{kind}"
        if name in values:
            kept = cookies.decode(values.pop(name), kind=kind)
            decoded.append(repr(kept))
    return " ".join([*decoded, *values])


def test_a_family_computer(either: Shopper, customer: Any) -> None:
    """CK-5, SL-1, SL-2: one saves, another logs in; nobody sees the other's things without a click of their own."""
    page = either.page
    save(either, EARL_GREY)
    either.quick_take(PAGES[SENCHA])
    # Another person logs in, and is asked once.
    log_in(either, customer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these things yours?")
    expect(page.locator("main")).to_contain_text("1 thing in the cart and 1 thing saved for later")
    assert EARL_GREY not in page.content() and SENCHA not in page.locator("main").inner_text()
    either.push("Keep them apart")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your orders")
    assert on_page(either, "/saved/") == [] == on_page(either, "/cart/")
    save(either, OOLONG)
    assert on_page(either, "/saved/") == [OOLONG]
    assert list(ListItem.objects.of(customer).values_list("title", flat=True)) == [OOLONG]
    log_out(either)
    # The first person finds what was saved, and nothing of the other.
    assert on_page(either, "/saved/") == [EARL_GREY]
    assert on_page(either, "/cart/") == [SENCHA]
    assert OOLONG not in contents(page.context) and customer.email not in str(page.context.cookies())
    assert Save.objects.filter(owner=customer).count() == 1


def test_what_a_guest_saved_comes_along_by_a_click_and_goes_back_by_another(either: Shopper, customer: Any) -> None:
    """SL-1: a union with a receipt, and an undo that gives both back what they held; also at the next login."""
    page = either.page
    save(either, EARL_GREY)
    before = contents(page.context)
    log_in(either, customer, path="/account/login/?next=/saved/")
    either.push("Add them to my account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Added to your account")
    expect(page.locator("main")).to_contain_text(EARL_GREY)
    assert "Earl" not in contents(page.context) and "cart_saved" not in str(page.context.cookies())
    receipt = page.url
    either.follow("Go on", within="main")
    assert titles(page) == [EARL_GREY]
    page.goto(receipt)
    either.push("Undo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Undone")
    assert not ListItem.objects.of(customer).exists()
    assert contents(page.context).count("Line(") == before.count("Line(") == 1
    log_out(either)
    assert on_page(either, "/saved/") == [EARL_GREY]
    assert MergeReceipt.objects.get(owner=customer).undone_at


def test_registering_asks_too(shopper: Shopper) -> None:
    """SL-1: nothing is gone after a registration, and nothing is taken along uninvited."""
    page = shopper.page
    save(shopper, EARL_GREY)
    shopper.open("/account/new/")
    page.get_by_label("E-mail", exact=True).fill(shopper.email)
    page.get_by_label("Password").first.fill(PASSWORD)
    for field in page.locator("main input[required]").all():
        if not field.input_value():
            field.fill("Ada")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these things yours?")
    shopper.push("Add them to my account")
    expect(page.locator("main")).to_contain_text(EARL_GREY)
    assert on_page(shopper, "/saved/") == [EARL_GREY]


def test_kept_on_this_device_and_found_again(either: Shopper) -> None:
    """CK-5, CK-6: kept only when asked for; on return a number, and what it is only when asked."""
    page = either.page
    save(either, EARL_GREY)
    close_and_reopen(page.context)
    assert on_page(either, "/saved/") == []
    save(either, EARL_GREY)
    either.quick_take(PAGES[OOLONG])
    either.open("/saved/")
    either.push("Keep on this device for 30 days")
    expect(page.locator("main")).to_contain_text("Kept on this device for 30 days after your last change.")
    close_and_reopen(page.context)
    # A page of the shop tells a number where there are scripts; the pages of the lists always do.
    either.open("/teaware/")
    if either.has_script:
        note = page.get_by_role("region", name="From an earlier visit")
        expect(note).to_contain_text("2")
        expect(page.locator("ty-save button[aria-pressed=true]")).to_have_count(0)
    either.open("/cart/")
    note = page.locator("main").get_by_role("region", name="From an earlier visit").first
    expect(note).to_contain_text("2")
    assert EARL_GREY not in page.content() and OOLONG not in page.content()
    either.follow("Show me what", within="main")
    expect(page.get_by_role("heading", level=1)).to_have_text("From an earlier visit")
    expect(page.locator("main")).to_contain_text(EARL_GREY)
    expect(page.locator("main")).to_contain_text(OOLONG)
    either.push("Put back", within="main")
    assert on_page(either, "/cart/") == [OOLONG]
    assert on_page(either, "/saved/") == [EARL_GREY]
    either.push("Forget everything here", within="main")
    expect(page.locator("main")).not_to_contain_text(EARL_GREY)
    assert contents(page.context).count("Line(") == 0


def test_nobody_is_asked_during_the_checkout(shopper: Shopper) -> None:
    """CK-5, complaint 21: never there."""
    page = shopper.page
    save(shopper, EARL_GREY)
    shopper.open("/saved/")
    shopper.push("Keep on this device for 30 days")
    close_and_reopen(page.context)
    shopper.quick_take(PAGES[OOLONG])
    shopper.go_to_checkout()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("region", name="From an earlier visit")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text(EARL_GREY)


def test_there_and_back_by_keyboard(context: Open) -> None:
    """AX-5: hearts, cart and saved things need no mouse."""
    shopper = Shopper(context().new_page(), hands=Keyboard())
    page = shopper.page
    save(shopper, EARL_GREY)
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".site-tools ty-list-count").first).to_contain_text("1")
    shopper.follow("Saved", within=".site-tools")
    shopper.push("Put into the cart", within=".ty-line")
    expect(page.locator("main .ty-status p").first).to_be_visible()
    assert on_page(shopper, "/cart/") == [EARL_GREY]
    shopper.push("Save for later", within=".ty-line")
    expect(page.locator("main .ty-status p").first).to_be_visible()
    assert on_page(shopper, "/saved/") == [EARL_GREY]
    shopper.open(PAGES[EARL_GREY])
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    shopper.hands.press(heart(page))
    expect(heart(page)).to_have_attribute("aria-pressed", "false")
    assert on_page(shopper, "/saved/") == []


def press_three(page: Page, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Three hearts of a shelf, quickly, in a shop that takes its time; return what is saved after the last answer."""

    def slowly(**given: Any) -> Any:
        done = save_product(**given)
        time.sleep(0.7)
        return done

    page.goto("/tea/")
    page.wait_for_load_state("networkidle")
    hearts = page.locator("main ty-save")
    monkeypatch.setattr("wishlists.views.saved.save_product", slowly)
    for n in range(3):
        hearts.nth(n).locator("button").click()
    for n in range(3):
        expect(hearts.nth(n).locator("[data-text]")).to_contain_text("Saved for later")
    state: dict[str, Any] = page.evaluate("fetch('/lists/state/').then((response) => response.json())")
    return list(state["saved"])


def test_hearts_pressed_quickly_are_all_saved(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """CK-1: a guest's list is one cookie, so what a page sends goes one after the other."""
    assert len(press_three(page, monkeypatch)) == 3
    expect(page.locator("main ty-save button[aria-pressed=true]")).to_have_count(3)


@pytest.mark.teeth
def test_hearts_pressed_quickly_overwrite_each_other_without_the_queue(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last cookie wins, if all leave at once."""

    def at_once(route: Route) -> None:
        source = route.fetch().text()
        assert "await before;" in source
        route.fulfill(body=source.replace("await before;", ""), content_type="text/javascript")

    page.route(re.compile(r"/thankyou_wishlists/state[.\w]*\.js"), at_once)
    assert len(press_three(page, monkeypatch)) < 3


def test_the_heart_on_a_card_knows_what_was_saved_in_a_choice(page: Page) -> None:
    """SL-2: pressed whatever the product was saved in; another press takes that off."""
    page.goto("/tea/rooibos-vanilla/")
    page.wait_for_load_state("networkidle")
    page.locator(".ty-add select[name=options]").select_option(index=1)
    heart(page).click()
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    page.goto("/tea/")
    card = page.locator("main li.card").filter(has_text="Rooibos Vanilla").locator("ty-save button")
    expect(card).to_have_attribute("aria-pressed", "true")
    card.click()
    expect(card).to_have_attribute("aria-pressed", "false")
    page.goto("/saved/")
    assert titles(page) == []


def test_a_wish_list_is_shared_and_a_gift_stays_a_surprise(
    either: Shopper, context: Open, customer: Any, watch: Watch
) -> None:
    """SL-4: private, shared by a link, read by a stranger who marks a gift, revoked."""
    watch.allow(r"status of 404")
    page, name = either.page, f"Birthday {uuid4().hex[:6]}"
    log_in(either, customer)
    either.open(PAGES[EARL_GREY])
    either.follow("Put it on a wish list", within="main")
    either.hands.write(page.get_by_label("Name of your first wish list"), name)
    either.push("Put it on the list", within="main")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_url(lambda url: "choose" not in url)
    wish = ProductList.objects.get(owner=customer, name=name)
    assert on_page(either, f"/lists/{wish.key}/")[:1] == [EARL_GREY] or EARL_GREY in page.locator("main").inner_text()
    either.follow("Share it", within="main")
    page.locator("main form button[type=submit]").first.click()
    link = page.get_by_label("The link to give to others").input_value()
    stranger = context(javascript=False).new_page()
    stranger.goto(link)
    expect(stranger.locator("main")).to_contain_text(EARL_GREY)
    for secret in (customer.email, "Secretmarker", str(customer.username)):
        assert secret not in stranger.content()
    stranger.get_by_role("button", name="I am getting this").first.click()
    expect(stranger.locator("main")).to_contain_text(EARL_GREY)
    assert GiftMark.objects.get(list=wish).quantity == 1
    either.open(f"/lists/{wish.key}/")
    expect(page.locator("main")).not_to_contain_text("Somebody is getting")
    # The owner opens the own link, and is not told either.
    page.goto(link)
    expect(page.locator("main")).to_contain_text("This is your own list")
    expect(page.locator("main")).not_to_contain_text("omebody is getting")
    page.goto(f"/lists/{wish.key}/share/")
    either.push("Stop sharing", within="main")
    expect(page.locator("main .ty-status p").first).to_be_visible()
    stranger.goto(link)
    expect(stranger.locator("main")).not_to_contain_text(EARL_GREY)
    expect(stranger.locator("main")).not_to_contain_text(name)


def test_a_question_about_a_product_is_answered_by_mail(shopper: Shopper, context: Open) -> None:
    """Without registration; the owner reads it in the admin, and the answer goes by mail."""
    page = shopper.page
    shopper.open(PAGES[EARL_GREY])
    shopper.follow("Ask us about it", within="main")
    expect(page.locator("main")).to_contain_text(EARL_GREY)
    page.get_by_label("Your e-mail address").fill(shopper.email)
    page.get_by_role("textbox", name="Your question").fill("Is it good with milk?")
    page.wait_for_timeout(3_500)  # faster is a program
    shopper.push("Send the question")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your question is with us")
    inquiry = Inquiry.objects.get(email=shopper.email)
    desk = context().new_page()
    desk.goto("/admin/")
    desk.get_by_label("Username").fill("admin")
    desk.get_by_label("Password").fill("admin")
    desk.get_by_role("button", name="Sign in").click()
    desk.get_by_role("link", name="Questions", exact=False).first.click()
    desk.get_by_role("link", name="Is it good with milk?").first.click()
    desk.wait_for_load_state("load")
    desk.locator("textarea[name=answer]").fill("Yes, with a drop of it.")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Send the answer").click()
    inquiry.refresh_from_db()
    assert inquiry.state == Inquiry.State.ANSWERED
    assert any("with a drop of it" in letter.text for letter in shopper.letters)
