"""Personal deadlines: the one way to move them is the holder's own "I need more time" (AX-2, CD-3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from . import events
from .conf import app_settings
from .exceptions import DeadlineOver, NoMoreExtensions
from .models import Coupon, CouponEvent
from .moments import moment
from .signals import announce, deadline_extended


def extend(
    *, coupon: Coupon, seen_extensions: int, actor: str = events.CUSTOMER, now: datetime | None = None
) -> Coupon:
    """Give the holder the campaign's time once more and return the fresh coupon (AX-2).

    ``seen_extensions`` is the coupon's ``extensions`` as the page showed it when the customer asked: a second click,
    a second tab or a repeated request with the same number changes nothing and gets the coupon as it is now. The new
    end never outlasts the campaign. ``actor`` is who asked, for the audit trail (CO-11).

    Raises ``DeadlineOver`` after the deadline and its grace, or if the coupon was revoked; ``NoMoreExtensions`` for a
    deadline of more than 20 hours, for none, or after ``MAX_EXTENSIONS``.
    """
    now = moment(now)
    coupon = Coupon.objects.select_related("campaign").get(pk=coupon.pk)
    if coupon.extensions > seen_extensions:
        return coupon
    if coupon.state == Coupon.State.REVOKED or (
        coupon.ends_at is not None and coupon.ends_at <= now - app_settings.grace
    ):
        raise DeadlineOver
    # The page cannot have seen more extensions than there are: such a number is made up.
    if coupon.extensions != seen_extensions or not coupon.is_extendable(now):
        raise NoMoreExtensions
    assert coupon.ends_at is not None and coupon.deadline_minutes is not None  # noqa: S101 - says is_extendable
    end = coupon.ends_at + timedelta(minutes=coupon.deadline_minutes)
    if coupon.campaign.ends_at is not None:
        end = min(end, coupon.campaign.ends_at)
    with transaction.atomic():
        moved = (
            Coupon.objects.filter(pk=coupon.pk, extensions=seen_extensions, ends_at__gt=now - app_settings.grace)
            .exclude(state=Coupon.State.REVOKED)
            .update(ends_at=end, extensions=seen_extensions + 1)
        )
        coupon.refresh_from_db(fields=["ends_at", "extensions", "state"])
        if moved:
            events.record(CouponEvent.Kind.EXTENDED, coupon=coupon, actor=actor, at=now, ends_at=end.isoformat())
            announce(deadline_extended, coupon=coupon)
    if not moved and coupon.extensions == seen_extensions:
        raise DeadlineOver
    return coupon
