"""System checks of ``coupons``: a wrong setting is named before it can hurt a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from .catalog import Catalog
from .conf import DEFAULTS, NAME, app_settings
from .ratelimit import is_limit

#: Lowest value that makes sense, for each setting that is a number.
MINIMA = {
    "RESERVATION_MINUTES": 1,
    "GRACE_SECONDS": 0,
    "MAX_EXTENSIONS": 0,
    "GUESS_ALARM_PER_MINUTE": 1,
    "TRUSTED_PROXIES": 0,
    # ``pruning.SHORTEST``: what is younger is needed.
    "KEEP_UNUSED_DAYS": 30,
}
#: What is to be called, for each setting that is the dotted path of something to call.
CALLABLES = {
    "VERIFIED_EMAIL": "takes a user and returns the address it has proved, or ''",
    "BASKET": "takes a request and returns the visitor's BasketFacts, or None",
    "CHALLENGE": "takes a request and returns whether this visitor has shown to be a person",
}


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


@register()
def check_callables(**kwargs: Any) -> list[CheckMessage]:
    """Check that ``VERIFIED_EMAIL``, ``BASKET`` and ``CHALLENGE`` lead to something that can be called: E004."""
    given = getattr(settings, NAME, {})
    found: list[CheckMessage] = []
    for key, what in CALLABLES.items() if isinstance(given, Mapping) else ():
        path = given.get(key, DEFAULTS[key])
        if not isinstance(path, str) or path == DEFAULTS[key]:
            continue
        try:
            problem = "" if callable(import_string(path)) else "which cannot be called"
        except Exception as error:  # whatever a shop's module raises is its answer
            problem = f"which cannot be loaded ({type(error).__name__}: {error})"
        if problem:
            found.append(
                Error(
                    f"{NAME}[{key!r}] is {path!r}, {problem}.",
                    hint=f"Give the dotted path of a function that {what}.",
                    id="thankyou_coupons.E004",
                )
            )
    return found


def _problem(key: str, value: object) -> str:
    """Return what the value of a known key should be, or an empty text if it is right."""
    if isinstance(DEFAULTS[key], bool):
        return "" if isinstance(value, bool) else "True or False"
    if isinstance(DEFAULTS[key], str):
        return "" if isinstance(value, str) else "a dotted path as text"
    if isinstance(DEFAULTS[key], tuple):
        right = isinstance(value, list | tuple) and value and all(is_limit(each) for each in value)
        return "" if right else 'a list of limits such as "5/minute"'
    if isinstance(value, int) and not isinstance(value, bool) and value >= MINIMA[key]:
        return ""
    return f"a whole number of at least {MINIMA[key]}"


@register()
def check_catalog(**kwargs: Any) -> list[CheckMessage]:
    """Check that ``CATALOG`` names a class with ``get_categories`` and ``search_products`` (E005)."""
    try:
        path = app_settings.catalog
        problem = "" if not path or isinstance(import_string(path)(), Catalog) else "lacks a method"
    except (AttributeError, ImportError, TypeError) as error:
        # A setting that is no dict or no text has its own message.
        problem = f"cannot be made: {error}"
    if not problem or not isinstance(getattr(settings, NAME, {}), Mapping):
        return []
    return [
        Error(
            f"{NAME}['CATALOG'] {problem}.",
            hint="Name a class with get_categories() and search_products(*, text, limit); a thankyou_flows store has both.",
            id="thankyou_coupons.E005",
        )
    ]


@register(Tags.caches)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    """Warn when limits against guessing would be counted by each process for itself: W002, not while ``DEBUG`` (CO-7).

    They are those of ``thankyou_flows``, too.
    """
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    if settings.DEBUG or not backend.endswith(("LocMemCache", "DummyCache")):
        return []
    return [
        Warning(
            f"The default cache is {backend.rsplit('.', 1)[-1]}, which is not shared between processes: limits "
            "against guessing are counted by each process for itself, or not at all.",
            hint="Use a shared cache (Redis, Memcached or the database) as CACHES['default'].",
            id="thankyou_coupons.W002",
        )
    ]
