"""The settings of ``wishlists``: one dict, ``THANKYOU_WISHLISTS``, read at use, with every default in one place."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings

NAME = "THANKYOU_WISHLISTS"

#: Every key with its default. Checks compare a project's dict with this one.
DEFAULTS: dict[str, Any] = {
    "CATALOG": None,  # the shop's product catalogue: dotted path of a class, an instance or a callable
    "MAX_LINES": 50,  # different products in one cart
    "MAX_QUANTITY": 99,  # pieces of one product
    "COOKIE_NAME": "cart",  # gets the prefix __Host- where SESSION_COOKIE_SECURE is on
    "COOKIE_MAX_BYTES": 3800,  # name and value together; browsers promise 4,096
    "CHECKOUT_URL": "",  # URL name or path behind "Check out" on the cart page; empty: no button
    "SHOP_URL": "/",  # URL name or path behind "Look around the shop" in an empty cart
}


class WishlistsSettings:
    """Typed view of ``settings.THANKYOU_WISHLISTS``; never cached, so that tests and tenants may change it."""

    def _get(self, key: str) -> Any:
        given = getattr(settings, NAME, None)
        return given.get(key, DEFAULTS[key]) if isinstance(given, dict) else DEFAULTS[key]

    @property
    def catalog(self) -> str | None:
        return cast("str | None", self._get("CATALOG"))

    @property
    def max_lines(self) -> int:
        return cast(int, self._get("MAX_LINES"))

    @property
    def max_quantity(self) -> int:
        return cast(int, self._get("MAX_QUANTITY"))

    @property
    def cookie_name(self) -> str:
        """Name of the cart's cookie as the browser sees it (CK-2)."""
        return self.prefixed(cast(str, self._get("COOKIE_NAME")))

    @property
    def note_cookie_name(self) -> str:
        """Name of the short-lived cookie that carries one status message over a redirect."""
        return self.prefixed(f"{self._get('COOKIE_NAME')}_note")

    @property
    def cookie_max_bytes(self) -> int:
        return cast(int, self._get("COOKIE_MAX_BYTES"))

    @property
    def cookie_secure(self) -> bool:
        """Follows the site's own cookie security, so that development over plain http works (CK-2)."""
        return bool(settings.SESSION_COOKIE_SECURE)

    @property
    def checkout_url(self) -> str:
        return cast(str, self._get("CHECKOUT_URL"))

    @property
    def shop_url(self) -> str:
        return cast(str, self._get("SHOP_URL"))

    def prefixed(self, name: str) -> str:
        """Return ``name`` as a host-bound cookie name where cookies are secure."""
        return f"__Host-{name}" if self.cookie_secure else name


app_settings = WishlistsSettings()
