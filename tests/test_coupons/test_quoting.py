"""What a basket costs with coupons, and the one refusal (CO-6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from djmoney.money import Money

from coupons import codes
from coupons.exceptions import (
    BasketNotEnough,
    CouponError,
    CouponLocked,
    CouponNotForBasket,
    CouponOver,
    CouponUsedUp,
    InvalidCode,
    TypingError,
)
from coupons.facts import BasketFacts
from coupons.holders import customer_key
from coupons.issuing import issue
from coupons.models import Campaign, Coupon
from coupons.quoting import clash, explain, quote, why_not, with_uses
from coupons.redemption import redeem, reserve
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

MINE = customer_key("me@example.com")


def used_up() -> Coupon:
    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="other", facts=make_facts(), now=NOW)
    return coupon


def used_up_word() -> Coupon:
    campaign = make_campaign(code_type="word", word="SPRING10", total_limit=1)
    reserve(code="SPRING10", order_ref="other", facts=make_facts(), now=NOW)
    return issue(campaign=campaign, now=NOW)


def changed(coupon: Coupon, **values: Any) -> Coupon:
    Coupon.objects.filter(pk=coupon.pk).update(**values)
    return coupon


def with_campaign(**values: Any) -> Coupon:
    coupon = make_coupon()
    Campaign.objects.filter(pk=coupon.campaign_id).update(**values)
    return coupon


def limit_reached(by: str = "other", **limit: Any) -> Coupon:
    """A coupon of a campaign of which another coupon has taken the last use that a limit leaves."""
    campaign = make_campaign(**limit)
    facts = replace(make_facts(customer_key=MINE), country="DE", previous_orders=0)
    reserve(code=issue(campaign=campaign, now=NOW).code, order_ref=by, facts=facts, now=NOW)
    return issue(campaign=campaign, now=NOW)


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
    "limit of all": (lambda: limit_reached(total_limit=1), CouponUsedUp),
    "limit of the customer": (lambda: limit_reached(limit_per_customer=1), CouponNotForBasket),
    "minimum": (lambda: make_coupon(minimum_spend=Money(30, "EUR")), BasketNotEnough),
    "other products": (lambda: make_coupon(products_in=["tea"]), BasketNotEnough),
    "other categories": (lambda: make_coupon(categories_in=["tea"]), BasketNotEnough),
    "no gift": (lambda: make_coupon(benefit="free_product", free_product_ref="cup"), BasketNotEnough),
    "other currency": (lambda: make_coupon(currency="CHF"), CouponNotForBasket),
    "country": (lambda: make_coupon(countries=["AT"]), CouponNotForBasket),
    "first order": (lambda: make_coupon(audience="first"), CouponNotForBasket),
    "used-up word": (lambda: used_up_word(), CouponUsedUp),
}

#: A basket of which everything is known.
KNOWN = replace(make_facts(customer_key=MINE), country="DE", previous_orders=2)


@pytest.mark.parametrize("kind", REFUSED)
def test_every_wrong_code_gets_the_same_refusal(kind: str) -> None:
    """CO-6: nothing tells a used-up coupon from one that never was."""
    coupon = REFUSED[kind][0]()
    [unknown] = quote(codes=[codes.generate()], facts=KNOWN, now=NOW).refusals
    [refusal] = quote(codes=[coupon.code], facts=KNOWN, now=NOW).refusals
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
        reserve(code=coupon.code, order_ref="1", facts=KNOWN, now=NOW)
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
    found = explain(coupon=coupon, facts=KNOWN, now=NOW)
    assert type(found) is error
    assert found.message
    [refusal] = quote(codes=[coupon.code], facts=KNOWN, now=NOW, proven={coupon.code}).refusals
    assert (type(refusal.error), refusal.message, refusal.error.reason) == (error, found.message, found.reason)


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


@pytest.mark.parametrize("number", [1, 20])
def test_one_query_for_any_number_of_codes_and_limits(number: int, django_assert_num_queries: Any) -> None:
    """Limits of the campaign, of the customer and of the coupon are counted in the same query."""
    limits = {"total_limit": 5, "limit_per_customer": 1}
    made = [make_coupon(**limits, minimum_spend=Money(1, "EUR")) for _ in range(number)]
    typed = [coupon.code for coupon in made]
    with django_assert_num_queries(1):
        result = quote(codes=typed, facts=KNOWN, now=NOW, order_ref="1", proven=typed)
    assert len(result.discounts) == number


def test_a_limit_counts_neither_what_has_run_out_nor_what_the_order_holds_itself() -> None:
    """CO-2: the quote sees what reserving will do, also when the order changes to another coupon of the campaign."""
    for limit in ({"total_limit": 1}, {"limit_per_customer": 1}):
        coupon = limit_reached(by="first try", **limit)
        later = NOW + timedelta(minutes=31)

        def accepts(coupon: Coupon = coupon, **changes: Any) -> bool:
            arguments = {"codes": [coupon.code], "facts": KNOWN, "now": NOW, **changes}
            return quote(**arguments).refusals == ()

        assert not accepts()
        assert not accepts(order_ref="second try")
        assert accepts(order_ref="first try")
        assert accepts(now=later)
        assert explain(coupon=coupon, facts=KNOWN, now=later) is None
        redeem(order_ref="first try", now=NOW)
        assert not accepts(order_ref="first try")
        assert not accepts(now=later)


def test_a_guest_is_counted_as_soon_as_the_address_is_known() -> None:
    """CO-10: before that nobody is refused; another customer is not."""
    coupon = limit_reached(limit_per_customer=1)
    for key, refused in ((MINE, 1), ("", 0), (customer_key("you@example.com"), 0)):
        assert len(quote(codes=[coupon.code], facts=make_facts(customer_key=key), now=NOW).refusals) == refused


@pytest.mark.parametrize(
    ("maker", "facts", "code", "says"),
    [
        (
            lambda: make_coupon(minimum_spend=Money(30, "EUR"), products_in=["p0"]),
            make_facts("17.50", "99"),
            "minimum_spend",
            "orders of €30.00 or more: €12.50 are missing",
        ),
        (lambda: make_coupon(countries=["AT"]), KNOWN, "country", "deliveries to this country"),
        (lambda: make_coupon(audience="first"), KNOWN, "not_first_order", "first order only"),
        (lambda: make_coupon(audience="returning"), replace(KNOWN, previous_orders=0), "not_returning", "before"),
        (lambda: make_coupon(currency="CHF"), KNOWN, "currency", "another currency"),
        (lambda: make_coupon(benefit="free_product", free_product_ref="x"), KNOWN, "free_product_missing", "free pro"),
        (lambda: make_coupon(products_in=["x"]), KNOWN, "no_matching_product", "other products"),
        (lambda: limit_reached(limit_per_customer=1), KNOWN, "customer_limit", "as often as it allows"),
        (lambda: limit_reached(total_limit=1), KNOWN, "total_limit", "Others were quicker"),
        (used_up_word, KNOWN, "total_limit", "Others were quicker"),
        (used_up, KNOWN, "coupon_used_up", "already been used"),
        (lambda: with_campaign(status="paused"), KNOWN, "paused", "at the moment"),
        (lambda: with_campaign(starts_at=NOW + timedelta(days=1)), KNOWN, "not_begun", "not valid yet"),
        (lambda: with_campaign(status="ended"), KNOWN, "coupon_over", "no longer valid"),
        (lambda: with_campaign(status="paused", ends_at=NOW), KNOWN, "coupon_over", "no longer valid"),
    ],
)
def test_the_holder_is_told_what_is_true_and_what_to_do(
    maker: Callable[[], Coupon], facts: BasketFacts, code: str, says: str
) -> None:
    """CO-6: a stable code for programs, a sentence for people."""
    coupon = maker()
    for found in (
        explain(coupon=Coupon.objects.get(pk=coupon.pk), facts=facts, now=NOW),
        quote(codes=[coupon.code], facts=facts, now=NOW, proven=[coupon.code]).refusals[0].error,
    ):
        assert found is not None
        assert found.code == code
        assert says in found.message


def test_amounts_in_reasons_are_written_as_the_customer_writes_them() -> None:
    """The active language decides."""
    coupon = make_coupon(minimum_spend=Money(30, "EUR"))
    with translation.override("de"):
        found = explain(coupon=coupon, facts=make_facts("20"), now=NOW)
    assert found is not None
    assert found.params == {"minimum": "30,00\xa0€", "missing": "10,00\xa0€"}


def test_proof_of_one_code_proves_no_other() -> None:
    """CO-6."""
    mine, other = used_up(), used_up()
    refusals = quote(codes=[mine.code, other.code, codes.generate()], facts=KNOWN, now=NOW, proven=[mine.code]).refusals
    assert [type(refusal.error) for refusal in refusals] == [CouponUsedUp, InvalidCode, InvalidCode]


def test_two_of_one_campaign_are_one_too_many() -> None:
    """The first typed stays."""
    campaign = make_campaign(benefit="percent", percent=10)
    one, two = issue(campaign=campaign, now=NOW), issue(campaign=campaign, now=NOW)
    for typed in ([one.code, two.code], [two.code, one.code]):
        result = quote(codes=typed, facts=KNOWN, now=NOW, proven=typed)
        assert [each.code for each in result.discounts] == typed[:1]
        assert [refusal.error.code for refusal in result.refusals] == ["same_campaign"]


def test_a_coupon_that_stands_alone() -> None:
    """The first typed stays, whichever of them does not go together; a refused one is in nobody's way."""
    alone = make_coupon(combinable=False)
    friendly = make_coupon()
    dead = changed(make_coupon(combinable=False), state=Coupon.State.REVOKED)
    for typed in ([alone.code, friendly.code], [friendly.code, alone.code]):
        result = quote(codes=typed, facts=KNOWN, now=NOW, proven=typed)
        assert [each.code for each in result.discounts] == typed[:1]
        assert [refusal.error.code for refusal in result.refusals] == ["not_combinable"]
    assert len(quote(codes=[dead.code, friendly.code], facts=KNOWN, now=NOW).discounts) == 1
    assert clash(alone, []) == clash(None, [alone]) == ""


def test_a_coupon_that_takes_nothing_off_yet_is_quoted() -> None:
    """Free shipping before the address is known: accepted, with a discount of zero."""
    coupon = make_coupon()
    result = quote(codes=[coupon.code], facts=make_facts(shipping="0"), now=NOW)
    assert result.refusals == ()
    assert result.discounts[0].amount == Money(0, "EUR")


def test_explaining_costs_no_query_unless_a_limit_must_be_counted(django_assert_num_queries: Any) -> None:
    """A list of coupons asks once for all of them, through ``with_uses``."""
    plain, limited = make_coupon(), limit_reached(total_limit=1)
    with django_assert_num_queries(0):
        assert explain(coupon=plain, facts=KNOWN, now=NOW) is None
    with django_assert_num_queries(1):
        assert isinstance(explain(coupon=limited, facts=KNOWN, now=NOW), CouponUsedUp)
    with django_assert_num_queries(1):
        found = with_uses(Coupon.objects.select_related("campaign"), now=NOW, customer_key=MINE)
        reasons = {coupon.code: why_not(coupon, KNOWN, now=NOW) for coupon in found}
    assert reasons[plain.code] == ""
    assert reasons[limited.code] == "total_limit"


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


@pytest.mark.parametrize(
    ("holder", "mine", "others"),
    [
        (MINE, {"customer_key": MINE}, {"customer_key": customer_key("you@example.com")}),
        ("u:1", {"account_key": "u:1"}, {"account_key": "u:2"}),
    ],
    ids=["address", "account"],
)
def test_only_for_the_customer_who_got_it(holder: str, mine: dict[str, str], others: dict[str, str]) -> None:
    """CO-10: also where the coupon was given to an account; whoever orders without it is not the one."""
    coupon = make_coupon(holder_key=holder, personal=True)
    for known, quoted, final in ((mine, 0, 0), (others, 1, 1), ({}, 0, 1)):
        facts = replace(make_facts(), **known)
        assert len(quote(codes=[coupon.code], facts=facts, now=NOW).refusals) == quoted
        assert len(quote(codes=[coupon.code], facts=facts, now=NOW, final=True).refusals) == final
        if final:
            with pytest.raises(InvalidCode):
                reserve(code=coupon.code, order_ref="1", facts=facts, now=NOW)
    assert reserve(code=coupon.code, order_ref="1", facts=replace(make_facts(), **mine), now=NOW).state == "reserved"
    # Without the tick whoever has the code may use it.
    friendly = make_coupon(holder_key=holder)
    assert reserve(code=friendly.code, order_ref="2", facts=replace(make_facts(), **others), now=NOW)


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
