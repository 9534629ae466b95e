"""The few database steps that take a coupon's use and give it back; each one is decided by the database (CO-1, CO-3).

Order of locks, everywhere: the order's own lock; then the limits of its campaigns, shared; then its coupons, in
ascending pk; then the counters, in the order of ``limits.Key``. A redemption is made or changed only by whoever holds
the lock of its coupon, so that its row never has to be waited for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from ..conf import app_settings
from ..exceptions import CouponBusy
from ..models import Campaign, Coupon, Redemption

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
            _unused(),
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
    return Coupon.objects.filter(_unused(), pk=coupon_id).update(used=F("used") + 1) == 1


def has_use(coupon_id: int) -> bool:
    """Tell whether a use of this coupon is free now."""
    return Coupon.objects.filter(_unused(), pk=coupon_id).exists()


def _unused() -> Q:
    """Return the condition of a use that is left. A word has its campaign's total limit too: what is stored with the
    word is never below what was used when the owner lowered it.
    """
    room = Q(total_limit=None) | Q(total_limit__gt=OuterRef("used"))
    campaign = Campaign.objects.filter(room, pk=OuterRef("campaign_id"))
    return Q(Q(usage_limit=None) | Q(used__lt=F("usage_limit")), Q(is_word=False) | Exists(campaign))


@contextmanager
def settling(order_ref: str = "", *, campaign_ids: Iterable[int] = ()) -> Iterator[None]:
    """Run in a transaction that waits for locks only so long, and in which nobody else changes what this order holds.

    ``campaign_ids``: campaigns whose limits are going to be read and counted under; see ``share_limits``. On PostgreSQL
    these locks are advisory ones; other databases become the only writer by writing first.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor != "postgresql":
            Redemption.objects.filter(order_ref=order_ref).update(order_ref=order_ref)
        else:
            # A caller's transaction keeps the patience that the caller gave it.
            steps: list[tuple[str, str | int]] = [("set_config('lock_timeout', %s, true)", PATIENCE)] * outermost
            if order_ref:
                steps.append(("pg_advisory_xact_lock(%s)", order_lock(order_ref)))
            _execute(steps + _shared(campaign_ids))
        yield


def share_limits(campaign_ids: Iterable[int]) -> None:
    """Let nobody recount these campaigns until the transaction is over. Only inside ``settling``, before ``lock``.

    A use is counted under the limits that are read after this. Without it an owner could give the campaign a limit,
    and count what is out, between that and the commit: the use would never be counted (CO-1).
    """
    if connection.vendor == "postgresql":
        _execute(_shared(campaign_ids))


def own_limits(campaign_id: int) -> None:
    """Wait until whoever counts under the limits of this campaign is through, and hold up those who come after."""
    if connection.vendor == "postgresql":
        _execute([("pg_advisory_xact_lock(%s)", limits_lock(campaign_id))])


def _shared(campaign_ids: Iterable[int]) -> list[tuple[str, str | int]]:
    return [("pg_advisory_xact_lock_shared(%s)", limits_lock(each)) for each in sorted(set(campaign_ids))]


def _execute(steps: list[tuple[str, str | int]]) -> None:
    if steps:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(sql for sql, _ in steps)}", [value for _, value in steps])


def order_lock(order_ref: str) -> int:
    """Return the number of an order's advisory lock on PostgreSQL: 64 bits with a sign."""
    return _lock_number(f"thankyou_coupons {order_ref}")


def limits_lock(campaign_id: int) -> int:
    """Return the number of the advisory lock on a campaign's limits."""
    return _lock_number(f"thankyou_coupons limits {campaign_id}")


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


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
