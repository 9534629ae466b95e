"""What an owner is told after saving a campaign: it is allowed, and may not be what was meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import F, Max, Q
from django.utils.translation import gettext, ngettext

from ..models import Campaign, Coupon
from ..registration import offered_campaigns

#: So long the same offer should rest before customers see it again.
REST: Final = timedelta(days=30)

#: Statuses in which customers may hold coupons that count.
_ALIVE: Final = (Campaign.Status.DRAFT, Campaign.Status.RUNNING, Campaign.Status.PAUSED)

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def find_warnings(*, campaign: Campaign, end_before: datetime | None, now: datetime) -> list[str]:
    """Return what to tell the owner who has just saved this campaign, whose end was ``end_before``."""
    texts = []
    if others := repeated(campaign=campaign):
        # Over and over the same, no deadline is true (CD-4).
        text = gettext(
            "“%(other)s” promises the same with a personal deadline, at the same time or less than %(days)s "
            "days apart. Whoever missed the one would be offered the other, and the deadline was not true. "
            "Leave more time between them, or promise something else."
        )
        texts.append(text % {"other": others[0], "days": REST.days})
    if campaign.status == Campaign.Status.RUNNING and campaign.ends_at is not None and campaign.ends_at <= now:
        texts.append(
            gettext(
                "The end of this campaign has passed: although it is switched on, its coupons are neither given out nor "
                "accepted. Choose a later end if you want it to run."
            )
        )
    if cut := count_cut(campaign=campaign, end_before=end_before, now=now):
        text = ngettext(
            "One coupon that is out ends earlier than its customer was told. Choose the old end again, or tell them.",
            "%(count)s coupons that are out end earlier than their customers were told. "
            "Choose the old end again, or tell them.",
            cut,
        )
        texts.append(text % {"count": cut})
    if newest := newest_offered(campaign=campaign, now=now):
        text = gettext(
            "Several running campaigns are offered to everybody who registers. Only the newest counts: “%(newest)s”."
        )
        texts.append(text % {"newest": newest})
    return texts


def count_cut(*, campaign: Campaign, end_before: datetime | None, now: datetime) -> int:
    """Return how many coupons that could still be used have lost time because the campaign now ends before
    ``end_before`` (``None`` for no end). One statement, and none unless the end has moved so.

    A word is nobody's own, and is not counted; nor is anything in a campaign that was ended: then stopping was meant.
    """
    end = campaign.ends_at
    if end is None or campaign.status not in _ALIVE:
        return 0
    if end_before is not None and end_before <= max(end, now):
        return 0
    return (
        campaign.coupons.filter(
            Q(ends_at=None) | Q(ends_at__gt=max(end, now)),
            Q(usage_limit=None) | Q(used__lt=F("usage_limit")),
            is_word=False,
        )
        .exclude(state=Coupon.State.REVOKED)
        .count()
    )


def newest_offered(*, campaign: Campaign, now: datetime) -> Campaign | None:
    """Return the campaign that counts if this one and others are offered to everybody who registers (CO-9); ``None`` if
    it is the only one, or not offered. One statement, and none for a campaign that is not offered.
    """
    if not campaign.offer_after_registration or not campaign.is_running(now):
        return None
    offered = list(offered_campaigns(now=now)[:2])
    return offered[0] if len(offered) > 1 else None


def repeated(*, campaign: Campaign) -> list[Campaign]:
    """Return the campaigns that promise the same with a personal deadline, at the same time or within ``REST`` of this
    one. One statement, and none for a campaign without such a deadline (CD-4).

    One that was ended by hand counts up to the last deadline that a customer has of it.
    """
    if campaign.deadline_minutes is None or campaign.status == Campaign.Status.ENDED:
        return []
    same = (
        Campaign.objects.filter(deadline_minutes__isnull=False, **_promise(campaign))
        .exclude(pk=campaign.pk)
        .annotate(last_deadline=Max("coupons__ends_at"))
        .order_by("title", "pk")
    )
    begin, end = _span(campaign)
    found = []
    for other in same:
        others_begin, others_end = _span(other)
        if _less(others_begin, end) and _less(begin, others_end):
            found.append(other)
    return found


def _promise(campaign: Campaign) -> dict[str, Any]:
    """Return what makes two benefits the same, as a filter."""
    filters: dict[str, Any] = {"benefit": campaign.benefit}
    if campaign.benefit == Campaign.Benefit.PERCENT:
        filters["percent"] = campaign.percent
    elif campaign.benefit == Campaign.Benefit.AMOUNT:
        filters["amount"] = campaign.amount
    elif campaign.benefit == Campaign.Benefit.FREE_PRODUCT:
        filters["free_product_ref"] = campaign.free_product_ref
    return filters


def _span(campaign: Campaign) -> tuple[datetime, datetime]:
    end = campaign.ends_at
    if campaign.status == Campaign.Status.ENDED:
        deadline: datetime | None = getattr(campaign, "last_deadline", None)
        # Nobody has one of it: it cannot be repeated.
        end = min(filter(None, (end, deadline)), default=None) if deadline else _FIRST
    return campaign.starts_at or campaign.created_at, end or _LAST


def _less(begin: datetime, end: datetime) -> bool:
    """Whether something that begins then begins before this end is ``REST`` ago."""
    return end >= _LAST - REST or (end != _FIRST and begin < end + REST)
