"""Writing the mail of a follow-up, as today's texts and facts have it."""

from __future__ import annotations

from datetime import datetime

from ..mail.composing import Mail
from ..models import FollowUpStep, Message
from .facts import MailFacts


def compose(*, message: Message, now: datetime) -> Mail:
    """Write the mail of a follow-up's message; issues the coupon it brings, once (``Message.dedupe_key`` names it)."""
    raise NotImplementedError


def render_step(step: FollowUpStep, *, facts: MailFacts, kind: str) -> Mail:
    """Return the mail of one step with these facts: HTML with inlined styles, and text from the same blocks. For sending,
    for previews and for test mails. Changes nothing.
    """
    raise NotImplementedError
