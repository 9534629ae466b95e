"""Coupons that a thank-you page promises: given once per order and campaign, and kept by the shop's checkout.

A coupon is given in a POST: when the shop finishes a checkout (``finish_checkout``), or when the customer presses the
block's button. Looking at a page never gives one, so that a mail scanner cannot start anybody's clock.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption

from .conf import app_settings
from .flow import Promises
from .stores import Store
from .values import Order

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

#: A personal deadline up to this long is urgency, whatever block gave it out.
URGENT_MINUTES = 24 * 60


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A coupon as a block shows it."""

    coupon: Coupon
    #: Its time has passed.
    is_over: bool
    #: All its uses are taken, by orders that are paid.
    is_used: bool
    #: The customer may ask for more time (AX-2).
    is_extendable: bool
    #: It is on this browser's next checkout already.
    is_applied: bool
    #: The shop took it back or paused its campaign: the checkout would refuse it, so it must not be shown (CD-5).
    is_suspended: bool = False
    #: It waits for the customer's answers (CO-9).
    is_locked: bool = False
    #: An order that waits for its payment holds it. If that comes to nothing, it is free again.
    is_reserved: bool = False


def issue_key(*, number: str, campaign: Campaign) -> str:
    """Return the key under which an order gets one coupon of a campaign, and never a second (TY-8, CD-3)."""
    return f"order:{number}:campaign:{campaign.pk}"


def order_number_of(coupon: Coupon) -> str:
    """Return the number of the order that a coupon was given with, or an empty text."""
    begin, key, end = "order:", coupon.issue_key or "", f":campaign:{coupon.campaign_id}"
    return key[len(begin) : -len(end)] if key.startswith(begin) and key.endswith(end) else ""


def holder_key(*, order: Order, key: str) -> str:
    """Return whom the coupons of an order belong to: the customer, or the order itself if it has no e-mail address."""
    return key or f"o:{order.number}"


def give(
    *,
    order: Order,
    campaign: Campaign,
    store: Store,
    key: str = "",
    urgent: bool = False,
    now: datetime | None = None,
) -> Coupon | None:
    """Give the order its coupon of this campaign, and have the shop's own engine honour it.

    ``key`` is the customer key. ``urgent`` marks an offer with a countdown: it is not repeated for the same customer
    within ``OFFER_COOLDOWN_DAYS`` (CD-4). Returns the coupon, the one given earlier if there is one, or None if there
    can't be one. Raises ``coupons.exceptions.CampaignNotRunning``.
    """
    now = now or timezone.now()
    holder = holder_key(order=order, key=key)
    with transaction.atomic():
        unique_key = issue_key(number=order.number, campaign=campaign)
        coupon = Coupon.objects.filter(issue_key=unique_key).select_related("campaign").first()
        if coupon is not None:
            return coupon
        if not order.is_settled:
            return None
        if urgent and any(_keeps_away(other, campaign) for other in _recent(holder=holder, now=now)):
            return None
        coupon = issue(campaign=campaign, issue_key=unique_key, holder_key=holder, now=now)
        if store.has_own_discounts:
            # In the same transaction: a coupon that the shop's engine does not know must not be promised.
            store.publish_coupon(coupon=coupon)
    return coupon


def _recent(*, holder: str, now: datetime) -> QuerySet[Coupon]:
    """Return the holder's coupons of late."""
    since = now - timedelta(days=app_settings.offer_cooldown_days)
    return Coupon.objects.filter(holder_key=holder, issued_at__gt=since).select_related("campaign")


def _keeps_away(other: Coupon, campaign: Campaign) -> bool:
    """Tell whether an earlier coupon makes an urgent offer a repetition: the same campaign, or another one that gives
    the same under a deadline as short. Called by another name, a clock that starts again is still one (CD-4).
    """
    if other.campaign_id == campaign.pk:
        return True
    is_urgent = other.deadline_minutes is not None and other.deadline_minutes <= URGENT_MINUTES
    return is_urgent and other.campaign.benefit == campaign.benefit


class OrderPromises(Promises):
    """The coupons of one order, read with one query when the first block asks."""

    def __init__(self, *, order: Order, key: str, store: Store, request: HttpRequest, now: datetime) -> None:
        self._order = order
        self._holder = holder_key(order=order, key=key)
        self._store = store
        self._request = request
        self._now = now
        self._found: dict[int, Promise | None] = {}

    @cached_property
    def _coupons(self) -> list[Coupon]:
        since = self._now - timedelta(days=app_settings.offer_cooldown_days)
        own = Q(issue_key__startswith=f"order:{self._order.number}:campaign:")
        others = Q(holder_key=self._holder, issued_at__gt=since)
        held = Redemption.objects.reserved().filter(coupon=OuterRef("pk"))
        coupons = Coupon.objects.filter(own | others).select_related("campaign")
        coupons = coupons.annotate(
            is_held=Exists(held.filter(expires_at__gt=self._now)), is_free_again=Exists(held.run_out(now=self._now))
        )
        # Unordered: sorting what is looked up by key costs more than the few rows it would sort.
        return list(coupons.order_by())

    def of(self, campaign: Campaign) -> Promise | None:
        # A block asks when it decides whether it is shown, and again when it is.
        if campaign.pk not in self._found:
            wanted = issue_key(number=self._order.number, campaign=campaign)
            coupon = next((coupon for coupon in self._coupons if coupon.issue_key == wanted), None)
            self._found[campaign.pk] = None if coupon is None else self._promise(coupon)
        return self._found[campaign.pk]

    def _promise(self, coupon: Coupon) -> Promise:
        is_over = coupon.is_over(self._now)
        suspended = coupon.state == Coupon.State.REVOKED or not coupon.campaign.is_running(self._now)
        return Promise(
            coupon=coupon,
            is_over=is_over,
            is_suspended=suspended and not is_over,
            is_locked=coupon.state == Coupon.State.LOCKED,
            # A reservation that ran out is given back as soon as somebody wants it.
            is_used=coupon.is_used_up() and not coupon.is_held and not coupon.is_free_again,  # type: ignore[attr-defined]
            is_reserved=coupon.is_used_up() and coupon.is_held and not coupon.is_free_again,  # type: ignore[attr-defined]
            is_extendable=coupon.is_extendable(self._now),
            # Only some blocks want to know, and a shop may have to load the whole basket to tell.
            is_applied=cast(bool, SimpleLazyObject(partial(self.is_applied, coupon))),
        )

    def may_claim(self, campaign: Campaign, *, urgent: bool) -> bool:
        # A campaign that was deleted since the page was saved is an empty one.
        if not self._order.is_settled or not campaign or not campaign.is_running(self._now):
            return False
        since = self._now - timedelta(days=app_settings.offer_cooldown_days)
        return not urgent or not any(
            _keeps_away(other, campaign)
            for other in self._coupons
            if other.holder_key == self._holder and other.issued_at > since
        )

    def is_applied(self, coupon: Coupon) -> bool:
        try:
            return self._store.has_applied_coupon(request=self._request, coupon=coupon)
        except Exception:
            logger.exception("The store could not say whether a coupon is applied.")
            return False
