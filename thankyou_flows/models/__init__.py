"""What this app keeps: a small projection of the shop's orders, links to them, and newsletter sign-ups."""

from __future__ import annotations

from .links import OrderLink
from .orders import OrderRecord, OrderRecordLine
from .subscriptions import ConfirmationAllowance, ConfirmationLink, ConsentReceipt, Subscription

__all__ = [
    "ConfirmationAllowance",
    "ConfirmationLink",
    "ConsentReceipt",
    "OrderLink",
    "OrderRecord",
    "OrderRecordLine",
    "Subscription",
]
