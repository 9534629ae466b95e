"""Writing messages into the outbox, and stopping them. Nothing here sends anything (EM-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import strip_tags

from coupons.holders import customer_key
from coupons.models import Coupon

from ..conf import app_settings
from ..models import FollowUpStep, MailingList, Message, MessageKind, WhyNot
from .composing import check_header
from .waking import wake

LONGEST_KEY: Final = 200
#: States that a message comes back from by ``requeue``.
_ENDED: Final = (Message.State.SKIPPED, Message.State.FAILED)


def queue(
    *,
    dedupe_key: str,
    email: str,
    composer: str,
    reason: str,
    kind: MessageKind,
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
    mail is written. ``due_at`` is when it should go out (now), ``expires_at`` when it is not worth sending any more; mail
    that is not transactional is not worth it ``LATE_DAYS`` after ``due_at`` if nothing else is said.

    Raises ValidationError if ``email`` is no address, ValueError for a key that is empty or too long.
    """
    now = now or timezone.now()
    email = email.strip()
    validate_email(email)
    if not dedupe_key or len(dedupe_key) > LONGEST_KEY:
        raise ValueError(f"dedupe_key must have 1 to {LONGEST_KEY} characters.")
    due_at = due_at or now
    if expires_at is None and kind != MessageKind.TRANSACTIONAL:
        expires_at = due_at + timedelta(days=app_settings.late_days)
    message = Message(
        dedupe_key=dedupe_key,
        kind=kind,
        composer=composer,
        context=dict(context or {}),
        email=email,
        email_key=customer_key(email),
        language=language,
        reason=reason,
        ref=ref,
        step=step,
        follow_up_id=step.follow_up_id if step is not None else None,
        mailing_list=mailing_list,
        coupon=coupon,
        happened_at=happened_at or now,
        due_at=due_at,
        expires_at=expires_at,
        created_at=now,
    )
    if not _insert(message):
        return None
    wake(message=message, now=now)
    return message


def _insert(message: Message) -> bool:
    """Write the row; False if there is one with its dedupe key."""
    same = Message.objects.filter(dedupe_key=message.dedupe_key)
    # Usually enough, and quieter than an error in the database's log. The unique key is what decides.
    if same.exists():
        return False
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        if same.exists():
            return False
        raise
    return True


def queue_email(
    *,
    message: EmailMessage,
    dedupe_key: str,
    reason: str,
    kind: MessageKind,
    ref: str = "",
    language: str = "",
    now: datetime | None = None,
) -> Message | None:
    """Send a mail of the shop's own by the outbox, so that it is late rather than lost: sender, subject, text, HTML
    alternative, reply-to and plain headers are kept in the row until it is sent. None if the key is there already.

    One recipient; no attachments, cc or bcc, and no header of two lines (raises ValueError): a row of the database is no
    place for them.
    """
    if len(message.to) != 1:
        raise ValueError("A mail of the outbox has one recipient.")
    return queue(
        dedupe_key=dedupe_key,
        email=_bare(message.to[0]),
        composer="email",
        reason=reason,
        kind=kind,
        context=_kept(message),
        ref=ref,
        language=language,
        now=now,
    )


def stop(*, messages: QuerySet[Message], why: WhyNot, now: datetime | None = None) -> int:
    """Stop those of these messages that are not sent yet, also if a worker has just claimed them; return how many.

    What a worker is just handing to the mail server cannot be stopped any more.
    """
    open_ones = messages.filter(state__in=[Message.State.PLANNED, Message.State.CLAIMED])
    return open_ones.update(
        state=Message.State.SKIPPED, why_not=why, settled_at=now or timezone.now(), worker="", lease_until=None
    )


def requeue(*, message: Message, now: datetime | None = None) -> bool:
    """Plan a message again that failed or was not sent, with fresh attempts; return whether that was possible. The gate
    is asked again as ever. A sent one is not sent twice, and one without an address (erased) is not sent at all.

    If its time has passed, it gets ``LATE_DAYS`` more: whoever asks for it knows that it is late.
    """
    now = now or timezone.now()
    return _plan_again(message, now=now)


def send_by_outbox(*, message: EmailMessage, key: str, language: str = "") -> bool:
    """Queue a mail that another app has built; return True once it is in the outbox, which sends it from there.

    Made for ``THANKYOU_WISHLISTS["SEND_MAIL"]``, so it is for mail that answers what a customer did, not for advertising.
    ``key`` names what the mail is about, for each of several recipients anew. The same key again writes no second mail:
    what waits or was sent stays as it is, and one that failed or was stopped is planned again, with the text that it has
    now. Of a question and its answer only the reference is kept
    (``question_mail``): what a customer wrote stays in one place (EM-13). Raises what ``queue_email`` raises.
    """
    with transaction.atomic():
        done = [_send_to(message, each, key=key, language=language) for each in message.to]
    return bool(done) and all(done)


def _send_to(message: EmailMessage, recipient: str, *, key: str, language: str) -> bool:
    from ..question_mail import find_reference

    now = timezone.now()
    reference, email = find_reference(key), _bare(recipient)
    context = reference.context if reference is not None else _kept(message)
    # The person's own key at the end: a list of recipients may be reordered.
    name = f"{key}:{customer_key(email)[-16:]}"
    planned = queue(
        dedupe_key=name,
        email=email,
        composer=reference.composer if reference is not None else "email",
        reason=key.partition(":")[0][:60],
        kind=MessageKind.TRANSACTIONAL,
        context=context,
        ref=reference.ref if reference is not None else "",
        language=language,
        now=now,
    )
    if planned is None:
        row = Message.objects.get(dedupe_key=name)
        if row.state in _ENDED:
            return _plan_again(row, now=now, context=context)
    return True


def _plan_again(message: Message, *, now: datetime, **changes: Any) -> bool:
    ended = Message.objects.filter(pk=message.pk, state__in=_ENDED).exclude(email="")
    if message.expires_at is not None and message.expires_at <= now:
        changes["expires_at"] = now + timedelta(days=app_settings.late_days)
    changes |= {
        "state": Message.State.PLANNED,
        "due_at": now,
        "attempts": 0,
        "uncertain": 0,
        "why_not": "",
        "settled_at": None,
        "worker": "",
        "lease_until": None,
    }
    if not ended.update(**changes):
        return False
    for name, value in changes.items():
        setattr(message, name, value)
    wake(message=message, now=now)
    return True


def _kept(message: EmailMessage) -> dict[str, Any]:
    """Return what is kept of a mail until it is sent. Raises ValueError for what cannot be kept."""
    if message.attachments or message.cc or message.bcc:
        raise ValueError("A mail of the outbox has no attachments, no cc and no bcc.")
    html = ""
    for alternative in getattr(message, "alternatives", ()):
        content, mimetype = alternative
        if mimetype != "text/html" or html:
            raise ValueError("A mail of the outbox has a text, and at most one alternative, in HTML.")
        html = str(content)
    text = str(message.body)
    if message.content_subtype == "html":
        text, html = strip_tags(text).strip(), text
    kept: dict[str, Any] = {
        "subject": str(message.subject),
        "text": text,
        "html": html,
        "reply_to": [str(each) for each in message.reply_to],
        "headers": {str(name): str(value) for name, value in message.extra_headers.items()},
        "from_email": "" if message.from_email == settings.DEFAULT_FROM_EMAIL else str(message.from_email),
    }
    headers = kept["headers"]
    for line in (kept["subject"], kept["from_email"], *kept["reply_to"], *headers, *headers.values()):
        check_header(line)
    return {name: value for name, value in kept.items() if value}


def _bare(recipient: str) -> str:
    """Return the address without a name: a row keeps one address."""
    return parseaddr(recipient)[1] or recipient
