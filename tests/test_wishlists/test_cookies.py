"""The cookie's format: what is in it, how long it gets, and that any bytes are survivable."""

from __future__ import annotations

import ast
import base64
import json
import uuid
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import wishlists
from wishlists import cookies
from wishlists.cookies import Kept
from wishlists.exceptions import ListFull
from wishlists.lines import Line, Lines, is_ref

CART = Lines((Line("tea", 2), Line("pöt/1", 99, "blue")))
SALT = cookies.salt("cart")
REFS = st.text(min_size=1, max_size=128).filter(is_ref)
LINES = st.builds(Line, REFS, st.integers(1, 99), st.one_of(st.just(""), REFS))
CARTS = st.lists(LINES, max_size=50, unique_by=lambda line: line.key).map(lambda lines: Lines(tuple(lines)))


def encode(lines: Lines, left: tuple[Line, ...] = (), *, keep: bool = False) -> str:
    return cookies.encode(Kept(lines, lines.having(*left), keep))


def decode(text: str) -> Lines | None:
    """What is open in a cart's cookie; None if it is none of ours."""
    found = cookies.decode(text)
    return found.lines if found is not None else None


def sign(payload: Any, salt: str = SALT) -> str:
    return signing.TimestampSigner(salt=salt).sign_object(payload, compress=True)


@given(CARTS)
def test_what_is_encoded_comes_back_or_is_refused_aloud(cart: Lines):
    """CK-2: never over the limit, never a silent loss."""
    try:
        value = encode(cart)
    except ListFull as full:
        assert full.code == "bytes"
    else:
        assert decode(value) == cart
        assert len(f"cart={value}") <= 3800


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.large_base_example])
@given(st.integers(0, 500), st.sampled_from(["pk", "sku", "uuid", "long"]), st.integers(200, 4096))
def test_up_to_500_items_never_go_over_the_limit_and_the_cut_is_deterministic(number: int, kind: str, limit: int):
    """CK-2: oldest first; what is left out is named."""
    refs = {
        "pk": lambda n: str(1000 + n),
        "sku": lambda n: f"SKU-{n:05}",
        "uuid": lambda n: str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))),
        "long": lambda n: f"{n:03}" + "é" * 125,
    }
    cart = Lines(tuple(Line(refs[kind](n), 1 + n % 99) for n in range(number)))
    with override_settings(THANKYOU_WISHLISTS={"KINDS": {"cart": {"max_items": 500, "max_bytes": limit}}}):
        fit = cookies.fit(cart)
        assert fit.lines.lines + fit.left_out == cart.lines
        assert fit == cookies.fit(cart)
        assert len(f"cart={encode(fit.lines)}") <= limit
        if fit.left_out:
            with pytest.raises(ListFull):
                encode(cart)


def test_a_cart_of_fifty_uuids_fits():
    lines = tuple(Line(str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))), 99) for n in range(50))
    assert decode(encode(Lines(lines))) == Lines(lines)
    assert cookies.fit(Lines(lines)).left_out == ()


@given(st.one_of(st.text(), st.binary().map(lambda found: found.decode("latin-1"))))
@example("\ud800")
@example("." * 8192)
@example("a:b:c")
@example(sign([2, 0, [["tea", 1]]]))
@example(sign({"v": 1}))
@example(sign([1, 0, [["tea", 0]]]))
@example(sign([1, 0, [["tea", -3]]]))
@example(sign([1, 0, [["tea", True]]]))
@example(sign([1, 0, [["tea", "1"]]]))
@example(sign([1, 0, [["tea", 1], ["tea", 2]]]))
@example(sign([1, 0, [["te\0a", 1]]]))
@example(sign([1, 0, [["tea", 1, "", 2]]]))
@example(sign([1, 0, [["tea", 1, "", 0, 5]]]))
@example(sign([1, 2, ["tea"]]))
@example(sign([1, 0, ["tea"], ["pot", "pot"], 7]))
@example(sign([1, 0, ["tea"], ["pot"]]))
@example(sign([1, 0, ["tea"], ["pot"], 10**30]))
@example(sign([1, 0, ["tea"], ["pot"], "7"]))
@example(sign([1, 0, ["tea"], ["pot"], []]))
@example(sign([1, ["tea"]]))
@example(sign([1, 0, None]))
@example(sign([1, 0, ["tea"], None, 7]))
@example(sign(None))
def test_any_text_is_survivable(text: str):
    """CK-3."""
    assert decode(text) is None


@given(st.integers(0, 200), st.characters())
def test_one_changed_character_makes_it_no_cookie_of_ours(place: int, character: str):
    value = encode(CART)
    place %= len(value)
    changed = value[:place] + character + value[place + 1 :]
    assert decode(changed) == (CART if changed == value else None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_signed_is_not_sane(payload: Any):
    """Whatever was once signed under our salt gives a cart within the limits, or none."""
    for candidate in (payload, [1, 0, payload], [1, 0, [payload]], [1, 1, [], [payload], 7], [1, 1, [], [], payload]):
        cart = decode(sign(candidate))
        assert cart is None or all(is_ref(line.product_ref) and 1 <= line.quantity <= 99 for line in cart)


@given(st.binary())
def test_signed_bytes_that_are_no_json_are_survivable(data: bytes):
    for prefix, body in (("", data), (".", data), (".", zlib.compress(data))):
        text = base64.urlsafe_b64encode(body).strip(b"=").decode()
        value = signing.TimestampSigner(salt=SALT).sign(prefix + text)
        assert decode(value) is None or not decode(value)


def test_references_and_quantities_and_nothing_else():
    """CK-1: the schema of the payload."""
    payload = signing.TimestampSigner(salt=SALT).unsign_object(encode(CART))
    assert payload == [1, 0, [["tea", 2], ["pöt/1", 99, "blue"]]]
    assert json.dumps(payload)


def test_a_signature_for_another_purpose_is_no_cart():
    """CK-1: salt cross-use."""
    payload = [1, 0, [["tea", 1]]]
    for salt in ("", "django.core.signing", "thankyou_wishlists.note.v1", "thankyou_wishlists.saved.v1"):
        assert decode(sign(payload, salt=salt)) is None
    with pytest.raises(signing.BadSignature):
        signing.loads(encode(CART), salt="thankyou_wishlists.note.v1")


def test_a_new_secret_key_keeps_the_cart(site: Any):
    """CK-1: SECRET_KEY_FALLBACKS."""
    old, value = site.SECRET_KEY, encode(CART)
    site.SECRET_KEY = "n" * 60
    assert decode(value) is None
    site.SECRET_KEY_FALLBACKS = [old]
    assert decode(value) == CART


def test_a_year_old_cookie_is_read_but_obeys_todays_limits(site: Any):
    """CK-4: signed is not fresh."""
    with time_machine.travel(timezone.now() - timedelta(days=365)):
        value = encode(CART)
    site.THANKYOU_WISHLISTS = {"KINDS": {"cart": {"max_items": 1}}, "MAX_QUANTITY": 1}
    assert decode(value) == Lines((Line("tea", 1),))


def test_pickle_is_never_imported():
    """CK-1."""
    for file in Path(wishlists.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert "pickle" not in [*names, getattr(node, "module", None)], file
