"""The mails about customers' questions, of ``wishlists``: in the outbox they are references, and what was asked and
answered stays in one place, where it is exported, erased and deleted in time (EM-13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps

from .mail.composing import AUTOMATIC, DoNotSend, Mail
from .models import Message, WhyNot

COMPOSERS: Final = {"inquiry-notice": "question_notice", "inquiry-answer": "question_answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the outbox keeps of such a mail."""

    composer: str
    context: dict[str, Any]
    ref: str


def find_reference(key: str) -> Reference | None:
    """Return what to keep of the mail with this key (``wishlists.mails``); None for any other mail, and for a question
    that is not there.
    """
    about, _colon, rest = key.partition(":")
    pk, _colon, version = rest.partition(":")
    if about not in COMPOSERS or not pk.isdecimal() or not apps.is_installed("wishlists"):
        return None
    from wishlists.models import Inquiry

    if not Inquiry.objects.filter(pk=int(pk)).exists():
        return None
    context: dict[str, Any] = {"inquiry": int(pk)}
    return Reference(composer=COMPOSERS[about], context=context | ({"version": version} if version else {}), ref=pk)


def compose_notice(*, message: Message, now: datetime) -> Mail:
    """Write the word to the shop's people that a question has come. Raises DoNotSend for one that is gone."""
    from wishlists.mails import render_notice

    mail = render_notice(_find_inquiry(message))
    return Mail(subject=mail.subject, text=mail.text, headers=AUTOMATIC, is_kept=False)


def compose_answer(*, message: Message, now: datetime) -> Mail:
    """Write the answer to a question. Raises DoNotSend for a question that is gone, and for an answer that was overtaken
    by another.
    """
    from wishlists.mails import render_answer, version_of

    inquiry = _find_inquiry(message)
    if not inquiry.answer or version_of(inquiry) != message.context.get("version", ""):
        raise DoNotSend(WhyNot.CHANGED)
    mail = render_answer(inquiry, answer=inquiry.answer)
    return Mail(subject=mail.subject, text=mail.text, html=mail.html, is_kept=False)


def _find_inquiry(message: Message) -> Any:
    from wishlists.models import Inquiry

    inquiry = Inquiry.objects.filter(pk=message.context.get("inquiry")).first()
    if inquiry is None:
        # Erased, or deleted by staff.
        raise DoNotSend(WhyNot.ERASED)
    return inquiry
