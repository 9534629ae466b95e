"""What this app keeps: a small projection of the shop's orders, links to them, who agreed to which mails, follow-ups,
and the outbox.
"""

from __future__ import annotations

from .contacts import Contact, Suppression
from .followups import FollowUp, FollowUpStep
from .links import OrderLink
from .mailing_lists import MailingList
from .messages import Ground, LastLook, MailEvent, Message, MessageKind, WhyNot
from .orders import OrderRecord, OrderRecordLine
from .subscriptions import ConfirmationAllowance, ConfirmationLink, ConsentReceipt, Subscription

__all__ = [
    "ConfirmationAllowance",
    "ConfirmationLink",
    "ConsentReceipt",
    "Contact",
    "FollowUp",
    "FollowUpStep",
    "Ground",
    "LastLook",
    "MailEvent",
    "MailingList",
    "Message",
    "MessageKind",
    "OrderLink",
    "OrderRecord",
    "OrderRecordLine",
    "Subscription",
    "Suppression",
    "WhyNot",
]
