"""The lists that an account has one of each, in the database, with the same two doors as the guest's cookies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from .catalog import Card
from .conf import app_settings
from .exceptions import ListFull, TooFast
from .kinds import KINDS, SAVED, WISH, get_kind, single
from .lines import Line, Lines
from .models import ListItem, ProductList
from .saves import record_saves

#: ADDS_PER_MINUTE looks back so far.
SPEED_WINDOW: Final = timedelta(minutes=1)


class AccountShelf:
    """The single lists of one account (cart, saved for later, comparison, recently viewed), read lazily.

    Wish lists, of which an account has several, are in ``lists``.
    """

    def __init__(self, user: Any) -> None:
        self.user = user
        self._items: dict[str, list[ListItem]] = {}

    def items(self, kind: str) -> list[ListItem]:
        """Return the rows of a list, oldest first: one query, once a request."""
        if kind not in self._items:
            self._items[kind] = list(ListItem.objects.of(self.user).filter(list__kind=kind).order_by("pk"))
        return self._items[kind]

    def get(self, kind: str) -> Lines:
        """Return a list as a value."""
        return Lines(tuple(item.line for item in self.items(kind)), kind)

    def load(self) -> None:
        """Read all single lists at once: one query."""
        kinds = [kind.name for kind in single()]
        found: dict[str, list[ListItem]] = {kind: [] for kind in kinds}
        rows = ListItem.objects.of(self.user).filter(list__kind__in=kinds).select_related("list").order_by("pk")
        for item in rows:
            found[item.list.kind].append(item)
        self._items = found

    def save(self, lines: Lines, *, cards: Mapping[str, Card] | None = None, is_limited: bool = True) -> None:
        """Write the difference between what this request has read and ``lines``.

        What others wrote to other lines meanwhile stays. Of the same line the last one wins: a click that comes twice
        counts once, in whatever way the two overlap.

        ``cards`` give new items their title and price. Raises ListFull if the list got too long meanwhile, TooFast above
        ADDS_PER_MINUTE new items (unless ``is_limited`` is False: the merge of a whole list is one step); then nothing
        has changed.
        """
        kind = lines.kind
        known = self.items(kind)
        items = {item.key: item for item in known}
        before = {key: item.line for key, item in items.items()}
        wanted = {line.key: line for line in lines}
        gone = [key for key in before if key not in wanted]
        new = [line for line in lines if line.key not in before]
        changed = [line for line in lines if line.key in before and before[line.key] != line]
        if lines.policy.drops_oldest and lines and lines.lines[-1].key in list(before)[:-1]:
            # Seen again: it becomes the newest, and that is the last row.
            gone, new = [*gone, lines.lines[-1].key], [lines.lines[-1]]
        if not gone and not new and not changed:
            return
        # Whatever happens, what was read is no longer what is there.
        self._items.pop(kind, None)
        with transaction.atomic():
            row = touch_list(user=self.user, kind=kind, pk=known[0].list_id if known else None)
            if gone:
                row.items.filter(pk__in=[items[key].pk for key in gone]).delete()
            for line in changed:
                items[line.key].quantity, items[line.key].parked = line.quantity, line.parked
            ListItem.objects.bulk_update([items[line.key] for line in changed], ["quantity", "parked"])
            if new:
                made = [make_item(row, line, (cards or {}).get(line.product_ref)) for line in new]
                insert_items(row, made, is_limited=is_limited)
                check_limits(row, is_limited=is_limited)

    def hold(self, kind: str) -> Lines:
        """Return a list as it is now, locked for the rest of the transaction: of two clicks, the second sees the first."""
        lock_list(user=self.user, kind=kind)
        self._items.pop(kind, None)
        return self.get(kind)

    def forget(self, kind: str) -> None:
        """Empty a list."""
        ListItem.objects.of(self.user).filter(list__kind=kind).delete()
        self._items.pop(kind, None)


def lock_list(*, user: Any, kind: str) -> ProductList:
    """Return the account's list of a single kind, made if needed and locked for the rest of the transaction.

    Raises ValueError for wish lists, of which an account has several.
    """
    if kind == WISH:
        raise ValueError("a wish list is named by its key")
    while True:
        row = ProductList.objects.of(user).select_for_update().filter(kind=kind).first()
        if row is None:
            row, is_new = ProductList.objects.get_or_create(owner_id=user.pk, kind=kind)
            if not is_new:
                # Somebody else's, of this instant: only a row that is there can be locked. Nobody sees our own yet.
                continue
        row.owner = user
        return row


def touch_list(*, user: Any, kind: str, pk: int | None = None) -> ProductList:
    """Return the account's list as ``lock_list`` does, with today's date on it.

    If the caller has read which row it is (``pk``), that is one statement: who updates a row holds it. Of such a list
    only ``pk``, ``kind`` and ``owner`` are there, the rest is read when it is asked for.
    """
    now = timezone.now()
    if pk is not None and ProductList.objects.of(user).filter(pk=pk, kind=kind).update(changed_at=now):
        row = ProductList.from_db(None, ("id", "owner_id", "kind"), (pk, user.pk, kind))
        row.owner = user
        return row
    row = lock_list(user=user, kind=kind)
    if row.changed_at < now:
        ProductList.objects.filter(pk=row.pk).update(changed_at=now)
    return row


def make_item(row: ProductList, line: Line, card: Card | None) -> ListItem:
    """Return an unsaved item with what is known of the product today."""
    return ListItem(
        list=row,
        product_ref=line.product_ref,
        options=line.options,
        title=card.title[:200] if card is not None else "",
        price=card.price if card is not None else None,  # type: ignore[misc]
        quantity=line.quantity,
        parked=line.parked,
    )


def insert_items(
    row: ProductList, items: Iterable[ListItem], *, now: datetime | None = None, is_limited: bool = True
) -> None:
    """Write new items; one that came there meanwhile stays as it is. Saving is counted for the shop's report.

    ``check_limits`` counts moments: each item has its own, but without ``is_limited`` they are one step of one moment.
    """
    items, at = list(items), now or timezone.now()
    for number, item in enumerate(items):
        item.added_at = at + timedelta(microseconds=number) if is_limited else at
    ListItem.objects.bulk_create(items, ignore_conflicts=True)
    if row.kind in (SAVED, WISH):
        record_saves(user=row.owner, titles={item.product_ref: item.title for item in items}, now=at)


def check_limits(row: ProductList, *, is_limited: bool = True) -> None:
    """Raise ListFull if the list, which is locked, is longer than its kind may be, or TooFast (SL-6). One query.

    TooFast, only if ``is_limited``: this account saved more than ADDS_PER_MINUTE products in the last minute, on all its
    lists; what came in one step, as by a merge, counts as one. Looking at products is not saving them. Where the oldest
    makes room, what another tab added meanwhile counts too.
    """
    policy = get_kind(row.kind)
    if policy.drops_oldest:
        newest = list(row.items.order_by("-pk").values_list("pk", flat=True)[: policy.max_items])
        row.items.exclude(pk__in=newest).delete()
        return
    kinds = [kind.name for kind in map(get_kind, KINDS) if not kind.drops_oldest]
    here = Q(list=row.pk)
    fast = Q(added_at__gt=timezone.now() - SPEED_WINDOW, list__kind__in=kinds)
    counted = ListItem.objects.filter(here | fast if is_limited else here, list__owner=row.owner_id)
    found = counted.aggregate(length=Count("pk", filter=here), fast=Count("added_at", filter=fast, distinct=True))
    if found["length"] > policy.max_items:
        raise ListFull("lines", kind=row.kind, limit=policy.max_items)
    if is_limited and found["fast"] > app_settings.adds_per_minute:
        raise TooFast
