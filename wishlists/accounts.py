"""The lists that an account has one of each, in the database, with the same two doors as the guest's cookies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from .catalog import Card
from .conf import app_settings
from .exceptions import ListFull, TooFast
from .kinds import KINDS, SAVED, WISH, get_kind, single
from .lines import Line, Lines
from .models import ListItem, MergeReceipt, ProductList
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
        """Write the difference between what this request has read and ``lines``; what others wrote meanwhile stays.

        ``cards`` give new items their title and price. Raises ListFull if the list got too long meanwhile, TooFast above
        ADDS_PER_MINUTE new items (unless ``is_limited`` is False: the merge of a whole list is one step); then nothing
        has changed.
        """
        kind = lines.kind
        items = {item.key: item for item in self.items(kind)}
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
            row = lock_list(user=self.user, kind=kind)
            if gone:
                row.items.filter(pk__in=[items[key].pk for key in gone]).delete()
            for line in changed:
                items[line.key].quantity, items[line.key].parked = line.quantity, line.parked
            ListItem.objects.bulk_update([items[line.key] for line in changed], ["quantity", "parked"])
            if new:
                made = [make_item(row, line, (cards or {}).get(line.product_ref)) for line in new]
                if not is_limited:
                    for item in made:
                        # Not counted against what is saved one by one in the next minute either.
                        item.added_at -= SPEED_WINDOW
                insert_items(row, made)
                check_length(row)
                if is_limited and not lines.policy.drops_oldest:
                    check_speed(self.user)
            ProductList.objects.filter(pk=row.pk).update(changed_at=timezone.now())

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
        ProductList.objects.get_or_create(owner_id=user.pk, kind=kind)
        # A second step: only a row that is there can be locked; one that an undone merge takes away meanwhile is made anew.
        row = ProductList.objects.of(user).select_for_update().filter(kind=kind).first()
        if row is not None:
            row.owner = user
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


def insert_items(row: ProductList, items: Iterable[ListItem], *, now: datetime | None = None) -> None:
    """Write new items; one that came there meanwhile stays as it is. Saving is counted for the shop's report."""
    items = list(items)
    ListItem.objects.bulk_create(items, ignore_conflicts=True)
    if row.kind in (SAVED, WISH):
        record_saves(user=row.owner, titles={item.product_ref: item.title for item in items}, now=now)


def check_length(row: ProductList) -> None:
    """Raise ListFull if the list, which is locked, is longer than its kind may be (SL-6).

    Where the oldest makes room, what another tab added meanwhile counts too.
    """
    policy = get_kind(row.kind)
    if policy.drops_oldest:
        newest = list(row.items.order_by("-pk").values_list("pk", flat=True)[: policy.max_items])
        row.items.exclude(pk__in=newest).delete()
    elif row.items.count() > policy.max_items:
        raise ListFull("lines", kind=row.kind, limit=policy.max_items)


def check_speed(user: Any) -> None:
    """Raise TooFast if this account saved more than ADDS_PER_MINUTE products in the last minute (SL-6)."""
    since = timezone.now() - SPEED_WINDOW
    # Looking at products is not saving them.
    kinds = [kind.name for kind in map(get_kind, KINDS) if not kind.drops_oldest]
    # What a merge brought was saved long before, one by one.
    merged = MergeReceipt.objects.filter(owner_id=user.pk, created_at__gt=since).values("created_at")
    saved = ListItem.objects.of(user).filter(added_at__gt=since, list__kind__in=kinds).exclude(added_at__in=merged)
    if saved.count() > app_settings.adds_per_minute:
        raise TooFast
