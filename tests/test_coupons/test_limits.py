"""Limits of a whole campaign and of each customer, and what may stand together on one order (CO-1, CO-8, CO-10)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from djmoney.money import Money

from coupons.exceptions import InvalidCode
from coupons.issuing import issue
from coupons.ledger import holding, limits
from coupons.models import Campaign, Coupon, Redemption, UsageCounter
from coupons.redemption import redeem, release, reserve, reserve_all
from coupons.verifying import verify
from tests.test_coupons.books import check_books, counters, details, states, used
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("way")]

LATER = NOW + timedelta(minutes=31)
FACTS = make_facts("20.00", customer_key="c:ann")


def make_singles(campaign: Campaign, count: int) -> list[Coupon]:
    return [issue(campaign=campaign, now=NOW) for _ in range(count)]


def make_word(**changes: Any) -> Coupon:
    """Return the public word of its own campaign."""
    campaign = make_campaign(code_type="word", word="SPRING", **changes)
    return issue(campaign=campaign, now=NOW)


def refused(code: str, order_ref: str, **facts: Any) -> str:
    """Return for which reason the coupon is refused to this order."""
    with pytest.raises(InvalidCode) as caught:
        reserve(code=code, order_ref=order_ref, facts=make_facts("20.00", **facts), now=NOW)
    check_books()
    return caught.value.reason


def test_single_codes_share_the_total_of_their_campaign() -> None:
    """CO-1: the third code of a campaign with two uses in all is refused until one of them is given back."""
    campaign = make_campaign(total_limit=2)
    one, two, three = make_singles(campaign, 3)
    reserve(code=one.code, order_ref="1", facts=FACTS, now=NOW)
    reserve(code=two.code, order_ref="2", facts=FACTS, now=NOW)
    assert refused(three.code, "3") == "total_limit"
    assert counters(campaign_id=campaign.pk) == {"": (2, 2)}
    redeem(order_ref="1", now=NOW)
    release(order_ref="2", now=NOW)
    release(order_ref="2", now=NOW)
    reserve(code=three.code, order_ref="3", facts=FACTS, now=NOW)
    assert (used(one), used(two), used(three)) == (1, 0, 1)


def test_a_word_is_limited_in_all_and_for_each_customer() -> None:
    """CO-8, CO-10: the word's own limit is the campaign's; a customer is known by the e-mail address."""
    word = make_word(total_limit=3, limit_per_customer=1)
    assert reserve(code="spring", order_ref="1", facts=FACTS, now=NOW).counts_customer
    assert refused("SPRING", "2", customer_key="c:ann") == "customer_limit"
    assert refused("SPRING", "3") == "customer_unknown"
    for name in ("bob", "cat"):
        reserve(code="SPRING", order_ref=name, facts=make_facts(customer_key=f"c:{name}"), now=NOW)
    assert refused("SPRING", "4", customer_key="c:dan") == "used_up"
    assert used(word) == 3
    assert counters(campaign_id=word.campaign_id) == {f"c:{name}": (1, 1) for name in ("ann", "bob", "cat")}


def test_a_word_without_a_total_is_counted_and_never_used_up() -> None:
    """CO-8: no limit is no limit."""
    word = make_word(is_unlimited=True)
    assert word.usage_limit is None
    for number in range(3):
        reserve(code="SPRING", order_ref=str(number), facts=make_facts(), now=NOW)
    redeem(order_ref="3", code="SPRING", now=NOW)
    assert used(word) == 4
    assert counters(campaign_id=word.campaign_id) == {}


def test_a_retry_is_no_second_use() -> None:
    """CO-2: the same order, released or not, is one use of its customer's."""
    word = make_word(total_limit=5, limit_per_customer=1)
    for _ in range(2):
        reserve(code="SPRING", order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    reserve(code="SPRING", order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    reserve(code="SPRING", order_ref="1", facts=FACTS, now=NOW)
    assert used(word) == 1
    assert counters(campaign_id=word.campaign_id) == {"c:ann": (1, 1)}


def test_a_corrected_address_moves_the_use_to_the_other_customer() -> None:
    """CO-10: a guest mistyped the address, and the order is tried again."""
    word = make_word(total_limit=5, limit_per_customer=1)
    reserve(code="SPRING", order_ref="1", facts=make_facts(customer_key="c:anm"), now=NOW)
    reserve(code="SPRING", order_ref="1", facts=FACTS, now=NOW)
    check_books()
    assert counters(campaign_id=word.campaign_id) == {"c:anm": (0, 1), "c:ann": (1, 1)}
    reserve(code="SPRING", order_ref="2", facts=make_facts(customer_key="c:anm"), now=NOW)
    assert refused("SPRING", "1", customer_key="c:anm") == "customer_limit"
    assert states(word) == {"1": "reserved", "2": "reserved"}


def test_what_has_run_out_makes_room_under_every_limit() -> None:
    """CO-2: an abandoned checkout burns neither the campaign's use nor the customer's."""
    campaign = make_campaign(total_limit=2, limit_per_customer=1)
    one, two, three = make_singles(campaign, 3)
    reserve(code=one.code, order_ref="1", facts=FACTS, now=NOW)
    reserve(code=two.code, order_ref="2", facts=make_facts(customer_key="c:bob"), now=NOW)
    assert refused(three.code, "3", customer_key="c:ann") == "total_limit"
    reserve(code=three.code, order_ref="3", facts=FACTS, now=LATER)
    # No more comes back than is needed; the sweep does the rest.
    assert [used(coupon) for coupon in (one, two, three)] == [0, 1, 1]
    assert counters(campaign_id=campaign.pk) == {"": (2, 2), "c:ann": (1, 1), "c:bob": (1, 1)}


def test_several_campaigns_need_room_at_once() -> None:
    """CO-2: each limit that is full of run-out reservations is looked after in turn."""
    coupons = [make_coupon(total_limit=1, benefit="percent", percent=10), make_coupon(total_limit=1)]
    for number, coupon in enumerate(coupons):
        reserve(code=coupon.code, order_ref=f"old {number}", facts=FACTS, now=NOW)
    reserve_all(codes=[coupon.code for coupon in coupons], order_ref="new", facts=FACTS, now=LATER)
    assert [used(coupon) for coupon in coupons] == [1, 1]


def test_a_limit_that_was_raised_or_lowered_counts_at_once() -> None:
    """CO-1: what is out stays out; what comes after is held against the new limit."""
    campaign = make_campaign(total_limit=1)
    one, two, three = make_singles(campaign, 3)
    reserve(code=one.code, order_ref="1", facts=FACTS, now=NOW)
    Campaign.objects.update(total_limit=2)
    reserve(code=two.code, order_ref="2", facts=FACTS, now=NOW)
    Campaign.objects.update(total_limit=1)
    release(order_ref="1", now=NOW)
    assert refused(three.code, "3") == "total_limit"
    assert counters(campaign_id=campaign.pk) == {"": (1, 2)}


def test_a_limit_that_comes_later_counts_what_is_out() -> None:
    """CO-1: recount; reserved uses too, and nothing twice."""
    campaign = make_campaign()
    one, two, three, four = make_singles(campaign, 4)
    reserve(code=one.code, order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    reserve(code=two.code, order_ref="2", facts=make_facts(), now=NOW)
    reserve(code=three.code, order_ref="3", facts=FACTS, now=NOW)
    release(order_ref="3", now=NOW)
    assert limits.recount(campaign=campaign) == 0
    Campaign.objects.update(total_limit=1, limit_per_customer=1)
    campaign.refresh_from_db()
    assert [limits.recount(campaign=campaign) for _ in range(2)] == [2, 0]
    check_books()
    assert counters(campaign_id=campaign.pk) == {"": (2, 2), "c:ann": (1, 1)}
    assert refused(four.code, "4", customer_key="c:bob") == "total_limit"
    release(order_ref="2", now=NOW)
    assert refused(four.code, "4", customer_key="c:bob") == "total_limit"


@pytest.mark.parametrize("limit", ["total_limit", "limit_per_customer"])
def test_a_limit_that_comes_after_the_coupon_was_read_counts_at_once(limit: str) -> None:
    """CO-1: a checkout that was prepared a moment before the owner saved."""
    campaign = make_campaign()
    until = NOW + timedelta(minutes=30)
    first, second = (
        holding.prepare([coupon.code], order_ref=str(order), facts=FACTS, now=NOW, until=until, actor="shop")
        for order, coupon in enumerate(make_singles(campaign, 2))
    )
    Campaign.objects.update(**{limit: 1})
    [row] = holding.hold(first)
    assert (row.counts_total, row.counts_customer) == (limit == "total_limit", limit != "total_limit")
    with pytest.raises(InvalidCode):
        holding.hold(second)
    check_books()
    assert verify() == []


def test_a_paid_order_is_counted_under_the_limits_of_now() -> None:
    """CO-1, CO-2: the shop's own engine read the coupon before the owner saved."""
    coupon = make_coupon(usage_limit=5)
    redeem(order_ref="1", code=coupon.code, now=NOW)
    Campaign.objects.update(total_limit=2)
    assert limits.recount(campaign=Campaign.objects.get()) == 1
    assert [redeem(order_ref=ref, code=coupon.code, now=NOW)[0].over_limit for ref in "23"] == [False, True]
    assert verify() == []


def test_a_paid_order_is_accepted_over_every_limit(caplog: pytest.LogCaptureFixture) -> None:
    """CO-2: recorded, told in the coupon's life, logged without the code; counted where there is room."""
    campaign = make_campaign(total_limit=1, limit_per_customer=1)
    first, second = make_singles(campaign, 2)
    reserve(code=first.code, order_ref="1", facts=FACTS, now=NOW)
    with caplog.at_level(logging.WARNING, logger="coupons"):
        for _ in range(2):
            [row] = redeem(order_ref="2", code=second.code, customer_key="c:ann", now=NOW)
    assert (row.over_limit, row.counts_coupon, row.counts_total, row.counts_customer) == (True, True, False, False)
    assert details(second, "redeemed") == [{"over_limit": ["total_limit", "customer_limit"]}]
    [record] = caplog.records
    assert second.code not in record.getMessage()
    assert (used(first), used(second)) == (1, 1)
    assert counters(campaign_id=campaign.pk) == {"": (1, 1), "c:ann": (1, 1)}


def test_a_paid_order_takes_what_has_run_out_before_it_exceeds_a_limit() -> None:
    """CO-2: over the limit only if it must."""
    first, second = make_singles(make_campaign(total_limit=1), 2)
    reserve(code=first.code, order_ref="1", facts=FACTS, now=NOW)
    [row] = redeem(order_ref="2", code=second.code, now=LATER)
    assert (row.over_limit, row.counts_total) == (False, True)
    assert (used(first), used(second)) == (0, 1)


def test_a_use_of_the_shops_own_engine_counts_under_the_limits() -> None:
    """CO-10: nothing was reserved; the shop says what it took off and whose order it is."""
    coupon = make_coupon(usage_limit=5, limit_per_customer=2)
    off = Money("4.90", "EUR")
    [row] = redeem(order_ref="1", code=coupon.code, shipping_discount=off, customer_key="c:ann", now=NOW)
    row.refresh_from_db()
    assert (row.shipping_discount, row.discount, row.customer_key) == (off, None, "c:ann")
    redeem(order_ref="2", code=coupon.code, now=NOW)
    reserve(code=coupon.code, order_ref="3", facts=FACTS, now=NOW)
    assert refused(coupon.code, "4", customer_key="c:ann") == "customer_limit"
    assert used(coupon) == 3


def test_a_reservation_keeps_its_customer_whatever_the_payment_says() -> None:
    """CO-10: it is counted already; only where nobody was known the payment tells who it was."""
    coupon = make_coupon(usage_limit=5)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    reserve(code=coupon.code, order_ref="2", facts=make_facts(), now=NOW)
    Campaign.objects.update(limit_per_customer=1)
    for order in "12":
        redeem(order_ref=order, customer_key="c:bob", now=NOW)
    assert dict(Redemption.objects.values_list("order_ref", "customer_key")) == {"1": "c:ann", "2": "c:bob"}
    check_books()
    assert counters(campaign_id=coupon.campaign_id) == {"c:bob": (1, 1)}


@pytest.mark.parametrize("door", [pytest.param("one", id="one by one"), pytest.param("all", id="together")])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [pytest.param({}, "same_campaign", id="same"), pytest.param({"combinable": False}, "not_combinable", id="alone")],
)
def test_what_does_not_go_together(door: str, changes: dict[str, Any], reason: str) -> None:
    """CO-1: also against what the order has reserved before, or redeemed; another order does not matter."""
    first = make_coupon(benefit="percent", percent=10)
    same = reason == "same_campaign"
    second = issue(campaign=first.campaign, now=NOW) if same else make_coupon(**changes)
    reserve(code=second.code, order_ref="other", facts=FACTS, now=NOW)
    release(order_ref="other", now=NOW)
    if door == "all":
        for codes in ([first.code, second.code], [second.code, first.code]):
            with pytest.raises(InvalidCode, match=reason):
                reserve_all(codes=codes, order_ref="1", facts=FACTS, now=NOW)
        assert (states(first), used(second)) == ({}, 0)
    else:
        reserve(code=first.code, order_ref="1", facts=FACTS, now=NOW)
        assert refused(second.code, "1", customer_key="c:ann") == reason
        redeem(order_ref="1", now=NOW)
        assert refused(second.code, "1", customer_key="c:ann") == reason
        with pytest.raises(InvalidCode, match=reason):
            reserve_all(codes=[second.code], order_ref="1", facts=FACTS, now=NOW)
        assert (used(first), used(second)) == (1, 0)


def test_a_second_try_may_replace_what_does_not_go_together() -> None:
    """CO-2: the earlier coupon is given back first, and its counters with it."""
    campaign = make_campaign(total_limit=1, limit_per_customer=1)
    first, second = make_singles(campaign, 2)
    reserve_all(codes=[first.code], order_ref="1", facts=FACTS, now=NOW)
    reserve_all(codes=[second.code], order_ref="1", facts=FACTS, now=NOW)
    assert (used(first), used(second)) == (0, 1)
    assert counters(campaign_id=campaign.pk) == {"": (1, 1), "c:ann": (1, 1)}


def test_a_coupon_that_takes_nothing_off_is_kept_for_another_order() -> None:
    """CO-2: no use for nothing, alone or behind another coupon that leaves nothing over."""
    shipping, everything = make_coupon(), make_coupon(benefit="percent", percent=100)
    half = make_coupon(benefit="percent", percent=50)
    with pytest.raises(InvalidCode, match="no_discount"):
        reserve(code=shipping.code, order_ref="1", facts=make_facts(shipping="0"), now=NOW)
    with pytest.raises(InvalidCode, match="no_discount"):
        reserve_all(codes=[everything.code, half.code], order_ref="1", facts=FACTS, now=NOW)
    assert used(everything) == 0
    reserve(code=shipping.code, order_ref="1", facts=FACTS, now=NOW)
    assert used(shipping) == 1


@pytest.mark.parametrize(
    ("conditions", "facts", "reason"),
    [
        pytest.param({"audience": "first"}, {}, "customer_unknown", id="unknown customer"),
        pytest.param({"audience": "first"}, {"previous_orders": 1}, "not_first_order", id="second order"),
        pytest.param({"countries": ["DE"]}, {}, "country_unknown", id="unknown country"),
        pytest.param({"countries": ["DE"]}, {"country": "FR"}, "country", id="abroad"),
        pytest.param({"minimum_spend": Money(30, "EUR")}, {}, "minimum_spend", id="too little"),
        pytest.param({"products_in": ["p9"]}, {}, "no_matching_product", id="other goods"),
    ],
)
def test_conditions_are_final_at_the_checkout(conditions: dict[str, Any], facts: dict[str, Any], reason: str) -> None:
    """CO-10: what the shop does not know by now counts against the coupon."""
    coupon = make_coupon(**conditions)
    with pytest.raises(InvalidCode, match=reason):
        reserve(code=coupon.code, order_ref="1", facts=replace(make_facts("20.00"), **facts), now=NOW)
    assert used(coupon) == 0


def test_the_database_itself_holds_a_counter_to_its_limit() -> None:
    """CO-1: the last line, by an unguarded UPDATE."""
    coupon = make_coupon(total_limit=1)
    reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageCounter.objects.update(used=F("used") + 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageCounter.objects.create(campaign=coupon.campaign, customer_key="")
