"""How many mails one person gets: places, taken one by one (EM-12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from ..conf import app_settings
from ..models import Contact, Message, MessageKind

#: What MAILS_IN_30_DAYS counts in.
WINDOW: Final = timedelta(days=30)


def rest_of(frequency: str) -> timedelta:
    """Return how long a person with this frequency is left alone between two mails that are not transactional. The
    shop's own rest is the least.
    """
    shortest = timedelta(hours=app_settings.mail_rest_hours)
    return max(shortest, Contact.RESTS.get(frequency, shortest))


def take_place(*, message: Message, now: datetime) -> bool:
    """Take this person's next place for a mail that is not transactional; return False if another message was quicker.

    One guarded UPDATE of the contact decides, so that two workers never send two mails on one day. The place belongs to
    the message: its next attempt finds it still there. A person who is not known yet becomes a contact by it. Nobody
    without an address has a place; transactional mail needs none.
    """
    from .suppression import meet

    if message.kind == MessageKind.TRANSACTIONAL:
        return True
    if not message.email_key or not message.email:
        return False
    if _take(message, now=now):
        return True
    # One query is enough for all but a person's first message.
    if Contact.objects.filter(email_key=message.email_key).exists():
        return False
    with transaction.atomic():
        meet(email=message.email, language=message.language, now=now)
        return _take(message, now=now)


def _take(message: Message, *, now: datetime) -> bool:
    places = Contact.objects.filter(_has_place(message.key, now=now), email_key=message.email_key)
    return bool(places.update(last_marketing_at=now, last_marketing_key=message.key))


def _has_place(message_key: str, *, now: datetime) -> Q:
    rested = Q(last_marketing_at=None)
    for frequency in Contact.Frequency.values:
        rested |= Q(frequency=frequency, last_marketing_at__lte=now - rest_of(frequency))
    # Somebody may have paused since the gate was asked.
    awake = Q(paused_until=None) | Q(paused_until__lte=now)
    return awake & (rested | Q(last_marketing_key=message_key))
