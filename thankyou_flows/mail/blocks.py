"""Blocks of a mail: each shows itself as HTML for mail programs, and as plain text.

A block says the same in both: what a template shows is built in Python, and read by the template and by the text. A
block that has nothing to say for this customer leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.images.blocks import ImageBlock

from . import placeholders
from .cards import Picture, find_coupon_card, find_items, find_offer, find_picture
from .placeholders import fill_text, fill_url, validate_placeholders
from .writing import absolute_url, html_to_text, join, link_as_text, rich_html, validate_address

if TYPE_CHECKING:
    from ..followups.facts import MailFacts

#: What an editor can do to a text in a mail: all of it comes through in mail programs, and in plain text.
RICH_TEXT_FEATURES = ["h2", "h3", "bold", "italic", "link", "ol", "ul"]
PLACEHOLDER_HELP = _(
    "You can write {first_name}, {order_number}, {shop_name}, {coupon_code}, {coupon_worth}, {coupon_until} and {title}."
)


class MailBlock(blocks.StructBlock):
    """One piece of a mail. Subclass it, give it a template, and a ``render_text`` if the HTML is not to be told again.

    Its template gets ``value``, ``facts`` (a ``followups.facts.MailFacts``), and what ``say`` returns as ``said``.
    Name the subclass in a ``MailStreamBlock`` of your own, and that in the setting or model that uses it.
    """

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        """Return what the block says to this customer, for the template and the text; something false for nothing."""
        return True

    def get_facts(self, context: Mapping[str, Any] | None) -> MailFacts:
        """Return the facts of the mail; those of a sample where there is no mail."""
        from ..followups.facts import MailFacts
        from .samples import sample_facts

        facts = (context or {}).get("facts")
        return facts if isinstance(facts, MailFacts) else sample_facts("coupon_unused")

    def render(self, value: Any, context: Mapping[str, Any] | None = None) -> SafeString | str:
        facts = self.get_facts(context)
        said = self.say(value, facts)
        if not said:
            return ""
        rendered: SafeString = super().render(value, context={**(context or {}), "facts": facts, "said": said})
        return rendered

    def render_text(self, value: Any, facts: MailFacts) -> str:
        """Return the block as plain text; an empty one if it has nothing to say."""
        return html_to_text(str(self.render(value, {"facts": facts})))


class TextBlock(MailBlock):
    """A few sentences."""

    text = blocks.RichTextBlock(
        label=_("Text"),
        features=RICH_TEXT_FEATURES,
        help_text=PLACEHOLDER_HELP,
        validators=[validate_placeholders],
    )

    class Meta:
        icon = "pilcrow"
        label = _("Text")
        template = "thankyou_flows/email/blocks/text.html"
        description = _("A few sentences in your own words")
        preview_value = {"text": _("<p>Rinse the kettle with a little vinegar once a month, and it stays bright.</p>")}

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        html = rich_html(value.get("text"), facts)
        return html if html_to_text(html) else ""

    def render_text(self, value: Any, facts: MailFacts) -> str:
        return html_to_text(str(self.say(value, facts)))


class PictureBlock(MailBlock):
    """A picture. Many mail programs show it only when asked, so it must say nothing that stands nowhere else."""

    image = ImageBlock(
        label=_("Picture"),
        help_text=_("Many mail programs hide pictures at first. What matters must also stand in the text."),
    )
    url = blocks.CharBlock(
        label=_("Leads to"),
        required=False,
        max_length=500,
        validators=[validate_address, validate_placeholders],
        help_text=_("Example: https://shop.example/tea/"),
    )

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "thankyou_flows/email/blocks/image.html"
        description = _("A picture of up to the full width")

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Picture | None:
        url = absolute_url(fill_url(value.get("url") or "", facts), base_url=facts.base_url)
        return find_picture(value.get("image"), url=url, base_url=facts.base_url)

    def render_text(self, value: Any, facts: MailFacts) -> str:
        said = self.say(value, facts)
        return link_as_text(said.alt, said.url) if said else ""


def leads_elsewhere(value: Mapping[str, Any]) -> bool:
    """Tell whether a button has a target of its own, instead of what the mail is about."""
    return bool(value.get("page") or value.get("url"))


class ButtonBlock(MailBlock):
    """One clear next step."""

    text = blocks.CharBlock(
        label=_("Words on it"),
        max_length=60,
        validators=[validate_placeholders],
        help_text=_("Say what happens. Example: Look at your list"),
    )
    page = blocks.PageChooserBlock(label=_("Page"), required=False)
    url = blocks.CharBlock(
        label=_("or address"),
        required=False,
        max_length=500,
        validators=[validate_address, validate_placeholders],
        help_text=_(
            "Example: https://shop.example/tea/. With neither, it leads to what the mail is about (the order, the "
            "list, the download), or else to your shop."
        ),
    )

    class Meta:
        icon = "link"
        label = _("Button")
        template = "thankyou_flows/email/blocks/button.html"
        description = _("One clear next step")
        preview_value = {"text": _("Look at your list"), "url": "/"}

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if cleaned.get("page") and cleaned.get("url"):
            error = ValidationError(_("Choose a page or write an address, not both."))
            raise blocks.StructBlockValidationError(block_errors={"url": error})
        return cleaned

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        label = placeholders.fill_line(value.get("text") or "", facts)
        page = value.get("page")
        if page is not None:
            # A page that is gone, or not public yet, is a dead end for the customer.
            target = (page.get_url() if page.live else "") or facts.shop_url
        else:
            target = fill_url(value.get("url") or "", facts) or facts.url or facts.shop_url
        url = absolute_url(target, base_url=facts.base_url)
        return {"label": label, "url": url} if label and url else None

    def render_text(self, value: Any, facts: MailFacts) -> str:
        said = self.say(value, facts)
        return f"{said['label']}:\n{said['url']}" if said else ""


class ProductsBlock(MailBlock):
    """Products: what was bought, or what the mail is about."""

    heading = blocks.CharBlock(label=_("Heading"), required=False, max_length=120, validators=[validate_placeholders])
    what = blocks.ChoiceBlock(
        choices=[
            ("about", _("What the mail is about: saved, back in stock, cheaper, bought")),
            ("bought", _("What was bought with the order")),
        ],
        default="about",
        label=_("Which products"),
    )
    count = blocks.IntegerBlock(label=_("How many at most"), default=3, min_value=1, max_value=12)

    class Meta:
        icon = "list-ul"
        label = _("Products")
        template = "thankyou_flows/email/blocks/products.html"
        description = _("Titles, pictures and prices of what was bought or saved")
        preview_value = {"heading": _("You saved these"), "what": "about", "count": 3}

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        items, more = find_items(facts, bought=value.get("what") == "bought", count=value.get("count") or 3)
        heading = fill_text(value.get("heading") or "", facts)
        return {"heading": heading, "items": items, "more": more} if items else None

    def render_text(self, value: Any, facts: MailFacts) -> str:
        said = self.say(value, facts)
        return join([said["heading"], *(item.as_text() for item in said["items"]), said["more"]]) if said else ""


class CouponBlock(MailBlock):
    """The coupon that the mail is about, or that it brings."""

    heading = blocks.CharBlock(
        label=_("Heading"),
        required=False,
        max_length=120,
        validators=[validate_placeholders],
        help_text=_("Example: A small thank-you"),
    )
    how = blocks.CharBlock(
        label=_("How it is used"),
        required=False,
        max_length=250,
        validators=[validate_placeholders],
        help_text=_("Empty: “Type the code at the checkout.”"),
    )

    class Meta:
        icon = "tag"
        label = _("Coupon")
        template = "thankyou_flows/email/blocks/coupon.html"
        description = _("What it is worth, its code, until when, and how it is used. Left out if there is none.")
        preview_value = {"heading": _("A small thank-you"), "how": ""}

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        how = fill_text(value.get("how") or gettext("Type the code at the checkout."), facts)
        card = find_coupon_card(facts, how=how)
        return {"heading": fill_text(value.get("heading") or "", facts), "card": card} if card else None

    def render_text(self, value: Any, facts: MailFacts) -> str:
        said = self.say(value, facts)
        return join([said["heading"], *said["card"].as_text()]) if said else ""


class OfferBlock(MailBlock):
    """A running offer with its end. Left out when it is over: a mail never promises what the checkout refuses (CD-2)."""

    text = blocks.CharBlock(
        label=_("A sentence below it"),
        required=False,
        max_length=250,
        validators=[validate_placeholders],
        help_text=_("Example: On anything you add to your order."),
    )

    class Meta:
        icon = "time"
        label = _("Offer with its end")
        template = "thankyou_flows/email/blocks/offer.html"
        description = _("“Your offer: free shipping until …”. Left out if there is no end, or if it is over.")
        preview_value = {"text": _("On anything you add to your order.")}

    def say(self, value: Mapping[str, Any], facts: MailFacts) -> Any:
        sentence = find_offer(facts)
        return {"sentence": sentence, "text": fill_text(value.get("text") or "", facts)} if sentence else None

    def render_text(self, value: Any, facts: MailFacts) -> str:
        said = self.say(value, facts)
        return join([said["sentence"], said["text"]]) if said else ""


class DividerBlock(MailBlock):
    """A thin line between two thoughts."""

    class Meta:
        icon = "minus"
        label = _("Line")
        template = "thankyou_flows/email/blocks/divider.html"
        description = _("A thin line between two thoughts")

    def render_text(self, value: Any, facts: MailFacts) -> str:
        return "* * *"


class MailStreamBlock(blocks.StreamBlock):
    """The blocks of this package. A site with blocks of its own subclasses it."""

    text = TextBlock()
    button = ButtonBlock()
    coupon = CouponBlock()
    offer = OfferBlock()
    products = ProductsBlock()
    image = PictureBlock()
    divider = DividerBlock()

    class Meta:
        label = _("Mail")
