"""Cancelled and refunded orders: uses come back as the campaign says, exactly once (CO-2)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

from coupons import redemption
from coupons.exceptions import CouponBusy, InvalidCode
from coupons.issuing import issue
from coupons.models import Redemption
from coupons.redemption import redeem, release, release_expired, reserve, reserve_all, restore
from coupons.signals import coupon_released, coupon_restored
from tests.test_coupons.books import check_books, counters, details, life, states, used
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("way")]

LATER = NOW + timedelta(minutes=31)
FACTS = make_facts("20.00", customer_key="c:ann")


@pytest.mark.parametrize(
    ("policy", "because", "comes_back"),
    [
        ("never", "cancelled", False),
        ("never", "refunded", False),
        ("cancelled", "cancelled", True),
        ("cancelled", "refunded", False),
        ("refunded", "cancelled", True),
        ("refunded", "refunded", True),
    ],
)
def test_a_redeemed_use_comes_back_as_the_campaign_says(
    policy: str, because: Literal["cancelled", "refunded"], comes_back: bool
) -> None:
    """CO-2: once, with its counters; neither a repeated call nor a late payment changes anything after that."""
    coupon = make_coupon(give_back=policy, total_limit=5, limit_per_customer=5)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    assert [row.order_ref for row in restore(order_ref="1", because=because, now=LATER)] == ["1"] * comes_back
    after = ("released", 0) if comes_back else ("redeemed", 1)
    for step in (
        lambda: restore(order_ref="1", because=because, now=LATER),
        lambda: release(order_ref="1", now=LATER),
        lambda: redeem(order_ref="1", now=LATER),
        lambda: redeem(order_ref="1", code=coupon.code, now=LATER),
        lambda: release_expired(now=LATER),
    ):
        step()
        assert (states(coupon)["1"], used(coupon)) == after
    assert counters(campaign_id=coupon.campaign_id) == {"": (after[1], 5), "c:ann": (after[1], 5)}
    assert details(coupon, "restored") == [{"because": because}] * comes_back
    row = coupon.redemptions.get()
    assert (row.redeemed_at, row.released_at) == (NOW, LATER if comes_back else None)


@pytest.mark.parametrize("policy", ["never", "refunded"])
def test_what_is_only_reserved_is_released_whatever_the_policy(policy: str) -> None:
    """CO-2: nothing was used; a payment that comes after all does not take it, as after ``release``."""
    coupon = make_coupon(give_back=policy)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    assert len(restore(order_ref="1", because="cancelled", actor="user 3", now=NOW)) == 1
    assert redeem(order_ref="1", now=NOW) == []
    assert used(coupon) == 0
    assert life(coupon)[-1] == ("released", "user 3", "1")


def test_a_reservation_that_ran_out_before_the_order_was_cancelled() -> None:
    """CO-2: the late payment of a cancelled order takes nothing."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release_expired(now=LATER)
    assert restore(order_ref="1", because="cancelled", now=LATER) == []
    assert redeem(order_ref="1", now=LATER) == []
    assert used(coupon) == 0


def test_a_use_over_the_limit_gives_nothing_back() -> None:
    """CO-2: what was never counted is not taken from the counter."""
    coupon = make_coupon(total_limit=1)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    [over] = redeem(order_ref="2", code=coupon.code, now=NOW)
    assert (over.over_limit, over.counts_coupon) == (True, False)
    [back] = restore(order_ref="2", because="cancelled", now=NOW)
    assert (back.state, back.over_limit) == ("released", False)
    assert used(coupon) == 1
    with pytest.raises(InvalidCode):
        reserve(code=coupon.code, order_ref="3", facts=FACTS, now=NOW)


def test_a_use_that_came_back_can_be_used_by_another_order_or_by_the_same() -> None:
    """CO-2: the promise is whole again; an order that is taken up once more is a new use."""
    coupon = make_coupon(limit_per_customer=1)
    for order in ("1", "2", "1"):
        reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
        [row] = redeem(order_ref=order, now=NOW)
        row.refresh_from_db()
        assert (row.state, row.counts_coupon, row.counts_customer) == ("redeemed", True, True)
        assert used(coupon) == 1
        restore(order_ref=order, because="cancelled", now=NOW)
    assert used(coupon) == 0


def test_a_coupon_whose_time_is_over_stays_over() -> None:
    """CO-2, CD-4: cancelling an order does not revive an offer."""
    coupon = make_coupon(deadline_minutes=10)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    restore(order_ref="1", because="cancelled", now=LATER)
    assert used(coupon) == 0
    with pytest.raises(InvalidCode, match="over"):
        reserve(code=coupon.code, order_ref="2", facts=FACTS, now=LATER)
    coupon.refresh_from_db()
    assert coupon.ends_at == NOW + timedelta(minutes=10)


def test_all_coupons_of_the_order_each_by_its_own_campaign() -> None:
    """CO-2."""
    kept = make_coupon(give_back="never")
    back = make_coupon(benefit="percent", percent=10, total_limit=3)
    other = issue(campaign=make_campaign(), now=NOW)
    reserve_all(codes=[kept.code, back.code], order_ref="1", facts=FACTS, now=NOW)
    reserve(code=other.code, order_ref="2", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    assert [row.coupon_id for row in restore(order_ref="1", because="refunded", now=NOW)] == []
    assert [row.coupon_id for row in restore(order_ref="1", because="cancelled", now=NOW)] == [back.pk]
    assert [used(coupon) for coupon in (kept, back, other)] == [1, 0, 1]


def test_an_unknown_order_or_reason() -> None:
    """Nothing happens; a reason that no campaign knows is a programming error."""
    assert restore(order_ref="none", because="cancelled") == []
    with pytest.raises(ValueError, match="because"):
        restore(order_ref="1", because="returned")  # type: ignore[arg-type]


def test_news_of_it_once(django_capture_on_commit_callbacks: Any) -> None:
    """DESIGN §4: a use that comes back after it was redeemed is its own news."""
    heard: list[str] = []

    def restored(redemption: Redemption, **kwargs: Any) -> None:
        heard.append(f"restored {redemption.order_ref}")

    def released(redemption: Redemption, **kwargs: Any) -> None:
        heard.append(f"released {redemption.order_ref}")

    coupon_restored.connect(restored)
    coupon_released.connect(released)
    try:
        coupon = make_coupon(usage_limit=2)
        with django_capture_on_commit_callbacks(execute=True):
            for order in "12":
                reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
            redeem(order_ref="1", now=NOW)
            for order in "1122":
                restore(order_ref=order, because="cancelled", now=NOW)
    finally:
        coupon_restored.disconnect(restored)
        coupon_released.disconnect(released)
    assert heard == ["restored 1", "released 2"]
    check_books()


def test_a_busy_coupon_does_not_keep_back_the_uses_of_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CO-2, CO-3: it is logged, and its turn comes with the next sweep."""
    coupons = [make_coupon() for _ in range(3)]
    for coupon in coupons:
        reserve(code=coupon.code, order_ref=str(coupon.pk), facts=FACTS, now=NOW)
    give_back = redemption.give_back_all_run_out

    def one_is_busy(coupon_id: int, *, now: datetime) -> int:
        if coupon_id == coupons[0].pk:
            raise CouponBusy
        return give_back(coupon_id, now=now)

    monkeypatch.setattr(redemption, "give_back_all_run_out", one_is_busy)
    with caplog.at_level(logging.WARNING, logger="coupons"):
        assert release_expired(now=LATER) == 2
    assert [f"pk {coupons[0].pk} is busy" in record.getMessage() for record in caplog.records] == [True]
    assert [used(coupon) for coupon in coupons] == [1, 0, 0]
    monkeypatch.undo()
    assert release_expired(now=LATER) == 1
