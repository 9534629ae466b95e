"""Messages that were sent, and what a mail provider reports of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from anymail.signals import AnymailTrackingEvent
from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.models import MailingList, Message, MessageKind

ANN = "ann@example.com"


def make_message(key: str = "m", *, email: str = ANN, **changes: Any) -> Message:
    """Write a follow-up that was sent an hour ago."""
    sent_at = timezone.now() - timedelta(hours=1)
    facts: dict[str, Any] = {
        "key": key,
        "dedupe_key": key,
        "kind": MessageKind.FOLLOW_UP,
        "state": Message.State.SENT,
        "composer": "follow_up",
        "email": email,
        "email_key": customer_key(email),
        "reason": "order_paid",
        "provider_id": f"<{key}@provider.example>",
        "sent_at": sent_at,
        "settled_at": sent_at,
    }
    return Message.objects.create(**{**facts, **changes})


def make_list(slug: str = "letters", **changes: Any) -> MailingList:
    return MailingList.objects.create(slug=slug, title=slug.title(), purpose="What is new.", **changes)


def make_event(kind: str, event_id: str | None = "e1", **changes: Any) -> AnymailTrackingEvent:
    """Return an event as Anymail's views make them."""
    facts: dict[str, Any] = {
        "event_type": kind,
        "event_id": event_id,
        "timestamp": timezone.now(),
        "metadata": {"message": "m"},
        "message_id": "<m@provider.example>",
        "recipient": ANN,
        "esp_event": {},
    }
    return AnymailTrackingEvent(**{**facts, **changes})


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)
