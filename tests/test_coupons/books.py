"""The books of ``coupons``: what is counted, beside the rows that it counts (CO-11)."""

from __future__ import annotations

from collections import Counter

from coupons.models import Coupon, CouponEvent, Redemption, UsageCounter


def check_books() -> None:
    """Assert that every counter says what the live uses say, and that every live use is told in its coupon's life."""
    live = list(Redemption.objects.live().select_related("coupon"))
    coupons = Counter(row.coupon_id for row in live if row.counts_coupon)
    assert dict(Coupon.objects.filter(used__gt=0).values_list("pk", "used")) == dict(coupons)
    under = Counter((row.coupon.campaign_id, "") for row in live if row.counts_total)
    under += Counter((row.coupon.campaign_id, row.customer_key) for row in live if row.counts_customer)
    counters = UsageCounter.objects.filter(used__gt=0)
    assert {(row.campaign_id, row.customer_key): row.used for row in counters} == dict(under)
    released = Redemption.objects.filter(state="released")
    assert not any(row.counts_coupon or row.counts_total or row.counts_customer for row in released)


def used(coupon: Coupon) -> int:
    """Return the coupon's counter, after checking all books."""
    check_books()
    coupon.refresh_from_db()
    return coupon.used


def states(coupon: Coupon) -> dict[str, str]:
    """Return the states of the coupon's uses by their orders."""
    return dict(coupon.redemptions.values_list("order_ref", "state"))


def life(coupon: Coupon) -> list[tuple[str, str, str]]:
    """Return the coupon's life in order: what, by whom, for which order. How it was given out is left out."""
    events = CouponEvent.objects.filter(coupon=coupon).exclude(kind="issued").order_by("pk")
    return list(events.values_list("kind", "actor", "order_ref"))


def details(coupon: Coupon, kind: str) -> list[object]:
    """Return what the events of one kind say more."""
    return list(CouponEvent.objects.filter(coupon=coupon, kind=kind).order_by("pk").values_list("detail", flat=True))


def counters(*, campaign_id: int) -> dict[str, tuple[int, int]]:
    """Return the counters of a campaign by customer key: used and allowed."""
    rows = UsageCounter.objects.filter(campaign_id=campaign_id)
    return {row.customer_key: (row.used, row.allowed) for row in rows}
