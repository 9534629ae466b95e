"""Deletes what nobody needs any more, and nothing that was ever used: the books stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from . import answering
from .conf import app_settings
from .ledger import uses
from .models import Answer, Campaign, Coupon, CouponBatch, CouponEvent, Redemption
from .moments import moment

#: What is younger is needed: nobody gets the same offer twice in this time (CD-4), and payments come late.
SHORTEST: Final = timedelta(days=30)

#: Rows that are deleted in one transaction.
CHUNK: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruned:
    """How many rows are gone, or would go."""

    #: Reservations that were given back and never paid.
    redemptions: int
    #: Answers whose time is over.
    answers: int
    #: Coupons that nobody used, of campaigns that are over.
    coupons: int
    #: Reports of imports; their numbers stay.
    reports: int


def prune(*, older_than: timedelta | None = None, dry_run: bool = False, now: datetime | None = None) -> Pruned:
    """Delete what is older than ``older_than`` (30 days or more; without it, as ``KEEP_UNUSED_DAYS`` says), and return
    how many rows that were.

    - reservations that were given back and never paid,
    - answers whose time is over, as the customer was told, however old,
    - coupons of campaigns that ended by status or by date, issued that long ago, with no redemption at all (nor any
      event since then), together with their events; public words stay,
    - what imports had to say of refused rows; the numbers stay.

    Never anything that was redeemed, also when it was given back later. With ``dry_run`` nothing is deleted, and the
    numbers say what would be. Raises ``ValueError`` for a time under 30 days, and ``CouponBusy``. Safe to run at any
    time, and to repeat.
    """
    older_than = app_settings.keep_unused if older_than is None else older_than
    if older_than < SHORTEST:
        raise ValueError(f"Keep the last {SHORTEST.days} days at least.")
    now = moment(now)
    before = now - older_than
    return Pruned(
        redemptions=_go(given_back(before), dry_run=dry_run),
        answers=_outdated_answers(now, dry_run=dry_run),
        coupons=_go(never_used(before), dry_run=dry_run),
        reports=_empty_reports(before, dry_run=dry_run),
    )


def given_back(before: datetime) -> QuerySet[Redemption]:
    """Return the reservations that were given back before a moment, and were never paid."""
    return Redemption.objects.filter(
        state=Redemption.State.RELEASED, released_at__lt=before, redeemed_at=None, over_limit=False
    )


def never_used(before: datetime) -> QuerySet[Coupon]:
    """Return the coupons that nobody used of campaigns that were over before a moment.

    A reservation that is older than that and was never paid is no use: it goes first.
    """
    kept = Redemption.objects.filter(coupon=OuterRef("pk")).exclude(pk__in=given_back(before).values("pk"))
    return Coupon.objects.filter(
        Q(campaign__status=Campaign.Status.ENDED) | Q(campaign__ends_at__lt=before),
        ~Exists(kept),
        # A campaign that was ended by hand does not say when. What its coupons lived through does.
        ~Exists(CouponEvent.objects.filter(coupon=OuterRef("pk"), at__gte=before)),
        is_word=False,
        used=0,
        issued_at__lt=before,
    )


def _outdated_answers(now: datetime, *, dry_run: bool) -> int:
    if dry_run:
        return Answer.objects.filter(delete_after__lte=now).count()
    return answering.delete_outdated(now=now)


def _empty_reports(before: datetime, *, dry_run: bool) -> int:
    reports = CouponBatch.objects.filter(kind=CouponBatch.Kind.IMPORTED, finished_at__lt=before).exclude(rejected=[])
    return reports.count() if dry_run else reports.update(rejected=[])


def _go(rows: QuerySet[Any], *, dry_run: bool) -> int:
    """Delete the rows, or count them. Piece by piece: no transaction is long, and one that fails keeps the others."""
    if dry_run:
        return rows.count()
    deleted = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        deleted += uses.patiently(partial(_delete, rows, ids))
    return deleted


def _delete(rows: QuerySet[Any], ids: list[int]) -> int:
    with uses.settling():
        # Behind the lock nobody reserves these coupons, and whoever was quicker is seen when the rows are asked for
        # again.
        coupon = "pk" if rows.model is Coupon else "coupon_id"
        uses.lock(rows.model._default_manager.filter(pk__in=ids).values_list(coupon, flat=True))
        _total, by_model = rows.filter(pk__in=ids).delete()
    return by_model.get(rows.model._meta.label, 0)
