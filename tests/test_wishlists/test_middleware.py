"""The cookie on its way in and out: attributes, headers, and silence where nobody asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

import wishlists
from wishlists import cookies
from wishlists.cookies import Kept
from wishlists.lines import Line, Lines
from wishlists.shelf import Shelf

from .conftest import MIDDLEWARE, kept, put

TEA = Line("tea", 2)
VALUE = cookies.encode(Kept(Lines((TEA,)), Lines()))


def changed_cookie(client: Client) -> Any:
    response = client.post("/cart/add/", {"product_ref": "tea"})
    assert response.status_code == 303
    return response.cookies


def test_the_cookie_lives_as_long_as_the_browser_and_is_out_of_reach_for_scripts(client: Client):
    """CK-2, CK-6."""
    morsel = changed_cookie(client)["cart"]
    assert (morsel["max-age"], morsel["expires"], morsel["domain"]) == ("", "", "")
    assert (morsel["path"], morsel["httponly"], morsel["samesite"], morsel["secure"]) == ("/", True, "Lax", "")


def test_a_secure_site_binds_the_cookie_to_its_host(client: Client, site: Any):
    """CK-2: __Host- and Secure follow the site's own setting; a domain is never set."""
    site.SESSION_COOKIE_SECURE = True
    site.SESSION_COOKIE_DOMAIN = "example.com"
    found = changed_cookie(client)
    assert set(found) == {"__Host-cart", "__Host-cart_note"}
    assert all(m["secure"] and m["path"] == "/" and not m["domain"] for m in found.values())
    response = client.post("/cart/change/", {"product_ref": "tea", "quantity": 0})
    gone = response.cookies["__Host-cart"]
    assert (gone["max-age"], gone["secure"], gone["path"], gone["domain"]) == (0, True, "/", "")


def test_a_plain_page_is_the_same_with_and_without_us(client: Client, site: Any):
    """CK-7: no Vary, no Set-Cookie, no Cache-Control, though it shows the badge and a form."""
    put(client, TEA)
    with_us = client.get("/plain/")
    site.MIDDLEWARE = MIDDLEWARE[:-1]
    without = Client().get("/plain/")
    assert with_us.content == without.content
    assert dict(with_us.headers) == dict(without.headers)
    assert not with_us.cookies
    assert "Vary" not in with_us.headers


def test_a_plain_page_comes_from_the_cache_the_second_time(client: Client, site: Any):
    """CK-7: Django's own page cache around us, two browsers, one with a cart; the cart itself is never kept."""
    site.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "ck7"}}
    cache = "django.middleware.cache"
    site.MIDDLEWARE = [f"{cache}.UpdateCacheMiddleware", *MIDDLEWARE, f"{cache}.FetchFromCacheMiddleware"]
    put(client, TEA)
    assert client.get("/plain/").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.test_wishlists.urls.render", None)
        assert Client().get("/plain/").status_code == 200
    assert client.get("/lists/state/").json()["counts"]["cart"] == 2
    assert Client().get("/lists/state/").json()["counts"]["cart"] == 0


def test_a_read_cart_is_private(client: Client):
    for url in ("/cart/", "/lists/state/"):
        response = client.get(url)
        assert set(response.headers["Cache-Control"].split(", ")) == {"private", "no-store"}
        assert "Cookie" in response.headers["Vary"]
        assert not response.cookies


def test_nothing_is_written_after_an_error_of_the_server(client: Client):
    """A6: as Django's sessions do."""
    response = client.get("/failing/")
    assert response.status_code == 500
    assert not response.cookies
    assert "no-store" in response.headers["Cache-Control"]


def test_a_cart_that_becomes_empty_leaves_no_cookie(client: Client):
    put(client, TEA)
    response = client.post("/cart/change/", {"product_ref": "tea", "quantity": 0})
    assert response.cookies["cart"]["max-age"] == 0
    assert "cart" not in Client().post("/cart/change/", {"product_ref": "tea", "quantity": 0}).cookies


def test_forgetting_and_saving_are_seen_at_once_in_the_same_request(rf: RequestFactory):
    store = Shelf(rf.get("/"))
    store.save(Lines((TEA,)))
    assert store.cart.count == 2
    store.forget()
    assert store.cart == Lines()


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(min_size=1), st.binary(min_size=1).map(lambda found: found.decode("latin-1"))))
def test_any_bytes_in_the_header_give_an_empty_cart(text: str):
    """CK-3: the page, the header as it comes over the wire."""
    raw = f"cart={text}".encode("utf-8", "surrogatepass").decode("latin-1")
    response = Client().get("/cart/", HTTP_COOKIE=raw)
    assert response.status_code == 200
    assert b"Your cart is empty" in response.content
    if "cart" in response.cookies:
        assert response.cookies["cart"]["max-age"] == 0


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "",
        "x" * 8192,
        '"',
        "a:b:c",
        pytest.param(VALUE[:-5], id="cut"),
        "\xff\xfe",
        "1:2:3; x",
    ],
)
def test_a_bad_cookie_is_dropped_and_the_page_is_there(client: Client, value: str):
    """CK-3."""
    response = client.get("/cart/", HTTP_COOKIE=f"cart={value}; other=1")
    assert response.status_code == 200
    assert response.cookies["cart"]["max-age"] == 0
    response = client.get("/plain/", HTTP_COOKIE=f"cart={value}")
    assert not response.cookies, "who does not ask for the cart is not concerned"


def test_of_two_cookies_with_our_name_the_good_one_counts(client: Client):
    """CK-3: duplicate names, in either order; nothing is lost."""
    for header in (f"cart={VALUE}; cart=bad", f"cart=bad; cart={VALUE}"):
        response = client.get("/lists/state/", HTTP_COOKIE=header)
        assert response.json()["counts"]["cart"] == 2
        assert not response.cookies


def test_a_cart_too_long_for_the_cookie_is_refused_and_the_old_one_stays(client: Client, site: Any):
    """CK-2: a message, never a silent loss."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"cart": {"max_bytes": 200}}}
    for number in range(50):
        before = kept(client)
        response = client.post("/cart/add/", {"product_ref": f"sku-{number}"})
        if response.status_code != 303:
            break
    assert response.status_code == 422
    assert b"Your cart is full" in response.content
    assert kept(client) == before
    assert len(before) >= 3


def test_one_module_reads_each_cookie():
    """CK-6: used for nothing else."""
    files = Path(wishlists.__file__).parent.rglob("*.py")
    assert {file.name for file in files if ".COOKIES" in file.read_text() or "cookies_of(" in file.read_text()} == {
        "device.py",
        "givers.py",  # what this browser said it is getting from shared lists
        "jar.py",
        "notes.py",
        "shelf.py",  # whether there is a session at all
    }
