"""A shop owner makes a thank-you page in Wagtail's editor, looks at it, publishes it, and the next order shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from coupons.models import Coupon
from example_site.shop.models import HomePage
from thankyou_flows.models import Subscription
from thankyou_flows.pages.models import ThankYouPage

from .journey import Shopper
from .watching import Watch

TITLE = "Whisk buyers"


@pytest.fixture
def _clean_tree() -> Iterator[None]:
    """The database is kept for the tests that follow: they shall not get this page."""
    yield
    for page in ThankYouPage.objects.filter(title=TITLE):
        page.delete()


#: Wagtail notices a change within half a second and then keeps it by itself. Whether nothing is left to keep is asked in
#: the page and after a pause there: its timers come in their order, however slow the machine is.
IS_KEPT = """async () => {
  const form = document.querySelector("form[data-edit-form]");
  const sign = document.getElementById("w-autosave-indicator");
  const isKept = () => form.dataset.wUnsavedHasEditsValue !== "true" && sign.dataset.wAutosaveStateValue !== "saving";
  // Wagtail before 8 keeps nothing by itself.
  if (!sign) return true;
  if (!isKept()) return false;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  return isKept();
}"""


class Editor:
    """Somebody at the admin, with a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def log_in(self) -> None:
        self.page.goto("/admin/")
        self.page.get_by_role("textbox", name="Username").fill("editor")
        self.page.get_by_role("textbox", name="Password").fill("editor")
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Kettle & Fern")).to_be_visible()

    def begin(self) -> None:
        """From the pages of the shop to a new thank-you page."""
        self.page.goto(f"/admin/pages/{HomePage.objects.get().pk}/add_subpage/")
        self.page.locator("a", has_text="What customers see after they ordered").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("New: Thank-you page")
        self.page.wait_for_load_state("load")

    def insert(self, name: str, *, at: int = -1) -> None:
        """Open the list of blocks or rules of the tab in view, and take one."""
        self.page.get_by_role("button", name="Insert a block").filter(visible=True).nth(at).click()
        self.page.get_by_role("option", name=name, exact=True).filter(visible=True).click()

    def choose_campaign(self, name: str) -> None:
        self.page.get_by_role("button", name="Choose a campaign").filter(visible=True).last.click()
        self.page.get_by_role("dialog").get_by_role("link", name=name).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def wait_until_kept(self) -> None:
        """Look at Wagtail's sign until all is saved. A press while a new page is being made would make it twice."""
        for _look in range(150):
            if self.page.evaluate(IS_KEPT):
                return
            self.page.wait_for_timeout(200)
        raise AssertionError("Wagtail has not saved what was written.")

    def save(self) -> None:
        """Keep it as a draft; a new page becomes one that is edited, and the panels beside the form are built anew."""
        self.wait_until_kept()
        # Wagtail may have come to this address by itself: what counts is the page that is loaded now.
        with self.page.expect_navigation(url="**/edit/**"):
            self.page.get_by_role("button", name="Save draft").click()

    def preview(self, mode: str) -> Any:
        """Show the page as a sample customer would get it, in the panel beside the form; return the frame."""
        if not self.page.get_by_label("Preview mode").is_visible():
            self.page.get_by_role("button", name="Toggle preview").click()
        self.page.get_by_label("Preview mode").select_option(label=mode)
        return self.page.frame_locator("[data-w-preview-target=iframe], iframe#w-preview-iframe").first

    def publish(self) -> None:
        self.wait_until_kept()
        self.page.get_by_role("button", name="More actions").click()
        self.page.get_by_role("button", name="Publish", exact=True).click()
        expect(self.page.get_by_role("status").filter(has_text="published")).to_be_visible()


@pytest.mark.usefixtures("_clean_tree")
def test_an_edited_page_meets_its_customers(page: Page, context: Callable[..., Any], watch: Watch) -> None:
    """Done-when 2: a rule, an offer, two previews, published; the order it is for shows it, and another does not."""
    # Wagtail saves by itself, also while a block is still empty, and the browser tells of the refusal.
    watch.allow(r"status of 400 .*/admin/pages/")
    editor = Editor(page)
    editor.log_in()
    editor.begin()
    page.get_by_placeholder("Page title").fill(TITLE)
    page.get_by_role("textbox", name="Headline").fill("A good choice, {first_name}")
    editor.insert("Heading")
    page.get_by_role("textbox", name="Heading").last.fill("How to whisk, in three steps")
    editor.insert("Countdown offer")
    editor.choose_campaign("Free shipping within the hour")
    editor.open_tab("When to show")
    editor.insert("Contains a product")
    page.get_by_role("listbox", name="One of these products").select_option(label="Bamboo Whisk")
    page.get_by_role("spinbutton", name="Priority").fill("50")

    editor.save()
    before = Coupon.objects.count(), Subscription.objects.count()
    shown = editor.preview("Offer running")
    expect(shown.get_by_role("heading", level=1)).to_have_text("A good choice, Ana")
    expect(shown.get_by_text("Free shipping until")).to_be_visible()
    shown = editor.preview("Offer over")
    expect(shown.get_by_text("This offer was valid until")).to_be_visible()
    shown = editor.preview("Somebody whose order we do not know")
    expect(shown.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert (Coupon.objects.count(), Subscription.objects.count()) == before, "A preview gives nothing away (CM-4)."
    assert not ThankYouPage.objects.filter(title=TITLE, live=True)

    editor.publish()
    assert ThankYouPage.objects.get(title=TITLE).live
    fits, other = Shopper(context().new_page()), Shopper(context().new_page())
    fits.quick_order("/teaware/bamboo-whisk/")
    expect(fits.page.get_by_role("heading", level=1)).to_have_text("A good choice, Ada")
    expect(fits.page.get_by_role("heading", name="How to whisk, in three steps")).to_be_visible()
    expect(fits.offer).to_contain_text("Free shipping until")
    other.quick_order()
    expect(other.page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada")
