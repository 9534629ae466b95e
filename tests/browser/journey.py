"""What a customer does in the shop, in steps that every browser test shares, with a mouse or with the keyboard alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from playwright.sync_api import BrowserContext, Locator, Page, expect

from coupons.models import Coupon
from example_site.demo.mailbox import Letter, list_letters
from example_site.shop.models import Order

ADDRESS = {
    "Full name": "Ada Lovelace",
    "Street and number": "Rosenweg 1",
    "Postcode": "10115",
    "Town or city": "Berlin",
}
#: What no page may show to somebody who came by a link.
PERSONAL = ("Ada", "Lovelace", "Rosenweg", "10115", "Berlin")
#: What the clock of a new offer says for its first three minutes; a busy machine may need one of them.
NEARLY_AN_HOUR = re.compile(r"^5[789] min$")
#: More than any page of the shop has places to stop at.
MAX_TABS = 150

LOOK_AT_FOCUS = """(target) => {
  const element = document.activeElement;
  if (!element || element === document.body) return { isTarget: false, fault: "" };
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const hasRing = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const [x, y] = [box.left + Math.min(box.width / 2, 20), box.top + Math.min(box.height / 2, 20)];
  const inView = box.width > 0 && y >= 0 && y <= innerHeight && x >= 0 && x <= innerWidth;
  const top = inView ? document.elementFromPoint(x, y) : null;
  const isCovered = top && !element.contains(top) && !top.contains(element) && !top.closest("label")?.contains(element);
  const fault = !hasRing ? "no ring" : !inView ? "out of view" : isCovered ? `covered by ${top.outerHTML.slice(0, 80)}` : "";
  return { isTarget: element === target, fault: fault && `${fault}: ${element.outerHTML.slice(0, 160)}` };
}"""


class Hands(Protocol):
    """How somebody uses what is on a page."""

    def press(self, target: Locator) -> None: ...

    def write(self, target: Locator, text: str) -> None: ...

    def choose(self, target: Locator) -> None: ...


def wait_for(target: Locator) -> None:
    """Wait until the target is there and its page is complete: its style sheets, its scripts, and where these put the focus."""
    target.wait_for()
    target.page.wait_for_load_state("load")


class Mouse:
    """Points and clicks."""

    def press(self, target: Locator) -> None:
        wait_for(target)
        target.click()

    def write(self, target: Locator, text: str) -> None:
        wait_for(target)
        target.fill(text)

    def choose(self, target: Locator) -> None:
        wait_for(target)
        target.check()


class Keyboard:
    """Only the Tab, Enter, Space and arrow keys. On its way, the focus has to be seen at every stop (AX-5)."""

    def press(self, target: Locator) -> None:
        self.reach(target)
        # Enter works on links and buttons alike.
        target.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        self.reach(target)
        target.page.keyboard.press("Control+a")
        target.page.keyboard.type(text)

    def choose(self, target: Locator) -> None:
        """Tab goes to the chosen radio button of a group, the arrows go on from there."""
        wait_for(target)
        name = target.get_attribute("name")
        self.reach(target.page.locator(f"input[name={name}]:checked"))
        for _press in range(target.page.locator(f"input[name={name}]").count()):
            if target.is_checked():
                return
            target.page.keyboard.press("ArrowDown")
        raise AssertionError(f"The arrow keys do not lead to {target}.")

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is on the target."""
        wait_for(target)
        element = target.element_handle()
        for _press in range(MAX_TABS):
            state = target.page.evaluate(LOOK_AT_FOCUS, element)
            assert not state["fault"], f"The focus cannot be seen on {target.page.url}: {state['fault']}"
            if state["isTarget"]:
                return
            target.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target} on {target.page.url}.")


def new_address() -> str:
    """Return an e-mail address that nobody has ordered with."""
    return f"ada-{uuid4().hex[:12]}@example.com"


@dataclass
class Shopper:
    """Somebody in the shop, with a browser window, hands and an e-mail address."""

    page: Page
    hands: Hands = field(default_factory=Mouse)
    email: str = field(default_factory=new_address)

    @property
    def has_script(self) -> bool:
        # Modules run before a page is complete, but after its text can be seen.
        self.page.wait_for_load_state("load")
        return bool(
            self.page.evaluate("document.scripts.length && Boolean(window.customElements.get('ty-list-count'))")
        )

    # In the shop ------------------------------------------------------------------------------------

    def open(self, path: str = "/") -> None:
        self.page.goto(path)

    def follow(self, name: str, *, within: str = "body") -> None:
        self.hands.press(self.page.locator(within).get_by_role("link", name=name).first)

    def push(self, name: str, *, within: str = "body") -> None:
        self.hands.press(self.page.locator(within).get_by_role("button", name=name).first)

    def take(self, shelf: str, product: str) -> None:
        """Go to a shelf, to a product, and put it into the cart."""
        self.follow(shelf, within=".site-nav")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(shelf)
        self.follow(product, within="main")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(product)
        self.add()

    def add(self) -> None:
        """Press the button of a product page, and see what is said about it: by script, or as the page's target."""
        self.push("Add to cart")
        said = self.page.locator(".ty-add-status [data-text]:not(:empty), .ty-added:target")
        expect(said.filter(visible=True)).to_have_count(1)

    def quick_take(self, path: str = "/tea/earl-grey/") -> None:
        """Put a product into the cart without browsing for it."""
        self.open(path)
        self.add()

    def go_to_cart(self) -> None:
        self.follow("Cart", within=".site-tools")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Your cart")

    def go_to_checkout(self) -> None:
        self.go_to_cart()
        self.follow("Check out", within="main")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Checkout")

    def fill_in(self, **changes: str) -> None:
        """Fill in the checkout's form; ``changes`` by the fields' names in Python: ``full_name=""``."""
        given = {name.lower().replace("_", " "): text for name, text in changes.items()}
        for label, text in {"E-mail": self.email, **ADDRESS}.items():
            self.hands.write(
                self.page.get_by_label(label, exact=True), given.get(label.lower().replace("-", " "), text)
            )

    def choose(self, label: str) -> None:
        self.hands.choose(self.page.get_by_role("radio", name=label))

    def place(self) -> None:
        self.push("Order and pay")

    def pay(self) -> Order:
        """Pay on the pretend provider's page, which leads to the thank-you page; return what is stored."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Pay ")
        self.push("Pay ", within="main")
        expect(self.page.locator(".ty-head__number")).to_be_visible()
        return self.last_order

    def order(self) -> Order:
        """Go from any page of the shop through the checkout to the thank-you page; return what is stored."""
        self.go_to_checkout()
        self.fill_in()
        self.place()
        return self.pay()

    def quick_order(self, path: str = "/tea/earl-grey/") -> Order:
        self.quick_take(path)
        return self.order()

    @property
    def offer_coupon(self) -> Coupon:
        """What the database knows of the countdown offer of the customer's first order."""
        first = Order.objects.filter(email=self.email).earliest("pk")
        return Coupon.objects.get(issue_key__startswith=f"order:{first.number}:", campaign__deadline_minutes=60)

    @property
    def last_order(self) -> Order:
        return Order.objects.filter(email=self.email).latest("pk")

    # On the thank-you page --------------------------------------------------------------------------

    @property
    def offer(self) -> Locator:
        """The block with the countdown."""
        return self.page.locator(".ty-promise", has=self.page.get_by_role("heading", name="Forgot something?"))

    @property
    def deadline(self) -> datetime:
        """The end as the sentence of the offer names it; it is there with and without scripts."""
        return datetime.fromisoformat(self.offer.locator("time").first.get_attribute("datetime"))

    @property
    def clock(self) -> Locator:
        return self.offer.locator("[role=timer]")

    # Mail -------------------------------------------------------------------------------------------

    @property
    def letters(self) -> list[Letter]:
        """What the shop wrote to this customer, newest first."""
        return [letter for letter in list_letters() if letter.to == self.email]

    def link_in_mail(self, subject: str) -> str:
        """Return the first link in the newest mail with these words in its subject."""
        letter = next(letter for letter in self.letters if subject in letter.subject)
        found = re.search(r"https?://\S+", letter.text)
        assert found, letter.text
        return found[0]


def cookie_names(context: BrowserContext) -> set[str]:
    return {str(cookie.get("name")) for cookie in context.cookies()}


def seconds_shown(text: str) -> tuple[int, int]:
    """Return the shortest and the longest time in seconds for which a countdown says this: "58 min", "42 s"."""
    found = re.fullmatch(r"(?:(\d+) h)? ?(?:(\d+) min)?|(\d+) s", text.strip())
    assert found and text.strip(), f"This is no time: {text!r}"
    if found[3]:
        return int(found[3]), int(found[3]) + 1
    shortest = int(found[1] or 0) * 3600 + int(found[2] or 0) * 60
    return shortest, shortest + 60
