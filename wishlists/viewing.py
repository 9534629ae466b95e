"""Recently viewed products, for customers who asked for it. Nothing is recorded before, and nobody else is told.

There is no switch besides the list itself: it is on while there is something on it. So a cookie is only there for a
customer who wants it, "stop" and "forget" are one thing, and after 30 days without a visit an account's is off again.
"""

from __future__ import annotations

from .catalog import Card
from .exceptions import ListFull
from .kinds import RECENT
from .lines import Lines, add
from .shelf import Shelf


def is_remembering(shelf: Shelf) -> bool:
    """Say whether this visitor has asked that products looked at are remembered."""
    return bool(shelf.get(RECENT))


def start(*, shelf: Shelf, card: Card, options: str = "") -> None:
    """Begin to remember, with the product that is being looked at.

    Raises ListFull if its reference is too long for a cookie.
    """
    shelf.save(add(shelf.get(RECENT), product_ref=card.ref, options=options), cards={card.ref: card})


def view(*, shelf: Shelf, card: Card, options: str = "") -> bool:
    """Remember a product as the one seen last, if the customer has asked for that; say whether it was.

    Where the list or its cookie is full, the oldest make room. It is no harm if something cannot be remembered.
    """
    before = shelf.get(RECENT)
    if not before:
        return False
    lines = add(before, product_ref=card.ref, options=options)
    try:
        shelf.save(lines, cards={card.ref: card})
    except ListFull:  # too long for a cookie, even alone
        return False
    return True


def stop(*, shelf: Shelf) -> None:
    """Forget what was looked at, and remember nothing more."""
    shelf.forget(RECENT)


def newest_first(lines: Lines) -> Lines:
    """Return the list as it is shown."""
    return lines.having(*reversed(lines.lines))
