"""The few database steps that take a coupon's use and give it back; each one is decided by the database (CO-1, CO-3).

Order of locks, everywhere: the order's own lock; then its coupons, in ascending pk; then the counters of their
campaigns, in the order of ``limits.Key``. A redemption is made or changed only by whoever holds the lock of its
coupon, so that its row never has to be waited for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from .conf import app_settings
from .exceptions import CouponBusy
from .models import Campaign, Coupon, Redemption

T = TypeVar("T")

#: How long one statement waits for somebody else's lock (CO-3): longer than any step of ours takes, shorter than a
#: customer waits. In PostgreSQL's words.
PATIENCE: Final = "5s"

#: What databases say when two transactions stand in each other's way: PostgreSQL's SQLSTATE, MySQL's number.
_CONTENTION = frozenset({"40P01", "40001", "55P03", 1205, 1213})


def take(coupon_id: int, *, now: datetime) -> bool:
    """Take one use in one guarded UPDATE, and return whether there was one to take (CO-1).

    The guard repeats every condition that may have changed since the coupon was read. The campaign is asked in a
    subquery on another table: a join would make Django guard a stale copy of the coupon's own row. ``quick`` says the
    same in PostgreSQL's words.
    """
    now_with_grace = now - app_settings.grace
    campaign = Campaign.objects.running(now=now, grace=app_settings.grace).filter(pk=OuterRef("campaign_id"))
    return (
        Coupon.objects.filter(
            Q(usage_limit=None) | Q(used__lt=F("usage_limit")),
            Q(ends_at=None) | Q(ends_at__gt=now_with_grace),
            Exists(campaign),
            pk=coupon_id,
            state=Coupon.State.AVAILABLE,
        ).update(used=F("used") + 1)
    ) == 1


def take_for_paid(coupon_id: int) -> bool:
    """Take one use for an order that is paid: only the limit is asked, and the answer only decides how it is counted
    (CO-2).
    """
    unused = Q(usage_limit=None) | Q(used__lt=F("usage_limit"))
    return Coupon.objects.filter(unused, pk=coupon_id).update(used=F("used") + 1) == 1


def has_use(coupon_id: int) -> bool:
    """Tell whether a use of this coupon is free now."""
    return Coupon.objects.filter(Q(usage_limit=None) | Q(used__lt=F("usage_limit")), pk=coupon_id).exists()


@contextmanager
def settling(order_ref: str = "") -> Iterator[None]:
    """Run in a transaction that waits for locks only so long, and in which nobody else changes what this order holds.

    On PostgreSQL the order's lock is an advisory one; other databases become the only writer by writing first.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor != "postgresql":
            Redemption.objects.filter(order_ref=order_ref).update(order_ref=order_ref)
        else:
            # A caller's transaction keeps the patience that the caller gave it.
            steps: dict[str, str | int] = {"set_config('lock_timeout', %s, true)": PATIENCE} if outermost else {}
            if order_ref:
                steps["pg_advisory_xact_lock(%s)"] = order_lock(order_ref)
            if steps:
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT {', '.join(steps)}", list(steps.values()))
        yield


def order_lock(order_ref: str) -> int:
    """Return the number of an order's advisory lock on PostgreSQL: 64 bits with a sign."""
    digest = hashlib.blake2b(f"thankyou_coupons {order_ref}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def lock(coupon_ids: Iterable[int]) -> None:
    """Lock these coupons for the rest of the transaction, in ascending pk (CO-3). Only inside ``settling``."""
    ids = sorted(set(coupon_ids))
    # Where a database has no row locks (SQLite) nobody else writes since ``settling`` did.
    if ids and connection.features.has_select_for_update:
        # New rows that only point at the coupon need not wait.
        no_key = connection.features.has_select_for_no_key_update
        rows = Coupon.objects.select_for_update(no_key=no_key).filter(pk__in=ids).order_by("pk")
        list(rows.values_list("pk", flat=True))


def patiently(work: Callable[[], T], *, attempts: int = 2) -> T:
    """Do the work; if the database broke off a deadlock or a lock wait, once more, and then raise ``CouponBusy``
    (CO-3).
    """
    for _ in range(attempts - 1):
        try:
            return _attempt(work)
        except CouponBusy:
            continue
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
