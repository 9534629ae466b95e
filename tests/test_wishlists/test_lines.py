"""A list as a value and what can be done to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wishlists.exceptions import ListFull
from wishlists.lines import Line, Lines, add, clear, remove, set_quantity, without
from wishlists.pricing import price

from .catalogs import MemoryCatalog

TEA = Lines((Line("tea", 2),))


def test_adding_makes_a_line_and_adding_again_counts_up():
    cart = add(add(Lines(), product_ref="tea"), product_ref="pot", quantity=2)
    assert add(cart, product_ref="tea", quantity=3).lines == (Line("tea", 4), Line("pot", 2))
    assert cart.count == 3
    assert len(cart) == 2


def test_options_make_another_line():
    cart = add(add(Lines(), product_ref="tea", options="100g"), product_ref="tea", options="250g")
    assert [line.options for line in cart] == ["100g", "250g"]
    assert remove(cart, product_ref="tea", options="100g").lines == (Line("tea", 1, "250g"),)
    assert remove(cart, product_ref="tea") == cart


def test_a_quantity_is_set_and_zero_removes():
    assert set_quantity(TEA, product_ref="tea", quantity=7).lines == (Line("tea", 7),)
    assert set_quantity(TEA, product_ref="tea", quantity=0) == Lines()
    assert set_quantity(TEA, product_ref="pot", quantity=3) == TEA
    assert clear(TEA) == Lines()


def test_a_cart_is_full_by_lines_and_by_pieces(site: Any):
    """Limits are settings, read at use."""
    site.THANKYOU_WISHLISTS = {"KINDS": {"cart": {"max_items": 1}}, "MAX_QUANTITY": 5}
    with pytest.raises(ListFull) as lines:
        add(TEA, product_ref="pot")
    with pytest.raises(ListFull) as pieces:
        add(TEA, product_ref="tea", quantity=4)
    with pytest.raises(ListFull):
        set_quantity(TEA, product_ref="tea", quantity=6)
    assert (lines.value.code, pieces.value.code) == ("lines", "quantity")
    assert "up to 1 different" in str(lines.value)
    assert "up to 5" in str(pieces.value.message)


@pytest.mark.parametrize("ref", ["", "x" * 129, "a\0b", "\ud800", "line\nbreak", None, 7])
def test_what_cannot_be_a_reference_is_refused(ref: Any):
    with pytest.raises(ValueError, match="reference"):
        add(Lines(), product_ref=ref)


@pytest.mark.parametrize("quantity", [0, -1])
def test_less_than_one_piece_is_a_mistake_of_the_caller(quantity: int):
    with pytest.raises(ValueError, match="quantity"):
        add(Lines(), product_ref="tea", quantity=quantity)


REFS = st.sampled_from(["tea", "pot", "cup", "free", "none", "dear", "unknown"])


@given(st.lists(st.tuples(st.sampled_from(["add", "set", "remove"]), REFS, st.integers(0, 120)), max_size=30))
def test_any_order_of_actions_keeps_the_limits_and_the_catalogues_prices(actions: list[tuple[str, str, int]]):
    """CK-4, against a plain dict."""
    cart, model = Lines(), {}
    for action, ref, quantity in actions:
        try:
            if action == "add" and quantity:
                cart = add(cart, product_ref=ref, quantity=quantity)
                model[ref] = model.get(ref, 0) + quantity
            elif action == "set":
                cart = set_quantity(cart, product_ref=ref, quantity=quantity)
                if ref in model:
                    model[ref] = quantity
            elif action == "remove":
                cart = remove(cart, product_ref=ref)
                model.pop(ref, None)
        except ListFull:
            pass
        model = {ref: quantity for ref, quantity in model.items() if quantity}
        assert {line.product_ref: line.quantity for line in cart} == model
        assert all(1 <= line.quantity <= 99 for line in cart)
    for line in price(cart, MemoryCatalog()).lines:
        card = MemoryCatalog.products.get(line.line.product_ref)
        assert line.unit_price == (card.price if card else None)


def test_without_takes_so_many_pieces_of_each() -> None:
    """CK-1: what was ordered goes, what is more stays, and what is not there is no mistake."""
    lines = Lines((Line("tea", 3), Line("pot", 1), Line("tea", 2, "gift"), Line("cup", 1)))
    rest = without(lines, {("tea", ""): 2, ("pot", ""): 1, ("tea", "gift"): 9, ("gone", ""): 1})
    assert rest == Lines((Line("tea", 1), Line("cup", 1)))
    assert without(lines, {}) == lines
    with pytest.raises(ValueError, match="0 or more"):
        without(lines, {("tea", ""): -1})
