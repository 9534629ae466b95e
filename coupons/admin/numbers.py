"""What a campaign has done so far: counted by the database, in a few statements whatever the number of coupons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from djmoney.money import Money

from ..conf import app_settings
from ..models import Campaign, Coupon, Redemption
from ..moments import moment
from ..money import money_text

#: What the plot can show, in days; 0 is the whole life of the campaign, as far as ``LONGEST_SPAN`` goes back.
SPANS: Final = (30, 90, 0)
LONGEST_SPAN: Final = 366


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What was given away in one currency."""

    goods: Money
    shipping: Money

    @property
    def total(self) -> Money:
        """Goods and shipping together."""
        return self.goods + self.shipping

    @property
    def texts(self) -> dict[str, str]:
        """The amounts as they are written in the active language."""
        return {name: money_text(getattr(self, name)) for name in ("total", "goods", "shipping")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """A campaign at a glance. Coupons: issued, locked, unlocked (by answers), revoked. Uses: the rest."""

    issued: int = 0
    locked: int = 0
    unlocked: int = 0
    declined: int = 0
    revoked: int = 0
    reserved: int = 0
    redeemed: int = 0
    released: int = 0
    #: Of those given back, the ones that an order had paid for before.
    restored: int = 0
    over_limit: int = 0
    #: Orders that took a coupon after its end and the grace: there must be none (CD-4).
    late: int = 0
    #: Orders that took it in time and were paid later: allowed (CO-2).
    paid_late: int = 0
    given: tuple[Given, ...] = ()

    @property
    def live(self) -> int:
        """Uses that are taken now."""
        return self.reserved + self.redeemed


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day of the campaign, in its own zone."""

    date: date
    issued: int = 0
    redeemed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """How a campaign went, day by day, without gaps."""

    days: tuple[Day, ...] = field(default=())

    @property
    def busy(self) -> list[Day]:
        """The days on which something happened, the newest first."""
        return [day for day in reversed(self.days) if day.issued or day.redeemed]


def has_uncounted(*, campaign: Campaign) -> bool:
    """Whether uses are out that a limit of the campaign does not know of: ``limits.recount`` has not been through."""
    missing = Q()
    if campaign.total_limit is not None:
        missing |= Q(counts_total=False, coupon__is_word=False)
    if campaign.limit_per_customer is not None:
        missing |= Q(counts_customer=False) & ~Q(customer_key="")
    uses = Redemption.objects.live().filter(coupon__campaign=campaign, over_limit=False)
    return bool(missing) and uses.filter(missing).exists()


def count(*, campaign: Campaign) -> Numbers:
    """Return a campaign's numbers in two statements."""
    coupons = Coupon.objects.filter(campaign=campaign).aggregate(
        issued=Count("pk"),
        locked=Count("pk", filter=Q(state=Coupon.State.LOCKED)),
        unlocked=Count("pk", filter=Q(unlocked_at__isnull=False)),
        declined=Count("pk", filter=Q(declined_at__isnull=False, unlocked_at=None)),
        revoked=Count("pk", filter=Q(state=Coupon.State.REVOKED)),
    )
    groups = list(
        Redemption.objects.filter(coupon__campaign=campaign)
        .order_by()
        .values("state", "discount_currency", "shipping_discount_currency")
        .annotate(
            uses=Count("pk"),
            restored=Count("pk", filter=Q(redeemed_at__isnull=False)),
            over_limits=Count("pk", filter=Q(over_limit=True)),
            late=Count("pk", filter=_after_end("reserved_at", campaign)),
            paid_late=Count("pk", filter=_after_end("redeemed_at", campaign)),
            goods=Sum("discount"),
            shipping=Sum("shipping_discount"),
        )
    )
    redeemed = [group for group in groups if group["state"] == Redemption.State.REDEEMED]
    late = _total(redeemed, "late")
    return Numbers(
        **coupons,
        reserved=_total((g for g in groups if g["state"] == Redemption.State.RESERVED), "uses"),
        redeemed=_total(redeemed, "uses"),
        released=_total((g for g in groups if g["state"] == Redemption.State.RELEASED), "uses"),
        restored=_total((g for g in groups if g["state"] == Redemption.State.RELEASED), "restored"),
        over_limit=_total(redeemed, "over_limits"),
        late=late,
        paid_late=_total(redeemed, "paid_late") - late,
        given=_given(redeemed),
    )


def _total(groups: Any, key: str) -> int:
    return sum(group[key] for group in groups)


def _after_end(column: str, campaign: Campaign) -> Q:
    """Uses whose moment is after the end that their customer was shown, and the grace (CD-2, CD-4)."""
    grace = app_settings.grace
    after = Q(**{f"{column}__gt": F("coupon__ends_at") + grace})
    # Nothing comes after an end at the end of the calendar.
    if campaign.ends_at is not None and campaign.ends_at < datetime.max.replace(tzinfo=UTC) - grace:
        after |= Q(**{f"{column}__gt": campaign.ends_at + grace})
    return after


def _given(groups: Iterable[Mapping[str, Any]]) -> tuple[Given, ...]:
    goods: dict[str, Decimal] = {}
    shipping: dict[str, Decimal] = {}
    for group in groups:
        for sums, amount, currency in (
            (goods, group["goods"], group["discount_currency"]),
            (shipping, group["shipping"], group["shipping_discount_currency"]),
        ):
            if currency and amount is not None:
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(getattr(amount, "amount", amount))
    return tuple(
        Given(goods=Money(goods.get(code, 0), code), shipping=Money(shipping.get(code, 0), code))
        for code in sorted({*goods, *shipping})
    )


def course(*, campaign: Campaign, days: int, now: datetime | None = None) -> Course:
    """Return how many coupons were given out and used on each day, in two statements.

    ``days``: so many up to today, or 0 for all, up to ``LONGEST_SPAN``. A day is one of the campaign's zone.
    """
    zone = campaign.tzinfo
    today = (moment(now)).astimezone(zone).date()
    first = today - timedelta(days=(days or LONGEST_SPAN) - 1)
    since = datetime.combine(first, time.min, zone)
    issued = _per_day(Coupon.objects.filter(campaign=campaign), "issued_at", since)
    redeemed = _per_day(Redemption.objects.redeemed().filter(coupon__campaign=campaign), "redeemed_at", since)
    if not days:
        first = min({*issued, *redeemed, today})
    return Course(
        days=tuple(
            Day(date=day, issued=issued.get(day, 0), redeemed=redeemed.get(day, 0))
            for day in (first + timedelta(days=step) for step in range((today - first).days + 1))
        )
    )


def _per_day(queryset: Any, column: str, since: datetime) -> Mapping[date, int]:
    grouped = (
        queryset.filter(**{f"{column}__gte": since})
        .order_by()
        .annotate(day=TruncDate(column, tzinfo=since.tzinfo))
        .values("day")
        .annotate(rows=Count("pk"))
    )
    return {row["day"]: row["rows"] for row in grouped}
