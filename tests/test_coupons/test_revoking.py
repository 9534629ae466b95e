"""Taking a coupon back for good (CO-1, CO-2, CO-11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coupons.deadlines import extend
from coupons.exceptions import DeadlineOver, InvalidCode
from coupons.models import Coupon
from coupons.redemption import redeem, reserve
from coupons.revoking import revoke
from coupons.signals import coupon_revoked
from tests.test_coupons.books import details, life, used
from tests.test_coupons.factories import NOW, make_coupon, make_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("way")]

FACTS = make_facts("20.00")


def test_a_revoked_coupon_is_refused_for_good_and_the_first_call_decides() -> None:
    """CO-1, CO-11: one step, one row."""
    coupon = make_coupon(deadline_minutes=60)
    revoked = revoke(coupon=coupon, actor="user 7", reason="leaked", now=NOW)
    again = revoke(coupon=coupon, actor="user 8", reason="leaked again", now=NOW + timedelta(hours=1))
    assert (revoked.state, again.state, again.revoked_at) == ("revoked", "revoked", NOW)
    assert life(coupon) == [("revoked", "user 7", "")]
    assert details(coupon, "revoked") == [{"reason": "leaked"}]
    with pytest.raises(InvalidCode, match="revoked"):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    with pytest.raises(DeadlineOver):
        extend(coupon=coupon, seen_extensions=0, now=NOW)


def test_whoever_stands_at_the_till_keeps_the_price() -> None:
    """CO-2: what is reserved stays, also for a second try of the same order, and is paid for."""
    coupon = make_coupon(usage_limit=2)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    revoke(coupon=coupon, actor="shop", now=NOW)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    [row] = redeem(order_ref="1", now=NOW)
    assert (row.state, row.over_limit) == ("redeemed", False)
    assert used(coupon) == 1


def test_a_locked_coupon_can_be_revoked() -> None:
    """CO-9: whatever the state."""
    coupon = make_coupon()
    Coupon.objects.update(state=Coupon.State.LOCKED)
    assert revoke(coupon=coupon, actor="system", now=NOW).state == "revoked"


def test_news_of_it_once(django_capture_on_commit_callbacks: Any) -> None:
    """DESIGN §4."""
    heard: list[Coupon] = []

    def listen(coupon: Coupon, **kwargs: Any) -> None:
        heard.append(coupon)

    coupon_revoked.connect(listen)
    try:
        coupon = make_coupon()
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(2):
                revoke(coupon=coupon, actor="shop", now=NOW)
    finally:
        coupon_revoked.disconnect(listen)
    assert heard == [coupon]


def test_more_time_is_told_in_the_coupons_life() -> None:
    """AX-2, CO-11: once, by whom, and until when."""
    coupon = make_coupon(deadline_minutes=60)
    for actor in ("customer", "user 7"):
        extend(coupon=coupon, seen_extensions=0, actor=actor, now=NOW)
    assert life(coupon) == [("extended", "customer", "")]
    assert details(coupon, "extended") == [{"ends_at": "2026-05-04T14:00:00+00:00"}]
