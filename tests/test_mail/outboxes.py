"""Messages for tests of the outbox, and mail backends that do as they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.mail.composing import Mail
from thankyou_flows.models import Message, MessageKind

#: A composer for tests: what it writes is in the message's context.
COMPOSER = f"{__name__}.compose"


class Plan(Protocol):
    def __call__(self, name: str = ..., **changes: Any) -> Message: ...


def plan(name: str = "one", **changes: Any) -> Message:
    """Write a message as ``outbox.queue`` does, without the waking."""
    email = changes.pop("email", f"{name}@example.com")
    values: dict[str, Any] = {
        "dedupe_key": name,
        "kind": MessageKind.TRANSACTIONAL,
        "composer": COMPOSER,
        "email": email,
        "email_key": customer_key(email),
        "reason": "test",
        # A moment ago, one after the other: in this order they are taken.
        "due_at": timezone.now() - timedelta(minutes=1),
        **changes,
    }
    return Message.objects.create(**values)


def compose(*, message: Message, now: datetime) -> Mail:
    """Write what the context says; ``raise`` in it is an exception by name."""
    context = message.context
    if name := context.get("raise"):
        raise {"ValueError": ValueError, "KeyError": KeyError, "OSError": OSError}[name]("a poisoned mail")
    return Mail(
        subject=context.get("subject", f"Mail {message.dedupe_key}"),
        text=context.get("text", "Hello"),
        html=context.get("html", "<p>Hello</p>"),
        secrets=tuple(context.get("secrets", ())),
        headers=context.get("headers", {}),
    )


class Backend:
    """A mail backend in memory. ``before`` is called with each mail, and may raise."""

    def __init__(self, before: Callable[[Any], Any] | None = None) -> None:
        self.before = before
        self.sent: list[Any] = []
        self.opened = 0
        self.closed = 0

    def open(self) -> bool:
        self.opened += 1
        return True

    def close(self) -> None:
        self.closed += 1

    def send_messages(self, emails: list[Any]) -> int:
        for email in emails:
            if self.before is not None:
                self.before(email)
            self.sent.append(email)
        return len(emails)

    @property
    def recipients(self) -> list[str]:
        return [email.to[0].partition("@")[0] for email in self.sent]
