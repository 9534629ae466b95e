"""The life of one use: reserved by a checkout before payment, then redeemed by the paid order, or released (CO-1 to
CO-3).

A shop calls ``reserve_all`` (or ``reserve``) before it takes the money, ``redeem`` when the order is paid,
``release`` when the order is cancelled, and lets ``release_expired`` run from time to time. Every call may be
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from djmoney.money import Money

from . import arithmetic, uses
from . import codes as coupon_codes
from .conf import app_settings
from .exceptions import InvalidCode, TypingError
from .facts import BasketFacts
from .models import Coupon, Redemption
from .quoting import unfit, why_not
from .signals import announce, coupon_redeemed, coupon_reserved

logger = logging.getLogger(__name__)


class _NoUseLeft(Exception):
    """Undoes the transaction of an attempt that the guard refused."""


def reserve(
    *, code: str, order_ref: str, facts: BasketFacts, now: datetime | None = None, ttl: timedelta | None = None
) -> Redemption:
    """Take one use of a coupon for a checkout, before payment, and return it (CO-1, CO-2).

    The same ``order_ref`` gets the same reservation again, with a fresh expiry and the discount of the new facts,
    also when the deadline has passed meanwhile; one that was released is taken again if there is a use left. ``ttl``
    replaces ``RESERVATION_MINUTES``. What the order holds of other coupons is left alone; ``reserve_all`` settles
    several at once. Raises ``TypingError``, ``InvalidCode`` (the one refusal, CO-6) or ``CouponBusy``.
    """
    now = now or timezone.now()
    [coupon] = coupons = _fetch([coupon_codes.normalise(code)], facts)
    columns = _columns(coupons, facts, until=now + (app_settings.reservation if ttl is None else ttl))
    return uses.patiently(lambda: _hold(coupon, order_ref, columns[coupon.pk], now))


def reserve_all(
    *,
    codes: Sequence[str],
    order_ref: str,
    facts: BasketFacts,
    now: datetime | None = None,
    ttl: timedelta | None = None,
) -> list[Redemption]:
    """Take one use of each coupon, all or none; afterwards the order holds exactly these. In the order of ``codes``.

    For a checkout that is tried again with other codes: what the earlier try had reserved and this one leaves out is
    given back. Coupons are locked in ascending pk (CO-3). Raises as ``reserve`` does, and then nothing has changed.
    """
    now = now or timezone.now()
    coupons = _fetch(list(dict.fromkeys(coupon_codes.normalise(code) for code in codes)), facts)
    columns = _columns(coupons, facts, until=now + (app_settings.reservation if ttl is None else ttl))

    def work() -> list[Redemption]:
        with transaction.atomic():
            wanted = {coupon.pk for coupon in coupons}
            dropped = Redemption.objects.reserved().filter(order_ref=order_ref).exclude(coupon_id__in=wanted)
            dropped_now = list(dropped.select_related("coupon__campaign"))
            uses.lock(wanted.union(row.coupon_id for row in dropped_now))
            uses.give_back(dropped_now, now=now, expired=False)
            held = {
                coupon.pk: _hold(coupon, order_ref, columns[coupon.pk], now)
                for coupon in sorted(coupons, key=lambda each: each.pk)
            }
        return [held[coupon.pk] for coupon in coupons]

    return uses.patiently(work)


def redeem(
    *, order_ref: str, code: str | None = None, discount: Money | None = None, now: datetime | None = None
) -> list[Redemption]:
    """Make an order's uses final, because it is paid; return its redemptions, also when called again (CO-2).

    Never refuses a paid order: a reservation that ran out takes its use again, over the limit if it must; that is
    recorded (``over_limit``) and logged. What the shop itself has released stays released. With ``code`` only this
    coupon is redeemed, whatever became of its reservation, and a use that the shop's own discount engine made is
    recorded although nothing was reserved; ``discount`` is what it took off the goods. A code of somebody else's is
    logged and passed over.
    """
    now = now or timezone.now()
    coupon = None
    if code is not None and (coupon := _known(code)) is None:
        logger.warning("order %s was paid with a code that is not ours", order_ref)
        return []
    return uses.patiently(lambda: _redeem(order_ref, coupon, discount, now))


def release(*, order_ref: str, now: datetime | None = None) -> list[Redemption]:
    """Give back what an order has reserved, because it is cancelled; return what this call gave back, exactly once
    (CO-2).

    Redeemed uses stay redeemed.
    """
    now = now or timezone.now()

    def work() -> list[Redemption]:
        with transaction.atomic():
            rows = list(Redemption.objects.filter(order_ref=order_ref).select_related("coupon__campaign"))
            uses.lock(row.coupon_id for row in rows)
            # From now on the shop has said so itself: a late payment does not take these uses again.
            Redemption.objects.filter(order_ref=order_ref, expired=True).update(expired=False)
            return uses.give_back(sorted(rows, key=lambda row: row.coupon_id), now=now, expired=False)

    return uses.patiently(work)


def release_expired(*, now: datetime | None = None) -> int:
    """Give back every reservation whose time has run out; return how many. Safe to run at any time, by any number of
    workers.
    """
    now = now or timezone.now()
    run_out = Redemption.objects.run_out(now=now).order_by("coupon_id")
    coupon_ids = list(run_out.values_list("coupon_id", flat=True).distinct())
    # A transaction for each coupon: no long locks, and one that fails keeps back none of the others' uses.
    return sum(uses.patiently(partial(uses.give_back_run_out, coupon_id, now=now)) for coupon_id in coupon_ids)


def _fetch(stored: list[str], facts: BasketFacts) -> list[Coupon]:
    """Return the coupons of these codes in their order. Raises ``InvalidCode`` for one unknown or unfit for the
    basket.
    """
    found = {coupon.code: coupon for coupon in Coupon.objects.select_related("campaign").filter(code__in=stored)}
    for code in stored:
        coupon = found.get(code)
        reason = "unknown" if coupon is None else unfit(coupon, facts)
        if reason:
            raise InvalidCode(reason=reason)
    return [found[code] for code in stored]


def _columns(coupons: list[Coupon], facts: BasketFacts, *, until: datetime) -> dict[int, dict[str, Any]]:
    """Return what the reservation of each coupon says, by the coupon's pk."""
    quote = arithmetic.apply(benefits=[coupon.as_benefit() for coupon in coupons], facts=facts)
    discounts = {each.code: each for each in quote.discounts}
    return {
        coupon.pk: {
            "discount": discounts[coupon.code].goods,
            "shipping_discount": discounts[coupon.code].shipping,
            "customer_key": facts.customer_key,
            "expires_at": until,
        }
        for coupon in coupons
    }


def _hold(coupon: Coupon, order_ref: str, columns: dict[str, Any], now: datetime) -> Redemption:
    """Reserve one coupon for one order: as a new row, or by going on with the order's own. Raises ``InvalidCode``."""
    # What was read may be stale; it only chooses what is worth trying. The guard in ``take`` decides.
    reason = why_not(coupon, None, now=now)
    if not reason and (made := _hold_anew(coupon, order_ref, columns, now)):
        return made
    own = Redemption.objects.filter(coupon=coupon, order_ref=order_ref).first()
    if own is not None and (again := _hold_again(own, coupon, columns, now)):
        return again
    if reason in ("", "used_up") and uses.make_room(coupon.pk, now=now):
        made = _hold_again(own, coupon, columns, now) if own else _hold_anew(coupon, order_ref, columns, now)
        if made:
            return made
    raise InvalidCode(reason=reason or "used_up")


def _hold_anew(coupon: Coupon, order_ref: str, columns: dict[str, Any], now: datetime) -> Redemption | None:
    """Insert the order's row and take a use, or neither. ``None``: refused by the guard, or the order has a row
    already.
    """
    redemption = Redemption(coupon=coupon, order_ref=order_ref, reserved_at=now, **columns)
    try:
        with transaction.atomic():
            redemption.save(force_insert=True)
            if not uses.take(coupon.pk, now=now):
                raise _NoUseLeft
            announce(coupon_reserved, coupon=coupon, redemption=redemption)
    except (IntegrityError, _NoUseLeft):
        return None
    return redemption


def _hold_again(own: Redemption, coupon: Coupon, columns: dict[str, Any], now: datetime) -> Redemption | None:
    """Go on with the order's earlier row: keep it if it is redeemed, refresh it if reserved, take a use again if
    released.
    """
    own.coupon = coupon
    if own.state == Redemption.State.REDEEMED:
        return own
    for name, value in columns.items():
        setattr(own, name, value)
    changed = {
        **columns,
        **{f"{name}_currency": columns[name].currency.code for name in ("discount", "shipping_discount")},
    }
    if own.state == Redemption.State.RESERVED and Redemption.objects.reserved().filter(pk=own.pk).update(**changed):
        return own
    own.state, own.reserved_at, own.released_at, own.expired = Redemption.State.RESERVED, now, None, False
    changed.update(state=own.state, reserved_at=now, released_at=None, expired=False)
    try:
        with transaction.atomic():
            # The coupon before its row: see the order of locks in ``uses``.
            if not uses.take(coupon.pk, now=now):
                raise _NoUseLeft
            if not Redemption.objects.filter(pk=own.pk, state=Redemption.State.RELEASED).update(**changed):
                raise _NoUseLeft
            announce(coupon_reserved, coupon=coupon, redemption=own)
    except _NoUseLeft:
        # Another request of the same order may have been quicker, which is just as good.
        own.refresh_from_db()
        return None if own.state == Redemption.State.RELEASED else own
    return own


def _known(code: str) -> Coupon | None:
    try:
        stored = coupon_codes.normalise(code)
    except TypingError:
        return None
    return Coupon.objects.select_related("campaign").filter(code=stored).first()


def _redeem(order_ref: str, coupon: Coupon | None, discount: Money | None, now: datetime) -> list[Redemption]:
    with transaction.atomic():
        rows = Redemption.objects.filter(order_ref=order_ref).select_related("coupon__campaign").order_by("coupon_id")
        if coupon is not None:
            rows = rows.filter(coupon=coupon)
        uses.lock([*rows.values_list("coupon_id", flat=True), *([coupon.pk] if coupon else [])])
        redeemed = []
        for row in rows.all():
            if row.state == Redemption.State.RELEASED and not row.expired and coupon is None:
                continue
            if row.state != Redemption.State.REDEEMED:
                _make_final(
                    row, now=now, taken=row.state == Redemption.State.RESERVED, discount=discount if coupon else None
                )
            redeemed.append(row)
        if coupon is not None and not redeemed:
            row = Redemption(coupon=coupon, order_ref=order_ref, reserved_at=now, expires_at=now)
            _make_final(row, now=now, taken=False, discount=discount)
            redeemed.append(row)
    return redeemed


def _make_final(row: Redemption, *, now: datetime, taken: bool, discount: Money | None) -> None:
    """Redeem one row whose coupon is locked; ``taken`` says that it holds a use already."""
    if not taken:
        uses.give_back_run_out(row.coupon_id, now=now)
        row.over_limit = not uses.take_for_paid(row.coupon_id)
    row.state, row.redeemed_at, row.released_at, row.expired = Redemption.State.REDEEMED, now, None, False
    if discount is not None:
        row.discount = discount
    row.save()
    if row.over_limit:
        logger.warning(
            "over-limit use accepted: order %s is paid, coupon %s (pk %s) had no use left",
            row.order_ref,
            coupon_codes.masked(row.coupon.code),
            row.coupon_id,
        )
    announce(coupon_redeemed, coupon=row.coupon, redemption=row)
