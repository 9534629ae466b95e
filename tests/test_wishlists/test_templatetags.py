"""What a shop puts on its own pages."""

from __future__ import annotations

import re

from django.template import Context, Template
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from wishlists.forms import dom_id


def render(source: str, **context: object) -> str:
    return " ".join(Template("{% load thankyou_wishlists %}" + source).render(Context(context)).split())


def test_the_badge_is_a_link_that_works_without_scripts():
    """AX-7, CK-7."""
    html = render("{% cart_badge %}")
    assert 'href="/cart/"' in html
    assert 'data-url="/lists/state/"' in html
    assert re.search(r'<script type="module" src="[^"]*thankyou_wishlists/badge.js"></script>', html)


def test_the_add_form_is_a_form_without_a_token():
    html = render(
        '{% add_to_cart_form ref title=title next="/plain/" max_quantity=3 %}', ref="tea/1", title="Tea & <i>"
    )
    assert 'action="/cart/add/"' in html
    assert 'name="product_ref" value="tea/1"' in html
    assert 'name="next" value="/plain/"' in html
    assert 'max="3"' in html
    assert '<label for="ty-add-tea_2f_1-quantity">Quantity</label>' in html
    assert "Tea &amp; &lt;i&gt;" in html
    assert "csrfmiddlewaretoken" not in html


def test_a_card_in_a_grid_leaves_the_quantity_out(client: Client):
    html = render("{% add_to_cart_form 7 show_quantity=False %}")
    assert 'name="quantity"' not in html
    assert 'name="product_ref" value="7"' in html


@given(st.text(), st.text(), st.text(), st.text())
def test_ids_are_valid_and_never_shared(a: str, b: str, c: str, d: str):
    assert re.fullmatch(r"[A-Za-z0-9_-]*", dom_id(a, b))
    if (a, b) != (c, d) and "." not in a + b + c + d:
        assert dom_id(a, b) != dom_id(c, d)
