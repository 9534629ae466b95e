"""What a follow-up's mail may speak of: gathered anew each time, from today's shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coupons.models import Coupon

from ..models import Message
from ..rules import Facts as RuleFacts
from ..values import Order, Product


@dataclass(frozen=True, kw_only=True)
class MailFacts:
    """Everything that the blocks, placeholders and rules of one mail may look at."""

    now: datetime
    #: The order it is about, or the customer's latest one; None if there is none.
    order: Order | None = None
    #: The coupon it is about, or that it carries.
    coupon: Coupon | None = None
    #: What it is about, or what was bought or saved: for the block "products".
    products: tuple[Product, ...] = ()
    first_name: str = ""
    shop_name: str = ""
    shop_url: str = "/"
    #: "https://shop.example", before every path.
    base_url: str = ""
    #: Where the customer leads from here: the list, the question's product, the download.
    url: str = ""
    #: Name of the list, the download, or what else it is about.
    title: str = ""
    preferences_url: str = ""
    unsubscribe_url: str = ""
    is_preview: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


def gather(message: Message, *, now: datetime) -> MailFacts:
    """Return the facts of a message. Costs the same whatever the order's number of lines. Writes nothing: the carried
    coupon is issued by ``composing.compose``.
    """
    raise NotImplementedError


def rule_facts(facts: MailFacts) -> RuleFacts | None:
    """Return the same for ``rules.rules_hold``; None if there is no order to look at: then no rule that needs one holds."""
    raise NotImplementedError
