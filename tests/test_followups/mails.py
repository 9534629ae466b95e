"""Mails for tests: a step with blocks, facts of a customer, and what a mail says."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from bs4 import BeautifulSoup
from djmoney.money import Money

from coupons.models import Campaign, Coupon
from tests.test_flows.conftest import make_order
from thankyou_flows.followups.facts import MailFacts
from thankyou_flows.mail.blocks import MailStreamBlock
from thankyou_flows.mail.rendering import write
from thankyou_flows.models import FollowUpStep
from thankyou_flows.values import OrderLine, Product

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BASE = "https://shop.example"

#: One of each block but the picture, which needs a file.
BODY: list[tuple[str, dict[str, Any]]] = [
    (
        "text",
        {
            "text": "<h2>Hello, {first_name}</h2><p>Your order {order_number} has <b>travelled</b>. Read "
            '<a href="/tips/">three tips</a>.</p><ol><li>Rinse it</li><li>Dry it &amp; rest</li></ol>'
        },
    ),
    ("offer", {"text": "On anything you add, {first_name}."}),
    ("coupon", {"heading": "A small thank-you", "how": ""}),
    ("button", {"text": "Look at {title}", "page": None, "url": ""}),
    ("divider", {}),
    ("products", {"heading": "What you saved", "what": "about", "count": 2}),
]


def euro(amount: str) -> Money:
    return Money(amount, "EUR")


def make_coupon(**changes: Any) -> Coupon:
    """A coupon that is in no database."""
    campaign = {"title": "Ten", "benefit": "percent", "percent": 10, "status": "running", "terms": "From €20."}
    campaign |= changes.pop("campaign", {})
    values = {"code": "7K3M9Q2XABCD", "ends_at": NOW + timedelta(days=3), "deadline_minutes": 60, "used": 0, **changes}
    return Coupon(campaign=Campaign(**campaign), **values)


def make_facts(**changes: Any) -> MailFacts:
    """What is known of somebody who saved three things and has a coupon."""
    values: dict[str, Any] = {
        "now": NOW,
        "order": make_order("T-1001", first_name="Ana"),
        "coupon": make_coupon(),
        "products": tuple(
            Product(ref=f"p{n}", title=f"Pot {n}", url=f"/p{n}/", price=euro("12.50"), image_url=f"/media/p{n}.jpg")
            for n in range(1, 4)
        ),
        "first_name": "Ana",
        "shop_name": "The Tea Shop",
        "shop_url": f"{BASE}/",
        "base_url": BASE,
        "url": f"{BASE}/list/",
        "title": "your list",
        "preferences_url": f"{BASE}/mail/preferences/preferencestoken/",
        "unsubscribe_url": f"{BASE}/mail/unsubscribe/unsubscribetoken/",
        **changes,
    }
    return MailFacts(**values)


def line(title: str = "Kettle", **changes: Any) -> OrderLine:
    return OrderLine(**{"product_ref": "k", "title": title, "quantity": 1, "total": euro("30"), **changes})


def stream(body: Any) -> Any:
    """A stream of blocks as a step has it."""
    block = FollowUpStep._meta.get_field("body").stream_block
    return block.to_python([{"type": name, "value": value} for name, value in body])


def block_of(name: str) -> Any:
    return MailStreamBlock().child_blocks[name]


def render(body: Any = BODY, *, facts: MailFacts | None = None, kind: str = "follow_up", **more: Any) -> Any:
    """Write a mail of these blocks."""
    arguments = {"subject": "Hello, {first_name}", **more}
    return write(body=stream(body), facts=facts or make_facts(), kind=kind, **arguments).mail


def seen(html: str) -> BeautifulSoup:
    """What a customer sees of a mail, without what is hidden."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup(["style", "title"]):
        tag.decompose()
    for tag in soup.select(".preheader"):
        tag.decompose()
    return soup


def words(text: str) -> Counter[str]:
    """The words of a text, without marks of lists and lines, and without addresses."""
    bare = re.sub(r"<?https?://\S+|<?mailto:\S+", " ", text)
    bare = re.sub(r"^\s*(?:\*|\d+\.) ", " ", bare, flags=re.MULTILINE)
    return Counter(re.findall(r"[^\s*:,.\-–<>·]+", bare))


def words_of_html(html: str) -> Counter[str]:
    soup = seen(html)
    pictures = " ".join(str(image.get("alt", "")) for image in soup("img"))
    return words(soup.get_text(" ") + " " + pictures)


def links_of_html(html: str) -> set[str]:
    return {str(link["href"]) for link in seen(html)("a")}


def links_of_text(text: str) -> set[str]:
    return set(re.findall(r"(?:https?://|mailto:)[^\s<>]+", text))
