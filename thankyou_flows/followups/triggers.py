"""What can lead to a follow-up: the vocabulary of "when". A site adds one with ``register``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class About(StrEnum):
    """What the ``ref`` of a message names."""

    ORDER = "order"  # its number
    COUPON = "coupon"  # pk
    LIST = "list"  # pk of a wishlists.ProductList
    ITEM = "item"  # pk of a wishlists.CatalogEvent, and of the owner
    INQUIRY = "inquiry"  # pk
    SUBSCRIPTION = "subscription"  # pk
    DOWNLOAD = "download"  # what was delivered
    CUSTOMER = "customer"  # the number of the latest order


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One thing that can happen."""

    key: str
    label: Any
    about: About
    help: Any = ""
    #: Whether a step's delay counts back from an end instead of forward from what happened.
    before_end: bool = False
    #: Whether it is looked for by the command ``plan_follow_ups`` instead of being heard.
    looked_for: bool = False
    #: Whether a mail about it can be transactional at all (EM-11).
    may_be_transactional: bool = False


_ALL: dict[str, Trigger] = {}


def register(trigger: Trigger) -> Trigger:
    """Add a trigger to the choices; a second one with the same key replaces it. Call it from ``AppConfig.ready``, and
    ``planning.plan`` when it happens.
    """
    _ALL[trigger.key] = trigger
    return trigger


def get_trigger(key: str) -> Trigger | None:
    """Return the trigger with this key; None if nobody registers it any more."""
    return _ALL.get(key)


def all_triggers() -> Iterator[Trigger]:
    """Yield all triggers, as they were registered."""
    yield from _ALL.values()


def trigger_choices() -> list[tuple[str, Any]]:
    """Return the choices of a follow-up's "when"."""
    return [(trigger.key, trigger.label) for trigger in _ALL.values()]


ORDER_PAID = register(
    Trigger(key="order_paid", label=_("An order is paid"), about=About.ORDER, may_be_transactional=True)
)
ORDER_SHIPPED = register(
    Trigger(key="order_shipped", label=_("An order is on its way"), about=About.ORDER, may_be_transactional=True)
)
ORDER_DELIVERED = register(
    Trigger(key="order_delivered", label=_("An order was delivered"), about=About.ORDER, may_be_transactional=True)
)
REVIEW_WANTED = register(
    Trigger(
        key="review_wanted",
        label=_("A delivered order could be reviewed"),
        about=About.ORDER,
        help=_("Counts from the delivery. Asking for a review is advertising: it needs a consent or the soft opt-in."),
    )
)
COUPON_UNUSED = register(
    Trigger(key="coupon_unused", label=_("A coupon was given and is not used"), about=About.COUPON)
)
COUPON_EXPIRING = register(
    Trigger(
        key="coupon_expiring",
        label=_("A coupon is about to expire"),
        about=About.COUPON,
        before_end=True,
        help=_("The delay is how long before the end."),
    )
)
COUPON_UNLOCKED = register(Trigger(key="coupon_unlocked", label=_("A coupon was unlocked"), about=About.COUPON))
OFFER_ENDING = register(
    Trigger(
        key="offer_ending",
        label=_("A countdown offer is running out"),
        about=About.COUPON,
        before_end=True,
        help=_("For offers of up to a day. The delay is how long before the end."),
    )
)
LIST_UNTOUCHED = register(
    Trigger(
        key="list_untouched",
        label=_("A list is saved and was not touched"),
        about=About.LIST,
        looked_for=True,
        help=_("Saved lists and wish lists of accounts. The delay counts from the last change."),
    )
)
PRICE_DROPPED = register(Trigger(key="price_dropped", label=_("A saved product costs less"), about=About.ITEM))
BACK_IN_STOCK = register(Trigger(key="back_in_stock", label=_("A saved product is back"), about=About.ITEM))
SELLING_OUT = register(Trigger(key="selling_out", label=_("A saved product is about to sell out"), about=About.ITEM))
QUESTION_ANSWERED = register(
    Trigger(key="question_answered", label=_("A question was answered"), about=About.INQUIRY, may_be_transactional=True)
)
DOWNLOAD_DELIVERED = register(
    Trigger(
        key="download_delivered", label=_("A download was delivered"), about=About.DOWNLOAD, may_be_transactional=True
    )
)
SIGN_UP_CONFIRMED = register(
    Trigger(key="sign_up_confirmed", label=_("Somebody confirmed a sign-up"), about=About.SUBSCRIPTION)
)
CUSTOMER_QUIET = register(
    Trigger(
        key="customer_quiet",
        label=_("A customer has been quiet"),
        about=About.CUSTOMER,
        looked_for=True,
        help=_("The delay counts from the latest order."),
    )
)
