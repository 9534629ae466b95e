"""Why a message was planned that no follow-up led to, in words for the shop's people. A shop adds its own."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

_ALL: Final[dict[str, Any]] = {
    "test": _("A test mail that one of you asked for"),
    "sign_up": _("Somebody asked to be on a list"),
    "incentive": _("Thank-you coupon for a confirmed sign-up"),
    "unlock_link": _("A customer asked for the link to a coupon"),
    # Mails of the lists and the questions, which hand them to the outbox.
    "inquiry-notice": _("A customer asked a question"),
    "inquiry-answer": _("A question was answered"),
}


def register_reason(key: str, label: Any) -> None:
    """Say in words what a ``reason`` of your own means, for "Why planned" in the admin.

    ``key`` is what your code gives to ``outbox.plan(reason=…)``, ``label`` a short text, translated lazily. A second label
    for the same key replaces the first. Call it from ``AppConfig.ready``. Without one, staff read the key.
    """
    _ALL[key] = label


def find_label(key: str) -> str:
    """Return the words for a reason; empty if nobody has registered any."""
    return str(_ALL.get(key, ""))
