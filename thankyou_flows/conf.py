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
    # Confirmation mails of the whole site in an hour; above it none is sent, and an alarm goes out (EM-3).
    "CONFIRMATIONS_PER_HOUR": 500,
    # Dotted path of a callable (request) -> bool, "this visitor is a person", asked before a sign-up is taken (EM-3).
    "SIGN_UP_CHALLENGE": "",
    # What a consent receipt keeps of the network address: "" nothing, "truncated", "hashed" (EM-4).
    "CONSENT_IP": "",
    # Where links in mails lead to if no request says it ("https://shop.example"); else Wagtail's default site.
    "BASE_URL": "",
    # Who writes: name and postal address at the foot of every mail that is not transactional (CAN-SPAM, § 5 DDG).
    "MAIL_FOOTER": "",
    # An address that unsubscribes whoever writes to it, if somebody reads it; for List-Unsubscribe (RFC 2369).
    "UNSUBSCRIBE_MAILTO": "",
    # Between two mails to one person that are not transactional (EM-12), in hours.
    "MAIL_REST_HOURS": 24,
    # And no more of them than this in 30 days.
    "MAILS_IN_30_DAYS": 8,
    # Hours without such mails, in the customer's own zone, "from-to"; empty for none (EM-12).
    "QUIET_HOURS": "21:00-08:00",
    # How long after an order a customer who did not object may get follow-ups (EM-11), in days.
    "SOFT_OPT_IN_DAYS": 365,
    # Since when the checkout offers to object (ISO 8601), for shops whose orders do not say it themselves (EM-11).
    "OBJECTION_OFFERED_SINCE": "",
    # How long a planned mail may be late before it is not worth sending, in days.
    "LATE_DAYS": 7,
    # An order within so many days after a follow-up counts as its conversion.
    "CONVERSION_DAYS": 7,
    # Let the mail provider count clicks (Anymail). Nothing is counted by ourselves.
    "COUNT_CLICKS": False,
    # How many attempts a soft failure gets, over about three days (EM-10).
    "MAIL_ATTEMPTS": 8,
    # How long a worker may take for one mail before another one takes it over, in seconds.
    "LEASE_SECONDS": 300,
    # Retention in days (EM-13), enforced by the command "purge": see docs/reference/settings.md.
    "KEEP_UNCONFIRMED_DAYS": 7,
    "KEEP_CONSENT_DAYS": 3 * 365,
    "KEEP_INACTIVE_DAYS": 3 * 365,
    "KEEP_MAIL_TEXT_DAYS": 90,
    "KEEP_MESSAGES_DAYS": 396,
    "KEEP_MAIL_EVENTS_DAYS": 30,
    "KEEP_LINKS_DAYS": 30,
    # 0 keeps suppressions for ever: whoever asked to be left alone is (EM-6).
    "KEEP_SUPPRESSIONS_DAYS": 0,
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

    @property
    def confirmations_per_hour(self) -> int:
        return int(self._get("CONFIRMATIONS_PER_HOUR"))

    @property
    def sign_up_challenge(self) -> str:
        return str(self._get("SIGN_UP_CHALLENGE"))

    @property
    def consent_ip(self) -> str:
        return str(self._get("CONSENT_IP"))

    @property
    def base_url(self) -> str:
        return str(self._get("BASE_URL"))

    @property
    def mail_footer(self) -> str:
        return str(self._get("MAIL_FOOTER"))

    @property
    def unsubscribe_mailto(self) -> str:
        return str(self._get("UNSUBSCRIBE_MAILTO"))

    @property
    def mail_rest_hours(self) -> int:
        return int(self._get("MAIL_REST_HOURS"))

    @property
    def mails_in_30_days(self) -> int:
        return int(self._get("MAILS_IN_30_DAYS"))

    @property
    def quiet_hours(self) -> str:
        return str(self._get("QUIET_HOURS"))

    @property
    def soft_opt_in_days(self) -> int:
        return int(self._get("SOFT_OPT_IN_DAYS"))

    @property
    def objection_offered_since(self) -> str:
        return str(self._get("OBJECTION_OFFERED_SINCE"))

    @property
    def late_days(self) -> int:
        return int(self._get("LATE_DAYS"))

    @property
    def conversion_days(self) -> int:
        return int(self._get("CONVERSION_DAYS"))

    @property
    def count_clicks(self) -> bool:
        return bool(self._get("COUNT_CLICKS"))

    @property
    def mail_attempts(self) -> int:
        return int(self._get("MAIL_ATTEMPTS"))

    @property
    def lease_seconds(self) -> int:
        return int(self._get("LEASE_SECONDS"))

    @property
    def keep_unconfirmed_days(self) -> int:
        return int(self._get("KEEP_UNCONFIRMED_DAYS"))

    @property
    def keep_consent_days(self) -> int:
        return int(self._get("KEEP_CONSENT_DAYS"))

    @property
    def keep_inactive_days(self) -> int:
        return int(self._get("KEEP_INACTIVE_DAYS"))

    @property
    def keep_mail_text_days(self) -> int:
        return int(self._get("KEEP_MAIL_TEXT_DAYS"))

    @property
    def keep_messages_days(self) -> int:
        return int(self._get("KEEP_MESSAGES_DAYS"))

    @property
    def keep_mail_events_days(self) -> int:
        return int(self._get("KEEP_MAIL_EVENTS_DAYS"))

    @property
    def keep_links_days(self) -> int:
        return int(self._get("KEEP_LINKS_DAYS"))

    @property
    def keep_suppressions_days(self) -> int:
        return int(self._get("KEEP_SUPPRESSIONS_DAYS"))


app_settings = FlowsSettings()
