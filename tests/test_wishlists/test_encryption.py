"""Cookies that nobody else at the computer can read (CK-8)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wishlists import cookies
from wishlists.cookies import Kept
from wishlists.exceptions import ListFull
from wishlists.kinds import CART, SAVED
from wishlists.lines import Line, Lines

from .conftest import cookie, kept, put

pytest.importorskip("cryptography")

SECRET = "very-private-thing"
ONE = Kept(Lines((Line(SECRET, 2, "red"),)), Lines())


@pytest.fixture
def encrypted(site: Any) -> Any:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "ENCRYPT_LISTS": True}
    return site


def switch(site: Any, is_on: bool) -> None:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "ENCRYPT_LISTS": is_on}


def readable(value: str) -> str:
    """All that somebody without the key can get out of a value by decoding it."""
    found = value
    for part in value.replace(":", ".").split("."):
        padded = part + "=" * (-len(part) % 4)
        try:
            found += base64.urlsafe_b64decode(padded).decode("latin-1")
        except ValueError:
            continue
    return found


def test_what_is_encrypted_comes_back_and_cannot_be_read(encrypted: Any):
    value = cookies.encode(ONE)
    found = cookies.decode(value)
    assert found is not None
    assert found.lines == ONE.lines
    assert SECRET not in readable(value)
    inner = readable(readable(value))
    assert SECRET not in inner
    switch(encrypted, False)
    assert SECRET in readable(cookies.encode(ONE)), "signed is not encrypted, so the test would see it"


def test_the_same_list_never_looks_the_same(encrypted: Any):
    """Two browsers with the same products cannot be told to have them."""
    assert cookies.encode(ONE) != cookies.encode(ONE)


def test_without_the_key_it_is_no_cookie_of_ours_and_after_a_rotation_it_still_is(encrypted: Any):
    old, value = encrypted.SECRET_KEY, cookies.encode(ONE)
    encrypted.SECRET_KEY = "n" * 60
    assert cookies.decode(value) is None
    encrypted.SECRET_KEY_FALLBACKS = [old]
    found = cookies.decode(value)
    assert found is not None
    assert found.lines == ONE.lines
    renewed = cookies.encode(found)
    encrypted.SECRET_KEY_FALLBACKS = []
    assert cookies.decode(renewed) is not None, "what is written is written with the new key"
    assert cookies.decode(value) is None


def test_a_cookie_of_another_kind_stays_another_kind(encrypted: Any):
    """CK-1: one key, but a signature for each purpose."""
    assert cookies.decode(cookies.encode(ONE), kind=SAVED) is None


@pytest.mark.parametrize("was_on", [True, False])
def test_switching_it_drops_the_old_cookies_cleanly(client: Client, site: Any, was_on: bool):
    """CK-3: an empty list and a dropped cookie, no error; what is put in afterwards is kept."""
    switch(site, was_on)
    put(client, Line("tea", 2))
    put(client, Line("pot", 1), kind=SAVED, keep=True)
    switch(site, not was_on)
    response = client.get("/cart/")
    assert response.status_code == 200
    assert b"Your cart is empty" in response.content
    assert response.cookies["cart"]["max-age"] == 0
    assert client.get("/lists/state/").json()["counts"] == {"cart": 0, "saved": 0, "compare": 0}
    assert client.post("/cart/add/", {"product_ref": "pot"}).status_code == 303
    assert kept(client) == [("pot", 1)]


def test_a_guests_journey_works_as_without(encrypted: Any, client: Client):
    client.post("/cart/add/", {"product_ref": "tea", "quantity": "2"})
    client.post("/lists/device/", {"action": "keep"})
    found = cookie(client)
    assert found is not None
    assert found.keep
    assert client.get("/lists/state/").json()["counts"]["cart"] == 2
    assert "tea" not in readable(client.cookies["cart"].value)


def test_the_note_of_what_happened_is_as_private(encrypted: Any, client: Client):
    """CK-8: it names the product for two minutes, and comes back in words all the same."""
    client.post("/cart/add/", {"product_ref": "tea", "quantity": 1})
    assert '"tea"' not in readable(client.cookies["cart_note"].value)
    assert "Added: Sencha" in client.get("/cart/").content.decode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.binary().map(lambda found: found.decode("latin-1"))))
def test_any_text_is_survivable(encrypted: Any, text: str):
    """CK-3."""
    assert cookies.decode(text) is None
    assert cookies.decode(f"gAAAAA{text}") is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 400), limit=st.integers(300, 4096), prefix=st.sampled_from(["", "sku-", "é" * 40]))
def test_it_is_never_longer_than_the_limit(encrypted: Any, number: int, limit: int, prefix: str):
    """CK-2: the limit is that of the encrypted cookie."""
    encrypted.THANKYOU_WISHLISTS = {
        **encrypted.THANKYOU_WISHLISTS,
        "KINDS": {CART: {"max_items": 500, "max_bytes": limit}},
    }
    lines = Lines(tuple(Line(f"{prefix}{each * 7919}") for each in range(number)))
    fit = cookies.fit(lines)
    assert fit.lines.lines + fit.left_out == lines.lines
    assert cookies.size(cookies.encode(Kept(fit.lines, Lines())), CART) <= limit
    if fit.left_out:
        with pytest.raises(ListFull):
            cookies.encode(Kept(lines, Lines()))
