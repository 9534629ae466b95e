"""A coupon for a little more information: what is asked, answered, declined, and when the coupon unlocks (CO-9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from .asking import answers_key, questions_for
from .conf import app_settings
from .events import CUSTOMER, record
from .exceptions import AnswersMissing, NotUnlockable
from .forms import fields_for
from .models import Answer, Campaign, Coupon, CouponEvent, Question
from .moments import moment
from .signals import announce, coupon_unlocked, marketing_agreed

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["decline", "questions_for", "unlock", "why_not"]


def why_not(*, coupon: Coupon, now: datetime) -> str:
    """Return the reason for which a locked coupon cannot be unlocked now in one word, or an empty text."""
    if coupon.state == Coupon.State.REVOKED:
        return "revoked"
    if not coupon.campaign.is_running(now, grace=app_settings.grace):
        return "campaign_not_running"
    if coupon.ends_at is not None and coupon.ends_at <= now - app_settings.grace:
        return "over"
    return ""


def unlock(
    *,
    coupon: Coupon,
    answers: Mapping[str, object],
    marketing: bool = False,
    email: str = "",
    request: HttpRequest | None = None,
    actor: str = CUSTOMER,
    now: datetime | None = None,
) -> Coupon:
    """Store the answers and unlock the coupon; return it fresh from the database (CO-9).

    ``answers`` are by clean name, as typed or cleaned by the form; what is not asked, or was answered before, is passed
    over. A personal deadline begins now, and outlasts neither the campaign nor an end of the coupon's own (CD-2). A
    coupon that is unlocked already is returned as it is and nothing is stored, so that two tabs do no harm.
    ``marketing`` says whether the newsletter's box was ticked: it decides nothing, and sends ``marketing_agreed`` with
    ``email`` and ``request`` once, if the campaign has such a box.

    Raises ``AnswersMissing`` if a required answer is missing, or any answer is not valid: the valid ones are stored and
    not asked again. Raises ``NotUnlockable`` for a coupon that was revoked or whose time is over; then nothing is stored.
    The caller has settled that it is the holder who answers.
    """
    now = moment(now)
    coupon = _fresh(coupon)
    if coupon.state == Coupon.State.AVAILABLE:
        return coupon
    if reason := why_not(coupon=coupon, now=now):
        raise NotUnlockable(reason=reason)
    questions = questions_for(coupon=coupon, now=now)
    given, missing = _clean(questions, answers)
    with transaction.atomic():
        # A coupon that another tab has unlocked meanwhile needs no answers any more.
        unlocked = not missing and _open(coupon, now=now)
        fresh = _fresh(coupon) if not missing else coupon
        if not missing and not unlocked:
            if fresh.state == Coupon.State.AVAILABLE:
                return fresh
            raise NotUnlockable(reason=why_not(coupon=fresh, now=now) or "over")
        _store(coupon, [each for each in questions if each.clean_name in given], given, now=now)
        if unlocked:
            record(CouponEvent.Kind.UNLOCKED, coupon=coupon, actor=actor, at=now, answers=len(given))
            announce(coupon_unlocked, coupon=fresh)
            if marketing and coupon.campaign.marketing_text:
                text = coupon.campaign.marketing_text
                announce(marketing_agreed, coupon=fresh, email=email, text=text, request=request)
    if missing:
        raise AnswersMissing(params={"names": missing})
    return fresh


def decline(*, coupon: Coupon, actor: str = CUSTOMER, now: datetime | None = None) -> Coupon:
    """Note that the holder would rather not answer; return the coupon fresh from the database (CO-9).

    It stays locked and a change of mind is welcome. Safe to repeat; a coupon that is not locked is left as it is.
    """
    now = moment(now)
    with transaction.atomic():
        rows = Coupon.objects.filter(pk=coupon.pk, state=Coupon.State.LOCKED, declined_at=None)
        if rows.update(declined_at=now):
            record(CouponEvent.Kind.DECLINED, coupon=coupon, actor=actor, at=now)
    return _fresh(coupon)


def _fresh(coupon: Coupon) -> Coupon:
    return Coupon.objects.select_related("campaign").get(pk=coupon.pk)


def _open(coupon: Coupon, *, now: datetime) -> bool:
    """Unlock in one guarded UPDATE, and return whether it was this one that did it (CO-9).

    The guard repeats every condition that may have changed since the coupon was read; the campaign is asked in a
    subquery on another table, as in ``uses.take``.
    """
    changes: dict[str, Any] = {"state": Coupon.State.AVAILABLE, "unlocked_at": now, "declined_at": None}
    if coupon.deadline_minutes is not None:
        end = now + timedelta(minutes=coupon.deadline_minutes)
        # An end of its own, as an imported coupon may have, stands above the deadline.
        changes["ends_at"] = min(filter(None, [end, coupon.campaign.ends_at, coupon.ends_at]))
    campaign = Campaign.objects.running(now=now, grace=app_settings.grace).filter(pk=OuterRef("campaign_id"))
    rows = Coupon.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=now - app_settings.grace),
        Exists(campaign),
        pk=coupon.pk,
        state=Coupon.State.LOCKED,
    )
    return rows.update(**changes) == 1


def _clean(questions: Sequence[Question], answers: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Return the valid answers as they are stored, and the names of those that are wrong, or required and not there."""
    given: dict[str, Any] = {}
    missing = []
    for name, field in fields_for(questions).items():
        try:
            value = field.clean(answers.get(name))
        except ValidationError:
            missing.append(name)
        else:
            if value not in field.empty_values:
                given[name] = _plain(value)
    return given, missing


def _plain(value: Any) -> Any:
    """Return a cleaned value as JSON keeps it."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
    return value.isoformat() if isinstance(value, date) else value


def _store(coupon: Coupon, questions: Sequence[Question], given: Mapping[str, Any], *, now: datetime) -> None:
    """Keep these answers, once: what another tab has stored meanwhile stays, what is outdated makes room."""
    if not questions:
        return
    key = answers_key(coupon)
    names = [question.clean_name for question in questions]
    Answer.objects.of(key).outdated(now=now).filter(question_name__in=names).delete()
    Answer.objects.bulk_create(
        [
            Answer(
                holder_key=key,
                question_name=question.clean_name,
                label=question.label,
                purpose=question.purpose,
                value=given[question.clean_name],
                campaign_id=coupon.campaign_id,
                coupon_id=coupon.pk,
                answered_at=now,
                delete_after=now + timedelta(days=question.keep_days),
            )
            for question in questions
        ],
        ignore_conflicts=True,
    )
