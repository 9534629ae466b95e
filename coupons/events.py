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


def compose(
    kind: CouponEvent.Kind,
    *,
    coupon: Coupon | int,
    actor: str = SYSTEM,
    order_ref: str = "",
    at: datetime | None = None,
    **detail: Any,
) -> CouponEvent:
    """Return the row without saving it, for ``add``. ``detail`` must be JSON."""
    return CouponEvent(
        coupon_id=coupon if isinstance(coupon, int) else coupon.pk,
        kind=kind,
        at=at or timezone.now(),
        actor=actor,
        order_ref=order_ref,
        detail=detail,
    )


def add(composed: Iterable[CouponEvent]) -> None:
    """Save these rows in their order, in the transaction of what they tell of; one statement for each thousand."""
    CouponEvent.objects.bulk_create(composed, batch_size=1000)


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
    add([compose(kind, coupon=coupon, actor=actor, order_ref=order_ref, at=at, **detail)])


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
    add(compose(kind, coupon=pk, actor=actor, at=at, **detail) for pk in coupon_ids)
