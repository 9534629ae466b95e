"""The settings dict ``THANKYOU_FLOWS``: every key, its type and its default. Read at use, never cached."""

from __future__ import annotations

from typing import Any

from django.conf import settings

NAME = "THANKYOU_FLOWS"

#: Every key with its default. The type of the default is the type that the system check asks for.
DEFAULTS: dict[str, Any] = {
    # Dotted path of the store adapter.
    "STORE": "thankyou_flows.stores.dummy.DummyStore",
    # How long the browser that ordered sees everything (TY-1), in minutes.
    "GRACE_MINUTES": 30,
    # How long a link in a mail shows items, state and totals (TY-4), in days.
    "LINK_DAYS": 21,
    # How long a newsletter confirmation link works (EM-1), in hours.
    "CONFIRM_HOURS": 72,
    # How long an offer with a countdown rests for the customer who had it (CD-4), in days.
    "OFFER_COOLDOWN_DAYS": 30,
    # How many proxies in front of us can be trusted to have written X-Forwarded-For (TY-9).
    "TRUSTED_PROXIES": 0,
    # Where the "our terms" style texts of newsletters lead; a page of the site.
    "PRIVACY_URL": "",
    # How soon after it was shown a sign-up form may come back (EM-3), in seconds; 0 switches the check off.
    "MIN_FILL_SECONDS": 1,
}


class FlowsSettings:
    """Typed view of ``settings.THANKYOU_FLOWS``; nothing is cached, so that ``override_settings`` just works."""

    def _get(self, key: str) -> Any:
        return getattr(settings, NAME, {}).get(key, DEFAULTS[key])

    @property
    def store(self) -> str:
        return str(self._get("STORE"))

    @property
    def grace_minutes(self) -> int:
        return int(self._get("GRACE_MINUTES"))

    @property
    def link_days(self) -> int:
        return int(self._get("LINK_DAYS"))

    @property
    def confirm_hours(self) -> int:
        return int(self._get("CONFIRM_HOURS"))

    @property
    def offer_cooldown_days(self) -> int:
        return int(self._get("OFFER_COOLDOWN_DAYS"))

    @property
    def trusted_proxies(self) -> int:
        return int(self._get("TRUSTED_PROXIES"))

    @property
    def privacy_url(self) -> str:
        return str(self._get("PRIVACY_URL"))

    @property
    def min_fill_seconds(self) -> int:
        return int(self._get("MIN_FILL_SECONDS"))


app_settings = FlowsSettings()
