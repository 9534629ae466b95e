"""What the mail provider reports back, by Anymail's webhooks: into message states and suppressions (EM-6, EM-7).

Each report counts once, in whatever order they come and however often: states only rise, times only fall, and the rest
is idempotent. Payloads and addresses are not kept. Without Anymail there is nothing to listen to.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, Final

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..conf import app_settings
from ..models import (
    ConsentReceipt,
    Contact,
    MailEvent,
    MailingList,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)
from .links import list_left_by
from .provider_events import Consequence, ProviderEvent, read_event, signed_at

logger = logging.getLogger(__name__)

Kind = MailEvent.Kind
Delivery = Message.Delivery

#: From weak to strong: news that overtake each other never lower a state.
RISING: Final = (Delivery.UNKNOWN, Delivery.DEFERRED, Delivery.DELIVERED, Delivery.BOUNCED, Delivery.COMPLAINED)

#: What each kind of report says of the delivery.
SAYS: Final = {
    Kind.DEFERRED: Delivery.DEFERRED,
    Kind.DELIVERED: Delivery.DELIVERED,
    Kind.BOUNCED: Delivery.BOUNCED,
    Kind.REJECTED: Delivery.BOUNCED,
    Kind.COMPLAINED: Delivery.COMPLAINED,
    # Who clicks or unsubscribes has got it.
    Kind.CLICKED: Delivery.DELIVERED,
    Kind.UNSUBSCRIBED: Delivery.UNKNOWN,
}


def connect() -> None:
    """Listen to Anymail, if it is installed. Called once, when Django has started."""
    if find_spec("anymail") is None:
        return
    from anymail.signals import tracking

    tracking.connect(on_tracking, dispatch_uid="thankyou_flows.tracking")


def on_tracking(*, event: Any, esp_name: str, **_: Any) -> None:
    """Take one event of a webhook. One bad event does not cost the rest of its batch (EM-7).

    Raises only when the database is away, or cannot be written: then the provider is told so, and sends the batch again;
    what was taken of it counts once. What the database refuses because of the event itself would be refused again.
    """
    try:
        take_event(event=event, provider=esp_name)
    except (DatabaseError, InterfaceError) as error:
        if not isinstance(error, (DataError, IntegrityError)):
            raise
        _log_refusal(esp_name, error)
    except Exception as error:
        _log_refusal(esp_name, error)


def _log_refusal(esp_name: str, error: Exception) -> None:
    # Only what kind of mistake: the message of an error may quote the event, and with it an address (OP-6).
    logger.error("A report from %s could not be taken: %s.", esp_name, type(error).__name__)


def take_event(*, event: Any, provider: str, now: datetime | None = None) -> bool:
    """Do what one ``anymail.signals.AnymailTrackingEvent`` of this provider asks for; return whether it was news.

    An event counts once; one that is older than KEEP_MAIL_EVENTS_DAYS, and may be forgotten already, not at all. A
    message or a person that nobody knows (any more) is no mistake.
    """
    now = now or timezone.now()
    taken = read_event(event, provider=provider, now=now)
    if taken is None or (taken.kind == Kind.CLICKED and not app_settings.count_clicks):
        return False
    oldest = now - timedelta(days=app_settings.keep_mail_events_days)
    if min(taken.at, signed_at(event, provider=provider) or taken.at) < oldest:
        logger.info("A report from %s came too late to be taken.", provider)
        return False
    with transaction.atomic():
        message = find_message(taken)
        facts = {"message": message, "kind": taken.kind, "at": taken.at, "received_at": now}
        _row, is_new = MailEvent.objects.get_or_create(provider=taken.provider, event_id=taken.event_id, defaults=facts)
        if is_new:
            if message is not None:
                _note_on_message(message, taken, now=now)
            _note_on_person(message, taken, now=now)
    return is_new


def find_message(event: ProviderEvent) -> Message | None:
    """Return the message that an event is about: by our key, else by the provider's id and the recipient.

    A copy that went to somebody else (an archive of the provider's) is not the message.
    """
    message = None
    if event.message_key:
        message = Message.objects.filter(key=event.message_key).first()
    if message is None and event.provider_id and event.email_key:
        message = Message.objects.of(event.email_key).filter(provider_id=event.provider_id).order_by("-pk").first()
    if message is not None and event.email_key and message.email_key not in {"", event.email_key}:
        return None
    return message


def _note_on_message(message: Message, event: ProviderEvent, *, now: datetime) -> None:
    row = Message.objects.filter(pk=message.pk)
    said = SAYS[event.kind]
    row.filter(delivery__in=RISING[: RISING.index(said)]).update(delivery=said)
    if event.kind == Kind.DELIVERED:
        row.filter(Q(delivered_at=None) | Q(delivered_at__gt=event.at)).update(delivered_at=event.at)
    elif event.kind == Kind.CLICKED:
        row.filter(Q(clicked_at=None) | Q(clicked_at__gt=event.at)).update(clicked_at=event.at)
    # What the provider knows of has gone out: where our worker died before it could say so, this is the answer, and no
    # second attempt is needed. What a worker has in its hands (claimed, attempting) is left to the worker.
    if message.state not in {Message.State.PLANNED, Message.State.FAILED}:
        return
    uncertain = Q(state=Message.State.PLANNED, uncertain__gt=0) | Q(
        state=Message.State.FAILED, why_not=WhyNot.UNCERTAIN
    )
    changes: dict[str, Any] = {"state": Message.State.SENT, "why_not": "", "last_error": "", "settled_at": now}
    if message.composer == "email":
        # As in ``claiming.record_sent``.
        changes["context"] = {}
    row.filter(uncertain).update(sent_at=Coalesce(F("sent_at"), event.at), **changes)


def _note_on_person(message: Message | None, event: ProviderEvent, *, now: datetime) -> None:
    from . import suppression

    email_key = event.email_key or (message.email_key if message is not None else "")
    if not email_key:
        return
    message_key = message.key if message is not None else ""
    match event.consequence:
        case Consequence.BOUNCED | Consequence.COMPLAINED:
            suppression.suppress(
                email_key=email_key,
                scope=Suppression.MARKETING,
                reason=Suppression.Reason(event.consequence.value),
                message_key=message_key,
                now=now,
            )
        case Consequence.LEFT if not _agreed_since(email_key, message, event.at):
            suppression.leave(
                email_key=email_key,
                mailing_list=_list_of(message),
                # Whoever left by a mail that is unknown here may mean any of our lists.
                everything=message is None,
                follow_ups=message is not None and message.kind == MessageKind.FOLLOW_UP,
                method=ConsentReceipt.Method.PROVIDER,
                message=message,
                now=now,
            )
    if event.kind == Kind.CLICKED:
        Contact.objects.filter(email_key=email_key, last_action_at__lt=event.at).update(last_action_at=event.at)


def _list_of(message: Message | None) -> MailingList | None:
    """As by the link in the mail: a newsletter's list, and from a follow-up all follow-ups and the list behind it."""
    return list_left_by(message) if message is not None else None


def _agreed_since(email_key: str, message: Message | None, at: datetime) -> bool:
    """Whether the person confirmed a sign-up after unsubscribing: the news of the latter is then only late."""
    since = Subscription.objects.filter(email_key=email_key, state=Subscription.State.CONFIRMED, confirmed_at__gt=at)
    mailing_list = _list_of(message)
    if mailing_list is not None:
        since = since.filter(mailing_list=mailing_list)
    elif message is not None:
        since = since.filter(mailing_list__covers_follow_ups=True)
    return since.exists()
