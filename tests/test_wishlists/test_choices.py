"""What a product comes in: cards with choices, in the cart's form, at its prices, and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client
from djmoney.money import Money

from wishlists.catalog import ProductCard, accepts_options, choices_of, option_titles_of
from wishlists.lines import Line, Lines
from wishlists.pricing import Problem, price

from .catalogs import MemoryCatalog
from .conftest import kept

TEA = ProductCard(
    ref="verbena",
    title="Verbena",
    url="/p/verbena/",
    price=Money(5, "EUR"),
    max_quantity=5,
    choices={"loose": "Loose leaf", "bags": "In bags"},
)


@pytest.fixture(autouse=True)
def verbena(site: Any) -> ProductCard:
    MemoryCatalog.products["verbena"] = TEA
    return TEA


@pytest.mark.parametrize(
    ("choices", "options", "accepted"),
    [
        (None, "", True),
        (None, "x", True),
        ({}, "", True),
        ({}, "x", False),
        ({"a": "A"}, "a", True),
        ({"a": "A"}, "", False),
        ({"a": "A"}, "x", False),
        (["a"], "x", True),
    ],
    ids=str,
)
def test_which_options_a_product_comes_in(choices: Any, options: str, accepted: bool) -> None:
    """A shop that does not say keeps its options to itself; one that does is taken at its word."""
    card = replace(TEA, choices=choices)
    assert accepts_options(card, options) is accepted
    assert choices_of(card) == (choices if isinstance(choices, Mapping) else None)


class Naming(MemoryCatalog):
    """Names options, and counts the questions."""

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        keys = list(keys)
        self.calls.append([options for _ref, options in keys])
        return {key: key[1].upper() for key in keys if key[1] != "unknown"}


def test_names_come_from_the_cards_first() -> None:
    """No further question where the cards know; what nobody names is called by its reference."""
    cards = {"verbena": TEA}
    keys = [("verbena", "bags"), ("verbena", ""), ("verbena", "bags")]
    assert option_titles_of(Naming(), keys=keys, cards=cards) == {("verbena", "bags"): "In bags"}
    assert MemoryCatalog.calls == []
    keys = [("verbena", "bags"), ("tea", "large"), ("tea", "unknown")]
    assert list(option_titles_of(Naming(), keys=keys, cards=cards).values()) == ["In bags", "LARGE", "unknown"]
    assert MemoryCatalog.calls == [["large", "unknown"]]
    assert option_titles_of(MemoryCatalog(), keys=[("tea", "large")]) == {("tea", "large"): "large"}


def test_the_form_lets_the_customer_choose() -> None:
    """A labelled field; without choices it stays a hidden one."""
    tag = "{% load thankyou_wishlists %}{% add_to_cart_form ref choices=choices %}"
    html = Template(tag).render(Context({"ref": "verbena", "choices": TEA.choices}))
    assert '<label for="ty-add-verbena-options">Your choice</label>' in html
    assert html.index("Please choose") < html.index("Loose leaf") < html.index("In bags")
    assert 'type="hidden" name="options"' not in html
    html = Template(tag).render(Context({"ref": "tea", "choices": {}}))
    assert 'type="hidden" name="options"' in html


@pytest.mark.parametrize("options", ["", "powder"])
def test_without_a_choice_nothing_is_added(options: str, client: Client) -> None:
    """It is asked for beside the field, with everything that was typed; one question to the catalogue."""
    data = {"product_ref": "verbena", "options": options, "quantity": "3"}
    answer = client.post("/cart/add/", data)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Please choose which one you would like." in text
    assert 'value="3"' in text
    assert kept(client) == []
    assert MemoryCatalog.calls == [["verbena"]]
    answer = client.post("/cart/add/", data, headers={"Accept": "application/json"})
    assert list(answer.json()["errors"]) == ["options"]


def test_with_a_choice_it_is_added(client: Client) -> None:
    """And said on the page of the product, in the one form for all choices."""
    data = {"product_ref": "verbena", "options": "bags", "next": "/p/verbena/"}
    answer = client.post("/cart/add/", data)
    assert (answer.status_code, answer.url) == (303, "/p/verbena/#ty-added-verbena")
    assert kept(client) == [("verbena", 1)]


def test_all_choices_share_one_stock() -> None:
    """CK-4: what an earlier line has taken, a later one cannot; what is not offered any more cannot be bought."""
    lines = [Line("verbena", 4, "loose"), Line("verbena", 3, "bags"), Line("verbena", 1, "powder"), Line("verbena", 1)]
    cart = price(Lines(tuple(lines)), MemoryCatalog())
    assert [(line.quantity, line.problem) for line in cart.lines] == [
        (4, None),
        (1, Problem.REDUCED),
        (0, Problem.UNAVAILABLE),
        (0, Problem.UNAVAILABLE),
    ]
    assert (cart.count, cart.subtotal) == (5, Money(25, "EUR"))
    full = price(Lines((Line("verbena", 5, "loose"), Line("verbena", 1, "bags"))), MemoryCatalog())
    assert [line.quantity for line in full.lines] == [5, 0]
