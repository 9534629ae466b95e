"""A coupon for a little information, from the owner's form to the erasure of the answers (CO-9, issue 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from coupons.models import Answer, Campaign, Coupon
from example_site.shop.models import HomePage
from thankyou_flows.pages.models import ThankYouPage

from .journey import Hands, Keyboard, Mouse, Shopper
from .looking import faults
from .watching import Watch

#: Question, kind of answer, choices, must be answered, why.
QUESTIONS = [
    ("Who do you brew for?", "radio", "Only me\nMy family\nThe office", True, "To pack the right size."),
    ("How many cups a day?", "number", "", True, "To know how long a tin lasts."),
    ("Anything you would like to tell us?", "multiline", "", False, "We read it all."),
]


class Owner:
    """Somebody who sells, at the admin."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def log_in(self) -> None:
        self.page.goto("/admin/")
        self.page.get_by_role("textbox", name="Username").fill("admin")
        self.page.get_by_role("textbox", name="Password").fill("admin")
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Kettle & Fern")).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(path)
        self.page.wait_for_load_state("load")

    def set_up(self, title: str) -> Campaign:
        """Fill in the campaign's form, tab by tab."""
        page = self.page
        self.open("/admin/thankyou_coupons_campaign/new/")
        page.locator("#id_title").fill(title)
        page.locator("#id_status").select_option(label="Running")
        page.locator("#id_benefit").select_option(label="Percent off the goods")
        page.locator("#id_percent").fill("20")
        page.get_by_role("tab", name="Questions").click()
        page.locator("#id_ask_text").fill("Three questions about your cup, and this is yours.")
        page.locator("#id_marketing_text").fill("And send me the letter.")
        for number, (label, kind, choices, required, purpose) in enumerate(QUESTIONS):
            page.get_by_role("button", name="Add Question").click()
            field = f"#id_questions-{number}-"
            page.locator(f"{field}label").fill(label)
            page.locator(f"{field}field_type").select_option(value=kind)
            if choices:
                page.locator(f"{field}choices").fill(choices)
            page.locator(f"{field}required").set_checked(required)
            page.locator(f"{field}purpose").fill(purpose)
        page.get_by_role("button", name="Create").click()
        page.wait_for_url(lambda url: "/new/" not in url)
        campaign = Campaign.objects.get(title=title)
        assert campaign.questions.count() == len(QUESTIONS)
        return campaign


@pytest.fixture
def owner(page: Page) -> Owner:
    owner = Owner(page)
    owner.log_in()
    return owner


@pytest.fixture
def campaign(owner: Owner) -> Iterator[Campaign]:
    """What the owner set up in the browser and a page that shows it before all others."""
    campaign = owner.set_up(f"Cup questions {uuid4().hex[:8]}")
    page = ThankYouPage(
        title=f"Kettle buyers {uuid4().hex[:8]}",
        headline="Thank you, {first_name}",
        priority=60,
        body=[("status", {}), ("unlock", {"heading": "May we ask you something?", "campaign": campaign})],
    )
    HomePage.objects.get().add_child(instance=page)
    page.save_revision().publish()
    yield campaign
    # The database is kept for the tests that follow: they shall not get this page.
    page.delete()


def the_coupon(campaign: Campaign, shopper: Shopper) -> Coupon:
    return Coupon.objects.get(campaign=campaign, issue_key__contains=f":{shopper.last_order.number}:")


def answer(shopper: Shopper) -> None:
    """Choose, count, and press."""
    page, hands = shopper.page, shopper.hands
    if isinstance(hands, Mouse):
        hands.choose(page.get_by_role("radio", name="My family"))
    else:
        # The arrows of a group in which nothing is chosen yet begin at its first choice.
        first = page.get_by_role("radio", name="Only me")
        assert isinstance(hands, Keyboard)
        hands.reach(first)
        page.keyboard.press("ArrowDown")
    hands.write(page.get_by_label("How many cups a day?"), "4")


def test_a_coupon_for_a_little_information(
    campaign: Campaign,
    owner: Owner,
    context: Callable[..., BrowserContext],
    watch: Watch,
    axe: Callable[..., list[str]],
) -> None:
    """Done-when 5: three customers, one on the page, one by mail without scripts, one who declines; then the owner."""
    # 1. With the mouse, on the thank-you page; first with an answer that is none.
    watch.allow(r"status of 422")
    first = Shopper(context().new_page())
    first.quick_order()
    expect(first.page.get_by_text("20% off")).to_be_visible()
    expect(first.page.get_by_text("To know how long a tin lasts. We keep your answer for one year.")).to_be_visible()
    assert not first.page.get_by_role("checkbox").first.is_checked(), "Nobody is put on a list beforehand."
    first.push("Send and unlock")
    expect(first.page.get_by_text("Please answer this question.")).to_be_visible()
    assert not list(faults(first.page, axe))
    answer(first)
    first.push("Send and unlock")
    coupon = the_coupon(campaign, first)
    expect(first.page.get_by_text(coupon.display_code)).to_be_visible()
    assert not list(faults(first.page, axe))

    # 2. Later, from the mail, in another browser that runs no scripts.
    second = Shopper(context().new_page())
    second.quick_order()
    second.push("Later: mail me the link")
    expect(second.page.get_by_text("The link is on its way").first).to_be_visible()
    plain = Shopper(context(javascript=False).new_page(), email=second.email)
    plain.open(second.link_in_mail("questions"))
    expect(plain.page.get_by_text("To pack the right size.")).to_be_visible()
    answer(plain)
    plain.push("Unlock my coupon")
    expect(plain.page.get_by_text(the_coupon(campaign, second).display_code)).to_be_visible()

    # 3. No, thank you: one press, and nothing is kept.
    third = Shopper(context().new_page())
    third.quick_order()
    third.push("No, thank you")
    expect(third.page.get_by_text("and that is fine").first).to_be_visible()
    declined = the_coupon(campaign, third)
    assert declined.state == Coupon.State.LOCKED
    assert not Answer.objects.filter(coupon=declined).exists()

    # The checkout takes what was unlocked, and refuses what was not, in the words for any wrong code.
    page = first.page
    first.quick_take()
    first.go_to_checkout()
    for code, said in (
        (declined.display_code, "This code is not valid for your order."),
        (coupon.display_code.lower().replace("-", " "), "Your coupon is on this order."),
    ):
        page.get_by_label("I have a code").fill(code)
        first.push("Use it")
        expect(page.get_by_text(said).first).to_be_visible()
    first.fill_in()
    first.place()
    first.pay()
    coupon.refresh_from_db()
    assert coupon.used == 1

    look_at_the_answers(owner, campaign, first)


def look_at_the_answers(owner: Owner, campaign: Campaign, shopper: Shopper) -> None:
    """They are in the admin and in the export, and gone after the erasure; the coupon is not taken away."""
    page = owner.page
    answers = f"/admin/thankyou_coupons_answer/?campaign={campaign.pk}"
    owner.open(answers)
    expect(page.get_by_text("My family").first).to_be_visible()
    page.get_by_role("link", name="Export as CSV").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert "Who do you brew for?" in text
    assert "My family" in text
    owner.open("/admin/thankyou_coupons_answer/erase/")
    page.locator("#id_email").fill(shopper.email)
    page.get_by_role("button", name="Yes, erase them").click()
    page.wait_for_load_state("load")
    unlocked = Coupon.objects.filter(campaign=campaign, state=Coupon.State.AVAILABLE)
    left = set(Answer.objects.filter(campaign=campaign).values_list("coupon_id", flat=True))
    assert left == set(unlocked.filter(used=0).values_list("pk", flat=True)), "Only the other customer's are left."
    coupon = unlocked.get(used=1)
    owner.open(f"/admin/thankyou_coupons_coupon/inspect/{coupon.pk}/")
    expect(page.get_by_text("Unlocked").first).to_be_visible()
    owner.open(f"/admin/thankyou_coupons_campaign/inspect/{campaign.pk}/")
    expect(page.get_by_text("Unlocked by answers")).to_be_visible()


@pytest.mark.parametrize("hands", [Keyboard], ids=["keyboard"])
def test_with_the_keyboard_alone(
    campaign: Campaign, context: Callable[..., BrowserContext], hands: type[Hands]
) -> None:
    """AX-5: questions, both buttons and the code can be reached and seen."""
    shopper = Shopper(context().new_page(), hands=hands())
    shopper.quick_order()
    answer(shopper)
    shopper.push("Send and unlock")
    expect(shopper.page.get_by_text(the_coupon(campaign, shopper).display_code)).to_be_visible()
