"""The settings of ``wishlists``: one dict, ``THANKYOU_WISHLISTS``, read at use, with every default in one place."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings

NAME = "THANKYOU_WISHLISTS"

#: Every key with its default. Checks compare a project's dict with this one.
DEFAULTS: dict[str, Any] = {
    "CATALOG": None,  # the shop's product catalogue: dotted path of a class, an instance or a callable
    "BASKET": None,  # the shop's own basket: dotted path of a callable; without it our cart is the basket
    "BASKET_URL": "",  # URL name or path of the shop's own basket; empty: no link to it
    "KINDS": {},  # changes to the kinds of lists: {"recent": {"is_on": True}, "cart": {"max_items": 30}}
    "MAX_QUANTITY": 99,  # pieces of one product
    "COOKIE_NAME": "cart",  # gets the prefix __Host- where SESSION_COOKIE_SECURE is on; the other cookies begin with it
    "KEEP_DAYS": 30,  # how long "keep on this device" lasts after the last change
    "ENCRYPT_LISTS": False,  # cookies that nobody at this computer can read; needs the package "cryptography"
    "ADDS_PER_MINUTE": 60,  # products that an account saves in a minute
    "UNDO_DAYS": 7,  # how long a receipt of a merge is kept
    "LOW_STOCK": 3,  # pieces left at which a product is about to sell out
    "INQUIRY_DAYS": 180,  # how long questions to the shop are kept after the answer
    "INQUIRY_NOTIFY": [],  # e-mail addresses that hear of each new question
    "SEND_MAIL": "wishlists.mails.send_directly",  # who sends mails: dotted path of a callable, see docs/reference/settings.md
    "TRUSTED_PROXIES": 0,  # how many proxies of the site's own write X-Forwarded-For; to count questions by client
    "STATISTICS_DAYS": 400,  # how long it is remembered which account saved what, for the report
    "CHECKOUT_URL": "",  # URL name or path behind "Check out" on the cart page; empty: no button
    "SHOP_URL": "/",  # URL name or path behind "Look around the shop" in an empty list
    "QUIET_URLS": [],  # further URL names or paths below which nothing is asked, as below CHECKOUT_URL
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
    def basket(self) -> str | None:
        return cast("str | None", self._get("BASKET"))

    @property
    def basket_url(self) -> str:
        return cast(str, self._get("BASKET_URL"))

    @property
    def kinds(self) -> dict[str, dict[str, Any]]:
        return cast("dict[str, dict[str, Any]]", self._get("KINDS"))

    @property
    def max_quantity(self) -> int:
        return cast(int, self._get("MAX_QUANTITY"))

    def cookie_name(self, kind: str) -> str:
        """Name of the cookie of one kind of list, as the browser sees it (CK-2)."""
        name = cast(str, self._get("COOKIE_NAME"))
        return self.prefixed(name if kind == "cart" else f"{name}_{kind}")

    @property
    def note_cookie_name(self) -> str:
        """Name of the short-lived cookie that carries one status message over a redirect."""
        return self.cookie_name("note")

    @property
    def open_cookie_name(self) -> str:
        """Name of the cookie that says that the lists kept on this device were opened in this browser session."""
        return self.cookie_name("open")

    @property
    def cookie_secure(self) -> bool:
        """Follows the site's own cookie security, so that development over plain http works (CK-2)."""
        return bool(settings.SESSION_COOKIE_SECURE)

    @property
    def keep_days(self) -> int:
        return cast(int, self._get("KEEP_DAYS"))

    @property
    def encrypt_lists(self) -> bool:
        return cast(bool, self._get("ENCRYPT_LISTS"))

    @property
    def adds_per_minute(self) -> int:
        return cast(int, self._get("ADDS_PER_MINUTE"))

    @property
    def undo_days(self) -> int:
        return cast(int, self._get("UNDO_DAYS"))

    @property
    def low_stock(self) -> int:
        return cast(int, self._get("LOW_STOCK"))

    @property
    def inquiry_days(self) -> int:
        return cast(int, self._get("INQUIRY_DAYS"))

    @property
    def inquiry_notify(self) -> list[str]:
        return cast("list[str]", self._get("INQUIRY_NOTIFY"))

    @property
    def send_mail(self) -> str:
        return cast(str, self._get("SEND_MAIL"))

    @property
    def trusted_proxies(self) -> int:
        return cast(int, self._get("TRUSTED_PROXIES"))

    @property
    def statistics_days(self) -> int:
        return cast(int, self._get("STATISTICS_DAYS"))

    @property
    def checkout_url(self) -> str:
        return cast(str, self._get("CHECKOUT_URL"))

    @property
    def shop_url(self) -> str:
        return cast(str, self._get("SHOP_URL"))

    @property
    def quiet_urls(self) -> list[str]:
        return cast("list[str]", self._get("QUIET_URLS"))

    def prefixed(self, name: str) -> str:
        """Return ``name`` as a host-bound cookie name where cookies are secure."""
        return f"__Host-{name}" if self.cookie_secure else name


app_settings = WishlistsSettings()
