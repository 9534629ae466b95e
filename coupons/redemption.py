"""The life of one use: reserved by a checkout before payment, then redeemed by the paid order, or released (CO-1 to
CO-3).

A shop calls ``reserve_all`` (or ``reserve``) before it takes the money, ``redeem`` when the order is paid,
``release`` when the customer gives up, ``restore`` when the order is cancelled or refunded, and lets
``release_expired`` run from time to time. Every call may be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from djmoney.money import Money

from . import codes as coupon_codes
from . import events
from .conf import app_settings
from .exceptions import CouponBusy, TypingError
from .facts import BasketFacts
from .ledger import holding, limits, uses
from .ledger.giving_back import give_back, give_back_all_run_out, make_room
from .models import Campaign, Coupon, CouponEvent, Redemption
from .moments import moment
from .signals import announce, coupon_redeemed

logger = logging.getLogger(__name__)

#: A payment cannot be told to come back later: it stands in line longer than a checkout.
PAID_ATTEMPTS = 5


def reserve(
    *,
    code: str,
    order_ref: str,
    facts: BasketFacts,
    now: datetime | None = None,
    ttl: timedelta | None = None,
    actor: str = events.SHOP,
) -> Redemption:
    """Take one use of a coupon for a checkout, before payment, and return it (CO-1, CO-2).

    The same ``order_ref`` gets the same reservation again, with a fresh expiry and the discount of the new facts,
    also when the deadline has passed meanwhile; one that was released is taken again if there is a use left. ``ttl``
    replaces ``RESERVATION_MINUTES``. What the order holds of other coupons is left alone, and must go together with
    this one; ``reserve_all`` settles several at once. ``facts`` are final: what the shop does not know now counts
    against the coupon (CO-10). Raises ``TypingError``, ``InvalidCode`` (the one refusal, CO-6; also for a coupon that
    would take nothing off this basket) or ``CouponBusy``.
    """
    now = moment(now)
    until = now + (app_settings.reservation if ttl is None else ttl)
    checkout = holding.prepare([code], order_ref=order_ref, facts=facts, now=now, until=until, actor=actor)
    return holding.hold(checkout)[0]


def reserve_all(
    *,
    codes: Sequence[str],
    order_ref: str,
    facts: BasketFacts,
    now: datetime | None = None,
    ttl: timedelta | None = None,
    actor: str = events.SHOP,
) -> list[Redemption]:
    """Take one use of each coupon, all or none; afterwards the order holds exactly these. In the order of ``codes``.

    For a checkout that is tried again with other codes: what the earlier try had reserved and this one leaves out is
    given back. Two coupons of one campaign, or one that is not combinable beside another, are refused. Coupons are
    locked in ascending pk (CO-3). Raises as ``reserve`` does, and then nothing has changed.
    """
    now = moment(now)
    until = now + (app_settings.reservation if ttl is None else ttl)
    checkout = holding.prepare(
        codes, order_ref=order_ref, facts=facts, now=now, until=until, actor=actor, exclusive=True
    )
    return holding.hold(checkout)


def redeem(
    *,
    order_ref: str,
    code: str | None = None,
    discount: Money | None = None,
    shipping_discount: Money | None = None,
    customer_key: str = "",
    actor: str = events.SHOP,
    now: datetime | None = None,
) -> list[Redemption]:
    """Make an order's uses final, because it is paid; return its redemptions, also when called again (CO-2).

    Never refuses a paid order: a reservation that ran out takes its use again, over a limit if it must; that is
    recorded (``over_limit``, and which limits in the coupon's life) and logged. What the shop itself has released
    stays released, and what ``restore`` gave back is never taken again.

    With ``code`` only this coupon is redeemed, whatever became of its reservation, and a use that the shop's own
    discount engine made is recorded although nothing was reserved; ``discount`` is what it took off the goods,
    ``shipping_discount`` what it took off the shipping. ``customer_key`` says whose use it is where that was not known
    before, and counts it under the limit per customer (CO-10). A code of somebody else's is logged and passed over.
    Raises ``CouponBusy`` if the database stays out of reach of a decision: call again. Raises ``ValueError`` for a
    negative discount and an empty ``order_ref``.
    """
    if not order_ref:
        raise ValueError("order_ref must name the order")
    now = moment(now)
    coupon = None
    if code is not None and (coupon := _known(code)) is None:
        logger.warning("order %s was paid with a code that is not ours", order_ref)
        return []
    taken_off = {"discount": discount, "shipping_discount": shipping_discount} if coupon is not None else {}
    for amount in taken_off.values():
        if amount is not None and amount.amount < 0:
            raise ValueError(f"a discount is what was taken off, and cannot be {amount}")
    payment = _Payment(order_ref, coupon, taken_off, customer_key, actor, now)
    while True:
        try:
            return uses.patiently(payment.settle, attempts=PAID_ATTEMPTS)
        except limits.NoUseLeft as error:
            # One look for reservations that have run out; whatever it brings, the next attempt is not refused.
            make_room(error.key, now=now)
            payment.accepted.add(error.key)


def release(*, order_ref: str, actor: str = events.SHOP, now: datetime | None = None) -> list[Redemption]:
    """Give back what an order has reserved, because it will not be paid; return what this call gave back, exactly once
    (CO-2).

    Redeemed uses stay redeemed: see ``restore``. Raises ``CouponBusy``.
    """
    now = moment(now)
    return uses.patiently(lambda: _take_back(order_ref, because="", actor=actor, now=now))


def restore(
    *,
    order_ref: str,
    because: Literal["cancelled", "refunded"],
    actor: str = events.SHOP,
    now: datetime | None = None,
) -> list[Redemption]:
    """Give an order's uses back because it was cancelled or refunded as a whole; return what this call gave back,
    exactly once.

    What is only reserved is released in any case; what is redeemed comes back as each campaign's ``give_back`` says.
    No late ``redeem`` of the same order takes it again. A coupon whose time is over stays over. Raises ``ValueError``
    for another reason, and ``CouponBusy``.
    """
    if because not in ("cancelled", "refunded"):
        raise ValueError(f"because must be 'cancelled' or 'refunded', not {because!r}")
    now = moment(now)
    return uses.patiently(lambda: _take_back(order_ref, because=because, actor=actor, now=now))


def release_expired(*, now: datetime | None = None) -> int:
    """Give back every reservation whose time has run out; return how many. Safe to run at any time, by any number of
    workers. A coupon that somebody holds too long is logged, and left for the next time.
    """
    now = moment(now)
    run_out = Redemption.objects.run_out(now=now).order_by("coupon_id")
    coupon_ids = list(run_out.values_list("coupon_id", flat=True).distinct())
    # Transactions for each coupon: no long locks, and one that has to wait keeps back none of the others' uses.
    released = 0
    for coupon_id in coupon_ids:
        try:
            released += give_back_all_run_out(coupon_id, now=now)
        except CouponBusy:
            logger.warning("coupon pk %s is busy: what has run out comes back next time", coupon_id)
    return released


def _known(code: str) -> Coupon | None:
    try:
        stored = coupon_codes.normalise(code)
    except TypingError:
        return None
    return Coupon.objects.select_related("campaign").filter(code=stored).first()


class _Payment:
    """A paid order on its way into the books. ``accepted``: limits that may be exceeded, because nothing more came
    back under them.
    """

    def __init__(
        self,
        order_ref: str,
        coupon: Coupon | None,
        taken_off: dict[str, Money | None],
        customer_key: str,
        actor: str,
        now: datetime,
    ) -> None:
        self.order_ref, self.coupon, self.now, self.actor = order_ref, coupon, now, actor
        self.taken_off = {name: value for name, value in taken_off.items() if value is not None}
        self.customer_key = customer_key
        self.accepted: set[limits.Key | int] = set()

    def settle(self) -> list[Redemption]:
        """Redeem what is to be redeemed, in one transaction. Raises ``NoUseLeft`` for a limit that is not accepted."""
        with uses.settling(self.order_ref):
            rows = Redemption.objects.filter(order_ref=self.order_ref).select_related("coupon__campaign")
            if self.coupon is not None:
                rows = rows.filter(coupon=self.coupon)
            own = [(self.coupon.pk, self.coupon.campaign_id)] if self.coupon else []
            own += rows.values_list("coupon_id", "coupon__campaign_id")
            uses.share_limits(campaign_id for _, campaign_id in own)
            uses.lock(coupon_id for coupon_id, _ in own)
            found = list(rows.order_by("coupon_id"))
            if self.coupon is not None and not found:
                self.coupon.campaign.refresh_from_db()
                found = [
                    Redemption(
                        coupon=self.coupon,
                        order_ref=self.order_ref,
                        state=Redemption.State.RELEASED,
                        counts_coupon=False,
                        reserved_at=self.now,
                        expires_at=self.now,
                    )
                ]
            paid = [row for row in found if self._is_paid(row)]
            self._make_final([row for row in paid if row.state != Redemption.State.REDEEMED])
        return paid

    def _is_paid(self, row: Redemption) -> bool:
        """Tell whether the paid order has used this coupon."""
        if row.state != Redemption.State.RELEASED:
            return True
        # Given back after it was redeemed: this payment is an echo of the one before.
        return row.redeemed_at is None and (row.expired or self.coupon is not None)

    def _make_final(self, rows: list[Redemption]) -> None:
        over: dict[int, list[str]] = {row.coupon_id: [] for row in rows}
        tally = limits.Tally()
        for row in rows:
            is_new_customer = bool(self.customer_key and not row.customer_key)
            row.customer_key = row.customer_key or self.customer_key
            if row.state == Redemption.State.RELEASED:
                row.counts_coupon = uses.take_for_paid(row.coupon_id)
                if not row.counts_coupon and row.coupon_id not in self.accepted:
                    raise limits.NoUseLeft(row.coupon_id)
                if not row.counts_coupon:
                    over[row.coupon_id].append("used_up")
            elif not is_new_customer:
                # Reserved is promised: what it is counted under was settled then.
                continue
            tally.take(row)
        for row, key in tally.settle(accepted=self.accepted):
            over[row.coupon_id].append(key.reason)
        told = []
        for row in rows:
            row.state, row.redeemed_at, row.released_at, row.expired = Redemption.State.REDEEMED, self.now, None, False
            row.over_limit = bool(over[row.coupon_id])
            for name, value in self.taken_off.items():
                setattr(row, name, value)
            row.save()
            detail = {"over_limit": over[row.coupon_id]} if row.over_limit else {}
            told.append(
                events.compose(
                    CouponEvent.Kind.REDEEMED,
                    coupon=row.coupon_id,
                    actor=self.actor,
                    order_ref=self.order_ref,
                    at=self.now,
                    **detail,
                )
            )
            if row.over_limit:
                _log_over_limit(row, over[row.coupon_id])
            announce(coupon_redeemed, coupon=row.coupon, redemption=row)
        if told:
            events.add(told)


def _log_over_limit(row: Redemption, reasons: list[str]) -> None:
    logger.warning(
        "over-limit use accepted: order %s is paid, coupon %s (pk %s) had no use left (%s)",
        row.order_ref,
        coupon_codes.masked(row.coupon.code),
        row.coupon_id,
        ", ".join(reasons),
    )


def _take_back(order_ref: str, *, because: str, actor: str, now: datetime) -> list[Redemption]:
    """Release what an order has reserved; with a reason also what it has redeemed, as far as its campaigns say so."""
    with uses.settling(order_ref):
        own = Redemption.objects.filter(order_ref=order_ref)
        uses.lock(own.values_list("coupon_id", flat=True))
        # From now on the shop has said so itself: a late payment does not take these uses again.
        own.filter(expired=True).update(expired=False)
        found = list(own.select_related("coupon__campaign").order_by("coupon_id"))
        tally = limits.Tally()
        detail: dict[str, Any] = {"because": because} if because else {}
        given: list[Redemption] = []
        for kind, rows in {
            CouponEvent.Kind.RELEASED: [row for row in found if row.state == Redemption.State.RESERVED],
            CouponEvent.Kind.RESTORED: [row for row in found if _comes_back(row, because)],
        }.items():
            given += give_back(rows, tally=tally, kind=kind, now=now, actor=actor, **detail)
        tally.settle()
    return given


def _comes_back(row: Redemption, because: str) -> bool:
    """Tell whether the campaign gives this redeemed use back for this reason. Its ``give_back`` names the utmost:
    whoever gives back after a refund does so after a cancellation too.
    """
    given = {
        Campaign.GiveBack.NEVER: (),
        Campaign.GiveBack.CANCELLED: ("cancelled",),
        Campaign.GiveBack.REFUNDED: ("cancelled", "refunded"),
    }
    return row.state == Redemption.State.REDEEMED and because in given[Campaign.GiveBack(row.coupon.campaign.give_back)]
