"""The few database steps that take a coupon's use and give it back; each one is decided by the database (CO-1, CO-3).

Order of locks: whoever changes redemptions that are already there locks their coupons first, in ascending pk; a
redemption that is new is inserted before its coupon is touched, so that a hot coupon's row is held as shortly as
possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from django.db import OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q

from .conf import app_settings
from .exceptions import CouponBusy
from .models import Campaign, Coupon, Redemption
from .signals import announce, coupon_released

T = TypeVar("T")

#: What databases say when two transactions stand in each other's way: PostgreSQL's SQLSTATE, MySQL's number.
_CONTENTION = frozenset({"40P01", "40001", "55P03", 1205, 1213})


def take(coupon_id: int, *, now: datetime) -> bool:
    """Take one use in one guarded UPDATE, and return whether there was one to take (CO-1).

    The guard repeats every condition that may have changed since the coupon was read. The campaign is asked in a
    subquery on another table: a join would make Django guard a stale copy of the coupon's own row.
    """
    now_with_grace = now - app_settings.grace
    campaign = Campaign.objects.running(now=now, grace=app_settings.grace).filter(pk=OuterRef("campaign_id"))
    return (
        Coupon.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=now_with_grace),
            Exists(campaign),
            pk=coupon_id,
            state=Coupon.State.AVAILABLE,
            used__lt=F("usage_limit"),
        ).update(used=F("used") + 1)
    ) == 1


def take_for_paid(coupon_id: int) -> bool:
    """Take one use for an order that is paid: only the limit is asked, and the answer only decides how it is counted
    (CO-2).
    """
    return Coupon.objects.filter(pk=coupon_id, used__lt=F("usage_limit")).update(used=F("used") + 1) == 1


def lock(coupon_ids: Iterable[int]) -> None:
    """Lock these coupons for the rest of the transaction, in ascending pk (CO-3)."""
    ids = sorted(set(coupon_ids))
    if ids:
        # Evaluated for its locks. Where a database has no row locks (SQLite) writers wait for each other anyway.
        list(Coupon.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def give_back(redemptions: Iterable[Redemption], *, now: datetime, expired: bool) -> list[Redemption]:
    """Release these reservations exactly once and return those that this call released (CO-2). Needs the coupons'
    locks.

    With ``expired`` only those are released whose time has really run out; the row's own state decides, not the
    object's.
    """
    released = []
    for redemption in redemptions:
        rows = Redemption.objects.filter(pk=redemption.pk)
        rows = rows.run_out(now=now) if expired else rows.reserved()
        if not rows.update(state=Redemption.State.RELEASED, released_at=now, expired=expired):
            continue
        Coupon.objects.filter(pk=redemption.coupon_id, used__gt=0).update(used=F("used") - 1)
        redemption.state, redemption.released_at, redemption.expired = Redemption.State.RELEASED, now, expired
        announce(coupon_released, coupon=redemption.coupon, redemption=redemption)
        released.append(redemption)
    return released


def give_back_run_out(coupon_id: int, *, now: datetime) -> int:
    """Give back the reservations of this coupon whose time has run out, each exactly once; return how many."""
    run_out = Redemption.objects.run_out(now=now).filter(coupon_id=coupon_id)
    # Asked without a lock first: the usual answer is "none", and then nobody has to wait.
    if not run_out.exists():
        return 0
    with transaction.atomic():
        lock([coupon_id])
        return len(give_back(run_out.select_related("coupon__campaign"), now=now, expired=True))


def make_room(coupon_id: int, *, now: datetime) -> bool:
    """Give back what has run out, and return whether a use is free now, whoever gave it back."""
    give_back_run_out(coupon_id, now=now)
    return Coupon.objects.filter(pk=coupon_id, used__lt=F("usage_limit")).exists()


def patiently(work: Callable[[], T]) -> T:
    """Do the work; if the database broke off a deadlock or a lock wait, once more, and then raise ``CouponBusy``
    (CO-3).
    """
    try:
        return _attempt(work)
    except CouponBusy:
        return _attempt(work)


def _attempt(work: Callable[[], T]) -> T:
    try:
        return work()
    except OperationalError as error:
        cause = error.__cause__
        known = getattr(cause, "sqlstate", None) or (error.args[0] if error.args else None)
        if known in _CONTENTION or "database is locked" in str(error):
            raise CouponBusy from error
        raise
