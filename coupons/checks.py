"""System checks of ``coupons``: a wrong setting is named before it can hurt a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .conf import DEFAULTS, NAME

#: Lowest value that makes sense, for each setting that is a number.
MINIMA = {"RESERVATION_MINUTES": 1, "GRACE_SECONDS": 0, "MAX_EXTENSIONS": 0}


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check ``THANKYOU_COUPONS``: E001 not a dict, E002 unknown key, E003 wrong value; W001 fewer than ten extensions
    (AX-2).
    """
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping):
        return [
            Error(
                f"{NAME} must be a dict, not {type(given).__name__}.",
                hint=f'Write {NAME} = {{"RESERVATION_MINUTES": 30}}, or leave it out.',
                id="thankyou_coupons.E001",
            )
        ]
    found: list[CheckMessage] = []
    for key, value in given.items():
        if key not in DEFAULTS:
            near = get_close_matches(str(key).upper(), DEFAULTS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(DEFAULTS))}."
            found.append(Error(f"{NAME} has an unknown key {key!r}.", hint=hint, id="thankyou_coupons.E002"))
        elif problem := _problem(key, value):
            found.append(
                Error(
                    f"{NAME}[{key!r}] is {value!r}, but must be {problem}.",
                    hint=f"The default is {DEFAULTS[key]!r}.",
                    id="thankyou_coupons.E003",
                )
            )
        elif key == "MAX_EXTENSIONS" and value < 10:
            found.append(
                Warning(
                    f"{NAME}['MAX_EXTENSIONS'] is {value!r}: customers who need more time may be left without it.",
                    hint="WCAG 2.2.1 asks for at least ten extensions of a time limit of 20 hours or less.",
                    id="thankyou_coupons.W001",
                )
            )
    return found


def _problem(key: str, value: object) -> str:
    """Return what the value of a known key should be, or an empty text if it is right."""
    if isinstance(DEFAULTS[key], bool):
        return "" if isinstance(value, bool) else "True or False"
    if isinstance(value, int) and not isinstance(value, bool) and value >= MINIMA[key]:
        return ""
    return f"a whole number of at least {MINIMA[key]}"
