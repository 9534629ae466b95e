"""Owners and customers at the same moment, on PostgreSQL: limits that come while checkouts run, accounts that are merged."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from coupons.exceptions import InvalidCode
from coupons.issuing import issue
from coupons.ledger import limits, quick, uses
from coupons.merging import merge
from coupons.models import Answer, Campaign, Coupon, CouponEvent, Redemption
from coupons.redemption import redeem, reserve
from coupons.verifying import verify
from tests.test_coupons.books import check_books
from tests.test_coupons.crowd import THREADS, AtOnce
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FACTS = make_facts(customer_key="c:ann")


def introduce_limits(campaign: Campaign, number: int) -> int:
    """Do what the owner's form does."""
    Campaign.objects.filter(pk=campaign.pk).update(total_limit=number, limit_per_customer=number)
    return limits.recount(campaign=Campaign.objects.get(pk=campaign.pk))


@pytest.mark.parametrize("way", ["statement", "steps"])
def test_limits_that_come_while_everybody_pays(way: str, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: every use is counted under them, before or after."""
    if way == "steps":
        monkeypatch.setattr(quick, "is_possible", lambda: False)
    for round_ in range(5):
        campaign = make_campaign()
        codes = [issue(campaign=campaign, now=NOW).code for _ in range(THREADS)]

        def work(number: int) -> object:
            order = f"{round_} {number}"  # noqa: B023
            if number == THREADS // 2:
                return introduce_limits(campaign, 7)  # noqa: B023
            if number % 4 == 0:
                return redeem(order_ref=order, code=codes[number], customer_key="c:ann", now=NOW)  # noqa: B023
            return reserve(code=codes[number], order_ref=order, facts=FACTS, now=NOW)  # noqa: B023

        results = at_once(work)
        assert all(isinstance(each, int | list | Redemption | InvalidCode) for each in results), results
        assert verify() == []
    check_books()


def pay_while_a_limit_comes(at_once: AtOnce) -> int:
    """Let an owner introduce limits while a checkout is between counting and its commit; return how many uses are
    counted in the end.
    """
    coupon = make_coupon()

    def work(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
                time.sleep(0.5)
        else:
            time.sleep(0.2)
            introduce_limits(coupon.campaign, 1)

    assert at_once(work, threads=2) == [None, None]
    return Redemption.objects.filter(counts_total=True, counts_customer=True).count()


def test_whoever_counts_waits_for_the_checkouts_that_have_read_the_old_limits(at_once: AtOnce) -> None:
    """CO-1: a shop whose checkout has a transaction of its own."""
    assert pay_while_a_limit_comes(at_once) == 1
    assert verify() == []


@pytest.mark.teeth
def test_without_waiting_a_use_is_never_counted(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: and the books show it."""
    monkeypatch.setattr(uses, "own_limits", lambda campaign_id: None)
    assert pay_while_a_limit_comes(at_once) == 0
    assert [drift.kind for drift in verify()] == ["uncounted"]


def test_a_guest_who_is_merged_into_two_accounts_at_once(at_once: AtOnce) -> None:
    """CO-10, CO-11: each coupon is moved once, and its life tells of one move."""
    for _ in range(5):
        coupons = [make_coupon(holder_key="c:guest") for _ in range(5)]
        moved = at_once(lambda number: merge(from_key="c:guest", to_key=f"c:{number % 2}", now=NOW), threads=6)
        assert sum(moved) == 5, moved  # type: ignore[arg-type]
        events = CouponEvent.objects.filter(coupon__in=coupons, kind="merged")
        assert events.count() == events.values("coupon").distinct().count() == 5
        assert not Coupon.objects.filter(holder_key="c:guest").exists()


def test_an_account_that_answers_while_it_is_merged(at_once: AtOnce) -> None:
    """CO-9, CO-10: one answer stays, the newer one, and nobody sees an error."""

    def answer(holder_key: str, at: datetime) -> dict[str, Any]:
        delete_after = NOW + timedelta(days=9)
        return {"holder_key": holder_key, "question_name": "tea", "answered_at": at, "delete_after": delete_after}

    Answer.objects.create(**answer("c:guest", NOW), value="green")

    def work(number: int) -> object:
        if number:
            time.sleep(0.2)
            return merge(from_key="c:guest", to_key="c:account", now=NOW)
        with transaction.atomic():
            Answer.objects.create(**answer("c:account", NOW + timedelta(hours=1)), value="black")
            # By now the other has looked, and waits for this row.
            time.sleep(0.6)
        return None

    assert at_once(work, threads=2) == [None, 0]
    assert list(Answer.objects.values_list("holder_key", "value")) == [("c:account", "black")]
