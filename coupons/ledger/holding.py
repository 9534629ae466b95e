"""How a checkout gets hold of its coupons: all of them or none (CO-1 to CO-3). ``redemption`` is the door to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .. import arithmetic, events
from .. import codes as coupon_codes
from ..exceptions import CouponError, InvalidCode
from ..facts import BasketFacts
from ..models import Campaign, Coupon, CouponEvent, Redemption
from ..quoting import clash, unfit, why_not
from ..signals import announce, coupon_reserved
from . import giving_back, limits, quick, uses

#: What could not be kept is not left behind either: one stands in line longer for that.
UNDO_ATTEMPTS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """What a checkout wants: these coupons for this order, each with the columns of its reservation by the coupon's
    pk. ``exclusive``: whatever else the order has reserved is given back.
    """

    order_ref: str
    coupons: tuple[Coupon, ...]
    columns: dict[int, dict[str, Any]]
    now: datetime
    actor: str
    exclusive: bool


def prepare(
    typed: Sequence[str],
    *,
    order_ref: str,
    facts: BasketFacts,
    now: datetime,
    until: datetime,
    actor: str,
    exclusive: bool = False,
) -> Checkout:
    """Return the checkout of these codes, each counted once. One query.

    Raises ``TypingError``, or ``InvalidCode`` for a code that is unknown, does not go with this basket or with another
    of these, or takes nothing off; ``ValueError`` for an empty ``order_ref``, which would be everybody's.
    """
    if not order_ref:
        raise ValueError("order_ref must name the order")
    stored = list(dict.fromkeys(coupon_codes.normalise(text) for text in typed))
    found = _fetch(stored)
    coupons: list[Coupon] = []
    for code in stored:
        coupon = found.get(code)
        if coupon is None:
            raise InvalidCode(reason="unknown")
        if reason := unfit(coupon, facts, final=True) or clash(coupon, coupons):
            raise InvalidCode(reason=reason)
        coupons.append(coupon)
    quote = arithmetic.apply(benefits=[coupon.as_benefit(titled=False) for coupon in coupons], facts=facts)
    discounts = {each.code: each for each in quote.discounts}
    if not all(discounts[coupon.code].amount for coupon in coupons):
        # A use that gives nothing is kept for an order where it does.
        raise InvalidCode(reason="no_discount")
    columns = {
        coupon.pk: {
            "discount": discounts[coupon.code].goods,
            "shipping_discount": discounts[coupon.code].shipping,
            "customer_key": facts.customer_key,
            "expires_at": until,
        }
        for coupon in coupons
    }
    return Checkout(
        order_ref=order_ref, coupons=tuple(coupons), columns=columns, now=now, actor=actor, exclusive=exclusive
    )


def _fetch(stored: list[str]) -> dict[str, Coupon]:
    """Return the coupons of these codes with their campaigns, by their codes."""
    if len(stored) == 1 and quick.is_possible():
        coupon = quick.fetch(stored[0])
        return {} if coupon is None else {coupon.code: coupon}
    return {coupon.code: coupon for coupon in Coupon.objects.select_related("campaign").filter(code__in=stored)}


def hold(checkout: Checkout) -> list[Redemption]:
    """Reserve the coupons of a checkout, and return what the order holds of them, in their order. Raises
    ``InvalidCode`` or ``CouponBusy``, and then nothing has changed.
    """
    if len(checkout.coupons) == 1 and (made := _hold_quickly(checkout)):
        return [made]
    _refuse_early(checkout)
    tried: set[limits.Key | int] = set()
    while True:
        try:
            return uses.patiently(lambda: _settle(checkout))
        except limits.NoUseLeft as error:
            if error.key in tried or not giving_back.make_room(error.key, now=checkout.now):
                raise InvalidCode(reason=error.reason) from None
            tried.add(error.key)


def _hold_quickly(checkout: Checkout) -> Redemption | None:
    """Reserve the only coupon of an order that holds nothing yet, where the database can do it in one statement;
    ``None``: not here, or not so. Raises ``InvalidCode`` if all uses are taken and none can come back.
    """
    [coupon] = checkout.coupons
    if not quick.is_possible():
        return None
    if reason := why_not(coupon, None, now=checkout.now):
        if reason == "used_up" and quick.is_hopeless(coupon, order_ref=checkout.order_ref, now=checkout.now):
            raise InvalidCode(reason=reason)
        return None
    row = _new_row(coupon, checkout)
    if not uses.patiently(lambda: quick.reserve(row, actor=checkout.actor)):
        return None
    if _is_alone(row):
        announce(coupon_reserved, coupon=coupon, redemption=row)
        return row
    try:
        return uses.patiently(lambda: _settle(checkout, made=row.pk))[0]
    except (CouponError, limits.NoUseLeft) as error:
        uses.patiently(lambda: _undo(row, checkout), attempts=UNDO_ATTEMPTS)
        if isinstance(error, limits.NoUseLeft):
            raise InvalidCode(reason=error.reason) from None
        raise


def _is_alone(row: Redemption) -> bool:
    """Tell whether the order holds nothing else by now. The statement may have begun before another request of the
    same order was through: whoever comes second sees the other here, and then they are settled in turn.
    """
    return quick.is_alone(row)


def _undo(row: Redemption, checkout: Checkout) -> None:
    with uses.settling(checkout.order_ref):
        uses.lock([row.coupon_id])
        rows = Redemption.objects.reserved().filter(pk=row.pk).select_related("coupon__campaign")
        tally, kind = limits.Tally(), CouponEvent.Kind.RELEASED
        # Nobody has heard of it yet, so that nobody hears that it is gone.
        giving_back.give_back(rows, tally=tally, kind=kind, now=checkout.now, actor=checkout.actor, is_news=False)
        tally.settle()


def _refuse_early(checkout: Checkout) -> None:
    """Raise ``InvalidCode`` if a coupon is out of the question and not held already: nobody is locked for that.

    What was read may be stale; a use that has come back since is found by ``make_room``.
    """
    for coupon in checkout.coupons:
        reason = why_not(coupon, None, now=checkout.now)
        full: list[limits.Key | int] = [coupon.pk] if reason == "used_up" else []
        if not reason:
            keys = limits.limits_of(coupon, checkout.columns[coupon.pk]["customer_key"])
            full += [key for key in keys if not limits.has_room(key)]
            reason = next((key.reason for key in keys if key in full), "")
        if not reason or _holds_of(coupon.campaign_id, checkout):
            continue
        if not full or not all(giving_back.make_room(key, now=checkout.now) for key in full):
            raise InvalidCode(reason=reason)


def _holds_of(campaign_id: int, checkout: Checkout) -> bool:
    """Tell whether the order holds a coupon of this campaign: this one, or one that may be given back for it."""
    rows = Redemption.objects.live().filter(order_ref=checkout.order_ref)
    return rows.filter(coupon__campaign_id=campaign_id).exists()


def _settle(checkout: Checkout, *, made: int | None = None) -> list[Redemption]:
    """Reserve all or none in one transaction. Raises ``InvalidCode``, or ``NoUseLeft`` for a limit that may have
    room when what ran out is given back. ``made``: pk of a reservation that is in the books, and not yet announced.
    """
    campaign_ids = {coupon.campaign_id for coupon in checkout.coupons}
    with uses.settling(checkout.order_ref, campaign_ids=campaign_ids):
        # Whatever the checkout has read, the limits are those that nobody changes now.
        campaigns = Campaign.objects.in_bulk(campaign_ids)
        for coupon in checkout.coupons:
            coupon.campaign = campaigns[coupon.campaign_id]
        wanted = {coupon.pk for coupon in checkout.coupons}
        rows = Redemption.objects.filter(order_ref=checkout.order_ref).select_related("coupon__campaign")
        known = list(rows)
        others = [row for row in known if row.coupon_id not in wanted and row.state != Redemption.State.RELEASED]
        dropped = [row for row in others if checkout.exclusive and row.state == Redemption.State.RESERVED]
        kept = [row.coupon for row in others if row not in dropped]
        for coupon in checkout.coupons:
            if reason := clash(coupon, kept):
                raise InvalidCode(reason=reason)
        uses.lock({*wanted, *(row.coupon_id for row in dropped)})
        # What an order holds may run out until its coupons are locked.
        own = {row.coupon_id: row for row in rows.all()} if known else {}
        tally, kind = limits.Tally(), CouponEvent.Kind.RELEASED
        dropped = [row for row in own.values() if row in dropped and row.state == Redemption.State.RESERVED]
        giving_back.give_back(dropped, tally=tally, kind=kind, now=checkout.now, actor=checkout.actor)
        taken = []
        for coupon in sorted(checkout.coupons, key=lambda each: each.pk):
            row = own.setdefault(coupon.pk, _new_row(coupon, checkout))
            row.coupon = coupon
            if row.state == Redemption.State.REDEEMED:
                continue
            is_new = row.state == Redemption.State.RELEASED or row.pk is None
            moves = not is_new and row.customer_key != checkout.columns[coupon.pk]["customer_key"]
            if is_new:
                _take(coupon, checkout.now)
                taken.append(row)
            elif moves:
                # The guest has corrected the address: the use is counted for the customer they are now.
                tally.give(row)
            _write_columns(row, checkout)
            if is_new or moves:
                tally.take(row)
        tally.settle()
        held = [own[pk] for pk in sorted(wanted)]
        _save([row for row in held if row.state == Redemption.State.RESERVED], taken, checkout)
        for row in held:
            if row in taken or row.pk == made:
                announce(coupon_reserved, coupon=row.coupon, redemption=row)
    return [own[coupon.pk] for coupon in checkout.coupons]


def _new_row(coupon: Coupon, checkout: Checkout) -> Redemption:
    return Redemption(
        coupon=coupon,
        order_ref=checkout.order_ref,
        reserved_at=checkout.now,
        **checkout.columns[coupon.pk],
    )


def _write_columns(row: Redemption, checkout: Checkout) -> None:
    """Make it a reservation of this checkout's, whatever it was before."""
    for name, value in checkout.columns[row.coupon_id].items():
        setattr(row, name, value)
    if row.state == Redemption.State.RELEASED:
        row.state, row.reserved_at, row.counts_coupon = Redemption.State.RESERVED, checkout.now, True
        row.released_at = row.redeemed_at = None
        row.expired = False


def _take(coupon: Coupon, now: datetime) -> None:
    """Take a use. Raises ``NoUseLeft`` if only that is missing, else ``InvalidCode``."""
    if uses.take(coupon.pk, now=now):
        return
    # It was otherwise when it was read; now it is locked and stays as it is.
    fresh = Coupon.objects.select_related("campaign").get(pk=coupon.pk)
    reason = why_not(fresh, None, now=now)
    if reason in ("", "used_up"):
        raise limits.NoUseLeft(coupon.pk)
    raise InvalidCode(reason=reason)


def _save(rows: list[Redemption], taken: list[Redemption], checkout: Checkout) -> None:
    for row in rows:
        row.save(force_insert=row.pk is None)
    if taken:
        events.add(
            events.compose(
                CouponEvent.Kind.RESERVED,
                coupon=row.coupon_id,
                actor=checkout.actor,
                order_ref=checkout.order_ref,
                at=checkout.now,
            )
            for row in taken
        )
