"""Showing a wish list to others by a link: 128 random bits, revocable, read-only, and nothing about its owner (SL-4).

The key of the link is not the list's own key: with it nothing else can be reached, and a new link makes the old one
worth nothing.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone

from .kinds import WISH
from .lists import clean_text, lock
from .models import ListItem, ProductList
from .models.keys import is_key, make_key
from .signals import list_shared, list_unshared

MAX_SHOWN_NAME: Final = 80


def find_shared(share_key: str) -> ProductList | None:
    """Return the wish list behind a link; None for a revoked, unknown or malformed one alike. At most one query."""
    if not is_key(share_key):
        return None
    return ProductList.objects.wish_lists().filter(share_key=share_key).first()


def share(
    *, list: ProductList, shows_additions: bool = False, shown_name: str = "", hides_gifts: bool = True
) -> ProductList:
    """Make a link to a wish list, or change what its link shows; return the list as it is now.

    ``shown_name`` is all that the link says about its owner, and only what was typed for it. Without
    ``shows_additions`` it shows what is on the list today. Where additions were shown and no longer are, what is there
    today stays to be seen. Raises ValueError for a name that is too long.
    """
    shown_name = clean_text(shown_name)
    if len(shown_name) > MAX_SHOWN_NAME:
        raise ValueError(f"a name has up to {MAX_SHOWN_NAME} characters")
    with transaction.atomic():
        row = lock(list)
        is_new = not row.is_shared
        if is_new:
            row.share_key = make_key()
        if is_new or (row.shares_additions and not shows_additions):
            row.shared_at = timezone.now()
        row.shares_additions, row.shown_name, row.hides_gifts = shows_additions, shown_name, hides_gifts
        _save(row)
        if is_new:
            _tell(list_shared, row)
    return row


def show_all(*, list: ProductList) -> ProductList:
    """Let the link show everything that is on the list today, without showing what comes later."""
    with transaction.atomic():
        row = lock(list)
        if row.is_shared:
            row.shared_at = timezone.now()
            _save(row)
    return row


def renew(*, list: ProductList) -> ProductList:
    """Give a shared list another link; the old one shows nothing any more. What it shows stays the same."""
    with transaction.atomic():
        row = lock(list)
        if row.is_shared:
            row.share_key = make_key()
            _save(row)
    return row


def unshare(*, list: ProductList) -> ProductList:
    """Revoke the link: from now on it is as if it had never been. What givers marked stays for another one. Repeatable."""
    with transaction.atomic():
        row = lock(list)
        if row.is_shared:
            row.share_key = row.shared_at = None
            # From today on, givers' marks wait for another link (``pruning.forgotten_gifts``).
            row.changed_at = timezone.now()
            row.save(update_fields=["share_key", "shared_at", "changed_at"])
            _tell(list_unshared, row)
    return row


def is_visible(list: ProductList) -> Q:
    """Return which items of a shared list its link shows: those up to ``shared_at``, or all (SL-4)."""
    return Q() if list.shares_additions else Q(added_at__lte=list.shared_at)


def shown_by(share_key: str) -> tuple[ProductList, list[ListItem]] | None:
    """Return a shared list and what its link shows of it, the most wanted first; None as ``find_shared``.

    One query; two if there is nothing to show.
    """
    if not is_key(share_key):
        return None
    visible = Q(list__shares_additions=True) | Q(added_at__lte=F("list__shared_at"))
    found = ListItem.objects.filter(visible, list__share_key=share_key, list__kind=WISH)
    items = [*found.select_related("list").order_by("priority", "added_at", "pk")]
    row = items[0].list if items else find_shared(share_key)
    return (row, items) if row is not None else None


def count_hidden(list: ProductList) -> int:
    """Return how many items were added after the link was made and are not shown by it."""
    return list.items.exclude(is_visible(list)).count() if list.is_shared and not list.shares_additions else 0


def _save(row: ProductList) -> None:
    row.save(update_fields=["share_key", "shared_at", "shares_additions", "shown_name", "hides_gifts"])


def _tell(signal: Signal, row: ProductList) -> None:
    def send() -> None:
        signal.send_robust(sender=ProductList, list=row)

    transaction.on_commit(send)
