"""A guest becomes an account (CO-10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from coupons.exceptions import InvalidCode
from coupons.issuing import issue
from coupons.ledger import uses
from coupons.merging import merge
from coupons.models import Answer, Coupon, Redemption, UsageCounter
from coupons.redemption import redeem, release, reserve
from tests.test_coupons.books import check_books, counters, life
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

GUEST, ACCOUNT = "c:guest", "c:account"


def answer(holder_key: str, name: str, value: str, at: datetime) -> None:
    Answer.objects.create(
        holder_key=holder_key, question_name=name, value=value, answered_at=at, delete_after=at + timedelta(days=9)
    )


def test_coupons_are_moved_and_their_lives_say_so() -> None:
    """CO-10, CO-11: by whom, and no key: that is personal data."""
    mine, other = make_coupon(holder_key=GUEST), make_coupon(holder_key="c:other")
    assert merge(from_key=GUEST, to_key=ACCOUNT, now=NOW) == 1
    assert merge(from_key=GUEST, to_key=ACCOUNT, now=NOW) == 0
    assert set(Coupon.objects.values_list("pk", "holder_key")) == {(mine.pk, ACCOUNT), (other.pk, "c:other")}
    assert life(mine) == [("merged", "customer", "")]
    assert life(other) == []


def test_coupons_that_somebody_else_has_just_moved_are_not_moved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-10, CO-11: between looking and locking; the life tells only what happened."""
    mine, moved = make_coupon(holder_key=GUEST), make_coupon(holder_key=GUEST)
    lock = uses.lock

    def too_late(coupon_ids: Iterable[int]) -> None:
        Coupon.objects.filter(pk=moved.pk).update(holder_key="c:other")
        lock(coupon_ids)

    monkeypatch.setattr(uses, "lock", too_late)
    assert merge(from_key=GUEST, to_key=ACCOUNT, now=NOW) == 1
    assert life(mine) == [("merged", "customer", "")]
    assert life(moved) == []
    assert Coupon.objects.get(pk=moved.pk).holder_key == "c:other"


def test_uses_count_on_under_the_limit_per_customer() -> None:
    """CO-10: an account does not bring the first use a second time, and both uses come back as they went."""
    campaign = make_campaign(limit_per_customer=2)
    coupons = [issue(campaign=campaign, now=NOW) for _ in range(4)]
    for order, key in enumerate((GUEST, GUEST, ACCOUNT)):
        reserve(code=coupons[order].code, order_ref=str(order), facts=make_facts(customer_key=key), now=NOW)
    redeem(order_ref="0", now=NOW)
    merge(from_key=GUEST, to_key=ACCOUNT, now=NOW)
    check_books()
    assert counters(campaign_id=campaign.pk) == {ACCOUNT: (3, 3)}
    assert set(Redemption.objects.values_list("customer_key", flat=True)) == {ACCOUNT}
    facts = make_facts(customer_key=ACCOUNT)
    for order in "12":
        with pytest.raises(InvalidCode, match="customer_limit"):
            reserve(code=coupons[3].code, order_ref="3", facts=facts, now=NOW)
        release(order_ref=order, now=NOW)
        check_books()
    reserve(code=coupons[3].code, order_ref="3", facts=facts, now=NOW)
    assert counters(campaign_id=campaign.pk) == {ACCOUNT: (2, 2)}


def test_uses_without_a_limit_are_moved_uncounted() -> None:
    """CO-10: history follows too."""
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1", facts=make_facts(customer_key=GUEST), now=NOW)
    merge(from_key=GUEST, to_key=ACCOUNT, now=NOW)
    assert Redemption.objects.get().customer_key == ACCOUNT
    assert not UsageCounter.objects.exists()


def test_of_two_answers_to_the_same_question_the_newer_stays() -> None:
    """CO-9: stored once."""
    answer(GUEST, "tea", "green", NOW)
    answer(ACCOUNT, "tea", "black", NOW - timedelta(days=1))
    answer(GUEST, "cup", "small", NOW - timedelta(days=1))
    answer(ACCOUNT, "cup", "large", NOW)
    answer(GUEST, "pot", "iron", NOW)
    answer("c:other", "tea", "white", NOW)
    merge(from_key=GUEST, to_key=ACCOUNT, now=NOW)
    assert set(Answer.objects.values_list("holder_key", "question_name", "value")) == {
        (ACCOUNT, "tea", "green"),
        (ACCOUNT, "cup", "large"),
        (ACCOUNT, "pot", "iron"),
        ("c:other", "tea", "white"),
    }


@pytest.mark.parametrize(("from_key", "to_key"), [("", ACCOUNT), (GUEST, "")])
def test_an_empty_key_is_nobody(from_key: str, to_key: str) -> None:
    """CO-10: or everybody's coupons without a holder would be somebody's."""
    coupon = make_coupon()
    with pytest.raises(ValueError, match="nobody"):
        merge(from_key=from_key, to_key=to_key)
    coupon.refresh_from_db()
    assert coupon.holder_key == ""


def test_merging_somebody_with_themselves_changes_nothing() -> None:
    """CO-10: no coupon, no counter, no event."""
    coupon = make_coupon(holder_key=GUEST, limit_per_customer=1)
    reserve(code=coupon.code, order_ref="1", facts=make_facts(customer_key=GUEST), now=NOW)
    before = life(coupon)
    assert merge(from_key=GUEST, to_key=GUEST) == 0
    assert life(coupon) == before
    check_books()
