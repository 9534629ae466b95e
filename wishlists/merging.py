"""A guest's things come to an account, by the customer's click, and go back by another (SL-1, D7).

``merge`` is a union that loses nothing and can be repeated; ``undo`` gives back what was there before, row for row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from .accounts import insert_items, lock_list, make_item
from .catalog import get_catalog
from .conf import app_settings
from .exceptions import TooFast, UndoOver
from .kinds import KINDS, SAVED, WISH, Kind, Merge, get_kind, on_device
from .lines import Key, Line, Lines, union
from .models import ListItem, MergeReceipt, ProductList, Save
from .receipts import Change, ListChanges, Row, changes_as_json, changes_of, freeze, lines_as_json, thaw
from .signals import lists_merged, merge_undone

#: How long the same things, sent again, are a double click or a second try, and get the same receipt.
SAME_CLICK: Final = timedelta(minutes=10)
#: Merges of one account in a minute; people need one (SL-6).
PER_MINUTE: Final = 20

Items = dict[Key, ListItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What an undo did. ``stays``: by kind, what the customer had changed since the merge, which stayed as it is."""

    receipt: MergeReceipt
    stays: Mapping[str, tuple[Change, ...]]


def merge(
    *, user: Any, guest: Mapping[str, Lines], cookies: Mapping[str, str] | None = None, now: datetime | None = None
) -> MergeReceipt:
    """Bring a guest's lists to an account; return the receipt, which ``undo`` takes.

    Each kind by its policy: the account's lines keep their places, the guest's follow, of the same product the larger
    quantity counts. What has no room stays out, and is named in ``left_out``; the account's own never goes. Nothing
    changes when it is done again, and a double click gets the receipt of the first. ``cookies``
    (``DeviceShelf.values``) are kept with the receipt, so that an undo can put them back.

    Raises TooFast, and changes nothing, if an account does this more often than people do (SL-6).
    """
    at = now or timezone.now()
    kinds = [kind for kind in on_device() if guest.get(kind.name)]
    given = lines_as_json({kind.name: guest[kind.name] for kind in kinds})
    refs = dict.fromkeys(line.product_ref for kind in kinds for line in guest[kind.name])
    cards = get_catalog().get_products(refs=list(refs)) if refs else {}
    with transaction.atomic():
        known = set(ProductList.objects.of(user).filter(kind__in=given).values_list("kind", flat=True))
        lists = _lock(user, given)
        items = _items_of(lists)
        before = {kind: {key: freeze(item) for key, item in found.items()} for kind, found in items.items()}
        plans = {kind.name: _plan(kind, items[kind.name], guest[kind.name]) for kind in kinds}
        touched = {kind: lists[kind] for kind, plan in plans.items() if plan}
        earlier = list(MergeReceipt.objects.filter(owner_id=user.pk, created_at__gt=at - SAME_CLICK)[:PER_MINUTE])
        if not touched:
            for receipt in earlier:
                # The second click brings the same again, or only what the first one has left on the device.
                if receipt.undone_at is None and given in (receipt.guest, receipt.left_out):
                    return receipt
        if sum(receipt.created_at > at - timedelta(minutes=1) for receipt in earlier) >= PER_MINUTE:
            raise TooFast
        _write(
            gone=[item for plan in plans.values() for item in plan.gone],
            changed=[item for plan in plans.values() for item in plan.changed],
        )
        for kind, row in touched.items():
            new = [make_item(row, line, cards.get(line.product_ref)) for line in plans[kind].new]
            if new:
                insert_items(row, new, now=at, is_limited=False)
        ProductList.objects.filter(pk__in=[row.pk for row in touched.values()]).update(changed_at=at)
        after = _items_of(touched)
        changes = {
            kind: ListChanges(
                changed_at=row.changed_at if kind in known else None,
                changes=_differences(before[kind], after[kind]),
            )
            for kind, row in touched.items()
        }
        receipt = MergeReceipt.objects.create(
            owner_id=user.pk,
            created_at=at,
            changes=changes_as_json(changes),
            guest=given,
            cookies=dict(cookies or {}),
            left_out=lines_as_json({kind: plan.left_out for kind, plan in plans.items()}),
        )
        transaction.on_commit(partial(lists_merged.send_robust, sender=MergeReceipt, receipt=receipt, user=user))
    return receipt


def can_undo(receipt: MergeReceipt, *, now: datetime | None = None) -> bool:
    """Say whether a merge can still be undone."""
    since = (now or timezone.now()) - timedelta(days=app_settings.undo_days)
    return receipt.undone_at is None and receipt.created_at > since


def undo(*, receipt: MergeReceipt, now: datetime | None = None) -> Undone:
    """Give an account back the state before a merge, row for row.

    Lines that the customer has changed since stay as they are, and are named. The device is the caller's: its cookies of
    that day are in ``receipt.cookies``. Raises UndoOver, and changes nothing, if it was undone already, or UNDO_DAYS are
    over.
    """
    at = now or timezone.now()
    since = at - timedelta(days=app_settings.undo_days)
    with transaction.atomic():
        # The database decides who undoes it: of two clicks, one.
        waiting = MergeReceipt.objects.filter(pk=receipt.pk, undone_at=None)
        if not waiting.filter(created_at__gt=since).update(undone_at=at):
            raise UndoOver("late" if waiting.exists() else "undone")
        user, changes = receipt.owner, changes_of(receipt)
        known = set(ProductList.objects.of(user).filter(kind__in=changes).values_list("kind", flat=True))
        lists = _lock(user, known)
        items = _items_of(lists)
        backs = {kind: _take_back(row, changes[kind], items[kind]) for kind, row in lists.items()}
        _write(
            gone=[item for back in backs.values() for item in back.gone],
            changed=[item for back in backs.values() for item in back.changed],
        )
        ListItem.objects.bulk_create([item for back in backs.values() for item in back.again])
        if SAVED in backs:
            _forget_saves(receipt, {item.product_ref for item in backs[SAVED].gone})
        _take_back_lists(receipt, lists, changes, at)
        receipt.undone_at = at
        receipt.changes = changes_as_json({**changes, **{kind: back.told for kind, back in backs.items()}})
        receipt.save(update_fields=["changes"])
        transaction.on_commit(partial(merge_undone.send_robust, sender=MergeReceipt, receipt=receipt, user=user))
    stays = {kind: tuple(change for change in back.told if change.stays) for kind, back in backs.items()}
    return Undone(receipt=receipt, stays={kind: found for kind, found in stays.items() if found})


# The account's rows ------------------------------------------------------------------------------


def _lock(user: Any, kinds: Collection[str]) -> dict[str, ProductList]:
    """Return the account's lists of these kinds, locked in the order of KINDS, so that no two merges wait in a circle."""
    return {kind: lock_list(user=user, kind=kind) for kind in KINDS if kind in kinds}


def _items_of(lists: Mapping[str, ProductList]) -> dict[str, Items]:
    """Return the items of locked lists, oldest first: one query."""
    kinds = {row.pk: kind for kind, row in lists.items()}
    found: dict[str, Items] = {kind: {} for kind in lists}
    for item in ListItem.objects.filter(list__in=list(kinds)).order_by("pk"):
        found[kinds[item.list_id]][item.key] = item
    return found


def _write(*, gone: list[ListItem], changed: list[ListItem]) -> None:
    """Delete and update rows, whatever their number, by one statement each."""
    if gone:
        ListItem.objects.filter(pk__in=[item.pk for item in gone]).delete()
    ListItem.objects.bulk_update(changed, ["quantity", "parked"])


# Merging -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What has to happen to one list."""

    gone: tuple[ListItem, ...] = ()
    changed: tuple[ListItem, ...] = ()
    new: tuple[Line, ...] = ()
    left_out: Lines

    def __bool__(self) -> bool:
        return bool(self.gone or self.changed or self.new)


def _plan(kind: Kind, items: Items, guest: Lines) -> _Plan:
    """Say what the guest's lines do to the account's items; those that change have their new values."""
    guest = guest.having(*(line if kind.quantities else replace(line, quantity=1) for line in guest))
    if kind.merge is Merge.NEWEST:
        return _plan_newest(kind, items, guest)
    merged, left_out = union(Lines(tuple(item.line for item in items.values()), kind.name), guest)
    changed = []
    for line in merged:
        item = items.get(line.key)
        if item is not None and item.line != line:
            item.quantity, item.parked = line.quantity, line.parked
            changed.append(item)
    new = tuple(line for line in merged if line.key not in items)
    return _Plan(changed=tuple(changed), new=new, left_out=left_out)


def _plan_newest(kind: Kind, items: Items, guest: Lines) -> _Plan:
    """The guest's lines are the newest; the oldest of all make room for them."""
    newest = {line.key: line for line in guest.lines[-kind.max_items :]}
    if list(items)[-len(newest) :] == list(newest):
        return _Plan(left_out=guest.having())
    staying = [item for key, item in items.items() if key not in newest]
    room = kind.max_items - len(newest)
    staying = staying[-room:] if room else []
    gone = tuple(item for item in items.values() if item not in staying)
    return _Plan(gone=gone, new=tuple(newest.values()), left_out=guest.having())


def _differences(before: Mapping[Key, Row], after: Items) -> tuple[Change, ...]:
    """Compare a list's rows as they were with what they are now; ``after`` decides the order."""
    rows = {key: freeze(item) for key, item in after.items()}
    changes = []
    for key in {**rows, **before}:
        was, now = before.get(key), rows.get(key)
        if was != now:
            title = str((now or was or {}).get("title", ""))
            changes.append(Change(product_ref=key[0], options=key[1], title=title, before=was, after=now))
    return tuple(changes)


# Undoing -----------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Back:
    """What an undo does to one list, and what the receipt says of it afterwards."""

    told: ListChanges
    gone: list[ListItem] = field(default_factory=list)
    changed: list[ListItem] = field(default_factory=list)
    again: list[ListItem] = field(default_factory=list)


def _take_back(row: ProductList, changes: ListChanges, items: Items) -> _Back:
    """Say what gives a list its rows of before; what is not as the merge left it was changed by hand, and stays."""
    kind, back = get_kind(row.kind), _Back(told=changes)
    told = []
    for change in changes:
        item = items.get(change.key)
        was = change.before
        if not change.is_as_left(freeze(item) if item is not None else None):
            # A new line that is gone again, or one of those that come and go by themselves, is nothing to talk about.
            stays = not kind.drops_oldest and not (item is None and was is None)
            told.append(replace(change, stays=stays, gone=item is None and change.after is not None))
            continue
        told.append(change)
        if item is not None and was is not None and was["id"] == item.pk:
            item.quantity, item.parked = was["quantity"], was["parked"]
            back.changed.append(item)
            continue
        if item is not None:
            back.gone.append(item)
        if was is not None:
            again = thaw(was)
            # Its list of that day may be gone, and this one begun since.
            again.list_id = row.pk
            back.again.append(again)
    if kind.merge is Merge.NEWEST and _was_emptied(changes, items):
        # What was looked at is remembered as long as the customer likes (CK-6).
        back.again = []
    room = kind.max_items - len(items) + len(back.gone)
    back.again = sorted(back.again, key=lambda item: item.pk)[-room:] if room > 0 else []
    back.told = replace(changes, changes=tuple(told))
    return back


def _was_emptied(changes: ListChanges, items: Items) -> bool:
    """Say whether nothing is on a list any more of what was there after the merge; what came since does not count."""
    newest = max((change.after["id"] for change in changes if change.after is not None), default=0)
    return all(item.pk > newest for item in items.values())


def _forget_saves(receipt: MergeReceipt, refs: Iterable[str]) -> None:
    """Take back what the merge counted as saved; not what was bought since, or came to a list since and is still there."""
    at = receipt.created_at
    listed = ListItem.objects.filter(list__owner=receipt.owner_id, list__kind__in=(SAVED, WISH), added_at__gte=at)
    counted = Save.objects.filter(owner=receipt.owner_id, saved_at=at, bought_at=None)
    counted.filter(product_ref__in=list(refs)).exclude(product_ref__in=listed.values("product_ref")).delete()


def _take_back_lists(
    receipt: MergeReceipt, lists: Mapping[str, ProductList], changes: Mapping[str, ListChanges], at: datetime
) -> None:
    """Give the lists their time stamps of before, and delete those that the merge made; unless used since."""
    made = []
    for kind, row in lists.items():
        if row.changed_at != receipt.created_at:
            row.changed_at = at
        elif (then := changes[kind].changed_at) is not None:
            row.changed_at = then
        else:
            made.append(row.pk)
    ProductList.objects.bulk_update(lists.values(), ["changed_at"])
    ProductList.objects.filter(pk__in=made, items=None).delete()
