"""What a basket costs with coupons. Reading only: a quote takes no use and promises none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Value
from django.utils import timezone

from . import arithmetic
from . import codes as coupon_codes
from .arithmetic import Quote, Refusal
from .conf import app_settings
from .exceptions import (
    CouponError,
    CouponLocked,
    CouponNotForBasket,
    CouponOver,
    CouponUsedUp,
    InvalidCode,
    TypingError,
)
from .facts import BasketFacts
from .holders import is_foreign
from .models import Campaign, Coupon, Redemption

#: The error for the proven holder, by the reason; every other reason means that the coupon's time is over.
_EXPLAINED: Final[Mapping[str, type[CouponError]]] = {
    "used_up": CouponUsedUp,
    "locked": CouponLocked,
    "currency": CouponNotForBasket,
    "foreign": CouponNotForBasket,
}


def quote(*, codes: Sequence[str], facts: BasketFacts, now: datetime | None = None, order_ref: str = "") -> Quote:
    """Return the basket with these codes applied; wrong codes become ``refusals`` and nothing is raised. At most one
    query.

    A code that cannot be one is refused with a ``TypingError`` and no query; every other wrong one with the same
    ``InvalidCode`` (CO-6). ``order_ref`` names an order that was already tried: what it has reserved does not count
    against it (CO-2).
    """
    now = now or timezone.now()
    texts, refusals = _normalised(codes)
    coupons = _fetch(list(texts), now=now, order_ref=order_ref) if texts else {}
    accepted = []
    for code, text in texts.items():
        coupon = coupons.get(code)
        reason = _refused(coupon, facts, now=now)
        if coupon is None or reason:
            refusals.append(Refusal(text=text, error=InvalidCode(reason=reason)))
        else:
            accepted.append(coupon.as_benefit())
    return arithmetic.apply(benefits=accepted, facts=facts, refusals=refusals)


def explain(*, coupon: Coupon, facts: BasketFacts | None = None, now: datetime | None = None) -> CouponError | None:
    """Return why a coupon would be refused now, or ``None``. **Only for its proven holder**: it tells what CO-6
    hides.
    """
    reason = why_not(coupon, facts, now=now or timezone.now())
    if not reason:
        return None
    return _EXPLAINED.get(reason, CouponOver)(reason=reason)


def why_not(coupon: Coupon | None, facts: BasketFacts | None, *, now: datetime, free: bool = False) -> str:
    """Return the reason against a coupon in one word, or an empty text. ``free``: a use is known to be coming back."""
    if coupon is None:
        return "unknown"
    if coupon.state != Coupon.State.AVAILABLE:
        return coupon.state
    if not coupon.campaign.is_running(now, grace=app_settings.grace):
        return "campaign_not_running"
    if coupon.ends_at is not None and coupon.ends_at <= now - app_settings.grace:
        return "over"
    if coupon.is_used_up() and not free:
        return "used_up"
    return "" if facts is None else unfit(coupon, facts)


def unfit(coupon: Coupon, facts: BasketFacts) -> str:
    """Return the reason for which a coupon does not go with this basket, or an empty text; nothing here can change
    with time.
    """
    if coupon.campaign.personal and is_foreign(holder_key=coupon.holder_key, customer_key=facts.customer_key):
        return "foreign"
    amount = coupon.campaign.amount
    is_amount = coupon.campaign.benefit == Campaign.Benefit.AMOUNT
    if is_amount and (amount is None or amount.currency.code != facts.currency):
        return "currency"
    return ""


def _normalised(typed: Sequence[str]) -> tuple[dict[str, str], list[Refusal]]:
    """Return the codes in their stored form, each once, with the text it was typed as; and the refusals of the
    others.
    """
    texts: dict[str, str] = {}
    refusals = []
    for text in typed:
        try:
            texts.setdefault(coupon_codes.normalise(text), str(text))
        except TypingError as error:
            refusals.append(Refusal(text=str(text)[:40], error=error))
    return texts, refusals


def _fetch(stored: list[str], *, now: datetime, order_ref: str) -> dict[str, Coupon]:
    """Return the coupons of these codes, each with ``returning`` (one of its taken uses has run out) and ``own`` (this
    order has one of them already).
    """
    uses = Redemption.objects.filter(coupon=OuterRef("pk"))
    live = [Redemption.State.RESERVED, Redemption.State.REDEEMED]
    own = Exists(uses.filter(order_ref=order_ref, state__in=live)) if order_ref else Value(False)
    found = Coupon.objects.filter(code__in=stored).select_related("campaign")
    return {coupon.code: coupon for coupon in found.annotate(returning=Exists(uses.run_out(now=now)), own=own)}


def _refused(coupon: Coupon | None, facts: BasketFacts, *, now: datetime) -> str:
    """Return the reason against a coupon of ``_fetch``. What the order has reserved is its own until it is released."""
    if coupon is not None and coupon.own:  # type: ignore[attr-defined]
        return unfit(coupon, facts)
    return why_not(coupon, facts, now=now, free=coupon is not None and coupon.returning)  # type: ignore[attr-defined]
