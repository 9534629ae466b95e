"""Taking a coupon back for good: a printed code that leaked, a mistake, an abuse."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from . import events
from .models import Coupon, CouponEvent
from .moments import moment
from .signals import announce, coupon_revoked


def revoke(*, coupon: Coupon, actor: str, reason: str = "", now: datetime | None = None) -> Coupon:
    """Withdraw a coupon from now on, and return it fresh (CO-1, CO-11). May be repeated: the first call decides.

    Uses that are reserved or redeemed stay: whoever stands at the till keeps the price, and a paid order is never
    refused (CO-2). ``actor`` says who did it (``events.actor_of(user)``), ``reason`` why; both are in the coupon's
    life. No reason may name a person.
    """
    now = moment(now)
    with transaction.atomic():
        revoked = (
            Coupon.objects.filter(pk=coupon.pk)
            .exclude(state=Coupon.State.REVOKED)
            .update(state=Coupon.State.REVOKED, revoked_at=now)
        )
        coupon = Coupon.objects.select_related("campaign").get(pk=coupon.pk)
        if revoked:
            detail = {"reason": reason} if reason else {}
            events.record(CouponEvent.Kind.REVOKED, coupon=coupon, actor=actor, at=now, **detail)
            announce(coupon_revoked, coupon=coupon)
    return coupon
