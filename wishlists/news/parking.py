"""Taking what cannot be bought out of accounts' carts, in bulk: it waits, parked, among what is saved for later.

By the same rule as on the page (``moving.park``): pieces add up, and what the other list cannot take stays in the cart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from ..conf import app_settings
from ..kinds import CART, SAVED, get_kind
from ..models import ListItem, ProductList

#: Items in one transaction.
CHUNK = 500


def park_unavailable(*, refs: Collection[str]) -> int:
    """Move the items of these products from accounts' carts to what they saved for later, and return how many moved.

    The caller knows that the products exist and cannot be bought. A list that somebody is changing at this moment is left
    for the next time, and an item stays in the cart (which says why it cannot be bought) if the other list is full, or
    they would be more than MAX_QUANTITY pieces together. What the customer saved by hand does not become parked.
    """
    if not refs or not get_kind(SAVED).is_on:
        return 0
    return sum(_park(chunk) for chunk in _chunks(refs))


def _chunks(refs: Collection[str]) -> Iterator[list[tuple[int, int]]]:
    """Yield (pk, owner's pk) of cart items, so many at a time, each once."""
    last = 0
    while True:
        items = ListItem.objects.filter(list__kind=CART, product_ref__in=refs, pk__gt=last).order_by("pk")
        chunk = list(items.values_list("pk", "list__owner_id")[:CHUNK])
        if chunk:
            yield chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1][0]


def _park(chunk: list[tuple[int, int]]) -> int:
    owners = {owner for _pk, owner in chunk}
    with transaction.atomic():
        ProductList.objects.bulk_create(
            [ProductList(owner_id=owner, kind=SAVED) for owner in sorted(owners)], ignore_conflicts=True
        )
        lists: dict[int, dict[str, ProductList]] = defaultdict(dict)
        # Nothing is waited for: a customer's own change must neither wait for this nor meet it crosswise.
        rows = ProductList.objects.filter(owner__in=owners, kind__in=(CART, SAVED)).order_by("pk")
        for row in rows.select_for_update(skip_locked=True):
            lists[row.owner_id][row.kind] = row
        free = {owner: found for owner, found in lists.items() if len(found) == 2}
        items = ListItem.objects.filter(pk__in=[pk for pk, owner in chunk if owner in free], list__kind=CART)
        return _move(list(items.select_related("list").order_by("pk")), free)


def _move(items: list[ListItem], lists: dict[int, dict[str, ProductList]]) -> int:
    saved = [found[SAVED] for found in lists.values()]
    refs = {item.product_ref for item in items}
    there = {(item.list_id, *item.key): item for item in ListItem.objects.filter(list__in=saved, product_ref__in=refs)}
    counts = ListItem.objects.filter(list__in=saved).order_by().values_list("list_id").annotate(Count("pk"))
    lengths: dict[int, int] = dict(counts)
    limit, most = get_kind(SAVED).max_items, app_settings.max_quantity
    moved, joined = [], []
    for item in items:
        target = lists[item.list.owner_id][SAVED]
        present = there.get((target.pk, *item.key))
        if present is not None:
            if present.quantity + item.quantity <= most:
                present.quantity += item.quantity
                joined.append((item, present))
        elif lengths.get(target.pk, 0) < limit:
            lengths[target.pk] = lengths.get(target.pk, 0) + 1
            item.list, item.parked = target, True
            moved.append(item)
    ListItem.objects.bulk_update(moved, ["list", "parked"])
    ListItem.objects.bulk_update([present for _item, present in joined], ["quantity"])
    ListItem.objects.filter(pk__in=[item.pk for item, _present in joined]).delete()
    touched = {item.list_id for item in moved} | {present.list_id for _item, present in joined}
    owners = [owner for owner, found in lists.items() if found[SAVED].pk in touched]
    ProductList.objects.filter(owner__in=owners, kind__in=(CART, SAVED)).update(changed_at=timezone.now())
    return len(moved) + len(joined)
