"""Words: headings and text, with a few placeholders that are filled in and never evaluated."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail import blocks

from ..values import AccessLevel
from .base import FlowBlock

RICH_TEXT_FEATURES = ["bold", "italic", "link", "document-link", "ol", "ul"]


class HeadingBlock(FlowBlock):
    """A heading between blocks."""

    text = blocks.CharBlock(
        label=_("Heading"),
        max_length=120,
        help_text=_("You can write {first_name} and {order_number}; they are filled in for the customer."),
    )

    class Meta:
        icon = "title"
        label = _("Heading")
        group = pgettext_lazy("group of blocks", "Words")
        template = "thankyou_flows/blocks/heading.html"
        description = _("A line that introduces what follows")
        preview_value = {"text": _("What happens now")}


class TextBlock(FlowBlock):
    """A few sentences."""

    text = blocks.RichTextBlock(
        label=_("Text"),
        features=RICH_TEXT_FEATURES,
        help_text=_("You can write {first_name} and {order_number}; they are filled in for the customer."),
    )

    class Meta:
        icon = "pilcrow"
        label = _("Text")
        group = pgettext_lazy("group of blocks", "Words")
        template = "thankyou_flows/blocks/text.html"
        description = _("A few sentences in your own words")
        preview_value = {"text": _("<p>We pack your order today. You will get a mail when it is on its way.</p>")}


class EverywhereTextBlock(TextBlock):
    """Text that is shown to everybody, also on the page that a stranger sees."""

    access_level = AccessLevel.NONE

    class Meta:
        icon = "info-circle"
        label = _("Text for everybody")
        group = pgettext_lazy("group of blocks", "Words")
        template = "thankyou_flows/blocks/text.html"
        description = _("Shown also to visitors whose order we do not know")
        preview_value = {"text": _("<p>Questions? Our kitchen table is staffed from nine to five.</p>")}
