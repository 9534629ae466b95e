"""How much coupons take off (CO-4)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st

from coupons.arithmetic import Benefit, apply, minor_unit
from coupons.facts import BasketFacts, BasketLine
from tests.test_coupons.factories import make_facts

CURRENCIES = ["EUR", "JPY", "KWD"]


def percent(value: str, code: str = "P") -> Benefit:
    return Benefit(code=code, title="", kind="percent", percent=Decimal(value))


def amount(value: str, currency: str = "EUR", code: str = "A") -> Benefit:
    return Benefit(code=code, title="", kind="amount", amount=Money(Decimal(value), currency))


FREE_SHIPPING = Benefit(code="S", title="", kind="free_shipping")


@st.composite
def baskets(draw: st.DrawFn) -> BasketFacts:
    """Baskets as shops have them, and with prices finer than any coin."""
    currency = draw(st.sampled_from(CURRENCIES))
    finest = -minor_unit(currency).as_tuple().exponent + draw(st.sampled_from([0, 0, 1]))
    price = st.decimals(0, 5000, places=finest)
    lines = draw(st.lists(st.tuples(price, st.integers(0, 20)), max_size=8))
    return BasketFacts(
        lines=tuple(
            BasketLine(ref=str(ref), product_ref="p", quantity=quantity, unit_price=Money(each, currency))
            for ref, (each, quantity) in enumerate(lines)
        ),
        shipping=Money(draw(price), currency),
        currency=currency,
    )


@st.composite
def stacks(draw: st.DrawFn, currency: str) -> list[Benefit]:
    """Any number of coupons, in any order."""
    each = st.one_of(
        st.decimals("0.01", 100, places=2).map(lambda value: percent(str(value))),
        st.decimals(0, 9000, places=3).map(lambda value: amount(str(value), currency)),
        st.just(FREE_SHIPPING),
    )
    return draw(st.lists(each, max_size=5))


@given(st.data())
def test_money_bounds(data: st.DataObject) -> None:
    """CO-4: nothing below zero, whole smallest units, the sum of the lines is the header."""
    facts = data.draw(baskets())
    quote = apply(benefits=data.draw(stacks(facts.currency)), facts=facts)
    nothing = Money(0, facts.currency)
    off = {line.ref: nothing for line in facts.lines}
    for discount in quote.discounts:
        for ref, money in discount.lines.items():
            assert money > nothing
            assert money.amount % minor_unit(facts.currency) == 0
            off[ref] += money
        assert discount.amount == sum(discount.lines.values(), nothing) + discount.shipping
    assert all(off[line.ref] <= line.total for line in facts.lines)
    assert sum(off.values(), nothing) == quote.discount <= quote.subtotal
    assert nothing <= quote.shipping <= facts.shipping
    assert quote.shipping + quote.shipping_discount == facts.shipping
    assert quote.total == quote.subtotal - quote.discount + quote.shipping >= nothing


@given(baskets(), st.decimals("0.001", 9000, places=3))
def test_an_amount_is_spread_completely_and_fairly(facts: BasketFacts, value: Decimal) -> None:
    """CO-4: the whole amount comes off, and no line gets a unit more or less than its share."""
    unit = minor_unit(facts.currency)
    quote = apply(benefits=[amount(str(value), facts.currency)], facts=facts)
    whole = {line.ref: line.total.amount // unit for line in facts.lines}
    expected = min(value // unit, sum(whole.values()))
    assert quote.discount.amount == expected * unit
    [discount] = quote.discounts
    for ref, units in whole.items():
        money = discount.lines.get(ref)
        share = expected * units / sum(whole.values()) if units else 0
        assert abs((money.amount / unit if money else 0) - share) < 1


@given(baskets(), st.decimals("0.01", 100, places=2), st.decimals("0.01", 100, places=3))
def test_the_order_of_typing_does_not_matter_between_kinds(facts: BasketFacts, share: Decimal, value: Decimal) -> None:
    """CO-4: percent first, then amounts, then shipping."""
    stack = [percent(str(share)), amount(str(value), facts.currency), FREE_SHIPPING]
    assert apply(benefits=stack, facts=facts) == apply(benefits=stack[::-1], facts=facts)


@pytest.mark.parametrize(
    ("currency", "price", "share", "off"),
    [
        ("EUR", "0.05", "10", "0.01"),  # half a cent goes up
        ("EUR", "0.04", "10", "0"),
        ("EUR", "19.99", "12.5", "2.50"),
        ("JPY", "995", "10", "100"),
        ("KWD", "1.005", "10", "0.101"),
        ("EUR", "19.99", "100", "19.99"),
    ],
)
def test_percent_is_rounded_half_up_to_the_currency(currency: str, price: str, share: str, off: str) -> None:
    """CO-4: rounding per line."""
    quote = apply(benefits=[percent(share)], facts=make_facts(price, shipping="0", currency=currency))
    assert quote.discount == Money(Decimal(off), currency)


def test_the_remainder_goes_to_the_largest_fraction_then_to_the_earlier_line() -> None:
    """CO-4: 1.00 over three equal lines."""
    [discount] = apply(benefits=[amount("1.00")], facts=make_facts("5", "5", "5")).discounts
    assert [discount.lines[ref].amount for ref in "012"] == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]


def test_an_amount_takes_no_more_than_there_is_and_leaves_shipping_alone() -> None:
    """CO-4: never below zero."""
    quote = apply(benefits=[amount("50")], facts=make_facts("3.50", "1.50"))
    assert (quote.discount, quote.shipping, quote.total) == (
        Money(5, "EUR"),
        Money("4.90", "EUR"),
        Money("4.90", "EUR"),
    )


def test_free_shipping_twice_takes_shipping_once() -> None:
    """CO-4."""
    quote = apply(benefits=[FREE_SHIPPING, FREE_SHIPPING], facts=make_facts("10"))
    assert (quote.shipping_discount, quote.shipping) == (Money("4.90", "EUR"), Money(0, "EUR"))


def test_an_empty_basket_costs_nothing() -> None:
    """CO-4."""
    facts = BasketFacts(lines=(), shipping=Money(0, "EUR"), currency="EUR")
    assert apply(benefits=[percent("10"), amount("5"), FREE_SHIPPING], facts=facts).total == Money(0, "EUR")


def test_facts_refuse_what_cannot_be_added_up() -> None:
    """CO-4: one currency, nothing negative, refs that tell the lines apart."""
    line = make_facts("5").lines[0]
    with pytest.raises(ValueError, match="currency"):
        BasketFacts(lines=(line,), shipping=Money(0, "JPY"), currency="EUR")
    with pytest.raises(ValueError, match="different refs"):
        BasketFacts(lines=(line, line), shipping=Money(0, "EUR"), currency="EUR")
    with pytest.raises(ValueError, match="negative"):
        make_facts("-1")
    with pytest.raises(ValueError, match="negative"):
        make_facts("1", shipping="-1")
