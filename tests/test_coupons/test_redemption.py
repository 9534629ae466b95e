"""The life of one use: reserve, redeem, release, expire (CO-1, CO-2, CO-3)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from djmoney.money import Money

from coupons.exceptions import CouponBusy, InvalidCode, TypingError
from coupons.ledger import quick, uses
from coupons.models import Campaign, Coupon, Redemption
from coupons.redemption import redeem, release, release_expired, reserve, reserve_all
from coupons.signals import coupon_redeemed, coupon_released, coupon_reserved
from tests.test_coupons.books import life, states, used
from tests.test_coupons.factories import NOW, make_coupon, make_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("way")]

LATER = NOW + timedelta(minutes=31)
FACTS = make_facts("20.00", "5.00")


def interrupt(monkeypatch: pytest.MonkeyPatch, rival: Callable[[], object]) -> None:
    """Let a rival come between reading and taking, whichever way the use is taken."""
    take, run = uses.take, quick.run

    def take_later(coupon_id: int, **kwargs: Any) -> bool:
        rival()
        return take(coupon_id, **kwargs)

    def run_later(statement: str, parameters: dict[str, Any]) -> int | None:
        rival()
        return run(statement, parameters)

    monkeypatch.setattr(uses, "take", take_later)
    monkeypatch.setattr(quick, "run", run_later)


def test_a_reservation_says_what_it_takes_off_and_until_when() -> None:
    """CO-1, CO-2: default 30 minutes; the discounts are kept for the books."""
    coupon = make_coupon(benefit="percent", percent=10)
    facts = make_facts("20.00", customer_key="c:me")
    made = reserve(code=coupon.display_code, order_ref="1", facts=facts, now=NOW)
    made = Redemption.objects.get(pk=made.pk)
    assert (made.coupon_id, made.order_ref, made.state, made.customer_key) == (coupon.pk, "1", "reserved", "c:me")
    assert (made.discount, made.shipping_discount) == (Money(2, "EUR"), Money(0, "EUR"))
    assert (made.reserved_at, made.expires_at) == (NOW, NOW + timedelta(minutes=30))
    assert used(coupon) == 1
    short = reserve(code=make_coupon().code, order_ref="1", facts=facts, now=NOW, ttl=timedelta(minutes=5))
    assert (short.expires_at, short.shipping_discount) == (NOW + timedelta(minutes=5), Money("4.90", "EUR"))


def test_what_reserving_costs(django_assert_num_queries: Any, way: str) -> None:
    """Speed: read the coupon; one statement; a look at what else the order holds.

    Step by step: the limits are read again and the order's own rows looked for under the locks of both, then UPDATE,
    INSERT and the event.
    """
    coupon = make_coupon()
    # Two more are the savepoint that the test puts round the statement, and SELECT … FOR UPDATE.
    with django_assert_num_queries(5 if way == "statement" else 9 + (connection.vendor == "postgresql")):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)


def test_a_declined_card_and_a_second_try() -> None:
    """CO-2: the same order gets the same reservation, with a fresh expiry and the new basket's discount."""
    coupon = make_coupon(benefit="percent", percent=10, deadline_minutes=5)
    first = reserve(code=coupon.code, order_ref="1", facts=make_facts("20.00"), now=NOW)
    again = reserve(code=coupon.code, order_ref="1", facts=make_facts("50.00"), now=NOW + timedelta(minutes=20))
    assert again.pk == first.pk
    again.refresh_from_db()
    assert (again.expires_at, again.discount) == (NOW + timedelta(minutes=50), Money(5, "EUR"))
    assert used(coupon) == 1


def test_released_twice_given_back_once() -> None:
    """CO-2: exactly once."""
    coupon = make_coupon(usage_limit=3)
    for order in "12":
        reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
    [released] = release(order_ref="1", now=NOW)
    assert (released.order_ref, released.state, released.released_at) == ("1", "released", NOW)
    assert release(order_ref="1", now=NOW) == []
    assert release(order_ref="no such order", now=NOW) == []
    assert used(coupon) == 1
    assert states(coupon) == {"1": "released", "2": "reserved"}


def test_a_released_order_may_reserve_again() -> None:
    """CO-2: cancelled, and bought after all."""
    coupon = make_coupon()
    first = reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    again = reserve(code=coupon.code, order_ref="1", facts=FACTS, now=LATER)
    again.refresh_from_db()
    assert (again.pk, again.state, again.released_at, again.reserved_at) == (first.pk, "reserved", None, LATER)
    assert used(coupon) == 1


def test_a_released_order_has_no_claim_when_somebody_else_took_the_use() -> None:
    """CO-1: first come."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    reserve(code=coupon.code, order_ref="2", facts=FACTS, now=NOW)
    with pytest.raises(InvalidCode):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    assert states(coupon) == {"1": "released", "2": "reserved"}
    assert used(coupon) == 1


def test_paying_makes_it_final_and_may_be_reported_any_number_of_times() -> None:
    """CO-2: idempotent, and nothing takes it back."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    for minutes in (1, 2, 100):
        [done] = redeem(order_ref="1", now=NOW + timedelta(minutes=minutes))
        assert (done.state, done.redeemed_at, done.over_limit) == ("redeemed", NOW + timedelta(minutes=1), False)
    assert release(order_ref="1", now=LATER) == []
    assert release_expired(now=LATER) == 0
    assert reserve(code=coupon.code, order_ref="1", facts=FACTS, now=LATER).state == "redeemed"
    assert used(coupon) == 1


def test_expiry_gives_back_once() -> None:
    """CO-2: by the sweep or by the next customer, whoever comes first, but once."""
    coupon = make_coupon(usage_limit=2)
    for order in "12":
        reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
    assert release_expired(now=NOW + timedelta(minutes=29)) == 0
    reserve(code=coupon.code, order_ref="3", facts=FACTS, now=LATER)
    assert states(coupon) == {"1": "released", "2": "released", "3": "reserved"}
    assert release_expired(now=LATER) == 0
    assert used(coupon) == 1


def test_the_sweep_goes_through_all_coupons(capsys: pytest.CaptureFixture[str]) -> None:
    """CO-2: the command for cron."""
    coupons = [make_coupon() for _ in range(3)]
    for coupon in coupons:
        reserve(code=coupon.code, order_ref="1", facts=FACTS, ttl=timedelta(minutes=-1))
    output = StringIO()
    call_command("release_expired_coupons", stdout=output)
    assert output.getvalue() == "given_back=3\n"
    assert [used(coupon) for coupon in coupons] == [0, 0, 0]


def test_late_payment_before_anybody_noticed_the_expiry() -> None:
    """CO-2: works after the TTL."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    [done] = redeem(order_ref="1", now=LATER)
    assert (done.state, done.over_limit) == ("redeemed", False)
    assert used(coupon) == 1


def test_late_payment_after_expiry_takes_a_free_use_again() -> None:
    """CO-2: and is counted, even if the campaign is over by now."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release_expired(now=LATER)
    Campaign.objects.update(status=Campaign.Status.ENDED)
    [done] = redeem(order_ref="1", now=LATER)
    assert (done.state, done.over_limit, done.released_at) == ("redeemed", False, None)
    assert used(coupon) == 1


def test_late_payment_when_no_use_is_left_is_accepted_recorded_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """CO-2: a paid order is never refused; the log names the order and not the code."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="late", facts=FACTS, now=NOW)
    reserve(code=coupon.code, order_ref="quick", facts=FACTS, now=LATER)
    with caplog.at_level(logging.WARNING, logger="coupons"):
        [done] = redeem(order_ref="late", now=LATER)
        redeem(order_ref="late", now=LATER)
    assert (done.state, done.over_limit) == ("redeemed", True)
    assert used(coupon) == 1
    [record] = caplog.records
    assert "late" in record.getMessage()
    assert coupon.code not in record.getMessage()
    assert coupon.display_code not in record.getMessage()
    [other] = redeem(order_ref="quick", now=LATER)
    assert not other.over_limit


def test_what_the_shop_took_back_is_not_redeemed_by_a_later_payment() -> None:
    """CO-2: the customer removed the code after a declined card; the paid order did not use it."""
    coupon, kept = make_coupon(), make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    reserve(code=kept.code, order_ref="1", facts=FACTS, now=NOW)
    assert [each.coupon_id for each in redeem(order_ref="1", now=NOW)] == [kept.pk]
    assert (used(coupon), used(kept)) == (0, 1)


def test_cancelled_after_expiry_is_cancelled() -> None:
    """CO-2: release says more than the lapse of time."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release_expired(now=LATER)
    assert release(order_ref="1", now=LATER) == []
    assert redeem(order_ref="1", now=LATER) == []
    assert used(coupon) == 0


def test_a_use_made_by_the_shops_own_engine_is_recorded() -> None:
    """CO-2: with ``code`` and no reservation; idempotent; nothing but the limit is asked."""
    coupon = make_coupon(now=NOW - timedelta(days=1), deadline_minutes=60)
    for _ in range(2):
        [done] = redeem(order_ref="1", code=coupon.display_code, discount=Money("3.50", "EUR"), now=NOW)
        done.refresh_from_db()
        assert (done.state, done.discount, done.over_limit) == ("redeemed", Money("3.50", "EUR"), False)
    [second] = redeem(order_ref="2", code=coupon.code, now=NOW)
    assert (second.over_limit, second.discount) == (True, None)
    assert used(coupon) == 1


def test_with_a_code_only_this_coupon_is_redeemed() -> None:
    """CO-2: whatever became of its reservation."""
    one, other = make_coupon(), make_coupon()
    for coupon in (one, other):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", code=one.code, now=NOW)
    assert (states(one), states(other)) == ({"1": "redeemed"}, {"1": "reserved"})
    release(order_ref="1", now=NOW)
    redeem(order_ref="1", code=other.code, now=NOW)
    assert states(other) == {"1": "redeemed"}
    assert (used(one), used(other)) == (1, 1)


@pytest.mark.parametrize("code", ["SUMMER10", "", "ACNQQ4DWY5VH"])
def test_a_foreign_code_never_disturbs_a_paid_order(code: str, caplog: pytest.LogCaptureFixture) -> None:
    """CO-2: logged and passed over."""
    assert redeem(order_ref="1", code=code, now=NOW) == []
    assert len(caplog.records) == 1


def test_an_order_without_coupons() -> None:
    """Nothing happens."""
    assert redeem(order_ref="1", now=NOW) == []


def test_reserve_tells_a_typing_error() -> None:
    """CO-5."""
    with pytest.raises(TypingError):
        reserve(code="7K3M-Q0ZT-9XW?", order_ref="1", facts=FACTS, now=NOW)


def test_several_coupons_all_or_none() -> None:
    """CO-3: one that is refused leaves nothing behind."""
    good, bad = make_coupon(benefit="percent", percent=10), make_coupon()
    reserve(code=bad.code, order_ref="other", facts=FACTS, now=NOW)
    with pytest.raises(InvalidCode):
        reserve_all(codes=[bad.code, good.code], order_ref="1", facts=FACTS, now=NOW)
    assert states(good) == {}
    release(order_ref="other", now=NOW)
    held = reserve_all(codes=[bad.code, good.display_code, good.code], order_ref="1", facts=FACTS, now=NOW)
    assert [each.coupon_id for each in held] == [bad.pk, good.pk]
    assert [each.discount.amount + each.shipping_discount.amount for each in held] == [
        Money("4.90", "EUR").amount,
        Money("2.50", "EUR").amount,
    ]
    assert (used(good), used(bad)) == (1, 1)


def test_a_second_try_with_other_codes_holds_exactly_these() -> None:
    """CO-2: what is left out is given back and is not redeemed with the order."""
    one, three = (make_coupon(benefit="percent", percent=10) for _ in range(2))
    two = make_coupon()
    reserve_all(codes=[one.code, two.code], order_ref="1", facts=FACTS, now=NOW)
    reserve_all(codes=[two.code, three.code], order_ref="1", facts=FACTS, now=NOW)
    assert [used(each) for each in (one, two, three)] == [0, 1, 1]
    assert {each.coupon_id for each in redeem(order_ref="1", now=NOW)} == {two.pk, three.pk}
    assert reserve_all(codes=[], order_ref="2", facts=FACTS, now=NOW) == []


def test_a_refused_second_try_keeps_the_first() -> None:
    """CO-3: all or none, also of what would have been given back."""
    one = make_coupon()
    reserve_all(codes=[one.code], order_ref="1", facts=FACTS, now=NOW)
    over = make_coupon(now=NOW - timedelta(days=1), deadline_minutes=1)
    with pytest.raises(InvalidCode):
        reserve_all(codes=[over.code], order_ref="1", facts=FACTS, now=NOW)
    assert states(one) == {"1": "reserved"}


@pytest.mark.parametrize(
    "rival",
    [
        pytest.param({"state": Coupon.State.REVOKED}, id="revoked"),
        pytest.param({"used": 1}, id="used up"),
        pytest.param({"ends_at": NOW - timedelta(minutes=2)}, id="over"),
    ],
)
def test_what_a_rival_does_between_reading_and_taking_is_seen(
    rival: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-1: the guard of the UPDATE decides, not what was read before."""
    coupon = make_coupon()
    interrupt(monkeypatch, lambda: Coupon.objects.filter(pk=coupon.pk).update(**rival))
    with pytest.raises(InvalidCode):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    assert states(coupon) == {}


def test_a_campaign_paused_between_reading_and_taking_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: the campaign is part of the guard."""
    coupon = make_coupon()
    interrupt(monkeypatch, lambda: Campaign.objects.update(status=Campaign.Status.PAUSED))
    with pytest.raises(InvalidCode):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    assert states(coupon) == {}


def test_a_broken_deadlock_is_tried_once_more_and_then_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-3: one retry, then a clear refusal; any other fault of the database is not hidden."""
    coupon = make_coupon()
    faults = [OperationalError("database is locked")]

    def fail() -> None:
        if faults:
            raise faults.pop()

    interrupt(monkeypatch, fail)
    assert reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW).state == "reserved"
    faults += [OperationalError("database is locked")] * 2
    release(order_ref="1", now=NOW)
    with pytest.raises(CouponBusy) as caught:
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    assert caught.value.message
    faults += [OperationalError("disk full")]
    with pytest.raises(OperationalError, match="disk full"):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)


def test_each_step_leaves_a_row_and_repeating_it_leaves_none() -> None:
    """CO-11: what, by whom, for which order."""
    coupon = make_coupon(usage_limit=5)
    for _ in range(2):
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW, actor="customer")
        reserve(code=coupon.code, order_ref="2", facts=FACTS, now=NOW)
        reserve_all(codes=[coupon.code], order_ref="3", facts=FACTS, now=NOW)
    for _ in range(2):
        redeem(order_ref="1", now=NOW)
        release(order_ref="2", actor="user 7", now=NOW)
        reserve_all(codes=[], order_ref="3", facts=FACTS, now=NOW)
    reserve(code=coupon.code, order_ref="4", facts=FACTS, now=NOW)
    for _ in range(2):
        release_expired(now=LATER)
    assert life(coupon) == [
        ("reserved", "customer", "1"),
        ("reserved", "shop", "2"),
        ("reserved", "shop", "3"),
        ("redeemed", "shop", "1"),
        ("released", "user 7", "2"),
        ("released", "shop", "3"),
        ("reserved", "shop", "4"),
        ("ran_out", "system", "4"),
    ]


def test_news_of_each_step_once_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    """DESIGN §4: repeated calls are no news."""
    heard: list[tuple[str, str]] = []
    listeners = []
    for name, signal in {
        "reserved": coupon_reserved,
        "redeemed": coupon_redeemed,
        "released": coupon_released,
    }.items():

        def listen(coupon: Coupon, redemption: Redemption, name: str = name, **kwargs: Any) -> None:
            assert redemption.coupon == coupon
            heard.append((name, redemption.order_ref))

        signal.connect(listen, weak=False)
        listeners.append((signal, listen))
    try:
        coupon = make_coupon(usage_limit=5)
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(2):
                reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
                reserve(code=coupon.code, order_ref="2", facts=FACTS, now=NOW)
            for _ in range(2):
                redeem(order_ref="1", now=NOW)
                release(order_ref="2", now=NOW)
        assert heard == [("reserved", "1"), ("reserved", "2"), ("redeemed", "1"), ("released", "2")]
    finally:
        for signal, listener in listeners:
            signal.disconnect(listener)
