"""What other pages say of the lists: the note about an earlier visit, counts, and where things are kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory

from wishlists.kinds import CART, COMPARE, SAVED
from wishlists.lines import Line

from .conftest import put

DEVICE, LEFT = "/lists/device/", "/lists/left/"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def render(source: str, path: str = "/plain/") -> str:
    request = RequestFactory().get(path)
    template = Template("{% load thankyou_wishlists %}" + source)
    return " ".join(template.render(Context({"request": request})).split())


def test_the_prompt_is_an_empty_element_with_forms_that_work(client: Client):
    """CK-5, CK-7, AX-4: no number, nothing of the visitor's; the script fills it in."""
    html = render("{% list_prompt %}")
    assert re.search(r'<ty-list-prompt data-url="/lists/state/">', html)
    assert re.search(r'<script type="module" src="[^"]*thankyou_wishlists/prompt.js"></script>', html)
    outside = re.sub(r"<template.*?</template>", "", html)
    assert "<form" not in outside
    assert "<section" not in outside
    for words in (
        'value="open"',
        'value="save"',
        'value="forget"',
        'value="hush"',
        "Not now",
        "/lists/left/",
        "/lists/merge/",
    ):
        assert words in html
    assert 'role="status"' in html
    assert "dialog" not in html


@pytest.mark.parametrize(
    ("path", "is_asked"),
    [
        ("/", True),
        ("/plain/", True),
        ("/checkout", True),
        ("/checkouts/", True),
        ("/checkout/", False),
        ("/checkout/payment/", False),
        ("/pay/", False),
        ("/pay", False),
        ("/pay/3ds/", False),
        ("/payment/", True),
    ],
)
def test_nothing_is_asked_during_the_checkout(site: Any, path: str, is_asked: bool):
    """CK-5: CHECKOUT_URL and QUIET_URLS, by name or path."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "CHECKOUT_URL": "checkout", "QUIET_URLS": ["/pay"]}
    assert ("ty-list-prompt" in render("{% list_prompt %}", path)) == is_asked


def test_without_a_request_there_is_no_prompt():
    source = "{% load thankyou_wishlists %}{% list_prompt %}{% left_note %}{% device_line %}"
    assert not Template(source).render(Context({})).strip()


@pytest.mark.parametrize(("kind", "url"), [(SAVED, "/saved/"), (COMPARE, "/compare/"), (CART, "/cart/")])
def test_a_count_is_a_link_that_works_without_scripts(kind: str, url: str):
    """AX-7, CK-7."""
    html = render(f'{{% list_count "{kind}" %}}')
    assert f'href="{url}"' in html
    assert f'data-kind="{kind}"' in html
    assert 'data-url="/lists/state/"' in html


def test_a_count_of_what_the_shop_does_not_have_is_nothing(site: Any):
    assert render('{% list_count "recent" %}') == ""
    for kind in ("wish", "wishes", ""):
        with pytest.raises(ValueError, match="no kind"):
            render(f'{{% list_count "{kind}" %}}')


@pytest.mark.parametrize("url", ["/cart/", "/saved/"])
def test_the_pages_of_the_lists_say_it_without_a_script(client: Client, url: str):
    """AX-7: the note, and where things are kept, with buttons at hand (CK-6)."""
    assert "was left on this device" not in text(client.get(url))
    put(client, Line("pot", 1), keep=True, left=[Line("tea", 2)])
    page = text(client.get(url))
    assert "1 product was left on this device by an earlier visit." in page
    for words in ('value="open"', 'value="hush"', f'name="next" value="{url}"', "Forget everything here", DEVICE, LEFT):
        assert words in page
