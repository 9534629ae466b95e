"""A list at the prices of this moment."""

from __future__ import annotations

import pytest
from djmoney.money import Money

from wishlists.lines import Line, Lines
from wishlists.pricing import Problem, is_reduction, price, price_list

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


@pytest.mark.parametrize(
    ("now", "then", "lowest", "expected"),
    [
        (euro(8), euro(10), None, True),  # the shop keeps no history
        (euro(8), euro(10), euro(9), True),
        (euro(8), euro(10), euro(8), False),  # it cost the same within the 30 days
        (euro(8), euro(10), euro(7), False),
        (euro(8), euro(8), None, False),
        (euro(8), euro(7), euro(9), False),
        (euro(8), None, None, False),
        (None, euro(10), None, False),
        (euro(8), Money(10, "CHF"), None, False),
        (euro(8), euro(10), Money(9, "CHF"), False),
    ],
)
def test_what_may_be_called_a_reduction(
    now: Money | None, then: Money | None, lowest: Money | None, expected: bool
) -> None:
    """CD-8: Dir. 98/6/EC art. 6a."""
    assert is_reduction(now=now, then=then, lowest=lowest) is expected


def test_only_a_cart_takes_stock() -> None:
    """CK-4: three pots in two cart lines share the stock of three; what is saved takes nothing from anybody."""
    lines = (Line("pot", 2), Line("pot", 2, "gift"))
    cards = MemoryCatalog().get_products(refs=["pot"])
    for kind, quantities in (("cart", [2, 1]), ("saved", [2, 2]), ("wish", [2, 2]), ("compare", [2, 2])):
        assert [line.quantity for line in price_list(Lines(lines, kind), cards)] == quantities
        assert [line.quantity for line in price(Lines(lines, kind), MemoryCatalog()).lines] == quantities
