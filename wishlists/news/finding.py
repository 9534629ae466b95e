"""Looking at the catalogue for news of saved products: batch by batch, in bounded memory, each batch all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from ..catalog import Card, Catalog, get_catalog, lowest_prices_of
from ..kinds import CART, SAVED, WISH
from ..models import CatalogEvent, ItemNews, ListItem, ProductWatch
from ..pricing import is_buyable
from .happenings import Look, compare, concerns, look_at, may_have_dropped
from .parking import park_unavailable
from .telling import tell_waiting

T = TypeVar("T")

#: Products in one question to the catalogue, and items in one INSERT.
BATCH = 500
#: The lists whose items hear of news. What is in a cart is looked at as well, to park what cannot be bought.
NEWS_KINDS = (SAVED, WISH)
#: Any number, the same for every command: one writes at a time.
LOCK = 0x7468616E6B796F75
#: How often a batch is tried, if a customer removes an item in the very moment in which it is written down.
TRIES = 5


@dataclass(slots=True)
class Found:
    """What one batch, or all of them, brought."""

    products: int = 0
    #: By kind of event: how many events, and how many items heard of them.
    events: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    parked: int = 0

    def add(self, other: Found) -> None:
        self.products += other.products
        self.events += other.events
        self.items += other.items
        self.parked += other.parked


def find_news(
    *,
    catalog: Catalog | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    on_event: Callable[[CatalogEvent, int], None] | None = None,
) -> Found:
    """Look at every product on a saved, wish or cart list of an account; write down what happened; tell it.

    Each batch is one transaction: what the catalogue says now, the events, who hears of them. What cannot be bought is
    parked after it, so that customers' rows are not held while the catalogue is asked. So a command that breaks off
    has told nothing twice, and the next one goes on. Of two at once one waits for the other's batch, and then finds
    nothing new in it. ``dry_run`` leaves everything as it was; ``on_event`` is called with each event and the number of
    its items.

    Raises NoCatalog if there is none, and what the catalogue raises: then the batches before it are done.
    """
    catalog = catalog if catalog is not None else get_catalog()
    began, total = now or timezone.now(), Found()
    if not dry_run:
        # What an earlier command wrote down and did not come to tell.
        transaction.on_commit(tell_waiting)
    for refs in _batches():
        total.add(_look(refs, catalog, now=now, dry_run=dry_run, on_event=on_event))
        if not dry_run:
            transaction.on_commit(tell_waiting)
    if not dry_run:
        # On no list any more. Saved again one day, a product is looked at for the first time.
        ProductWatch.objects.filter(checked_at__lt=began).delete()
    return total


def _batches() -> Iterator[list[str]]:
    """Yield the references of products on accounts' lists, each once, so many at a time."""
    listed = ListItem.objects.filter(list__kind__in=(*NEWS_KINDS, CART)).order_by("product_ref")
    last = ""
    while True:
        refs = list(listed.filter(product_ref__gt=last).values_list("product_ref", flat=True).distinct()[:BATCH])
        if refs:
            yield refs
        if len(refs) < BATCH:
            return
        last = refs[-1]


def _look(
    refs: Sequence[str],
    catalog: Catalog,
    *,
    now: datetime | None,
    dry_run: bool,
    on_event: Callable[[CatalogEvent, int], None] | None,
) -> Found:
    """Do one batch."""

    def record() -> tuple[Found, list[tuple[CatalogEvent, int]], list[str]]:
        with transaction.atomic():
            done = _record(refs, catalog, now=now or timezone.now())
            transaction.set_rollback(dry_run)
        return done

    def park() -> int:
        if not dry_run:
            return park_unavailable(refs=unavailable)
        with transaction.atomic():
            number = park_unavailable(refs=unavailable)
            transaction.set_rollback(True)
        return number

    found, heard, unavailable = _insist(record)
    found.parked = _insist(park)
    for event, items in heard:
        if on_event is not None:
            on_event(event, items)
    return found


def _insist(step: Callable[[], T]) -> T:
    """Do this; once more, if a customer removed an item of it in the same moment."""
    for _number in range(TRIES - 1):
        try:
            return step()
        except (IntegrityError, OperationalError):
            continue
    return step()


def _record(
    refs: Sequence[str], catalog: Catalog, *, now: datetime
) -> tuple[Found, list[tuple[CatalogEvent, int]], list[str]]:
    """Write down what happened; return that, who hears of what, and which products cannot be bought."""
    take_turns()
    # Asked only now: whoever waited must not compare with what was true before.
    watches = {watch.product_ref: watch for watch in ProductWatch.objects.filter(product_ref__in=refs)}
    cards = catalog.get_products(refs=refs)
    before = {ref: Look(watch.price, watch.available, watch.left) for ref, watch in watches.items()}
    looks = {ref: look_at(cards.get(ref), before.get(ref)) for ref in refs}
    events = _events(before, looks, cards, catalog, now=now)
    _write_looks(looks, now=now)
    heard = _write_events(events)
    found = Found(products=len(refs))
    for event, items in heard:
        found.events[event.kind] += 1
        found.items[event.kind] += items
    return found, heard, [ref for ref, card in cards.items() if not is_buyable(card)]


def take_turns() -> None:
    """Let only one transaction at a time look and write, until it ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    else:
        # A write comes first: it takes the lock of SQLite's file, before anything was read.
        ProductWatch.objects.filter(pk=0).update(left=None)


def _events(
    before: dict[str, Look], looks: dict[str, Look], cards: Mapping[str, Card], catalog: Catalog, *, now: datetime
) -> list[CatalogEvent]:
    dropped = [ref for ref, look in looks.items() if may_have_dropped(before.get(ref), look)]
    lowest = lowest_prices_of(catalog, refs=dropped) if dropped else {}
    return [
        CatalogEvent(
            kind=happening.kind,
            product_ref=ref,
            title=cards[ref].title[:200],
            at=now,
            price=happening.price,  # type: ignore[misc]
            price_before=happening.price_before,
            lowest_price=happening.lowest_price,
            left=happening.left,
        )
        for ref, look in looks.items()
        for happening in compare(before.get(ref), look, lowest=lowest.get(ref))
    ]


def _write_looks(looks: dict[str, Look], *, now: datetime) -> None:
    """Remember what the catalogue says, for the next look: one statement."""
    fields = ["price", "price_currency", "available", "left", "checked_at"]
    ProductWatch.objects.bulk_create(
        [
            ProductWatch(product_ref=ref, price=look.price, available=look.available, left=look.left, checked_at=now)  # type: ignore[misc]
            for ref, look in looks.items()
        ],
        update_conflicts=True,
        unique_fields=["product_ref"],
        update_fields=fields,
    )


def _write_events(events: list[CatalogEvent]) -> list[tuple[CatalogEvent, int]]:
    """Write the events that concern somebody, and whom; return them with the number of their items."""
    if not events:
        return []
    CatalogEvent.objects.bulk_create(events)
    by_ref: dict[str, list[CatalogEvent]] = {}
    for event in events:
        by_ref.setdefault(event.product_ref, []).append(event)
    heard: Counter[int] = Counter()
    for items in _items(list(by_ref)):
        rows = [
            ItemNews(item=item, event=event)
            for item in items
            for event in by_ref[item.product_ref]
            if concerns(event, item.price)
        ]
        ItemNews.objects.bulk_create(rows, ignore_conflicts=True)
        heard.update(row.event_id for row in rows)
    nobodys = [event.pk for event in events if event.pk not in heard]
    CatalogEvent.objects.filter(pk__in=nobodys).delete()
    return [(event, heard[event.pk]) for event in events if event.pk in heard]


def _items(refs: Sequence[str]) -> Iterator[list[ListItem]]:
    """Yield the items of these products that hear of news, so many at a time."""
    listed = ListItem.objects.filter(list__kind__in=NEWS_KINDS, product_ref__in=refs).order_by("pk")
    last = 0
    while True:
        items = list(listed.filter(pk__gt=last).only("product_ref", "price", "price_currency")[:BATCH])
        if items:
            yield items
        if len(items) < BATCH:
            return
        last = items[-1].pk
