"""The same benefit with a personal deadline, over and over, is no deadline: the owner is told so (CD-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Max

from ..models import Campaign

#: So long the same offer should rest before customers see it again.
REST: Final = timedelta(days=30)

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


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
