"""Where the cart of one request is kept: read lazily from the cookie, written back on the way out."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponseBase
from django.http.cookie import parse_cookie
from django.utils.cache import patch_cache_control, patch_vary_headers

from . import cookies
from .cart import Cart
from .conf import app_settings

logger = logging.getLogger(__name__)


class CartStore:
    """The cart of one browser, as ``request.cart_store``. Nothing is read before somebody asks for ``cart``."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._cart: Cart | None = None
        self._value: str | None = None
        self._bad = False
        self.accessed = False
        self.changed = False

    @property
    def cart(self) -> Cart:
        """The cart; an empty one if there is no cookie, or none that can be read (CK-3)."""
        self.accessed = True
        if self._cart is None:
            self._cart = self._load()
        return self._cart

    def save(self, cart: Cart) -> None:
        """Keep this cart from now on. Raises CartFull, and keeps the old one, if it is too long for a cookie."""
        value = cookies.encode(cart) if cart else None
        self._cart, self._value = cart, value
        self.accessed = self.changed = True

    def forget(self) -> None:
        """Leave nothing of the cart in this browser, as after a finished checkout."""
        self.save(Cart())

    def write(self, response: HttpResponseBase) -> None:
        """Put what happened into the response: headers if the cart was read, the cookie if it changed or was bad."""
        if not self.accessed:
            return
        patch_vary_headers(response, ("Cookie",))
        patch_cache_control(response, private=True, no_store=True)
        if response.status_code >= 500:
            return
        name = app_settings.cookie_name
        if self.changed and self._value is not None:
            # No max_age: it lives as long as the browser's session unless the customer asks for more (CK-6).
            response.set_cookie(
                name, self._value, path="/", secure=app_settings.cookie_secure, httponly=True, samesite="Lax"
            )
        elif (self.changed or self._bad) and name in self._request.COOKIES:
            response.delete_cookie(name, path="/", samesite="Lax")

    def _load(self) -> Cart:
        values = self._values()
        for value in values:
            cart = cookies.decode(value)
            if cart is not None:
                return cart
        if values:
            self._bad = True
            logger.info("An unreadable cart cookie was dropped.")
        return Cart()

    def _values(self) -> list[str]:
        """Every value sent under our name.

        A cookie for a longer path or the parent domain may share it (CK-3); the dict of a request keeps only one.
        """
        name = app_settings.cookie_name
        if name not in self._request.COOKIES:
            return []
        pairs = (parse_cookie(part) for part in self._request.META.get("HTTP_COOKIE", "").split(";"))
        return [pair[name] for pair in pairs if name in pair] or [self._request.COOKIES[name]]
