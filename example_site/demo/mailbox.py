"""The demo's mail: kept in a folder, one file a message, instead of being sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as PythonMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone

#: A name begins with the time, so that the newest sorts last, and can't lead out of the folder.
NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")


class FolderBackend(BaseEmailBackend):
    """Writes every message to a file of its own below ``MAIL_FOLDER``."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = mail_folder()
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            key = f"{timezone.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
            (folder / f"{key}.eml").write_bytes(message.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A kept message, taken apart."""

    key: str
    subject: str
    sender: str
    to: str
    date: datetime | None
    text: str
    html: str


def mail_folder() -> Path:
    """Return where the messages are."""
    return Path(settings.MAIL_FOLDER)


def list_letters(*, limit: int = 100) -> list[Letter]:
    """Return the kept messages, newest first."""
    keys = sorted((path.stem for path in mail_folder().glob("*.eml") if NAME.fullmatch(path.stem)), reverse=True)
    return [letter for key in keys[:limit] if (letter := read_letter(key)) is not None]


def read_letter(key: str) -> Letter | None:
    """Return one message, or None if there is none with this key."""
    if not NAME.fullmatch(key):
        return None
    try:
        raw = (mail_folder() / f"{key}.eml").read_bytes()
    except OSError:
        return None
    message = cast(PythonMessage, message_from_bytes(raw, policy=policy.default))
    return Letter(
        key=key,
        subject=str(message["subject"] or ""),
        sender=str(message["from"] or ""),
        to=str(message["to"] or ""),
        date=_date(message),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _date(message: PythonMessage) -> datetime | None:
    """Return when it was written. Python calls a time with the offset -0000 naive, but it is in UTC."""
    if not message["date"]:
        return None
    date = parsedate_to_datetime(message["date"])
    return date if timezone.is_aware(date) else date.replace(tzinfo=UTC)


def _part(message: PythonMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
