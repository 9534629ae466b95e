"""Deletes what nobody needs any more, as the customers were told; what they keep on their lists stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from .conf import app_settings
from .kinds import KINDS, WISH, get_kind
from .lists import forget_removed
from .models import (
    CatalogEvent,
    GiftMark,
    Inquiry,
    ItemNews,
    ListItem,
    MergeReceipt,
    ProductList,
    ProductWatch,
    Save,
)

#: Rows that are deleted in one transaction.
CHUNK: Final = 1_000
#: Days for which gift marks of a list that is not shared any more are kept: its owner may share it again.
GIFT_DAYS: Final = 30
#: Days for which news from the catalogue is kept.
NEWS_DAYS: Final = 90
#: Days for which an empty list is left alone: somebody may be about to put something on it.
EMPTY_DAYS: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruned:
    """How many rows are gone, or would go."""

    #: Receipts of merges, which can be undone for UNDO_DAYS.
    receipts: int
    #: Questions that were answered or closed INQUIRY_DAYS ago, and those that nobody answered in twice that time.
    inquiries: int
    #: What accounts saved more than STATISTICS_DAYS ago; their lists stay.
    saves: int
    #: Items of comparisons and of the recently viewed, older than their kind keeps them.
    items: int
    #: "I am getting this" on lists that nobody can open any more.
    gifts: int
    #: That an old event was told.
    news: int
    events: int
    #: Watched products that are on no list.
    watches: int
    #: Lists with nothing on them; they come back by themselves.
    lists: int
    #: Wish lists that forget what was taken off them UNDO_DAYS ago.
    removed: int


def prune(*, dry_run: bool = False, now: datetime | None = None) -> Pruned:
    """Delete what is past its time, CHUNK rows in a transaction, and return how many rows of each that were.

    With ``dry_run`` nothing is deleted, and the numbers say what would be. Safe to run at any time, beside customers, and
    to repeat.
    """
    now = now or timezone.now()
    # What goes with old items, or because they are gone, is counted as if they were.
    staying = ListItem.objects.exclude(pk__in=_ids_of(old_items(now))) if dry_run else ListItem.objects.all()
    news = ItemNews.objects.filter(event__in=old_events(now))
    return Pruned(
        receipts=_go(old_receipts(now), dry_run=dry_run),
        inquiries=_go(settled_inquiries(now), dry_run=dry_run),
        saves=_go(old_saves(now), dry_run=dry_run),
        items=sum(_go(rows, dry_run=dry_run) for rows in old_items(now)),
        gifts=_go(forgotten_gifts(now), dry_run=dry_run),
        news=_go(news.filter(item__in=staying) if dry_run else news, dry_run=dry_run),
        events=_go(old_events(now), dry_run=dry_run),
        watches=_go(idle_watches(staying), dry_run=dry_run),
        lists=_go(empty_lists(now, staying), dry_run=dry_run),
        removed=_forget_removed(now, dry_run=dry_run),
    )


def old_receipts(now: datetime) -> QuerySet[MergeReceipt]:
    """Return the receipts of merges that cannot be undone any more."""
    return MergeReceipt.objects.filter(created_at__lt=now - timedelta(days=app_settings.undo_days))


def settled_inquiries(now: datetime) -> QuerySet[Inquiry]:
    """Return the questions whose answer, or closing, is as long ago as the asker was told.

    What still waits for an answer stays twice as long: since it was asked, or since an earlier answer or closing.
    """
    days = timedelta(days=app_settings.inquiry_days)
    settled = ~Q(state=Inquiry.State.OPEN) & Q(answered_at__lt=now - days)
    idle = Q(answered_at__lt=now - 2 * days) | Q(answered_at=None, created_at__lt=now - 2 * days)
    return Inquiry.objects.filter(settled | Q(idle, state=Inquiry.State.OPEN))


def old_saves(now: datetime) -> QuerySet[Save]:
    """Return what is older than the report looks back."""
    return Save.objects.filter(saved_at__lt=now - timedelta(days=app_settings.statistics_days))


def old_items(now: datetime) -> Iterator[QuerySet[ListItem]]:
    """Yield for each kind that keeps things for some days what is older, also if the shop has switched the kind off."""
    for kind in map(get_kind, KINDS):
        if kind.days is not None:
            yield ListItem.objects.filter(list__kind=kind.name, added_at__lt=now - timedelta(days=kind.days))


def forgotten_gifts(now: datetime) -> QuerySet[GiftMark]:
    """Return the marks on lists that have not been shared, nor changed, for GIFT_DAYS."""
    before = now - timedelta(days=GIFT_DAYS)
    return GiftMark.objects.filter(list__share_key=None, list__changed_at__lt=before, at__lt=before)


def old_events(now: datetime) -> QuerySet[CatalogEvent]:
    """Return news that is none any more."""
    return CatalogEvent.objects.filter(at__lt=now - timedelta(days=NEWS_DAYS))


def idle_watches(items: QuerySet[ListItem] | None = None) -> QuerySet[ProductWatch]:
    """Return the watched products that nobody has on a list (with ``items``: none of which is among these)."""
    items = ListItem.objects.all() if items is None else items
    return ProductWatch.objects.filter(~Exists(items.filter(product_ref=OuterRef("product_ref"))))


def empty_lists(now: datetime, items: QuerySet[ListItem] | None = None) -> QuerySet[ProductList]:
    """Return the single lists with nothing on them (with ``items``: none of these). A wish list was made by its owner,
    and stays.
    """
    items = (ListItem.objects.all() if items is None else items).filter(list=OuterRef("pk"))
    idle = ProductList.objects.exclude(kind=WISH).filter(changed_at__lt=now - timedelta(days=EMPTY_DAYS))
    return idle.filter(~Exists(items))


def _ids_of(querysets: Iterator[QuerySet[ListItem]]) -> QuerySet[ListItem, int]:
    """Return the primary keys of all of these, as one condition for other queries."""
    none = ListItem.objects.none().values_list("pk", flat=True)
    return none.union(*(rows.order_by().values_list("pk", flat=True) for rows in querysets))


def _forget_removed(now: datetime, *, dry_run: bool) -> int:
    before = now - timedelta(days=app_settings.undo_days)
    if dry_run:
        return ProductList.objects.filter(changed_at__lt=before).exclude(last_removed=[]).count()
    return forget_removed(before=before)


def _go(rows: QuerySet[Any], *, dry_run: bool) -> int:
    """Delete the rows, or count them, piece by piece: no transaction is long, and one that fails keeps the others."""
    if dry_run:
        return rows.count()
    deleted, last = 0, 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        deleted += _delete(rows, ids)
        # Onwards also from rows that somebody holds: the next run finds them again.
        last = ids[-1]
    return deleted


def _delete(rows: QuerySet[Any], ids: list[int]) -> int:
    using = router.db_for_write(rows.model)
    skips = connections[using].features.has_select_for_update_skip_locked
    with transaction.atomic(using=using):
        # Behind the lock nobody puts anything on these lists; what somebody is busy with is left alone, and what is needed
        # again by now is not found again.
        held = rows.model._default_manager.using(using).filter(pk__in=ids).select_for_update(skip_locked=skips)
        free = [row.pk for row in held.only("pk")]
        _total, by_model = rows.using(using).filter(pk__in=free).delete()
    return by_model.get(rows.model._meta.label, 0)
