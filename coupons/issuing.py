"""Issuing: one coupon out of a campaign, once per reason; or the campaign's public word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from . import codes, events
from .exceptions import CampaignNotRunning
from .models import Campaign, Coupon, CouponEvent
from .moments import moment
from .signals import announce, coupon_issued, coupon_revoked

#: Of 2^54 codes a fresh one is taken about never; more collisions than this mean a broken source of randomness.
ATTEMPTS: Final = 5


def issue(
    *,
    campaign: Campaign,
    issue_key: str | None = None,
    holder_key: str = "",
    usage_limit: int | None = None,
    locked: bool | None = None,
    actor: str = events.SYSTEM,
    now: datetime | None = None,
) -> Coupon:
    """Return a coupon of this campaign; for the same ``issue_key`` always the same one, also under concurrency (TY-8,
    CD-3).

    ``issue_key`` names the reason in the caller's words ("order 1001, block 7"); without one, every call makes a
    coupon. ``holder_key`` binds it: with ``holders.customer_key(...)`` other known customers are refused; any other
    text is only kept. ``usage_limit`` replaces the campaign's uses per coupon. ``locked`` says whether it waits for
    answers (CO-9); by default it does if the campaign asks any questions. A personal deadline starts now, or for a
    locked coupon when it is unlocked, and never outlasts the campaign (CD-2). ``actor`` goes into the audit trail
    (CO-11).

    A campaign with a public word has one coupon for everybody, which is returned whatever else is asked for (CO-8).
    Raises ``CampaignNotRunning``, also for a word that was revoked; a single coupon that was issued before is returned
    whatever has become of its campaign. Raises ``ValueError`` for an empty ``issue_key``, one that was used for another
    campaign, and a ``usage_limit`` below 1.
    """
    now = moment(now)
    if issue_key == "" or (usage_limit is not None and usage_limit < 1):
        raise ValueError("issue_key must not be empty, and usage_limit must be at least 1")
    if issue_key is not None and (found := _issued(issue_key, campaign)):
        return found
    if not campaign.is_running(now):
        raise CampaignNotRunning(reason=campaign.status)
    if campaign.code_type == Campaign.CodeType.WORD:
        return _word_of(campaign, actor=actor, now=now)
    locked = campaign.asks if locked is None else locked
    for attempt in range(ATTEMPTS):
        coupon = Coupon(
            campaign=campaign,
            issue_key=issue_key,
            holder_key=holder_key,
            usage_limit=campaign.uses_per_coupon if usage_limit is None else usage_limit,
            state=Coupon.State.LOCKED if locked else Coupon.State.AVAILABLE,
            issued_at=now,
            ends_at=None if locked else personal_end(campaign, now),
            deadline_minutes=campaign.deadline_minutes,
        )
        try:
            _insert(coupon, actor=actor, now=now)
        except IntegrityError:
            # Either somebody was quicker with this key, or the code is taken.
            if issue_key is not None and (found := _issued(issue_key, campaign)):
                return found
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return coupon
    raise AssertionError("unreachable")


def publish_word(*, campaign: Campaign, actor: str = events.SYSTEM, now: datetime | None = None) -> Coupon | None:
    """Bring the one coupon of a campaign's public word up to date with the campaign, and return it (CO-8). It is
    called whenever a campaign is saved; calling it again changes nothing.

    The word's uses are limited by ``total_limit``, but never below what is used already. A campaign that has changed
    to single codes loses the coupon of its word: it is deleted if nobody has used it, else revoked; then ``None`` is
    returned. Raises Django's ``ValidationError`` for a word that ``codes.clean_word`` does not accept, and
    ``IntegrityError`` for one that is taken.
    """
    now = moment(now)
    if campaign.code_type != Campaign.CodeType.WORD:
        _withdraw_word(campaign, actor=actor, now=now)
        return None
    key, limit = codes.clean_word(campaign.word), campaign.total_limit
    with transaction.atomic():
        coupon = Coupon.objects.select_for_update().filter(issue_key=_word_key(campaign)).first()
        if coupon is None:
            return _insert_word(campaign, key, actor=actor, now=now)
        coupon.campaign = campaign
        wanted = limit if limit is None else max(limit, coupon.used)
        if (coupon.code, coupon.usage_limit) != (key, wanted):
            before = {"code": coupon.code, "usage_limit": coupon.usage_limit}
            # ``used`` may be moved on by others where a database has no row locks.
            Coupon.objects.filter(pk=coupon.pk).update(
                code=key, usage_limit=None if limit is None else Greatest(Value(limit), F("used"))
            )
            coupon.refresh_from_db(fields=["code", "used", "usage_limit"])
            events.record(
                CouponEvent.Kind.CHANGED,
                coupon=coupon,
                actor=actor,
                at=now,
                before=before,
                after={"code": coupon.code, "usage_limit": coupon.usage_limit},
            )
    return coupon


def personal_end(campaign: Campaign, start: datetime) -> datetime | None:
    """Return the end of a personal deadline that starts at ``start``: a duration in UTC that never outlasts the
    campaign (CD-2, CD-7); ``None`` if the campaign gives none.
    """
    if campaign.deadline_minutes is None:
        return None
    end = start + timedelta(minutes=campaign.deadline_minutes)
    return end if campaign.ends_at is None else min(end, campaign.ends_at)


def _issued(issue_key: str, campaign: Campaign) -> Coupon | None:
    coupon = Coupon.objects.select_related("campaign").filter(issue_key=issue_key).first()
    if coupon is not None and coupon.campaign_id != campaign.pk:
        raise ValueError(f"the issue key {issue_key!r} belongs to a coupon of another campaign")
    return coupon


def _insert(coupon: Coupon, *, actor: str, now: datetime) -> None:
    with transaction.atomic():
        coupon.save(force_insert=True)
        events.record(CouponEvent.Kind.ISSUED, coupon=coupon, actor=actor, at=now)
        announce(coupon_issued, coupon=coupon)


def _word_key(campaign: Campaign) -> str:
    return f"word:{campaign.pk}"


def _word_of(campaign: Campaign, *, actor: str, now: datetime) -> Coupon:
    """Return the word's coupon; a campaign that was made in bulk, past every signal, may not have it yet."""
    found = _issued(_word_key(campaign), campaign) or publish_word(campaign=campaign, actor=actor, now=now)
    assert found is not None  # noqa: S101 - this campaign has a word
    if found.state == Coupon.State.REVOKED:
        # Revoked for good, whatever the word is now: what nobody can use is given to nobody.
        raise CampaignNotRunning(reason="revoked")
    return found


def _insert_word(campaign: Campaign, key: str, *, actor: str, now: datetime) -> Coupon:
    coupon = Coupon(
        campaign=campaign,
        code=key,
        is_word=True,
        issue_key=_word_key(campaign),
        usage_limit=campaign.total_limit,
        issued_at=now,
    )
    try:
        _insert(coupon, actor=actor, now=now)
    except IntegrityError:
        # Somebody has published it at the same moment; or else the word is taken, and that is the caller's to know.
        if found := _issued(_word_key(campaign), campaign):
            return found
        raise
    return coupon


def _withdraw_word(campaign: Campaign, *, actor: str, now: datetime) -> None:
    # Asked without a lock first: most campaigns never had a word.
    words = Coupon.objects.filter(issue_key=_word_key(campaign)).exclude(state=Coupon.State.REVOKED)
    if not words.exists():
        return
    with transaction.atomic():
        coupon = words.select_for_update().first()
        if coupon is None:
            return
        if not coupon.redemptions.exists():
            coupon.delete()
            return
        Coupon.objects.filter(pk=coupon.pk).update(state=Coupon.State.REVOKED, revoked_at=now)
        coupon.refresh_from_db(fields=["state", "revoked_at"])
        events.record(CouponEvent.Kind.REVOKED, coupon=coupon, actor=actor, at=now, reason="no word any more")
        announce(coupon_revoked, coupon=coupon)
