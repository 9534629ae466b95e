"""For which baskets a coupon is (pure functions), and the columns of a campaign that say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st

from coupons.conditions import Conditions, Scope
from coupons.facts import BasketFacts, BasketLine
from coupons.models import Campaign
from tests.test_coupons.factories import make_facts

REFS = st.frozensets(st.sampled_from("abc"), max_size=2)
SCOPES = st.builds(Scope, products_in=REFS, products_out=REFS, categories_in=REFS, categories_out=REFS)
LINES = st.builds(
    BasketLine,
    ref=st.uuids().map(str),
    product_ref=st.sampled_from("abc"),
    quantity=st.integers(1, 3),
    unit_price=st.integers(0, 30).map(lambda value: Money(value, "EUR")),
    category_refs=REFS.map(tuple),
)
FACTS = st.builds(
    BasketFacts,
    lines=st.lists(LINES, max_size=3, unique_by=lambda line: line.ref).map(tuple),
    shipping=st.just(Money(0, "EUR")),
    currency=st.just("EUR"),
    customer_key=st.sampled_from(["", "c:1"]),
    country=st.sampled_from(["", "DE", "FR"]),
    previous_orders=st.sampled_from([None, 0, 1, 5]),
)
CONDITIONS = st.builds(
    Conditions,
    scope=SCOPES,
    minimum_spend=st.none() | st.integers(1, 60).map(lambda value: Money(value, "EUR")),
    audience=st.sampled_from(["everybody", "first", "returning"]),
    countries=st.frozensets(st.sampled_from(["DE", "FR", "AT"]), max_size=2),
    currency=st.sampled_from(["", "EUR", "JPY"]),
    needs_customer=st.booleans(),
)
#: Reasons that say that the shop does not know enough.
UNKNOWN = {"country_unknown", "customer_unknown"}


@given(CONDITIONS, FACTS)
def test_a_quote_is_as_strict_as_the_shop_knows(conditions: Conditions, facts: BasketFacts) -> None:
    """CO-10: what is not known yet is no reason in a quote and one in a reservation; nothing else differs."""
    quoted, final = conditions.why_not(facts), conditions.why_not(facts, final=True)
    assert quoted not in UNKNOWN
    assert quoted == final or final in UNKNOWN
    if facts.country and facts.customer_key and facts.previous_orders is not None:
        assert quoted == final


@given(CONDITIONS, FACTS)
def test_what_becomes_known_later_can_only_refuse(conditions: Conditions, facts: BasketFacts) -> None:
    """CO-10: a basket that is accepted in the end was accepted all the time before."""
    if conditions.why_not(facts, final=True) == "":
        for known in ({"country": ""}, {"customer_key": ""}, {"previous_orders": None}):
            assert conditions.why_not(replace(facts, **known)) == ""


@given(SCOPES, LINES)
def test_what_is_left_out_wins(scope: Scope, line: BasketLine) -> None:
    """A line is let in by its product or one of its categories, and left out by any of them."""
    categories = set(line.category_refs)
    left_out = line.product_ref in scope.products_out or bool(categories & scope.categories_out)
    let_in = line.product_ref in scope.products_in or bool(categories & scope.categories_in)
    asks = bool(scope.products_in or scope.categories_in)
    assert scope.covers(line) == (not left_out and (let_in or not asks))


@given(CONDITIONS, FACTS)
def test_only_the_goods_it_is_for_count_for_the_minimum(conditions: Conditions, facts: BasketFacts) -> None:
    """CO-4: what is spent is the sum of the lines in scope, before coupons."""
    spent = sum((line.total for line in facts.lines if conditions.scope.covers(line)), Money(0, "EUR"))
    assert conditions.spent(facts) == spent
    if conditions.why_not(facts) == "minimum_spend":
        assert conditions.minimum_spend is not None
        assert spent < conditions.minimum_spend


@pytest.mark.parametrize(
    ("conditions", "known", "quoted", "final"),
    [
        (Conditions(), {}, "", ""),
        (Conditions(currency="JPY"), {}, "currency", "currency"),
        (Conditions(minimum_spend=Money(1, "JPY")), {}, "currency", "currency"),
        (Conditions(minimum_spend=Money(20, "EUR")), {}, "", ""),
        (Conditions(minimum_spend=Money("20.01", "EUR")), {}, "minimum_spend", "minimum_spend"),
        (Conditions(scope=Scope(products_in=frozenset({"x"}))), {}, "no_matching_product", "no_matching_product"),
        (Conditions(scope=Scope(products_in=frozenset({"p0"}))), {}, "", ""),
        (Conditions(countries=frozenset({"DE"})), {}, "", "country_unknown"),
        (Conditions(countries=frozenset({"DE"})), {"country": "DE"}, "", ""),
        (Conditions(countries=frozenset({"DE"})), {"country": "AT"}, "country", "country"),
        (Conditions(needs_customer=True), {}, "", "customer_unknown"),
        (Conditions(needs_customer=True), {"customer_key": "c:1"}, "", ""),
        (Conditions(audience="first"), {}, "", "customer_unknown"),
        (Conditions(audience="first"), {"previous_orders": 0}, "", ""),
        (Conditions(audience="first"), {"previous_orders": 1}, "not_first_order", "not_first_order"),
        (Conditions(audience="returning"), {"previous_orders": 0}, "not_returning", "not_returning"),
        (Conditions(audience="returning"), {"previous_orders": 3}, "", ""),
    ],
)
def test_each_condition(conditions: Conditions, known: dict[str, object], quoted: str, final: str) -> None:
    """The reason in one word, for a basket of 20 Euro."""
    facts = replace(make_facts("20.00"), **known)
    assert (conditions.why_not(facts), conditions.why_not(facts, final=True)) == (quoted, final)


def test_an_empty_basket_is_no_wrong_basket() -> None:
    """What is not there yet is not of the wrong kind; a minimum is still missing."""
    empty = replace(make_facts(), lines=())
    assert Conditions(scope=Scope(products_in=frozenset({"x"}))).why_not(empty) == ""
    assert Conditions(minimum_spend=Money(1, "EUR")).why_not(empty) == "minimum_spend"


def test_the_columns_of_a_campaign_are_its_conditions() -> None:
    """The model only holds what the pure functions decide on."""
    campaign = Campaign(
        products_in=["a"],
        products_out=["b"],
        categories_in=["tea"],
        categories_out=["gifts"],
        minimum_spend=Money(30, "EUR"),
        audience="first",
        countries=["DE", "AT"],
        limit_per_customer=1,
    )
    assert campaign.conditions == Conditions(
        scope=Scope(
            products_in=frozenset("a"),
            products_out=frozenset("b"),
            categories_in=frozenset({"tea"}),
            categories_out=frozenset({"gifts"}),
        ),
        minimum_spend=Money(30, "EUR"),
        audience="first",
        countries=frozenset({"DE", "AT"}),
        needs_customer=True,
    )
    assert Campaign().conditions == Conditions()
