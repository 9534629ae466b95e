"""Saying what was found: signals for follow-ups, and what a page shows beside an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.dispatch import Signal
from django.utils import timezone

from ..catalog import Card
from ..models import CatalogEvent, ItemNews, ListItem
from ..signals import back_in_stock, price_dropped, selling_out
from .happenings import still_holds

#: Items in one signal.
CHUNK = 500
#: How long a page shows what happened.
FRESH = timedelta(days=30)

SIGNALS: Mapping[str, Signal] = {
    CatalogEvent.Kind.PRICE_DROP: price_dropped,
    CatalogEvent.Kind.BACK_IN_STOCK: back_in_stock,
    CatalogEvent.Kind.SELLING_OUT: selling_out,
}


def tell_waiting() -> int:
    """Send the signals of all events that nobody has sent yet, and return of how many events.

    Whoever sends one has marked it before, in one guarded UPDATE: it is told once at most, also by two commands at once.
    An event whose command broke off after it was written is told by the next one.
    """
    told = 0
    while waiting := list(CatalogEvent.objects.filter(told_at=None).order_by("pk")[:CHUNK]):
        for event in waiting:
            if CatalogEvent.objects.filter(pk=event.pk, told_at=None).update(told_at=timezone.now()):
                told += 1
                for items in _items_of(event):
                    SIGNALS[event.kind].send_robust(sender=CatalogEvent, event=event, items=items)
    return told


def _items_of(event: CatalogEvent) -> Iterator[list[ListItem]]:
    """Yield the items that an event concerns, with lists and owners, never all at once."""
    last = 0
    while True:
        items = ListItem.objects.filter(news__event=event, pk__gt=last).order_by("pk").select_related("list__owner")
        chunk = list(items[:CHUNK])
        if chunk:
            yield chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def fresh_news(
    *, items: Iterable[ListItem], cards: Mapping[str, Card] | None = None, now: datetime | None = None
) -> dict[int, list[CatalogEvent]]:
    """Return what happened to these items in the last 30 days, newest first, by the item's pk: one query.

    With today's ``cards`` what does not hold any more is left out: a price that rose again, a shelf that is empty again.
    """
    refs = {item.pk: item.product_ref for item in items}
    if not refs:
        return {}
    rows = ItemNews.objects.filter(item__in=refs, event__at__gte=(now or timezone.now()) - FRESH)
    found: dict[int, list[CatalogEvent]] = {}
    for row in rows.select_related("event").order_by("-event__at", "-event_id"):
        if cards is None or still_holds(row.event, cards.get(row.event.product_ref)):
            found.setdefault(row.item_id, []).append(row.event)
    return found


def news_of(*, user: Any, since: datetime | None = None, limit: int = 100) -> list[ItemNews]:
    """Return what an account's items heard, newest first, with events, items and lists: one query."""
    if not getattr(user, "is_authenticated", False):
        return []
    rows = ItemNews.objects.filter(item__list__owner_id=user.pk, event__at__gte=since or timezone.now() - FRESH)
    return list(rows.select_related("event", "item__list").order_by("-event__at", "-event_id", "pk")[:limit])
