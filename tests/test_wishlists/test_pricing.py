"""A list at the prices of this moment."""

from __future__ import annotations

import pytest
from djmoney.money import Money

from wishlists.lines import Line, Lines
from wishlists.pricing import Problem, price

from .catalogs import MemoryCatalog, euro


def test_prices_come_from_the_catalogue_in_one_call():
    """CK-4."""
    cart = Lines((Line("tea", 2), Line("pot", 1), Line("tea", 1, "gift")))
    priced = price(cart, MemoryCatalog(), also=["free"])
    assert MemoryCatalog.calls == [["tea", "pot", "free"]]
    assert [line.total for line in priced.lines] == [euro(25), euro(60), euro("12.50")]
    assert priced.subtotal == Money("97.50", "EUR")
    assert priced.count == 4
    assert priced.cards["free"].title == "Sample"


def test_an_empty_cart_asks_nobody():
    priced = price(Lines(), MemoryCatalog())
    assert (priced.subtotal, priced.count, MemoryCatalog.calls) == (None, 0, [])
    assert not priced


@pytest.mark.parametrize(
    ("ref", "problem", "counted"),
    [
        ("tea", None, 5),
        ("free", None, 5),
        ("pot", Problem.REDUCED, 3),
        ("cup", Problem.UNAVAILABLE, 0),
        ("none", Problem.UNAVAILABLE, 0),
        ("dear", Problem.UNAVAILABLE, 0),
        ("unknown", Problem.GONE, 0),
    ],
)
def test_what_cannot_be_bought_is_shown_and_not_counted(ref: str, problem: Problem | None, counted: int):
    """CK-4."""
    priced = price(Lines((Line(ref, 5),)), MemoryCatalog())
    (line,) = priced.lines
    assert (line.problem, line.quantity, line.is_buyable) == (problem, counted, counted > 0)
    assert line.line.quantity == 5
    assert priced.count == counted
    assert len(priced.problems) == (problem is not None)
    assert (priced.subtotal is None) == (counted == 0)
