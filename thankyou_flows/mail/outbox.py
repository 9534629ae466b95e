"""Writing messages into the outbox, and stopping them. Nothing here sends anything (EM-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.mail import EmailMessage
from django.db.models import QuerySet

from coupons.models import Coupon

from ..models import FollowUpStep, MailingList, Message, MessageKind, WhyNot


def queue(
    *,
    dedupe_key: str,
    email: str,
    composer: str,
    reason: str,
    kind: MessageKind = MessageKind.TRANSACTIONAL,
    context: Mapping[str, Any] | None = None,
    ref: str = "",
    language: str = "",
    step: FollowUpStep | None = None,
    mailing_list: MailingList | None = None,
    coupon: Coupon | None = None,
    happened_at: datetime | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> Message | None:
    """Write one message into the outbox, in the running transaction, and wake a worker after commit.

    ``dedupe_key`` names what the mail is about (at most 200 characters): a message with the same key is never written
    twice; then, and only then, None is returned. ``composer`` is a name in ``mail.composing.COMPOSERS`` or a dotted path.
    ``context`` must be JSON; keep references in it rather than texts, and no secret: links get their tokens when the
    mail is written. ``due_at`` is when it should go out (now), ``expires_at`` when it is not worth sending any more.

    Raises ValidationError if ``email`` is no address, ValueError for an empty key.
    """
    raise NotImplementedError


def queue_email(
    *,
    message: EmailMessage,
    dedupe_key: str,
    reason: str,
    kind: MessageKind = MessageKind.TRANSACTIONAL,
    ref: str = "",
    language: str = "",
    now: datetime | None = None,
) -> Message | None:
    """Send a mail of the shop's own by the outbox, so that it is late rather than lost: subject, text, HTML alternative,
    reply-to and plain headers are kept in the row until it is sent.

    One recipient; no attachments, cc or bcc (raises ValueError): a row of the database is no place for them.
    """
    raise NotImplementedError


def stop(*, messages: QuerySet[Message], why: WhyNot, now: datetime | None = None) -> int:
    """Stop those of these messages that are not sent yet, also if a worker has just claimed them; return how many.

    What a worker is just handing to the mail server cannot be stopped any more.
    """
    raise NotImplementedError


def requeue(*, message: Message, now: datetime | None = None) -> bool:
    """Plan a message again that failed or was not sent, with fresh attempts; return whether that was possible. The gate
    is asked again as ever. A sent one is not sent twice.
    """
    raise NotImplementedError
