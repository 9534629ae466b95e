"""What the badges, hearts and the note of one page need to know, in one small answer (CK-7)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from .asking import count_things
from .kinds import CART, SAVED, WISH, get_kind, single
from .shelf import Shelf


def state_of(shelf: Shelf) -> dict[str, Any]:
    """Return the state of the visitor's lists as JSON can hold it; no query for a guest, one for an account.

    ``counts``: pieces in the cart, products on the other single lists. ``saved``: keys of what is saved, for the hearts.
    ``left``: how many products an earlier visit left on this device (a number only, until asked, CK-5; 0 when the note
    was sent away). ``ask``: somebody is logged in, the device holds a guest's things, and nobody has answered yet what to
    do with them.
    """
    account = shelf.account
    if account is not None:
        account.load()
    counts = {}
    for kind in single():
        lines = shelf.get(kind.name)
        counts[kind.name] = lines.count if kind.name == CART else len(lines)
    saved = shelf.get(SAVED) if get_kind(SAVED).is_on else ()
    return {
        "counts": counts,
        "saved": [list(line.key) for line in saved],
        "left": 0 if account is not None or shelf.device.is_hushed else shelf.device.count_left,
        "ask": count_things(shelf) > 0,
    }


def count_context(kind: str, *, label: str = "") -> dict[str, Any]:
    """Return what the link to a single list needs, whose number a script fills in; nothing if the kind is off.

    Raises ValueError for a kind of which an account has several, or that there is not.
    """
    try:
        policy = get_kind(kind)
    except KeyError:
        policy = None
    if policy is None or kind == WISH:
        raise ValueError(f"{kind!r} is no kind of list that everybody has one of")
    if not policy.is_on:
        return {}
    return {
        "kind": kind,
        "label": label or policy.label,
        "unit": _("pieces:") if kind == CART else _("products:"),
        "list_url": reverse(f"thankyou_wishlists:{kind}"),
        "state_url": reverse("thankyou_wishlists:state"),
    }
