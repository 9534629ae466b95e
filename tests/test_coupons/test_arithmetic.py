"""How much coupons take off (CO-4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st

from coupons.arithmetic import ORDER, Benefit, apply, minor_unit
from coupons.conditions import Scope
from coupons.facts import BasketFacts, BasketLine
from tests.test_coupons.factories import make_facts

CURRENCIES = ["EUR", "JPY", "KWD"]


def percent(value: str, code: str = "P") -> Benefit:
    return Benefit(code=code, title="", kind="percent", percent=Decimal(value))


def amount(value: str, currency: str = "EUR", code: str = "A") -> Benefit:
    return Benefit(code=code, title="", kind="amount", amount=Money(Decimal(value), currency))


def free(product_ref: str, code: str = "F", scope: Scope | None = None) -> Benefit:
    return Benefit(code=code, title="", kind="free_product", product_ref=product_ref, scope=scope or Scope())


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
            BasketLine(
                ref=str(ref),
                product_ref=f"p{ref % 3}",
                quantity=quantity,
                unit_price=Money(each, currency),
                category_refs=(f"c{ref % 2}",),
            )
            for ref, (each, quantity) in enumerate(lines)
        ),
        shipping=Money(draw(price), currency),
        currency=currency,
    )


@st.composite
def stacks(draw: st.DrawFn, currency: str) -> list[Benefit]:
    """Any number of coupons of every kind, each for any part of the basket, in any order."""
    refs = st.frozensets(st.sampled_from(["p0", "p1", "p2"]), max_size=2)
    categories = st.frozensets(st.sampled_from(["c0", "c1"]), max_size=1)
    scopes = st.builds(Scope, products_in=refs, products_out=refs, categories_in=categories, categories_out=categories)
    each = st.one_of(
        st.decimals("0.01", 100, places=2).map(lambda value: percent(str(value))),
        st.decimals(0, 9000, places=3).map(lambda value: amount(str(value), currency)),
        st.sampled_from([FREE_SHIPPING, free("p0"), free("p1"), free("none")]),
    )
    scoped = st.builds(lambda benefit, scope: replace(benefit, scope=scope), each, st.just(Scope()) | scopes)
    return draw(st.lists(scoped, max_size=5))


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


@given(st.data())
def test_a_coupon_stays_within_its_scope(data: st.DataObject) -> None:
    """CO-4: nothing comes off a line the coupon is not for; a free product is one piece of itself."""
    facts = data.draw(baskets())
    benefits = data.draw(stacks(facts.currency))
    quote = apply(benefits=benefits, facts=facts)
    lines = {line.ref: line for line in facts.lines}
    in_order = sorted(benefits, key=lambda benefit: ORDER[benefit.kind])
    for benefit, discount in zip(in_order, quote.discounts, strict=True):
        assert bool(discount.shipping) <= (benefit.kind == "free_shipping")
        if benefit.kind == "free_product":
            assert len(discount.lines) <= 1
            for ref, money in discount.lines.items():
                assert lines[ref].product_ref == benefit.product_ref
                assert money <= lines[ref].unit_price
        else:
            assert all(benefit.scope.covers(lines[ref]) for ref in discount.lines)


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
    """CO-4: the free product first, then percent, then amounts, then shipping."""
    stack = [free("p0"), percent(str(share)), amount(str(value), facts.currency), FREE_SHIPPING]
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


def test_coupons_work_on_the_lines_they_are_for() -> None:
    """CO-4: ten percent of the first line, five Euro spread over the others."""
    facts = make_facts("20", "6", "4")
    first = replace(percent("10"), scope=Scope(products_in=frozenset({"p0"})))
    others = replace(amount("5"), scope=Scope(products_out=frozenset({"p0"})))
    tenth, five = apply(benefits=[first, others], facts=facts).discounts
    assert tenth.lines == {"0": Money(2, "EUR")}
    assert five.lines == {"1": Money(3, "EUR"), "2": Money(2, "EUR")}
    much = replace(amount("50"), scope=Scope(products_in=frozenset({"p2"})))
    assert apply(benefits=[much], facts=facts).discount == Money(4, "EUR")


def test_one_piece_of_the_free_product_costs_nothing() -> None:
    """CO-4: one, of its dearest line; a second coupon takes the next; nothing if it is not there, or all are free."""
    line = BasketLine(ref="a", product_ref="cup", quantity=2, unit_price=Money(8, "EUR"))
    dearer = replace(line, ref="b", quantity=1, unit_price=Money(9, "EUR"))
    facts = replace(make_facts("20"), lines=(line, dearer))
    discounts = apply(benefits=[free("cup")] * 4, facts=facts).discounts
    assert [dict(each.lines) for each in discounts] == [
        {"b": Money(9, "EUR")},
        {"a": Money(8, "EUR")},
        {"a": Money(8, "EUR")},
        {},
    ]
    assert apply(benefits=[free("spoon")], facts=facts).discount == Money(0, "EUR")
    assert apply(benefits=[free("cup")], facts=replace(facts, lines=(replace(line, quantity=0),))).total == Money(
        "4.90", "EUR"
    )


def test_the_gift_need_not_be_among_the_goods_that_earn_it() -> None:
    """CO-4: "buy tea, get the cup": the scope says what earns it."""
    facts = make_facts("20", "8")
    gift = free("p1", scope=Scope(products_in=frozenset({"p0"})))
    assert apply(benefits=[gift], facts=facts).discount == Money(8, "EUR")


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
