"""The codes that a customer means to use at the next checkout, kept in a session or any other mutable mapping.

Staging takes no use and asks no database: the checkout decides (CO-12).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from . import codes
from .exceptions import TypingError

KEY: Final = "thankyou_coupons.staged"
#: A bound for the session's size; the newest codes stay.
MAX_STAGED: Final = 10


def staged(session: MutableMapping[str, Any]) -> list[str]:
    """Return the staged codes in their stored form, oldest first; whatever else lies in the mapping is passed over."""
    found = session.get(KEY)
    if not isinstance(found, list):
        return []
    return [code for code in found if isinstance(code, str)][-MAX_STAGED:]


def stage(session: MutableMapping[str, Any], code: str) -> str:
    """Add a code as typed, once, and return its stored form. Raises ``TypingError`` for what cannot be a code."""
    code = codes.normalise(code)
    present = staged(session)
    if code not in present:
        session[KEY] = [*present, code][-MAX_STAGED:]
    return code


def unstage(session: MutableMapping[str, Any], code: str) -> None:
    """Take a code away again; does nothing if it is not there."""
    try:
        code = codes.normalise(code)
    except TypingError:
        return
    present = staged(session)
    if code not in present:
        return
    left = [other for other in present if other != code]
    if left:
        session[KEY] = left
    else:
        del session[KEY]
