"""The demo's thank-you pages, made as an owner would make them in the editor."""

from __future__ import annotations

from typing import Any

from wagtail.models import Page

from coupons.models import Campaign
from thankyou_flows.pages.models import ThankYouPage

from .campaigns import FIVE_EURO, FREE_SHIPPING, TASTE, TEN_PERCENT, load_campaigns

PACKING = (
    "<p>We pack by hand, usually on the same day. You get a mail when the parcel leaves. "
    "If you spot a mistake in the address, just answer the confirmation mail.</p>"
)
WELCOME_BACK = "<p>Good to see you again. We have noted this order beside your last one, and the kettle is on.</p>"
SUMMARY = {"heading": "Your order", "show_pictures": True, "show_addresses": True}
NEWSLETTER = {
    "heading": "A letter from the tea shelf",
    "text": "What has just arrived, and how to brew it.",
    "promise": "At most twice a month, and the address stays with us.",
    "button": "Send me the letter",
    "list_slug": "newsletter",
}


def create_pages(home: Page) -> None:
    """Create the demo's thank-you pages below ``home`` (any page; the Oscar demo calls this too). Safe to repeat."""
    load_campaigns()
    campaigns = {campaign.title: campaign for campaign in Campaign.objects.all()}
    _create(
        home,
        title="Thank you",
        slug="thank-you",
        headline="Thank you, {first_name}",
        body=[
            ("status", {}),
            ("text", {"text": PACKING, "show": {"audience": "", "states": ["paid"]}}),
            (
                "offer",
                {
                    "heading": "Forgot something?",
                    "campaign": campaigns[FREE_SHIPPING],
                    "text": "Order again before then and the second parcel travels at our expense.",
                    "button": "Back to the shelves",
                },
            ),
            (
                "coupon",
                {
                    "heading": "And for your next visit",
                    "campaign": campaigns[TEN_PERCENT],
                    "text": "Keep it, or give it to somebody who likes tea.",
                },
            ),
            ("newsletter", NEWSLETTER),
            ("summary", SUMMARY),
        ],
    )
    _create(
        home,
        title="Thank you, welcome back",
        slug="welcome-back",
        headline="Welcome back, {first_name}",
        priority=10,
        rules=[("customer", {"kind": "returning"})],
        body=[
            ("status", {}),
            ("text", {"text": WELCOME_BACK, "show": {"audience": "", "states": ["placed", "paid"]}}),
            (
                "coupon",
                {
                    "heading": "A little thank-you",
                    "campaign": campaigns[FIVE_EURO],
                    "text": "It waits as long as you like.",
                },
            ),
            ("unlock", {"heading": "May we ask you something?", "campaign": campaigns[TASTE]}),
            ("newsletter", NEWSLETTER),
            ("summary", SUMMARY),
        ],
    )


def _create(home: Page, *, slug: str, **fields: Any) -> None:
    if home.get_children().filter(slug=slug).exists():
        return
    page = ThankYouPage(slug=slug, **fields)
    home.add_child(instance=page)
    page.save_revision().publish()
