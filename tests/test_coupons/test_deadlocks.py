"""Checkouts that get into each other's way, on PostgreSQL: the order of locks, and how long one waits (CO-3)."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from coupons.exceptions import CouponBusy
from coupons.issuing import issue
from coupons.ledger import giving_back, limits, uses
from coupons.models import Campaign, Coupon
from coupons.pruning import prune
from coupons.redemption import redeem, release, reserve, reserve_all
from coupons.verifying import repair, verify
from tests.test_coupons.books import check_books, used
from tests.test_coupons.crowd import THREADS, AtOnce
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FACTS = make_facts(customer_key="c:ann")


@pytest.fixture
def no_second_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a deadlock instead of trying again."""
    monkeypatch.setattr(uses, "patiently", lambda work, **_: work())


def make_pairs(*, shared: bool) -> list[list[str]]:
    """Return two codes for each thread, of two campaigns with limits in all and for each customer, and every second
    time the other way round.
    """
    campaigns = [
        make_campaign(title=name, total_limit=999, limit_per_customer=999, benefit="percent", percent=10)
        for name in "ab"
    ]
    pairs = [[issue(campaign=each, usage_limit=999, now=NOW).code for each in campaigns] for _ in range(THREADS)]
    return [(pairs[0] if shared else pair)[:: 1 if number % 2 else -1] for number, pair in enumerate(pairs)]


def settle_in_opposite_order(at_once: AtOnce, pairs: list[list[str]], *, threads: int = THREADS) -> list[Any]:
    def checkout(number: int) -> str:
        order = f"order {number}"
        reserve_all(codes=pairs[number], order_ref=order, facts=FACTS, now=NOW)
        release(order_ref=order, now=NOW) if number % 3 else redeem(order_ref=order, now=NOW)
        reserve_all(codes=pairs[number][:1], order_ref=order, facts=FACTS, now=NOW) if number % 3 else None
        return "done"

    return at_once(checkout, threads=threads)


@pytest.mark.parametrize("shared", [True, False], ids=["the same coupons", "only the same limits"])
def test_opposite_orders_of_codes_do_not_deadlock(
    shared: bool, at_once: AtOnce, no_second_attempt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-3: with time to get into each other's way: coupons in ascending pk, then counters in the order of keys."""
    take, count = uses.take, limits.take

    def take_slowly(coupon_id: int, *, now: datetime) -> bool:
        taken = take(coupon_id, now=now)
        time.sleep(0.01)
        return taken

    def count_slowly(key: limits.Key, *, limit: int) -> bool:
        taken = count(key, limit=limit)
        time.sleep(0.005)
        return taken

    monkeypatch.setattr(uses, "take", take_slowly)
    monkeypatch.setattr(limits, "take", count_slowly)
    assert settle_in_opposite_order(at_once, make_pairs(shared=shared)) == ["done"] * THREADS
    check_books()


@pytest.mark.teeth
@pytest.mark.parametrize("shared", [True, False], ids=["the same coupons", "only the same limits"])
def test_without_the_order_of_locks_there_are_deadlocks(
    shared: bool, at_once: AtOnce, no_second_attempt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-3: one of two goes the other way round, which the test above would notice."""
    turn = itertools.count()

    def in_any_order(things: Iterable[Any]) -> list[Any]:
        return sorted(things, reverse=bool(next(turn) % 2))

    def lock_one_by_one(coupon_ids: Iterable[int]) -> None:
        for coupon_id in in_any_order(coupon_ids):
            list(Coupon.objects.select_for_update().filter(pk=coupon_id))
            time.sleep(0.1)

    def count_slowly(key: limits.Key, *, limit: int) -> bool:
        taken = count(key, limit=limit)
        time.sleep(0.1)
        return taken

    if shared:
        monkeypatch.setattr(uses, "lock", lock_one_by_one)
    else:
        count = limits.take
        monkeypatch.setattr(limits, "take", count_slowly)
        monkeypatch.setattr(limits, "sorted", in_any_order, raising=False)
    results = settle_in_opposite_order(at_once, make_pairs(shared=shared), threads=2)
    assert sum(isinstance(result, OperationalError) for result in results) == 1, results


def test_a_lock_is_not_waited_for_without_end(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-3: a checkout that hangs with the coupon in its hands holds the others up only so long; then it is said
    clearly, by both ways.
    """
    monkeypatch.setattr(uses, "PATIENCE", "50ms")
    coupon = make_coupon(usage_limit=5)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    done = threading.Event()

    def work(number: int) -> object:
        if number == 0:
            with uses.settling("hanging"):
                uses.lock([coupon.pk])
                done.wait(timeout=10)
            return None
        time.sleep(0.2)
        try:
            return reserve(code=coupon.code, order_ref=str(number), facts=FACTS, now=NOW)
        finally:
            if number == 2:
                time.sleep(0.3)
                done.set()

    _, retry, fresh = at_once(work, threads=3)
    assert isinstance(retry, CouponBusy)
    assert isinstance(fresh, CouponBusy)
    assert used(coupon) == 1
    assert giving_back.has_room(coupon.pk)


def test_who_tidies_up_does_not_wait_without_end_either(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-3: neither the nightly jobs nor an owner who gives a limit."""
    monkeypatch.setattr(uses, "PATIENCE", "50ms")
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    Coupon.objects.filter(pk=coupon.pk).update(used=1)
    [drift] = verify()
    Campaign.objects.update(total_limit=1)
    ready = threading.Barrier(4, timeout=10)

    def work(number: int) -> object:
        if number == 0:
            with uses.settling("hanging", campaign_ids=[coupon.campaign_id]):
                uses.lock([coupon.pk])
                ready.wait()
                time.sleep(1)
            return None
        ready.wait()
        if number == 1:
            return repair([drift])
        if number == 2:
            return prune(older_than=timedelta(days=30), now=NOW + timedelta(days=99))
        return limits.recount(campaign=Campaign.objects.get())

    _, *others = at_once(work, threads=4)
    assert [type(each) for each in others] == [CouponBusy] * 3, others
    assert repair([drift]) == [drift]
    assert prune(older_than=timedelta(days=30), now=NOW + timedelta(days=99)).redemptions == 1
