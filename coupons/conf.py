"""The settings of ``coupons``: ``THANKYOU_COUPONS`` read at use, each with its default beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings

NAME: Final = "THANKYOU_COUPONS"

DEFAULTS: Final[Mapping[str, int | bool]] = {
    "RESERVATION_MINUTES": 30,
    "GRACE_SECONDS": 90,
    "MAX_EXTENSIONS": 10,
    "GMAIL_ALIASES": True,
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


app_settings = CouponsSettings()
