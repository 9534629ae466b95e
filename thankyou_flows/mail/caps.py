"""How many mails one person gets: places, taken one by one (EM-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, Q

from ..conf import app_settings
from ..models import Contact, Message, MessageKind

#: What MAILS_IN_30_DAYS counts in.
WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who had a person's place, and since when."""

    at: datetime | None = None
    key: str = ""


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


def give_place_back(*, message: Message, before: Place) -> bool:
    """Give the place back to whoever had it before, if the message has it and has surely not gone out; return whether it
    was given back. What has just failed for a while, or for good, costs nobody the mail that is due next.

    Kept while a worker has the message in its hands, and after an attempt of which nobody knows what became of it.
    """
    if not message.email_key:
        return False
    not_sent = [Message.State.PLANNED, Message.State.SKIPPED, Message.State.FAILED]
    unsent = Message.objects.filter(pk=message.pk, uncertain=0, state__in=not_sent)
    mine = Contact.objects.filter(Exists(unsent), email_key=message.email_key, last_marketing_key=message.key)
    if before.key == message.key:
        before = _last_sent(message)
    return bool(mine.update(last_marketing_at=before.at, last_marketing_key=before.key))


def _last_sent(message: Message) -> Place:
    """Return what can be known of a place that an earlier attempt has taken and died with."""
    sent = Message.objects.marketing().of(message.email_key).exclude(sent_at=None).order_by("-sent_at")
    last = sent.values_list("sent_at", "key").first()
    return Place(at=last[0], key=last[1]) if last is not None else Place()


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
