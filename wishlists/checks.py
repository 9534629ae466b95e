"""System checks of ``wishlists``: a wrong setting is named, with its fix (D11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.module_loading import import_string

from .catalog import resolve
from .conf import DEFAULTS, NAME
from .middleware import ListsMiddleware

MIDDLEWARE = "wishlists.middleware.ListsMiddleware"

#: Keys that are whole numbers, with the smallest and largest that make sense (None: no limit).
RANGES: dict[str, tuple[int, int | None]] = {
    "MAX_LINES": (1, None),
    "MAX_QUANTITY": (1, None),
    "COOKIE_MAX_BYTES": (200, 4096),
}
STRINGS = ("COOKIE_NAME", "CHECKOUT_URL", "SHOP_URL")


@register()
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check THANKYOU_WISHLISTS key by key, and that the parts it needs are installed."""
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping):
        hint = f'For example: {NAME} = {{"CATALOG": "shop.store.Catalog"}}.'
        return [_error("E001", f"{NAME} must be a dict.", hint)]
    return [*_check_keys(given), *_check_values(given), *_check_catalog(given), *_check_middleware(given)]


def _error(number: str, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"thankyou_wishlists.{number}")


def _check_keys(given: Mapping[str, Any]) -> list[CheckMessage]:
    errors = []
    for key in given:
        if key not in DEFAULTS:
            close = get_close_matches(str(key).upper(), DEFAULTS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(DEFAULTS)}."
            errors.append(_error("E002", f"{NAME} has an unknown key {key!r}.", hint))
    return errors


def _check_values(given: Mapping[str, Any]) -> list[CheckMessage]:
    errors = []
    for key, (least, most) in RANGES.items():
        value = given.get(key, DEFAULTS[key])
        if not isinstance(value, int) or isinstance(value, bool) or value < least or (most and value > most):
            wanted = f"from {least} to {most}" if most else f"of {least} or more"
            hint = f"Give a whole number {wanted}; default {DEFAULTS[key]}."
            errors.append(_error("E003", f'{NAME}["{key}"] is {value!r}.', hint))
    for key in STRINGS:
        value = given.get(key, DEFAULTS[key])
        if not isinstance(value, str):
            hint = f"Give a string; default {DEFAULTS[key]!r}."
            errors.append(_error("E003", f'{NAME}["{key}"] is {value!r}.', hint))
        elif key == "COOKIE_NAME" and not re.fullmatch(r"(?!__)[A-Za-z0-9_-]{1,64}", value):
            hint = "Use letters, digits, - and _; the prefix __Host- is added where SESSION_COOKIE_SECURE is on."
            errors.append(_error("E003", f'{NAME}["{key}"] is {value!r}.', hint))
        elif key.endswith("_URL") and value:
            errors += _check_url(key, value)
    return errors


def _check_url(key: str, value: str) -> list[CheckMessage]:
    try:
        resolve_url(value)
    except NoReverseMatch:
        hint = "Give the name of a URL pattern without arguments, or a path that begins with a slash."
        return [_error("E006", f'{NAME}["{key}"] is {value!r}, which is no address of this site.', hint)]
    return []


def _check_catalog(given: Mapping[str, Any]) -> list[CheckMessage]:
    path = given.get("CATALOG")
    if not path:
        if not _has_middleware():
            return []
        hint = 'Give the dotted path of a class with get_products(*, refs), for example "shop.store.Catalog".'
        return [_error("E004", f'{MIDDLEWARE} is installed, but {NAME}["CATALOG"] names no catalogue.', hint)]
    try:
        catalog = resolve(import_string(path))
        problem = "" if callable(getattr(catalog, "get_products", None)) else "has no get_products()"
    except Exception as error:  # whatever a shop's module raises is its answer
        problem = f"cannot be used ({type(error).__name__}: {error})"
    hint = "Give the dotted path of a class, an instance or a callable; see wishlists.catalog.Catalog."
    return [_error("E004", f'{NAME}["CATALOG"] is {path!r}, which {problem}.', hint)] if problem else []


def _check_middleware(given: Mapping[str, Any]) -> list[CheckMessage]:
    if not given.get("CATALOG") or _has_middleware():
        return []
    return [_error("E005", "The cart's middleware is not installed.", f'Add "{MIDDLEWARE}" to MIDDLEWARE.')]


def _has_middleware() -> bool:
    """Say whether our middleware, or a subclass of it, is installed; Django itself reports paths that do not import."""
    for path in settings.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:
            continue
        if isinstance(found, type) and issubclass(found, ListsMiddleware):
            return True
    return False
