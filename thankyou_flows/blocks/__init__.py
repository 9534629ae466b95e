"""The blocks of a thank-you page. Import from here; add your own by subclassing ``FlowBlock`` or ``ActionBlock``."""

from __future__ import annotations

from typing import Any

from wagtail import blocks

from .base import Action, ActionBlock, FlowBlock, Outcome, VisibilityBlock
from .content import EverywhereTextBlock, HeadingBlock, TextBlock
from .coupons import CouponBlock, OfferBlock, UnlockBlock
from .newsletter import NewsletterBlock
from .summary import OrderStatusBlock, OrderSummaryBlock

__all__ = [
    "Action",
    "ActionBlock",
    "CouponBlock",
    "EverywhereTextBlock",
    "FlowBlock",
    "FlowStreamBlock",
    "HeadingBlock",
    "NewsletterBlock",
    "OfferBlock",
    "OrderStatusBlock",
    "OrderSummaryBlock",
    "Outcome",
    "TextBlock",
    "UnlockBlock",
    "VisibilityBlock",
]


class FlowStreamBlock(blocks.StreamBlock):
    """All blocks of this package. A site with blocks of its own subclasses it."""

    status = OrderStatusBlock()
    summary = OrderSummaryBlock()
    heading = HeadingBlock()
    text = TextBlock()
    text_everywhere = EverywhereTextBlock()
    offer = OfferBlock()
    coupon = CouponBlock()
    unlock = UnlockBlock()
    newsletter = NewsletterBlock()

    class Meta:
        block_counts: dict[str, Any] = {"summary": {"max_num": 1}, "status": {"max_num": 1}}
