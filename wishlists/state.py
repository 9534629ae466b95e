"""What the badges, hearts and the note of one page need to know, in one small answer (CK-7)."""

from __future__ import annotations

from typing import Any

from .kinds import CART, SAVED, get_kind, single
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
        "ask": False,
    }
