"""What a session knows of coupons: the codes that a customer means to use at the next checkout, and those whose holder
was proven in this browser. Any other mutable mapping will do.

Staging takes no use and asks no database: the checkout decides (CO-12).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from django.utils.crypto import get_random_string

from . import codes
from .exceptions import TypingError

KEY: Final = "thankyou_coupons.staged"
#: A bound for the session's size; the newest codes stay.
MAX_STAGED: Final = 10
PROVEN_KEY: Final = "thankyou_coupons.proven"
#: A bound for the session's size; the newest proofs stay.
MAX_PROVEN: Final = 20
#: Where a visitor who had no session when the first code was wrong is known from then on.
TRIED_KEY: Final = "thankyou_coupons.tried"


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


def prove(session: MutableMapping[str, Any], code: str) -> None:
    """Note that this browser has shown a right to the coupon with this stored code: by its signed link, or because it
    was given out here. From now on it is told the true reasons (CO-6).
    """
    present = proven(session)
    if present[-1:] != [code]:
        session[PROVEN_KEY] = [*(other for other in present if other != code), code][-MAX_PROVEN:]


def proven(session: MutableMapping[str, Any]) -> list[str]:
    """Return the stored codes whose holder was proven in this browser, the latest last."""
    found = session.get(PROVEN_KEY)
    if not isinstance(found, list):
        return []
    return [code for code in found if isinstance(code, str)][-MAX_PROVEN:]


def begin(session: MutableMapping[str, Any]) -> str:
    """Let a visitor without a session have one, because a code was wrong, and return its name for the limits (CO-7).

    The name is ours: some stores give a session its key only when the answer is sent, or another one each time.
    """
    name: str = get_random_string(32)
    session[TRIED_KEY] = name
    return name


def begun(session: MutableMapping[str, Any]) -> str:
    """Return the name that ``begin`` gave this session, or an empty text."""
    found = session.get(TRIED_KEY)
    return found if isinstance(found, str) else ""
