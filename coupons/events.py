"""The audit trail: one row for each step of a coupon's life (CO-11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from .models import Coupon, CouponEvent

#: Who did it, where nobody says otherwise.
SHOP: Final = "shop"
CUSTOMER: Final = "customer"
SYSTEM: Final = "system"


def actor_of(user: Any) -> str:
    """Return how the audit trail names a member of staff: by primary key, which stays when the name changes."""
    return f"user {user.pk}"


def record(
    kind: CouponEvent.Kind,
    *,
    coupon: Coupon | int,
    actor: str = SYSTEM,
    order_ref: str = "",
    at: datetime | None = None,
    **detail: Any,
) -> None:
    """Add a row to the coupon's life, in the transaction of what it tells of. ``detail`` must be JSON."""
    CouponEvent.objects.create(
        coupon_id=coupon if isinstance(coupon, int) else coupon.pk,
        kind=kind,
        at=at or timezone.now(),
        actor=actor,
        order_ref=order_ref,
        detail=detail,
    )


def record_all(
    kind: CouponEvent.Kind,
    *,
    coupon_ids: Iterable[int],
    actor: str = SYSTEM,
    at: datetime | None = None,
    **detail: Any,
) -> None:
    """Add the same row to the lives of many coupons, with one statement for each thousand."""
    at = at or timezone.now()
    CouponEvent.objects.bulk_create(
        (CouponEvent(coupon_id=pk, kind=kind, at=at, actor=actor, detail=detail) for pk in coupon_ids),
        batch_size=1000,
    )
