"""The settings of ``coupons``: ``THANKYOU_COUPONS`` read at use, each with its default beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings

NAME: Final = "THANKYOU_COUPONS"

DEFAULTS: Final[Mapping[str, int | bool | str | tuple[str, ...]]] = {
    "RESERVATION_MINUTES": 30,
    "GRACE_SECONDS": 90,
    "MAX_EXTENSIONS": 10,
    "GMAIL_ALIASES": True,
    "FOREIGN_CODES": False,
    "VERIFIED_EMAIL": "coupons.holders.verified_email",
    "CATALOG": "",
    "BASKET": "",
    "GUESS_LIMITS_SESSION": ("5/minute", "30/hour"),
    "GUESS_LIMITS_IP": ("20/minute", "200/hour"),
    "GUESS_ALARM_PER_MINUTE": 120,
    "CHALLENGE": "",
    "TRUSTED_PROXIES": 0,
    "KEEP_UNUSED_DAYS": 365,
}


class CouponsSettings:
    """Typed view of ``settings.THANKYOU_COUPONS``; nothing is cached, so ``override_settings`` just works."""

    def _get(self, key: str) -> Any:
        return getattr(settings, NAME, {}).get(key, DEFAULTS[key])

    @property
    def reservation(self) -> timedelta:
        """How long a checkout keeps a use before payment (``RESERVATION_MINUTES``, CO-2)."""
        return timedelta(minutes=self._get("RESERVATION_MINUTES"))

    @property
    def grace(self) -> timedelta:
        """How long after the displayed end a coupon is still accepted (``GRACE_SECONDS``, CD-2)."""
        return timedelta(seconds=self._get("GRACE_SECONDS"))

    @property
    def max_extensions(self) -> int:
        """How often a customer may ask for more time (``MAX_EXTENSIONS``, AX-2: at least ten)."""
        return int(self._get("MAX_EXTENSIONS"))

    @property
    def gmail_aliases(self) -> bool:
        """Whether ``a.nn+x@gmail.com`` and ``ann@gmail.com`` are one customer (``GMAIL_ALIASES``, CO-10)."""
        return bool(self._get("GMAIL_ALIASES"))

    @property
    def foreign_codes(self) -> bool:
        """Whether codes of other systems are in use, so that a wrong check symbol proves no typing error
        (``FOREIGN_CODES``, CO-5).
        """
        return bool(self._get("FOREIGN_CODES"))

    @property
    def verified_email(self) -> str:
        """Dotted path of a callable ``(user) -> str``: the address that an account has proved (``VERIFIED_EMAIL``)."""
        return str(self._get("VERIFIED_EMAIL"))

    @property
    def catalog(self) -> str:
        """Dotted path of the class that knows the shop's products and categories (``CATALOG``); empty for none."""
        return str(self._get("CATALOG"))

    @property
    def basket(self) -> str:
        """Dotted path of a callable ``(request) -> BasketFacts | None``: the visitor's basket (``BASKET``); empty for
        none.
        """
        return str(self._get("BASKET"))

    @property
    def guess_limits_session(self) -> tuple[str, ...]:
        """How many wrong codes one session may try (``GUESS_LIMITS_SESSION``, CO-7), such as ``"5/minute"``."""
        return tuple(self._get("GUESS_LIMITS_SESSION"))

    @property
    def guess_limits_ip(self) -> tuple[str, ...]:
        """How many wrong codes one network address may try (``GUESS_LIMITS_IP``, CO-7)."""
        return tuple(self._get("GUESS_LIMITS_IP"))

    @property
    def guess_alarm_per_minute(self) -> int:
        """More wrong codes a minute than this, across the site, are an attack (``GUESS_ALARM_PER_MINUTE``, CO-7)."""
        return int(self._get("GUESS_ALARM_PER_MINUTE"))

    @property
    def challenge(self) -> str:
        """Dotted path of a callable ``(request) -> bool``, "this visitor is a person" (``CHALLENGE``, CO-7); empty for
        none.
        """
        return str(self._get("CHALLENGE"))

    @property
    def trusted_proxies(self) -> int:
        """How many proxies of the site's own write ``X-Forwarded-For`` (``TRUSTED_PROXIES``, CO-7)."""
        return int(self._get("TRUSTED_PROXIES"))

    @property
    def keep_unused(self) -> timedelta:
        """How long unpaid reservations, unused coupons of ended campaigns and reports of imports stay
        (``KEEP_UNUSED_DAYS``, EM-13).
        """
        return timedelta(days=self._get("KEEP_UNUSED_DAYS"))


app_settings = CouponsSettings()
