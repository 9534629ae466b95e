"""Many checkouts at once, on PostgreSQL: invariants, and proof that the tests would notice a missing guard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from coupons import uses
from coupons.deadlines import extend
from coupons.exceptions import InvalidCode
from coupons.issuing import issue
from coupons.models import Coupon, Redemption
from coupons.redemption import redeem, release, release_expired, reserve, reserve_all
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THREADS = 20
FACTS = make_facts()
T = TypeVar("T")


def at_once(work: Callable[[int], T], *, threads: int = THREADS) -> list[T | Exception]:
    """Run ``work(0) … work(n - 1)`` in threads that start together; return results and exceptions in this order."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> T | Exception:
        try:
            barrier.wait(timeout=30)
            return work(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def redeem_together(coupon: Coupon) -> list[object]:
    """Let each thread take the coupon through a whole checkout of its own."""

    def checkout(number: int) -> str:
        reserve(code=coupon.code, order_ref=f"order {number}", facts=FACTS, now=NOW)
        redeem(order_ref=f"order {number}", now=NOW)
        return "paid"

    return list(at_once(checkout))


@pytest.mark.parametrize("limit", [1, 7])
def test_twenty_checkouts_of_one_coupon(limit: int) -> None:
    """CO-1: exactly the limit, whoever is quicker; the others get the one refusal."""
    for _ in range(10):
        coupon = make_coupon(usage_limit=limit)
        results = redeem_together(coupon)
        assert results.count("paid") == limit, results
        assert sum(isinstance(result, InvalidCode) for result in results) == THREADS - limit
        coupon.refresh_from_db()
        assert (coupon.used, coupon.redemptions.redeemed().count()) == (limit, limit)
        assert not coupon.redemptions.filter(over_limit=True).exists()
        Redemption.objects.all().delete()


@pytest.mark.teeth
def test_without_the_guard_more_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: the same checkouts with "look, then take" let in more than the limit, so the test above can fail."""

    def look_then_take(coupon_id: int, *, now: datetime) -> bool:
        coupon = Coupon.objects.get(pk=coupon_id)
        if coupon.used >= coupon.usage_limit:
            return False
        # As long as a busy shop may take between two statements.
        time.sleep(0.05)
        coupon.used += 1
        coupon.save(update_fields=["used"])
        return True

    monkeypatch.setattr(uses, "take", look_then_take)
    coupon = make_coupon(usage_limit=7)
    assert redeem_together(coupon).count("paid") > 7


@pytest.mark.teeth
def test_without_the_guard_the_constraint_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: an unguarded ``used + 1`` is stopped by the CHECK, the last line."""

    def unguarded(coupon_id: int, *, now: datetime) -> bool:
        return bool(Coupon.objects.filter(pk=coupon_id).update(used=F("used") + 1))

    monkeypatch.setattr(uses, "take", unguarded)
    assert redeem_together(make_coupon(usage_limit=7)).count("paid") == 7


def test_one_order_reserved_by_many_requests() -> None:
    """CO-2: a customer who clicks twenty times holds one use."""
    coupon = make_coupon(usage_limit=5)
    results = at_once(lambda _: reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW).pk)
    assert len(set(results)) == 1, results
    coupon.refresh_from_db()
    assert coupon.used == 1


def test_expiry_and_release_at_once_give_back_once() -> None:
    """CO-2: the sweep, the shop and the next customers all want to give it back."""
    coupon = make_coupon(usage_limit=1)
    reserve(code=coupon.code, order_ref="old", facts=FACTS, now=NOW)
    later = NOW + timedelta(minutes=31)

    def work(number: int) -> object:
        if number % 3 == 0:
            return release_expired(now=later)
        if number % 3 == 1:
            return release(order_ref="old", now=later)
        return reserve(code=coupon.code, order_ref=f"new {number}", facts=FACTS, now=later)

    results = at_once(work)
    assert sum(isinstance(result, Redemption) for result in results) == 1, results
    assert all(isinstance(result, int | list | Redemption | InvalidCode) for result in results), results
    coupon.refresh_from_db()
    assert coupon.used == coupon.redemptions.reserved().count() == 1


def test_payment_and_expiry_at_once() -> None:
    """CO-2: whichever comes first, the order has its use and the counter is right."""
    later = NOW + timedelta(minutes=31)
    for _ in range(10):
        coupon = make_coupon(usage_limit=3)
        reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
        at_once(lambda n: redeem(order_ref="1", now=later) if n % 2 else release_expired(now=later), threads=6)
        assert coupon.redemptions.get().state == "redeemed"
        coupon.refresh_from_db()
        assert coupon.used == 1
        Redemption.objects.all().delete()


def test_one_reason_twenty_requests_one_coupon() -> None:
    """TY-8: a page that is loaded twenty times at once gives one coupon."""
    campaign = make_campaign()
    results = at_once(lambda _: issue(campaign=campaign, issue_key="order 1, block 1", now=NOW).code)
    assert len(set(results)) == 1, results
    assert Coupon.objects.count() == 1


def test_twenty_clicks_on_more_time_extend_once() -> None:
    """AX-2: the guard on the number that the page showed."""
    coupon = make_coupon(deadline_minutes=60)
    results = at_once(lambda _: extend(coupon=coupon, seen_extensions=0, now=NOW).extensions)
    assert set(results) == {1}
    coupon.refresh_from_db()
    assert (coupon.extensions, coupon.ends_at) == (1, NOW + timedelta(minutes=120))


def test_opposite_orders_of_codes_do_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-3: two coupons typed in opposite order, with time to get into each other's way, and no retry that hides it."""
    monkeypatch.setattr(uses, "patiently", lambda work: work())
    take = uses.take

    def slowly(coupon_id: int, *, now: datetime) -> bool:
        taken = take(coupon_id, now=now)
        time.sleep(0.02)
        return taken

    monkeypatch.setattr(uses, "take", slowly)
    first, second = make_coupon(usage_limit=50), make_coupon(usage_limit=50)

    def checkout(number: int) -> str:
        order, codes = f"order {number}", [first.code, second.code]
        reserve_all(codes=codes[:: 1 if number % 2 else -1], order_ref=order, facts=FACTS, now=NOW)
        release(order_ref=order, now=NOW) if number % 3 else redeem(order_ref=order, now=NOW)
        return "done"

    assert at_once(checkout) == ["done"] * THREADS
    for coupon in (first, second):
        coupon.refresh_from_db()
        assert coupon.used == coupon.redemptions.redeemed().count() == 7


@pytest.mark.teeth
def test_without_the_order_of_locks_there_are_deadlocks() -> None:
    """CO-3: the same with one ``reserve`` after the other in the order typed, which the test above would notice."""
    first, second = make_coupon(usage_limit=50), make_coupon(usage_limit=50)
    meeting = threading.Barrier(2)

    def checkout(number: int) -> str:
        one, other = (first, second) if number else (second, first)
        with transaction.atomic():
            assert uses.take(one.pk, now=NOW)
            meeting.wait(timeout=30)
            assert uses.take(other.pk, now=NOW)
        return "done"

    results = at_once(checkout, threads=2)
    assert sum(isinstance(result, OperationalError) for result in results) == 1, results
