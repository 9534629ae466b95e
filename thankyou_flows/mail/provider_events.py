"""What a mail provider reports, in our words (EM-7).

Anymail gives the reports of all providers one shape; what it leaves to us is whether a bounce is final, and a name for
reports to which the provider gives none. Nothing of the provider's own text is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from django.utils import timezone
from django.utils.crypto import salted_hmac

from coupons.holders import customer_key

from ..models import MailEvent

Kind = MailEvent.Kind


class Consequence(StrEnum):
    """What a report means for the person, beside the message."""

    NONE = ""
    #: The address does not exist.
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One report about one mail to one person. Holds no address."""

    provider: str
    #: Unique for the provider.
    event_id: str
    kind: MailEvent.Kind
    at: datetime
    consequence: Consequence = Consequence.NONE
    #: Our key of the message, from its metadata; not every provider sends it back.
    message_key: str = ""
    #: The provider's own id of the message.
    provider_id: str = ""
    #: The recipient, as ``coupons.holders.customer_key``.
    email_key: str = ""


#: Anymail's event types that we know what to do with. Opened mails are no action, and are not looked at (EM-13).
KINDS: Final[Mapping[str, MailEvent.Kind]] = {
    "deferred": Kind.DEFERRED,
    "delivered": Kind.DELIVERED,
    "bounced": Kind.BOUNCED,
    "rejected": Kind.REJECTED,
    "failed": Kind.REJECTED,
    "complained": Kind.COMPLAINED,
    "unsubscribed": Kind.UNSUBSCRIBED,
    "clicked": Kind.CLICKED,
}

#: Where a provider says that a bounce is not final, and with which words: Anymail calls most of them just "bounced".
SOFT: Final[Mapping[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "Amazon SES": (("bounce", "bounceType"), frozenset({"Transient", "Undetermined"})),
    "Brevo": (("event",), frozenset({"soft_bounce"})),
    "MailerSend": (("data", "type"), frozenset({"soft_bounced"})),
    "Mailjet": (("hard_bounce",), frozenset({"False", "0", "false"})),
    "Mandrill": (("event",), frozenset({"soft_bounce"})),
    "Postmark": (("Type",), frozenset({"SoftBounce"})),
    "Resend": (("data", "bounce", "type"), frozenset({"Transient", "Undetermined"})),
    "SendGrid": (("type",), frozenset({"blocked"})),
    "SendinBlue": (("event",), frozenset({"soft_bounce"})),
    # The name between is that of the kind of event.
    "SparkPost": (("msys", "*", "bounce_class"), frozenset({"20", "21", "22", "23", "24", "40", "70"})),
}

#: Providers whose one id stands for a report about several recipients.
SHARED_IDS: Final = frozenset({"Amazon SES"})

#: RFC 3463: 4.x.x is temporary; 5.2.2 a full mailbox, 5.3.4 too large, 5.7.x a refusal of the sender or of the text.
#: None of them says that the address does not exist.
_NOT_THE_ADDRESS: Final = re.compile(r"(?:^|[\s-])(?:4\.\d{1,3}\.\d{1,3}|5\.2\.2|5\.3\.4|5\.7\.\d{1,3})(?:\s|$)")


def read_event(event: Any, *, provider: str, now: datetime) -> ProviderEvent | None:
    """Return what an ``anymail.signals.AnymailTrackingEvent`` says; None if it is nothing to us.

    ``at`` is never later than ``now``: a provider's clock may be ahead.
    """
    kind = KINDS.get(str(event.event_type))
    if kind is None:
        return None
    if kind == Kind.BOUNCED and is_soft(event, provider=provider):
        kind = Kind.DEFERRED
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    return ProviderEvent(
        provider=provider[:40],
        event_id=name_event(event, provider=provider),
        kind=kind,
        at=min(_aware(event.timestamp) or now, now),
        consequence=_consequence(event, kind=kind),
        message_key=str(metadata.get("message") or "")[:200],
        provider_id=str(event.message_id or "")[:200],
        email_key=customer_key(str(event.recipient or "")),
    )


def is_soft(event: Any, *, provider: str) -> bool:
    """Return whether a bounce may pass: a full mailbox, a server that is down, a policy. Such an address exists."""
    if provider in SOFT:
        path, words = SOFT[provider]
        if str(_look_up(event.esp_event, path)) in words:
            return True
    return event.reject_reason == "timed_out" or str(event.mta_response or "").startswith("4")


def name_event(event: Any, *, provider: str) -> str:
    """Return the provider's id of an event; where it gives none, a keyed hash of what tells it from others, so that
    nobody can look for an address in it.
    """
    given = str(event.event_id or "")
    if given and len(given) <= 200 and provider not in SHARED_IDS:
        return given
    parts = [given, event.event_type, event.message_id, event.recipient]
    if not given:
        parts += [event.timestamp, event.reject_reason, event.click_url]
    text = "\n".join(str(part or "") for part in parts)
    return salted_hmac("thankyou_flows.mail_event", text, algorithm="sha256").hexdigest()


def signed_at(event: Any, *, provider: str) -> datetime | None:
    """Return when the provider signed the report, if it says so. Mailgun signs only that, and a token: with an old
    signature anybody could report something new.
    """
    if provider != "Mailgun":
        return None
    block = _look_up(event.esp_event, ("signature",))
    given = _look_up(block if isinstance(block, Mapping) else event.esp_event, ("timestamp",))
    try:
        return datetime.fromtimestamp(float(given), tz=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _consequence(event: Any, *, kind: MailEvent.Kind) -> Consequence:
    """Complaints and unsubscribes are what they are called; of what came back, only "no such address" is final."""
    reason = event.reject_reason
    if kind == Kind.COMPLAINED:
        return Consequence.COMPLAINED
    if kind == Kind.UNSUBSCRIBED:
        return Consequence.LEFT
    if kind == Kind.BOUNCED:
        other_cause = _NOT_THE_ADDRESS.search(str(event.mta_response or ""))
        if reason == "invalid" or (reason in {"bounced", None} and not other_cause):
            return Consequence.BOUNCED
    elif kind == Kind.REJECTED and event.event_type == "rejected":
        # The provider remembers something of earlier.
        remembered = {"invalid": Consequence.BOUNCED, "bounced": Consequence.BOUNCED, "spam": Consequence.COMPLAINED}
        return {**remembered, "unsubscribed": Consequence.LEFT}.get(str(reason), Consequence.NONE)
    return Consequence.NONE


def _look_up(payload: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(payload, Mapping):
            return None
        payload = next(iter(payload.values()), None) if name == "*" else payload.get(name)
    return payload


def _aware(at: datetime | None) -> datetime | None:
    return timezone.make_aware(at, UTC) if at is not None and timezone.is_naive(at) else at
