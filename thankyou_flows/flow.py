"""The flow: all that one request may know. Built once per request, read by every block, changed by none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from .values import AccessLevel, Order

if TYPE_CHECKING:
    from django.forms import Form

    from coupons.models import Campaign, Coupon

    from .promises import Promise


def unknown() -> None:
    """Nobody knows whether it is the customer's first order."""


class Promises:
    """The coupons that belong to one order. Blocks ask for them by campaign; without an order there are none."""

    def of(self, campaign: Campaign) -> Promise | None:
        """Return what the order was promised from this campaign, or None if nothing (yet)."""
        return None

    def may_claim(self, campaign: Campaign, *, urgent: bool) -> bool:
        """Tell whether the customer could still get a coupon of this campaign for this order."""
        return False

    def is_applied(self, coupon: Coupon) -> bool:
        """Tell whether the coupon is on this browser's next checkout already."""
        return False


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What the blocks of one page may know about the visitor and the order.

    ``order`` is None when the visitor may see none; with ``LIMITED`` access its personal data are gone already, so
    that a block cannot show by mistake what the visitor has no right to see.
    """

    level: AccessLevel = AccessLevel.NONE
    order: Order | None = None
    #: Keyed hash that names the customer to ``coupons``; empty if the order has no e-mail address.
    customer_key: str = ""
    #: Whether a visitor with a mere link can prove to be the customer by typing the order's e-mail address.
    can_confirm_email: bool = False
    #: Finds out whether this is the customer's first order; asked through ``is_first_order``.
    find_first_order: Callable[[], bool | None] = unknown
    now: datetime = field(default_factory=timezone.now)
    #: Where a block's answer leads back to.
    url: str = ""
    #: The shop's front door, for "continue shopping".
    shop_url: str = "/"
    promises: Promises = field(default_factory=Promises)
    #: What the visitor's last action on a block came to: block id → outcome code (shown after the redirect).
    outcomes: Mapping[str, str] = field(default_factory=dict)
    #: Forms that came back with errors: block id → bound form.
    forms: Mapping[str, Form] = field(default_factory=dict)
    #: A preview in the admin: nothing is written, nothing sent, and forms are switched off.
    is_preview: bool = False
    #: The page and revision on which all this is shown: kept with a consent (EM-4).
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_first_order(self) -> bool | None:
        """Whether this is the customer's first order; None if that is not known. Costs a query when it is asked."""
        return self.find_first_order()

    @property
    def has_order(self) -> bool:
        return self.order is not None

    @property
    def is_full(self) -> bool:
        """Whether personal data may be shown."""
        return self.level >= AccessLevel.FULL

    @property
    def base_template(self) -> str:
        """The site's layout, for ``{% extends %}``."""
        from .layout import find_base_template

        return find_base_template()

    @property
    def confirm_email_form(self) -> Form | None:
        """The "is this your order?" form if it came back with errors."""
        return self.forms.get("confirm-email")
