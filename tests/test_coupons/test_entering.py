"""The one door for codes as a verb (CO-6, CO-7, CO-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from djmoney.money import Money

from coupons import codes
from coupons.entry import Visitor, enter, overview
from coupons.exceptions import (
    BasketNotEnough,
    ChangesNothing,
    CouponError,
    CouponUsedUp,
    InvalidCode,
    TooManyTries,
    TypingError,
)
from coupons.facts import BasketFacts
from coupons.models import Campaign, Coupon
from coupons.staging import KEY, prove, stage, staged

from .factories import make_coupon, make_facts
from .small_site import site  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

ANN = Visitor(session_key="ann", ip="192.0.2.1")
HALF = {"benefit": Campaign.Benefit.PERCENT, "percent": Decimal(50)}


def type_in(text: str, session: dict[str, Any], facts: BasketFacts | None, **more: Any) -> Any:
    return enter(text=text, visitor=ANN, session=session, facts=facts, **more)


def test_a_right_code_is_staged_with_what_it_gives(django_assert_num_queries: Any) -> None:
    """Issue 3: one query; no use is taken."""
    coupon = make_coupon(**HALF)
    session: dict[str, Any] = {}
    with django_assert_num_queries(1):
        entry = type_in(f" {coupon.display_code.lower()} ", session, make_facts("20.00"))
    assert (entry.code, staged(session)) == (coupon.code, [coupon.code])
    assert entry.quote is not None and entry.discount is not None
    assert (entry.title, entry.discount.amount) == ("50% off", Money(10, "EUR"))
    assert entry.quote.total == Money(Decimal("14.90"), "EUR")
    coupon.refresh_from_db()
    assert coupon.used == 0


def test_a_wrong_code_leaves_the_session_as_it_was() -> None:
    """CO-7: who has a session is counted by it; a typing error counts nowhere, and makes none."""
    session: dict[str, Any] = {}
    for text, error in ((codes.generate(), InvalidCode), ("née", TypingError), ("", TypingError)):
        with pytest.raises(error):
            type_in(text, session, make_facts())
    assert session == {}
    with pytest.raises(TypingError):
        enter(text="née", visitor=Visitor(ip="192.0.2.1"), session=session, facts=make_facts())
    assert session == {}


@pytest.mark.parametrize("facts", [None, BasketFacts(lines=(), shipping=Money(0, "EUR"), currency="EUR")])
def test_a_code_waits_for_goods(facts: BasketFacts | None) -> None:
    """CO-12: a link may bring a code long before there is something in the basket."""
    session: dict[str, Any] = {}
    minimum = make_coupon(minimum_spend=Money(50, "EUR"))
    entry = type_in(minimum.code, session, facts)
    assert (staged(session), entry.discount, entry.title) == ([minimum.code], None, "")
    assert (entry.quote is None) is (facts is None)
    free = make_coupon(benefit=Campaign.Benefit.FREE_PRODUCT, free_product_ref="p0")
    type_in(free.code, session, facts)
    assert staged(session) == [minimum.code, free.code]
    assert [each.error for each in overview(session=session, facts=facts).coupons] == [None, None]
    # What no basket can change is refused.
    taken = make_coupon(status=Campaign.Status.RUNNING)
    Coupon.objects.filter(pk=taken.pk).update(used=1)
    with pytest.raises(InvalidCode):
        type_in(taken.code, session, facts)
    # With goods in the basket it is said what is missing.
    found = overview(session=session, facts=make_facts("20.00"))
    assert isinstance(found.coupons[0].error, BasketNotEnough)


def test_an_amount_in_a_currency_that_may_be_the_baskets() -> None:
    """A shop that does not tell its basket is not asked for its currency."""
    session: dict[str, Any] = {}
    coupon = make_coupon(benefit=Campaign.Benefit.AMOUNT, amount=Money(5, "USD"))
    type_in(coupon.code, session, None)
    assert staged(session) == [coupon.code]
    with pytest.raises(InvalidCode):
        type_in(coupon.code, {}, make_facts())


def test_a_coupon_is_not_wasted() -> None:
    """A second free shipping stays with the customer; one before the shipping is known is kept."""
    session: dict[str, Any] = {}
    first, second = make_coupon(), make_coupon()
    type_in(first.code, session, make_facts())
    with pytest.raises(ChangesNothing):
        type_in(second.code, session, make_facts())
    assert staged(session) == [first.code]
    type_in(second.code, session, make_facts(shipping="0.00"))
    assert staged(session) == [first.code, second.code]


def test_whoever_has_it_hears_the_true_reason() -> None:
    """CO-6: staged here, or its holder proven here; and neither counts as a guess."""
    coupon = make_coupon()
    here, there = {KEY: [coupon.code]}, dict[str, Any]()
    prove(there, coupon.code)
    Coupon.objects.update(used=1)
    for _n in range(10):
        for session in (here, there):
            with pytest.raises(CouponUsedUp):
                type_in(coupon.code, session, make_facts())
    for _n in range(5):
        with pytest.raises(InvalidCode):
            type_in(coupon.code, {}, make_facts())
    with pytest.raises(TooManyTries):
        type_in(coupon.code, here, make_facts())


def test_a_code_of_an_order_that_waits() -> None:
    """CO-2: what the order has reserved is its own."""
    from coupons.redemption import reserve

    coupon = make_coupon()
    reserve(code=coupon.code, order_ref="1001", facts=make_facts())
    with pytest.raises(InvalidCode):
        type_in(coupon.code, {}, make_facts())
    assert type_in(coupon.code, {}, make_facts(), order_ref="1001").title == "Free shipping"


@pytest.mark.parametrize("size", [1, 10])
def test_an_overview_is_one_query(size: int, django_assert_num_queries: Any) -> None:
    session: dict[str, Any] = {}
    for _n in range(size):
        stage(session, make_coupon().code)
    with django_assert_num_queries(1):
        assert len(overview(session=session, facts=make_facts()).coupons) == size


def test_errors_have_a_text() -> None:
    """Every error of the door may be shown."""
    for error in (ChangesNothing(), TooManyTries(), TypingError()):
        assert isinstance(error, CouponError)
        assert error.message
