"""When to ask what should become of the things from before somebody logged in, and what this session has answered.

Asked once in a session, never again by itself (complaint 23). The session is only touched for people who are logged in;
they have one anyway (CK-7).
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from .device import DeviceShelf
from .kinds import on_device
from .lines import Line, Lines
from .models import MergeReceipt
from .shelf import Shelf, lists_of

#: {"answered": True, "receipts": [keys of what was merged in this session, oldest first], "forgotten": [those of them
#: whose things must not come back to this device]}
SESSION_KEY: Final = "thankyou_wishlists_merge"
#: Receipts of one session that can be undone in it.
MOST_RECEIPTS: Final = 10


def things_on(device: DeviceShelf) -> dict[str, Lines]:
    """Return all that a browser holds by kind, also what an earlier visit left closed; kinds without any are left out.

    Of a product that is both open and closed, the larger quantity counts, as everywhere (SL-1).
    """
    found = {}
    for kind in on_device():
        lines: dict[tuple[str, str], Line] = {}
        for line in (*device.left(kind.name), *device.get(kind.name)):
            other = lines.get(line.key, line)
            quantity, parked = max(line.quantity, other.quantity), line.parked and other.parked
            lines[line.key] = Line(line.product_ref, quantity, line.options, parked)
        if lines:
            found[kind.name] = Lines(tuple(lines.values()), kind.name)
    return found


def count_things(shelf: Shelf) -> int:
    """Return how many products from before the login are on this device, if that is still to be decided; else 0.

    A number only, because it may be somebody else's (CK-5). Nobody is asked for the sake of what was merely looked at.
    """
    if shelf.account is None or was_answered(shelf.session):
        return 0
    return sum(len(lines) for lines in things_on(shelf.device).values() if not lines.policy.drops_oldest)


def merge_url(request: HttpRequest, *, next: str = "") -> str:
    """Return where to go after a login or a registration: to the question, if there is one to ask, else to ``next``.

    The question goes on to ``next`` after the answer. Call it after ``django.contrib.auth.login``.
    """
    url = reverse("thankyou_wishlists:merge")
    if next.partition("?")[0] == url or not count_things(lists_of(request)):
        return next
    return f"{url}?{urlencode({'next': next})}" if next else url


def was_answered(session: Any) -> bool:
    """Say whether the question was answered in this session."""
    return bool(_notes_of(session).get("answered"))


def note_answer(session: Any, *, receipt: MergeReceipt | None = None) -> None:
    """Remember that the question was answered, and with which receipt."""
    if session is None:
        return
    keys = [key for key in receipts_in(session) if receipt is None or key != receipt.key]
    if receipt is not None:
        keys.append(receipt.key)
    keys = keys[-MOST_RECEIPTS:]
    forgotten = [key for key in forgotten_in(session) if key in keys and (receipt is None or key != receipt.key)]
    session[SESSION_KEY] = {"answered": True, "receipts": keys, **({"forgotten": forgotten} if forgotten else {})}


def note_forgotten(session: Any) -> None:
    """Remember that this device was told to forget everything: no undo of an earlier merge brings its cookies back."""
    if receipts_in(session):
        session[SESSION_KEY] = {**_notes_of(session), "forgotten": receipts_in(session)}


def receipts_in(session: Any) -> list[str]:
    """Return the keys of the receipts that were given in this session, oldest first: the things came from this browser."""
    return _keys_in(session, "receipts")


def forgotten_in(session: Any) -> list[str]:
    """Return the keys of those receipts after which this device was told to forget everything."""
    return _keys_in(session, "forgotten")


def _keys_in(session: Any, name: str) -> list[str]:
    keys = _notes_of(session).get(name)
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _notes_of(session: Any) -> dict[str, Any]:
    found = session.get(SESSION_KEY) if session is not None else None
    return found if isinstance(found, dict) else {}
