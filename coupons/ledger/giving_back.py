"""How a use comes back: exactly once, and to just those counters that it was counted in (CO-2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db.models import F

from .. import events
from ..models import Coupon, CouponEvent, Redemption
from ..signals import announce, coupon_released, coupon_restored
from . import limits, uses

#: Reservations that ran out are given back in transactions of so many: nobody waits long behind the sweep.
CHUNK: Final = 200


def give_back(
    rows: Iterable[Redemption],
    *,
    tally: limits.Tally,
    kind: CouponEvent.Kind,
    now: datetime,
    actor: str,
    is_news: bool = True,
    **detail: Any,
) -> list[Redemption]:
    """Release these uses exactly once and return those that this call released (CO-2). ``kind`` is RELEASED, RAN_OUT
    or RESTORED. Nobody but the coupon's life is told unless it ``is_news``.

    Needs the locks of their coupons, and rows that were read under them. The counters follow when ``tally`` is
    settled.
    """
    expired = kind == CouponEvent.Kind.RAN_OUT
    columns = {"state": Redemption.State.RELEASED, "released_at": now, "expired": expired, "over_limit": False}
    none = {"counts_coupon": False, "counts_total": False, "counts_customer": False}
    released, told = [], []
    coming_back: Counter[int] = Counter()
    for row in sorted(rows, key=lambda each: each.coupon_id):
        # The row's own state decides, not the object's.
        if not Redemption.objects.filter(pk=row.pk, state=row.state).update(**columns, **none):
            continue
        tally.give(row)
        coming_back[row.coupon_id] += row.counts_coupon
        for name, value in {**columns, **none}.items():
            setattr(row, name, value)
        told.append(events.compose(kind, coupon=row.coupon_id, actor=actor, order_ref=row.order_ref, at=now, **detail))
        news = coupon_restored if kind == CouponEvent.Kind.RESTORED else coupon_released
        if is_news:
            announce(news, coupon=row.coupon, redemption=row)
        released.append(row)
    for coupon_id, count in coming_back.items():
        Coupon.objects.filter(pk=coupon_id, used__gte=count).update(used=F("used") - count)
    if told:
        events.add(told)
    return released


def give_back_run_out(coupon_id: int, *, now: datetime) -> int:
    """Give back reservations of this coupon whose time has run out, at most ``CHUNK`` and each exactly once; return how
    many.
    """
    run_out = Redemption.objects.run_out(now=now).filter(coupon_id=coupon_id)
    # Asked without a lock first: the usual answer is "none", and then nobody has to wait.
    if not run_out.exists():
        return 0
    with uses.settling():
        uses.lock([coupon_id])
        tally = limits.Tally()
        rows = list(run_out.select_related("coupon__campaign").order_by("pk")[:CHUNK])
        kind = CouponEvent.Kind.RAN_OUT
        released = give_back(rows, tally=tally, kind=kind, now=now, actor=events.SYSTEM)
        tally.settle()
        return len(released)


def give_back_all_run_out(coupon_id: int, *, now: datetime) -> int:
    """Give back every reservation of this coupon whose time has run out; return how many."""
    count = 0
    while released := uses.patiently(partial(give_back_run_out, coupon_id, now=now)):
        count += released
    return count


def make_room(key: limits.Key | int, *, now: datetime) -> bool:
    """Give back what has run out under a limit until it has room (a counter's key, or a coupon's pk), and return
    whether it has, whoever made it.
    """
    for coupon_id in limits.run_out_coupons(key, now=now):
        uses.patiently(partial(give_back_run_out, coupon_id, now=now))
        if has_room(key):
            return True
    return has_room(key)


def has_room(key: limits.Key | int) -> bool:
    """Tell whether a use is free now under a limit."""
    return limits.has_room(key) if isinstance(key, limits.Key) else uses.has_use(key)
