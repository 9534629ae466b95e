"""The cart's cookie: signed, compressed, versioned JSON of references and quantities; any bytes are survivable."""

from __future__ import annotations

import json
import zlib
from http.cookies import SimpleCookie
from typing import NamedTuple

from django.core import signing
from django.core.signing import JSONSerializer

from .cart import Cart, CartLine, is_ref
from .conf import app_settings
from .exceptions import CartFull

#: Own purpose, so that no other signed value of the site can pass as a cart, nor a cart as one of them (CK-1).
SALT = "thankyou_wishlists.cart.v1"
VERSION = 1


class Fit(NamedTuple):
    """What of a cart goes into the cookie, and the newest lines that do not."""

    cart: Cart
    left_out: tuple[CartLine, ...]


def encode(cart: Cart) -> str:
    """Return the cookie value of a cart.

    Raises CartFull (``bytes``) if name and value together have more than COOKIE_MAX_BYTES bytes (CK-2): the caller
    keeps the cart it had and tells the customer.
    """
    value = _sign(cart)
    if _size(value) > app_settings.cookie_max_bytes:
        raise CartFull("bytes", limit=app_settings.cookie_max_bytes)
    return value


def fit(cart: Cart) -> Fit:
    """Return the longest beginning of the cart (oldest lines first) that its cookie can hold, and what is left out.

    For callers that put in many lines at once. The cut depends on the cart and the settings alone; whoever calls
    says what was left out (CK-2).
    """
    low, high = 0, min(len(cart), app_settings.max_lines)
    while low < high:
        middle = (low + high + 1) // 2
        if _size(_sign(Cart(cart.lines[:middle]))) <= app_settings.cookie_max_bytes:
            low = middle
        else:
            high = middle - 1
    # Compression may make a longer cart shorter than a part of it, so that the search can end one line too far.
    while low and _size(_sign(Cart(cart.lines[:low]))) > app_settings.cookie_max_bytes:
        low -= 1
    return Fit(Cart(cart.lines[:low]), cart.lines[low:])


def decode(text: str) -> Cart | None:
    """Return the cart in a cookie value, or None if it is not one of ours and should be dropped (CK-3).

    Signed is not fresh: a year-old cookie is read, but obeys the limits of today (CK-4).
    """
    # What the site itself would not have written is not worth unpacking.
    if not text or len(text) > 4096:
        return None
    try:
        payload = signing.TimestampSigner(salt=SALT).unsign_object(text, serializer=JSONSerializer)
    except (signing.BadSignature, ValueError, zlib.error, RecursionError, json.JSONDecodeError):
        return None
    return _read(payload)


def _read(payload: object) -> Cart | None:
    match payload:
        case [version, [*rows]] if version == VERSION:
            lines = [_read_line(row) for row in rows]
        case _:
            return None
    found = [line for line in lines if line is not None]
    if len(found) != len(lines) or len({line.key for line in found}) != len(found):
        return None
    return Cart(tuple(found[: app_settings.max_lines]))


def _read_line(row: object) -> CartLine | None:
    match row:
        case [str(ref), int(quantity)]:
            options = ""
        case [str(ref), int(quantity), str(options)]:
            pass
        case _:
            return None
    if quantity < 1 or isinstance(quantity, bool) or not is_ref(ref) or not is_ref(options, empty=True):
        return None
    return CartLine(ref, min(quantity, app_settings.max_quantity), options)


def _sign(cart: Cart) -> str:
    rows = [[line.product_ref, line.quantity, *([line.options] if line.options else [])] for line in cart]
    return signing.TimestampSigner(salt=SALT).sign_object([VERSION, rows], serializer=JSONSerializer, compress=True)


def _size(value: str) -> int:
    """Bytes of ``name=value`` on the wire, after cookie quoting."""
    return len(app_settings.cookie_name) + 1 + len(SimpleCookie().value_encode(value)[1])
