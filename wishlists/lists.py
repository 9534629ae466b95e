"""What an account does with its wish lists: several, with names, and notes and priorities on them.

``list`` is a ProductList that the caller found among the owner's own (``find_list``, SL-3). Every verb locks its row
first, so that limits hold and no change gets lost; one whose list was deleted meanwhile raises ProductList.DoesNotExist,
which is a 404. Removing something from one list never removes it from another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from djmoney.money import Money

from .accounts import check_limits, insert_items, make_item
from .catalog import Card
from .conf import app_settings
from .exceptions import ListFull, NameTaken
from .kinds import WISH, get_kind
from .lines import Key, Line, is_ref
from .models import ListItem, ProductList
from .models.keys import is_key

MAX_NAME: Final = 80
MAX_NOTE: Final = 300

#: Controls that turn the rest of a line around: a name with one would turn around what the page says after it.
TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Categories of letters that leave no mark by themselves: joiners, marks of direction, spaces.
UNSEEN: Final = frozenset(("Cf", "Zs"))


# Finding --------------------------------------------------------------------------------------------


def find_list(*, user: Any, key: str) -> ProductList | None:
    """Return the account's own wish list with this key; None for somebody else's, unknown and malformed ones alike."""
    if not is_key(key):
        return None
    return ProductList.objects.of(user).wish_lists().filter(key=key).first()


def clean_text(text: str) -> str:
    """Return what somebody typed on one line, without control characters, NUL and lone surrogates.

    Emoji and right-to-left writing stay; only the marks that turn around what follows go. Of letters that nobody can see
    nothing stays.
    """
    kept = (
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") and letter != "\0" else letter
        for letter in text
        if letter not in TURNING and letter != "\0" and unicodedata.category(letter) != "Cs"
    )
    clean = re.sub(r" +", " ", "".join(kept)).strip()
    return clean if any(unicodedata.category(letter) not in UNSEEN for letter in clean) else ""


# Lists ----------------------------------------------------------------------------------------------


def create_list(*, user: Any, name: str) -> ProductList:
    """Begin a wish list. It is private until its owner shares it (SL-4).

    Raises ListFull (``lists``) above the kind's ``max_lists`` (SL-6), NameTaken, ValueError for a name that is empty or
    longer than MAX_NAME.
    """
    name = _name(name)
    with transaction.atomic():
        names = _lock_names(user)
        limit = get_kind(WISH).max_lists
        if name.casefold() in names:
            raise NameTaken(name=name)
        if len(names) >= limit:
            raise ListFull("lists", kind=WISH, limit=limit)
        return ProductList.objects.create(owner_id=user.pk, kind=WISH, name=name)


def rename(*, list: ProductList, name: str) -> ProductList:
    """Give a wish list another name. Raises NameTaken; ValueError for a name that is empty or too long."""
    name = _name(name)
    with transaction.atomic():
        names = _lock_names(list.owner)
        row = lock(list)
        if names.get(name.casefold(), row.pk) != row.pk:
            raise NameTaken(name=name)
        row.name, row.changed_at = name, timezone.now()
        row.save(update_fields=["name", "changed_at"])
    return row


def delete_list(*, list: ProductList) -> None:
    """Delete a wish list with what is on it, its link and what givers marked. Safe to repeat."""
    ProductList.objects.filter(pk=list.pk, owner_id=list.owner_id, kind=WISH).delete()


# Items ----------------------------------------------------------------------------------------------


def put_on_list(
    *,
    list: ProductList,
    product_ref: str,
    options: str = "",
    quantity: int = 1,
    card: Card | None = None,
    note: str = "",
    priority: int | None = None,
    is_limited: bool = True,
) -> ListItem:
    """Put a product on a wish list and return the item as it is then. Twice is once: the larger quantity counts.

    ``card`` gives a new item its title and price; ``note`` and ``priority`` replace those of an item that is there only
    if they are given. Raises ListFull (``lines``, ``quantity``), TooFast (unless ``is_limited`` is False: a step of a
    larger move), ValueError for what cannot be a reference, a quantity below 1, an unknown priority or a note longer
    than MAX_NOTE; then nothing has changed.
    """
    line = _line(product_ref, options, quantity)
    changes = _changes(note=note or None, priority=priority)
    with transaction.atomic():
        row = lock(list)
        _put(row, [line], {product_ref: card} if card is not None else {}, is_limited=is_limited)
        item = row.items.get(product_ref=product_ref, options=options)
        _write(item, **changes)
        _touch(row)
    return item


def put_all(
    *, list: ProductList, lines: Iterable[Line], cards: Mapping[str, Card] | None = None, is_limited: bool = True
) -> int:
    """Put several products on a wish list at once; return how many are new there. All or nothing.

    Quantities and errors as in ``put_on_list``.
    """
    wanted = [_line(line.product_ref, line.options, line.quantity) for line in lines]
    with transaction.atomic():
        row = lock(list)
        new = _put(row, wanted, cards or {}, is_limited=is_limited)
        _touch(row)
    return new


def change_item(
    *,
    list: ProductList,
    product_ref: str,
    options: str = "",
    quantity: int | None = None,
    note: str | None = None,
    priority: int | None = None,
) -> ListItem | None:
    """Change what is given of an item; None stays as it is. Return it, or None if it is not on the list (any more).

    Raises ListFull (``quantity``), ValueError as ``put_on_list``.
    """
    if quantity is not None:
        _check_quantity(quantity)
    changes = _changes(quantity=quantity, note=note, priority=priority)
    with transaction.atomic():
        row = lock(list)
        item = row.items.filter(product_ref=product_ref, options=options).first()
        if item is not None:
            _write(item, **changes)
            _touch(row)
    return item


def take_off(*, list: ProductList, keys: Iterable[Key]) -> int:
    """Take products off this wish list, and off no other; return how many. ``put_back`` undoes the last time."""
    wanted = set(keys)
    with transaction.atomic():
        row = lock(list)
        gone = [item for item in row.items.all() if item.key in wanted]
        if gone:
            row.items.filter(pk__in=[item.pk for item in gone]).delete()
            row.changed_at = timezone.now()
            row.last_removed = [_packed(item, at=row.changed_at) for item in gone]
            row.save(update_fields=["last_removed", "changed_at"])
    return len(gone)


def put_back(*, list: ProductList) -> int:
    """Put what was taken off last back as it was, note and date and all; return how many. A second time there is nothing.

    What was off the list when its link was made comes back as a later addition: its owner shared a list without it, and
    those who have the link may not be meant to see it (SL-4).
    Raises ListFull if the list got too full meanwhile; then it can be tried again.
    """
    with transaction.atomic():
        row = lock(list)
        present = {item.key for item in row.items.all()}
        items = [_unpacked(row, packed) for packed in row.last_removed]
        items = [item for item in items if item.key not in present]
        ListItem.objects.bulk_create(items)
        check_limits(row, is_limited=False)
        row.last_removed = []
        row.changed_at = timezone.now()
        row.save(update_fields=["last_removed", "changed_at"])
    return len(items)


def move_items(*, source: ProductList, target: ProductList, keys: Iterable[Key]) -> int:
    """Move products from one wish list to another of the same owner; return how many.

    What is on both becomes one: the larger quantity, the more wanted priority, and both notes; where they are too long
    together, it stays where it is, so that none is lost.
    Raises ListFull (``lines``) if the other list cannot take all of them; then nothing has changed. ValueError for lists
    of two owners (SL-3).
    """
    if source.owner_id != target.owner_id:
        raise ValueError("lists of two owners")
    wanted = set(keys)
    with transaction.atomic():
        rows = _lock_both(source, target)
        source, target = rows[source.pk], rows[target.pk]
        if source.pk == target.pk:
            return 0
        present = {item.key: item for item in target.items.all()}
        moving = [
            item
            for item in source.items.all()
            if item.key in wanted and (item.key not in present or len(_both_notes(present[item.key], item)) <= MAX_NOTE)
        ]
        new = [item for item in moving if item.key not in present]
        # To those who have a link this is an addition, which they may not be meant to see (SL-4).
        at = {"added_at": timezone.now()} if target.is_shared else {}
        ListItem.objects.filter(pk__in=[item.pk for item in new]).update(list=target, **at)
        for item in moving:
            if item.key in present:
                _merge(present[item.key], item)
                item.delete()
        check_limits(target, is_limited=False)
        if moving:
            _touch(source)
            _touch(target)
    return len(moving)


def forget_removed(*, before: datetime) -> int:
    """Forget what was taken off lists that were last changed ``before``: nobody wants that back. For the clearing-up job."""
    old = ProductList.objects.filter(changed_at__lt=before).exclude(last_removed=[])
    return old.update(last_removed=[])


# Inside ---------------------------------------------------------------------------------------------


def lock(list: ProductList) -> ProductList:
    """Return the list as it is now, locked for the rest of the transaction. Raises ProductList.DoesNotExist."""
    row = ProductList.objects.select_for_update().get(pk=list.pk, owner_id=list.owner_id, kind=WISH)
    if ProductList.owner.is_cached(list):
        row.owner = list.owner
    return row


def _lock_both(first: ProductList, second: ProductList) -> dict[int, ProductList]:
    """Lock two lists, always in the same order, so that two moves never wait for each other."""
    wanted = {first.pk, second.pk}
    found = ProductList.objects.select_for_update().filter(pk__in=wanted, owner_id=first.owner_id, kind=WISH)
    rows = {row.pk: row for row in found.order_by("pk")}
    if wanted - rows.keys():
        raise ProductList.DoesNotExist
    return rows


def _lock_names(user: Any) -> dict[str, int]:
    """Return the account's wish lists, by name, that nobody adds to or renames for the rest of the transaction."""
    get_user_model()._base_manager.select_for_update(no_key=True).filter(pk=user.pk).first()
    rows = ProductList.objects.filter(owner_id=user.pk).wish_lists().values_list("name", "pk")
    return {name.casefold(): pk for name, pk in rows}


def _put(row: ProductList, lines: Iterable[Line], cards: Mapping[str, Card], *, is_limited: bool) -> int:
    present = {item.key: item for item in row.items.all()}
    new = {}
    for line in lines:
        if line.key not in present:
            new[line.key] = make_item(row, line, cards.get(line.product_ref))
        elif present[line.key].quantity < line.quantity:
            _write(present[line.key], quantity=line.quantity)
    if new:
        insert_items(row, new.values(), is_limited=is_limited)
        check_limits(row, is_limited=is_limited)
    return len(new)


def _touch(row: ProductList) -> None:
    ProductList.objects.filter(pk=row.pk).update(changed_at=timezone.now())


def _write(item: ListItem, **changes: Any) -> None:
    if changes:
        for name, value in changes.items():
            setattr(item, name, value)
        item.save(update_fields=[*changes])


def _merge(kept: ListItem, other: ListItem) -> None:
    _write(
        kept,
        quantity=max(kept.quantity, other.quantity),
        priority=min(kept.priority, other.priority),
        note=_both_notes(kept, other),
    )


def _both_notes(first: ListItem, second: ListItem) -> str:
    return " · ".join(dict.fromkeys(note for note in (first.note, second.note) if note))


def _name(name: str) -> str:
    name = clean_text(name)
    if not name or len(name) > MAX_NAME:
        raise ValueError(f"a name has 1 to {MAX_NAME} characters")
    return name


def _line(product_ref: str, options: str, quantity: int) -> Line:
    if not is_ref(product_ref) or not is_ref(options, empty=True):
        raise ValueError("not a product reference")
    _check_quantity(quantity)
    return Line(product_ref, quantity, options)


def _check_quantity(quantity: int) -> None:
    if quantity < 1:
        raise ValueError("quantity must be 1 or more")
    if quantity > app_settings.max_quantity:
        raise ListFull("quantity", kind=WISH, limit=app_settings.max_quantity)


def _changes(*, note: str | None, priority: int | None, quantity: int | None = None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if quantity is not None:
        changes["quantity"] = quantity
    if note is not None:
        changes["note"] = clean_text(note)
        if len(changes["note"]) > MAX_NOTE:
            raise ValueError(f"a note has up to {MAX_NOTE} characters")
    if priority is not None:
        changes["priority"] = ListItem.Priority(priority)
    return changes


def _packed(item: ListItem, *, at: datetime) -> dict[str, Any]:
    return {
        "product_ref": item.product_ref,
        "options": item.options,
        "title": item.title,
        "quantity": item.quantity,
        "note": item.note,
        "priority": item.priority,
        "price": [str(item.price.amount), str(item.price.currency)] if item.price is not None else None,
        "added_at": item.added_at.isoformat(),
        "removed_at": at.isoformat(),
    }


def _unpacked(row: ProductList, packed: Mapping[str, Any]) -> ListItem:
    amount = packed["price"]
    at, removed_at = parse_datetime(packed["added_at"]), parse_datetime(packed.get("removed_at", ""))
    if row.shared_at is not None and (removed_at is None or removed_at <= row.shared_at):
        at = timezone.now()
    kept = {name: value for name, value in packed.items() if name != "removed_at"}
    return ListItem(**{**kept, "list": row, "price": Money(*amount) if amount else None, "added_at": at})
