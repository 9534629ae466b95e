"""Who writes a message when its time has come: after planning, before sending, each attempt anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from ..models import Message, WhyNot

#: Short names of our own composers.
COMPOSERS: Final[Mapping[str, str]] = {
    "email": "thankyou_flows.mail.composing.compose_email",
    "follow_up": "thankyou_flows.followups.composing.compose",
    "confirmation": "thankyou_flows.newsletter.mails.compose_confirmation",
    "incentive": "thankyou_flows.newsletter.mails.compose_incentive",
    "unlock_link": "thankyou_flows.unlock_mail.compose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it will look. ``subject`` is one line; the sender adds what every mail of its kind needs (EM-5)."""

    subject: str
    text: str
    html: str = ""
    reply_to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: For the mail provider's statistics, beside the kind.
    tags: tuple[str, ...] = ()
    #: Tokens in its links: masked in what is kept (TY-4).
    secrets: tuple[str, ...] = ()


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
    raise NotImplementedError


def compose_email(*, message: Message, now: datetime) -> Mail:
    """Write a mail that ``outbox.queue_email`` has kept."""
    raise NotImplementedError
