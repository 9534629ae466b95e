"""Who a giver is: 128 random bits in a cookie of the giver's own browser, and nothing else anywhere (CK-1).

It lives until the browser is closed, as nobody asked for longer (CK-6), and is made when something is marked, not before.
"""

from __future__ import annotations

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from .conf import app_settings
from .jar import cookies_of
from .models.keys import is_key, make_key

#: Own purpose: no other signed value passes as a giver's cookie.
SALT = "thankyou_wishlists.gifts.v1"


def new_giver() -> str:
    """Return a giver that nobody can guess."""
    return make_key()


def read_giver(request: HttpRequest) -> str:
    """Return the giver that this browser is; empty if it is none yet, whatever its cookie holds (CK-3)."""
    text = cookies_of(request).get(cookie_name(), "")
    if not text or len(text) > 200:
        return ""
    try:
        giver = signing.TimestampSigner(salt=SALT).unsign(text)
    except (signing.BadSignature, ValueError, OverflowError):
        return ""
    return giver if is_key(giver) else ""


def write_giver(response: HttpResponseBase, giver: str) -> None:
    """Let this browser be this giver until it is closed. Always the same few bytes, whatever is marked (CK-2)."""
    response.set_cookie(
        cookie_name(),
        signing.TimestampSigner(salt=SALT).sign(giver),
        path="/",
        secure=app_settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )


def forget_giver(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let this browser be nobody again; what it marked stays marked."""
    if cookie_name() in cookies_of(request):
        response.delete_cookie(cookie_name(), path="/", samesite="Lax")


def cookie_name() -> str:
    """Name of the giver's cookie."""
    return app_settings.cookie_name("gifts")
