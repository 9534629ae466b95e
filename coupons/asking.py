"""What a coupon's holder is still asked: the campaign's questions without those that were answered before (CO-9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .models import Answer, Coupon, Question
from .moments import moment


def answers_key(coupon: Coupon) -> str:
    """Return under whose name the answers for a coupon are kept: its holder's, or its own if it has none."""
    return coupon.holder_key or f"coupon:{coupon.pk}"


def questions_for(*, coupon: Coupon, now: datetime | None = None) -> list[Question]:
    """Return what the coupon's holder has not answered yet, in the owner's order: what is known is never asked again
    (CO-9). Two queries; an answer whose time is over counts as not given.
    """
    now = moment(now)
    asked = list(coupon.campaign.questions.all())
    known = Answer.objects.of(answers_key(coupon)).current(now=now)
    return open_questions(asked, known=set(known.values_list("question_name", flat=True)) if asked else set())


def open_questions(asked: Iterable[Question], *, known: set[str]) -> list[Question]:
    """Return the questions whose answers are not known, each once: two with the same words are one."""
    return list({question.clean_name: question for question in asked if question.clean_name not in known}.values())
