"""The order itself: lines, totals, and where it stands."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail import blocks

from ..values import AccessLevel
from .base import FlowBlock


class OrderSummaryBlock(FlowBlock):
    """Lines and totals. Addresses are in it for those who may see them."""

    access_level = AccessLevel.LIMITED
    placement = "aside"

    heading = blocks.CharBlock(label=_("Heading"), required=False, default=_("Your order"), max_length=80)
    show_pictures = blocks.BooleanBlock(label=_("Show product pictures"), required=False, default=True)
    show_addresses = blocks.BooleanBlock(
        label=_("Show the delivery address"),
        required=False,
        default=True,
        help_text=_("Only the customer sees it, never somebody who has just the link."),
    )

    class Meta:
        icon = "list-ul"
        label = _("Order summary")
        group = pgettext_lazy("what a customer bought", "Order")
        template = "thankyou_flows/blocks/order_summary.html"
        description = _("What was bought, what it cost and where it goes")
        preview_value = {"heading": _("Your order"), "show_pictures": True, "show_addresses": True}


class OrderStatusBlock(FlowBlock):
    """Where the order stands, in one sentence, and what happens next."""

    access_level = AccessLevel.LIMITED

    class Meta:
        icon = "clipboard-list"
        label = _("Where the order stands")
        group = pgettext_lazy("what a customer bought", "Order")
        template = "thankyou_flows/blocks/order_status.html"
        description = _("Paid, packed, on its way: one sentence, always true")
        preview_value: ClassVar[dict[str, object]] = {}
