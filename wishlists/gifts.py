""" "I am getting this": what those who have the link to a wish list tell each other, and the owner only if wanted.

A giver is 128 random bits in a cookie of the giver's own browser (``givers``). The keys of marks are made
from them, so that a mark can be changed by whoever made it, and no two in the database can be told to be one person's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from .catalog import Card
from .exceptions import AlreadyTaken
from .lines import Key
from .lists import lock
from .models import GiftMark, ListItem, ProductList
from .sharing import is_visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is marked on one list: pieces by product and options, of all givers and of the one who is looking."""

    all: dict[Key, int] = field(default_factory=dict)
    mine: dict[Key, GiftMark] = field(default_factory=dict)

    def left(self, item: ListItem) -> int:
        """Return how many pieces of an item nobody is getting yet."""
        return max(item.quantity - self.all.get(item.key, 0), 0)


def mark(
    *, list: ProductList, giver: str, product_ref: str, options: str = "", quantity: int = 1, card: Card | None = None
) -> GiftMark | None:
    """Say that ``giver`` is getting exactly ``quantity`` pieces of something on a shared list; 0 takes it back.

    Return the mark, or None if there is none. All givers together never get more than is wanted, because the list is
    locked meanwhile; saying it twice is saying it once. Raises AlreadyTaken if fewer are left, ValueError for a
    quantity below 0, ListItem.DoesNotExist for what the link does not show, ProductList.DoesNotExist if the list is gone
    or not shared any more.
    """
    if quantity < 0:
        raise ValueError("quantity must be 0 or more")
    key = mark_key(giver, list, (product_ref, options))
    with transaction.atomic():
        row = lock(list)
        if not row.is_shared:
            raise ProductList.DoesNotExist
        if quantity == 0:
            row.gifts.filter(key=key).delete()
            return None
        item = row.items.get(is_visible(row), product_ref=product_ref, options=options)
        others = row.gifts.filter(product_ref=product_ref, options=options).exclude(key=key)
        left = max(item.quantity - (others.aggregate(sum=Sum("quantity"))["sum"] or 0), 0)
        if quantity > left:
            raise AlreadyTaken(left=left)
        title = card.title[:200] if card is not None else item.title
        found, is_new = GiftMark.objects.get_or_create(
            key=key,
            defaults={
                "list": row,
                "product_ref": product_ref,
                "options": options,
                "title": title,
                "quantity": quantity,
            },
        )
        if not is_new and found.quantity != quantity:
            found.quantity, found.at = quantity, timezone.now()
            found.save(update_fields=["quantity", "at"])
        return found


def unmark(*, list: ProductList, giver: str, product_ref: str, options: str = "") -> None:
    """Take back what ``giver`` said, also of something that is on the list no more. Safe to repeat."""
    mark(list=list, giver=giver, product_ref=product_ref, options=options, quantity=0)


def free_all(*, list: ProductList) -> None:
    """Forget every mark on a list, because its owner wants to begin anew. It is not told how many there were."""
    with transaction.atomic():
        lock(list).gifts.all().delete()


def taken(list: ProductList, *, giver: str = "") -> Taken:
    """Return what is marked on a list: one query."""
    everything: dict[Key, int] = {}
    mine: dict[Key, GiftMark] = {}
    for found in list.gifts.all():
        key = found.product_ref, found.options
        everything[key] = everything.get(key, 0) + found.quantity
        if giver and hmac.compare_digest(found.key, mark_key(giver, list, key)):
            mine[key] = found
    return Taken(all=everything, mine=mine)


def mark_key(giver: str, list: ProductList, key: Key) -> str:
    """Return the key of a giver's mark: always the same for the same product on the same list, and else not to guess."""
    text = json.dumps([list.pk, *key]).encode()
    digest = hmac.new(giver.encode(), text, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
