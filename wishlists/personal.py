"""What this app knows of one person: to hand it over, and to erase the questions that no account leads to (GDPR 15, 17)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .models import Inquiry, ListItem, MergeReceipt, ProductList, Save
from .plain import plain_money


def personal_data(*, user: Any, email: str = "") -> dict[str, Any]:
    """Return everything that is kept of an account, as JSON can hold it: lists with their items and links, receipts of
    merges, what it saved and bought for the report, and the questions that came from ``email``. Five statements,
    whatever the number of rows.

    Questions are asked without an account, so they are found by the address, and without ``email`` there are none. Give
    only an address that is proven to be this person's (a confirmed one of the account, or one that a mail was answered
    from): else somebody could register with another's address and read what that person asked. What others marked as
    gifts is theirs, and is left out. An anonymous ``user`` has nothing.
    """
    if not getattr(user, "is_authenticated", False):
        return {"lists": [], "merges": [], "saves": [], "questions": []}
    items: dict[int, list[dict[str, Any]]] = {}
    for item in ListItem.objects.of(user).order_by("pk"):
        items.setdefault(item.list_id, []).append(_item(item))
    return {
        "lists": [_list(row, items.get(row.pk, [])) for row in ProductList.objects.of(user)],
        "merges": [_merge(receipt) for receipt in MergeReceipt.objects.filter(owner_id=user.pk)],
        "saves": [_save(row) for row in Save.objects.filter(owner_id=user.pk)],
        "questions": [_question(row) for row in _asked_by(email)],
    }


def erase_inquiries(*, email: str) -> int:
    """Delete the questions that came from this address, with their answers; return how many. Safe to repeat.

    What belongs to an account goes with it (``user.delete()``).
    """
    _total, by_model = Inquiry.objects.filter(pk__in=[row.pk for row in _asked_by(email)]).delete()
    return by_model.get(Inquiry._meta.label, 0)


def _asked_by(email: str) -> Iterable[Inquiry]:
    """Return the questions of an address, however it is written; nobody's for none. NUL can be in no address."""
    email = email.strip()
    return Inquiry.objects.filter(email__iexact=email) if email.isprintable() and email else ()


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _list(row: ProductList, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "begun": _at(row.created_at),
        "changed": _at(row.changed_at),
        "share_key": row.share_key,
        "shared": _at(row.shared_at),
        "shares_additions": row.shares_additions,
        "shown_name": row.shown_name,
        "hides_gifts": row.hides_gifts,
        "last_removed": row.last_removed,
        "items": items,
    }


def _item(item: ListItem) -> dict[str, Any]:
    return {
        "product_ref": item.product_ref,
        "options": item.options,
        "title": item.title,
        "quantity": item.quantity,
        "note": item.note,
        "priority": item.priority,
        "parked": item.parked,
        "price": plain_money(item.price),
        "saved": _at(item.added_at),
    }


def _merge(receipt: MergeReceipt) -> dict[str, Any]:
    return {
        "merged": _at(receipt.created_at),
        "undone": _at(receipt.undone_at),
        "changes": receipt.changes,
        "guest": receipt.guest,
        "left_out": receipt.left_out,
    }


def _save(row: Save) -> dict[str, Any]:
    return {
        "product_ref": row.product_ref,
        "title": row.title,
        "saved": _at(row.saved_at),
        "bought": _at(row.bought_at),
    }


def _question(row: Inquiry) -> dict[str, Any]:
    return {
        "email": row.email,
        "name": row.name,
        "text": row.text,
        "products": row.products,
        "language": row.language,
        "state": row.state,
        "asked": _at(row.created_at),
        "answer": row.answer,
        "answered": _at(row.answered_at),
        "sent": _at(row.mailed_at),
    }
