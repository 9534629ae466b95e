"""Issuing: one coupon out of a campaign, once per reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from .exceptions import CampaignNotRunning
from .models import Campaign, Coupon
from .signals import announce, coupon_issued

#: Of 2^55 codes a fresh one is taken about never; more collisions than this mean a broken source of randomness.
ATTEMPTS: Final = 5


def issue(
    *,
    campaign: Campaign,
    issue_key: str | None = None,
    holder_key: str = "",
    usage_limit: int | None = None,
    now: datetime | None = None,
) -> Coupon:
    """Return a coupon of this campaign; for the same ``issue_key`` always the same one, also under concurrency (TY-8,
    CD-3).

    ``issue_key`` names the reason in the caller's words ("order 1001, block 7"); without one, every call makes a
    coupon. ``holder_key`` binds it: with ``holders.customer_key(...)`` other known customers are refused; any other
    text is only kept. ``usage_limit`` replaces the campaign's uses per coupon. A personal deadline starts now and
    never outlasts the campaign (CD-2). Raises ``CampaignNotRunning``; a coupon that was issued before is returned
    whatever has become of its campaign.
    """
    now = now or timezone.now()
    if issue_key is not None and (found := _issued(issue_key)):
        return found
    if not campaign.is_running(now):
        raise CampaignNotRunning(reason=campaign.status)
    for attempt in range(ATTEMPTS):
        coupon = Coupon(
            campaign=campaign,
            issue_key=issue_key,
            holder_key=holder_key,
            usage_limit=campaign.uses_per_coupon if usage_limit is None else usage_limit,
            issued_at=now,
            ends_at=_end(campaign, now),
            deadline_minutes=campaign.deadline_minutes,
        )
        try:
            with transaction.atomic():
                coupon.save(force_insert=True)
        except IntegrityError:
            # Either somebody was quicker with this key, or the code is taken.
            if issue_key is not None and (found := _issued(issue_key)):
                return found
            if attempt == ATTEMPTS - 1:
                raise
        else:
            announce(coupon_issued, coupon=coupon)
            return coupon
    raise AssertionError("unreachable")


def _issued(issue_key: str) -> Coupon | None:
    return Coupon.objects.select_related("campaign").filter(issue_key=issue_key).first()


def _end(campaign: Campaign, now: datetime) -> datetime | None:
    if campaign.deadline_minutes is None:
        return None
    end = now + timedelta(minutes=campaign.deadline_minutes)
    return end if campaign.ends_at is None else min(end, campaign.ends_at)
