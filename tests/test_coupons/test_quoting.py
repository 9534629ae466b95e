"""What a basket costs with coupons, and the one refusal (CO-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from djmoney.money import Money

from coupons import codes
from coupons.exceptions import (
    CouponError,
    CouponLocked,
    CouponNotForBasket,
    CouponOver,
    CouponUsedUp,
    InvalidCode,
    TypingError,
)
from coupons.holders import customer_key
from coupons.models import Campaign, Coupon
from coupons.quoting import explain, quote
from coupons.redemption import redeem, reserve
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

MINE = customer_key("me@example.com")


def used_up() -> Coupon:
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="other", facts=make_facts(), now=NOW)
    return coupon


def changed(coupon: Coupon, **values: Any) -> Coupon:
    Coupon.objects.filter(pk=coupon.pk).update(**values)
    return coupon


def with_campaign(**values: Any) -> Coupon:
    coupon = make_coupon()
    Campaign.objects.filter(pk=coupon.campaign_id).update(**values)
    return coupon


#: A maker of each kind of coupon that is refused, and what its proven holder is told.
REFUSED = {
    "used up": (used_up, CouponUsedUp),
    "over": (lambda: make_coupon(now=NOW - timedelta(hours=2), deadline_minutes=60), CouponOver),
    "locked": (lambda: changed(make_coupon(), state=Coupon.State.LOCKED), CouponLocked),
    "revoked": (lambda: changed(make_coupon(), state=Coupon.State.REVOKED), CouponOver),
    "foreign": (lambda: make_coupon(holder_key=customer_key("you@example.com"), personal=True), CouponNotForBasket),
    "currency": (lambda: make_coupon(benefit="amount", amount=Money(500, "JPY")), CouponNotForBasket),
    "paused": (lambda: with_campaign(status=Campaign.Status.PAUSED), CouponOver),
    "campaign over": (lambda: with_campaign(ends_at=NOW - timedelta(minutes=2)), CouponOver),
    "not yet": (lambda: with_campaign(starts_at=NOW + timedelta(minutes=1)), CouponOver),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_every_wrong_code_gets_the_same_refusal(kind: str) -> None:
    """CO-6: nothing tells a used-up coupon from one that never was."""
    coupon = REFUSED[kind][0]()
    facts = make_facts(customer_key=MINE)
    [unknown] = quote(codes=[codes.generate()], facts=facts, now=NOW).refusals
    [refusal] = quote(codes=[coupon.code], facts=facts, now=NOW).refusals
    assert type(refusal.error) is type(unknown.error) is InvalidCode
    assert (refusal.message, refusal.error.code, refusal.error.params) == (
        unknown.message,
        unknown.error.code,
        unknown.error.params,
    )


@pytest.mark.parametrize("kind", REFUSED)
def test_reserve_refuses_what_quote_refuses(kind: str) -> None:
    """CO-6: both doors give the same answer."""
    coupon = REFUSED[kind][0]()
    with pytest.raises(InvalidCode) as caught:
        reserve(code=coupon.code, order_ref="1", facts=make_facts(customer_key=MINE), now=NOW)
    with pytest.raises(InvalidCode) as unknown:
        reserve(code=codes.generate(), order_ref="1", facts=make_facts(), now=NOW)
    assert type(caught.value) is InvalidCode
    assert caught.value.message == unknown.value.message
    assert coupon.redemptions.filter(order_ref="1").count() == 0


@pytest.mark.parametrize("kind", REFUSED)
def test_the_proven_holder_is_told_why(kind: str) -> None:
    """CO-6: specific reasons only with proof."""
    maker, error = REFUSED[kind]
    coupon = Coupon.objects.get(pk=maker().pk)
    found = explain(coupon=coupon, facts=make_facts(customer_key=MINE), now=NOW)
    assert type(found) is error
    assert found.message


def test_a_good_coupon_has_nothing_to_explain() -> None:
    """CO-6."""
    assert explain(coupon=make_coupon(), facts=make_facts(), now=NOW) is None


def test_a_typing_error_is_told_and_costs_no_query(django_assert_num_queries: Any) -> None:
    """CO-5, CO-7: the check symbol answers before the database."""
    with django_assert_num_queries(0):
        result = quote(codes=["7K3M-Q0ZT-9XWC", "x" * 5000], facts=make_facts(), now=NOW)
    assert [type(refusal.error) for refusal in result.refusals] == [TypingError, TypingError]
    assert result.refusals[0].text == "7K3M-Q0ZT-9XWC"
    assert len(result.refusals[1].text) == 40
    assert result.total == make_facts().subtotal + make_facts().shipping


def test_no_codes_no_query(django_assert_num_queries: Any) -> None:
    """Reading is free."""
    with django_assert_num_queries(0):
        assert quote(codes=[], facts=make_facts(), now=NOW).discounts == ()


def test_any_number_of_codes_costs_one_query(django_assert_num_queries: Any) -> None:
    """Coupons stack: percent, then amount, then shipping; a code typed twice counts once."""
    ship = make_coupon()
    five = make_coupon(benefit="amount", amount=Money(5, "EUR"))
    tenth = make_coupon(benefit="percent", percent=10)
    typed = [ship.display_code, five.code.lower(), tenth.code, codes.generate(), five.code]
    with django_assert_num_queries(1):
        result = quote(codes=typed, facts=make_facts("20", "30"), now=NOW)
    assert [each.code for each in result.discounts] == [tenth.code, five.code, ship.code]
    assert [each.amount for each in result.discounts] == [Money(5, "EUR"), Money(5, "EUR"), Money("4.90", "EUR")]
    assert result.total == Money(40, "EUR")
    assert len(result.refusals) == 1


def test_a_reservation_that_ran_out_does_not_stand_in_the_way() -> None:
    """CO-2: the quote sees what reserving will do."""
    coupon = used_up()
    later = NOW + timedelta(minutes=31)
    assert quote(codes=[coupon.code], facts=make_facts(), now=later).shipping == Money(0, "EUR")
    assert reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=later).state == "reserved"


def test_an_order_that_tries_again_is_not_refused_for_its_own_reservation() -> None:
    """CO-2: the declined card, with the coupon's last use, after the deadline."""
    coupon = make_coupon(deadline_minutes=10)
    reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=NOW)
    later = NOW + timedelta(minutes=20)
    assert quote(codes=[coupon.code], facts=make_facts(), now=later, order_ref="1").refusals == ()
    assert len(quote(codes=[coupon.code], facts=make_facts(), now=later, order_ref="2").refusals) == 1
    reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=later)
    redeem(order_ref="1", now=later)
    assert quote(codes=[coupon.code], facts=make_facts(), now=later, order_ref="1").refusals == ()


def test_a_bound_coupon_works_for_its_customer_and_while_the_customer_is_unknown() -> None:
    """CO-10: a guest is known only from the address form on."""
    coupon = make_coupon(holder_key=MINE, personal=True)
    for key in (MINE, ""):
        assert quote(codes=[coupon.code], facts=make_facts(customer_key=key), now=NOW).refusals == ()


def test_grace_after_the_end() -> None:
    """CD-2: accepted 60 seconds after the end, refused after 91; also for the campaign's own end."""
    campaign = make_campaign(ends_at=NOW)
    coupon = Coupon.objects.create(campaign=campaign)
    personal = make_coupon(now=NOW - timedelta(hours=1), deadline_minutes=60)
    for each in (coupon, personal):
        assert quote(codes=[each.code], facts=make_facts(), now=NOW + timedelta(seconds=60)).refusals == ()
        assert len(quote(codes=[each.code], facts=make_facts(), now=NOW + timedelta(seconds=91)).refusals) == 1


def test_messages_are_texts_in_the_active_language() -> None:
    """Errors fill their parameters when they are shown, not when they are raised."""
    with translation.override("de"):
        assert str(CouponError("x", {"a": 1}).message)
    assert str(InvalidCode(reason="over")) == "invalid_code (over)"
    assert str(CouponError()) == "coupon_error"
