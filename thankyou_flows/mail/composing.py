"""Who writes a message when its time has come: after planning, before sending, each attempt anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import translation
from django.utils.html import escape
from django.utils.module_loading import import_string

from ..conf import app_settings
from ..models import Message, WhyNot

#: Short names of our own composers.
COMPOSERS: Final[Mapping[str, str]] = {
    "email": "thankyou_flows.mail.composing.compose_email",
    "follow_up": "thankyou_flows.followups.composing.compose",
    "confirmation": "thankyou_flows.newsletter.mails.compose_confirmation",
    "incentive": "thankyou_flows.newsletter.mails.compose_incentive",
    "unlock_link": "thankyou_flows.unlock_mail.compose",
    "question_notice": "thankyou_flows.question_mail.compose_notice",
    "question_answer": "thankyou_flows.question_mail.compose_answer",
}

#: Never a reply to a reply (RFC 3834).
AUTOMATIC: Final[Mapping[str, str]] = {"Auto-Submitted": "auto-generated"}
#: What stands for a secret in the kept texts.
MASK: Final = "…"
_NO_HEADER: Final = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it will look. ``subject`` is one line; the sender adds what every mail of its kind needs (EM-5)."""

    subject: str
    text: str
    html: str = ""
    reply_to: tuple[str, ...] = ()
    #: The sender, if it is not the site's own (``DEFAULT_FROM_EMAIL``).
    from_email: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: For the mail provider's statistics, beside the kind.
    tags: tuple[str, ...] = ()
    #: Tokens in its links: masked in what is kept (TY-4).
    secrets: tuple[str, ...] = ()
    #: Whether the row keeps what it said. Not where the words are somebody's own, and kept in one other place (EM-13).
    is_kept: bool = True


class DoNotSend(Exception):
    """Raised by a composer or the gate: this message is not to be sent, for this reason."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(why)
        self.why = why


class SendLater(Exception):
    """Raised by a composer or the gate: not now, but at ``until``."""

    def __init__(self, *, until: datetime, why: WhyNot) -> None:
        super().__init__(f"{why} until {until:%Y-%m-%d %H:%M}")
        self.until = until
        self.why = why


class Composer(Protocol):
    """Writes the mail of a message, in the message's language (the caller has activated it).

    Raises DoNotSend or SendLater; anything else counts as a mail that cannot be written (EM-9).
    """

    def __call__(self, *, message: Message, now: datetime) -> Mail: ...


def find_composer(name: str) -> Callable[..., Mail]:
    """Return the composer with this short name or dotted path. Raises ImportError."""
    composer: Callable[..., Mail] = import_string(COMPOSERS.get(name, name))
    return composer


def compose_email(*, message: Message, now: datetime) -> Mail:
    """Write a mail that ``outbox.queue_email`` has kept."""
    kept = message.context
    return Mail(
        subject=kept.get("subject", ""),
        text=kept.get("text", ""),
        html=kept.get("html", ""),
        reply_to=tuple(kept.get("reply_to", ())),
        headers=kept.get("headers", {}),
        from_email=kept.get("from_email", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that is ready to go, and what is kept of it in its row."""

    email: EmailMultiAlternatives
    subject: str
    text: str
    html: str


def write(message: Message, *, now: datetime) -> Letter:
    """Let the message's composer write the mail in the message's language, and add what every mail of its kind has.

    Whatever the composer has written into the database holds only if the mail came out well. Raises what the composer
    raises, and ValueError for a header that is more than one line (EM-8).
    """
    composer = find_composer(message.composer)
    # A kept mail is only read from its row.
    together = nullcontext() if composer is compose_email else transaction.atomic()
    with together, translation.override(_language_of(message)):
        return finish(message, composer(message=message, now=now))


def finish(message: Message, mail: Mail) -> Letter:
    """Make the mail ready to go: headers, the way out of advertising (EM-5), and words for the provider's statistics."""
    headers = {**AUTOMATIC, **mail.headers}
    if message.is_marketing:
        from .links import unsubscribe_headers

        headers |= unsubscribe_headers(message)
    subject = mail.subject
    for line in (subject, message.email, mail.from_email, *mail.reply_to, *headers, *headers.values()):
        check_header(line)
    text, html = (body.replace("\0", "") for body in (mail.text, mail.html))
    email = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=mail.from_email or None,
        to=[message.email],
        reply_to=list(mail.reply_to) or None,
        headers=headers,
    )
    if html:
        email.attach_alternative(html, "text/html")
    _tell_provider(email, message, mail)
    if not mail.is_kept:
        return Letter(email=email, subject="", text="", html="")
    return Letter(
        email=email,
        subject=_masked(subject, mail.secrets),
        text=_masked(text, mail.secrets),
        html=_masked(html, mail.secrets),
    )


def check_header(value: str) -> None:
    """Raise ValueError if this cannot stand in a header: nobody slips in another one (EM-8)."""
    if _NO_HEADER.search(value):
        raise ValueError("A header of a mail is one line.")


def _language_of(message: Message) -> str:
    known = message.language and translation.check_for_language(message.language)
    return message.language if known else settings.LANGUAGE_CODE


def _tell_provider(email: Any, message: Message, mail: Mail) -> None:
    """Set what Anymail looks for; other backends look past it."""
    email.tags = [message.kind, *mail.tags]
    # Comes back with every report about this mail (EM-7). No address, no name.
    email.metadata = {"message": message.key}
    if app_settings.count_clicks and message.is_marketing:
        email.track_clicks = True


def _masked(text: str, secrets: Iterable[str]) -> str:
    # The longest first: one may be part of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, escape(secret), quote(secret, safe="")):
            text = text.replace(form, MASK)
    return text
