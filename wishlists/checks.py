"""System checks of ``wishlists``: a wrong setting is named, with its fix (D11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.module_loading import import_string

from .catalog import resolve
from .conf import DEFAULTS, NAME
from .kinds import CHANGEABLE, KINDS, on_device
from .middleware import ListsMiddleware

MIDDLEWARE = "wishlists.middleware.ListsMiddleware"

#: Keys that are whole numbers, with the smallest and largest that make sense (None: no limit).
RANGES: dict[str, tuple[int, int | None]] = {
    "MAX_QUANTITY": (1, None),
    "KEEP_DAYS": (1, 400),
    "ADDS_PER_MINUTE": (1, None),
    "UNDO_DAYS": (1, None),
    "LOW_STOCK": (0, None),
    "INQUIRY_DAYS": (1, None),
    "TRUSTED_PROXIES": (0, None),
    "STATISTICS_DAYS": (1, None),
}
#: The same for what may be changed of a kind of list.
KIND_RANGES: dict[str, tuple[int, int | None]] = {
    "max_lists": (1, None),
    "max_items": (1, None),
    "max_bytes": (200, 4096),
    "days": (1, None),
}
#: Above this, KEEP_DAYS is worth a word (CK-6).
LONG_DAYS = 90
#: Bytes that the lists' cookies may have together: servers often take 8,190 for the line, and the site has cookies, too.
ALL_COOKIES = 7200
STRINGS = ("COOKIE_NAME", "BASKET_URL", "CHECKOUT_URL", "SHOP_URL")


@register()
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check THANKYOU_WISHLISTS key by key, and that the parts it needs are installed."""
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping):
        hint = f'For example: {NAME} = {{"CATALOG": "shop.store.Catalog"}}.'
        return [_error("E001", f"{NAME} must be a dict.", hint)]
    return [
        *_check_keys(given),
        *_check_values(given),
        *(_check_kinds(given) or _check_room()),
        *_check_catalog(given),
        *_check_basket(given),
        *_check_send_mail(given),
        *_check_encryption(given),
        *_check_privacy(given),
        *_check_middleware(given),
    ]


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
    notify = given.get("INQUIRY_NOTIFY", [])
    if not isinstance(notify, list | tuple) or not all(map(_is_address, notify)):
        hint = 'Give a list of e-mail addresses, for example ["shop@example.com"]; default [].'
        errors.append(_error("E003", f'{NAME}["INQUIRY_NOTIFY"] is {notify!r}.', hint))
    quiet = given.get("QUIET_URLS", [])
    if not isinstance(quiet, list | tuple) or not all(isinstance(url, str) for url in quiet):
        errors.append(_error("E003", f'{NAME}["QUIET_URLS"] is {quiet!r}.', "Give a list of strings; default []."))
    else:
        errors += [error for url in quiet for error in _check_url("QUIET_URLS", url)]
    return errors


def _is_address(value: object) -> bool:
    try:
        validate_email(value if isinstance(value, str) else "")
    except ValidationError:
        return False
    return True


def _check_kinds(given: Mapping[str, Any]) -> list[CheckMessage]:
    kinds = given.get("KINDS", {})
    if not isinstance(kinds, Mapping):
        return [_error("E007", f'{NAME}["KINDS"] must be a dict.', 'For example: {"recent": {"is_on": True}}.')]
    errors = []
    for name, changes in kinds.items():
        if name not in KINDS:
            hint = f"Known kinds: {', '.join(KINDS)}."
            errors.append(_error("E007", f'{NAME}["KINDS"] has an unknown kind {name!r}.', hint))
        elif not isinstance(changes, Mapping):
            errors.append(
                _error("E007", f'{NAME}["KINDS"][{name!r}] must be a dict.', 'For example: {"max_items": 40}.')
            )
        else:
            errors += [error for key, value in changes.items() for error in _check_change(name, key, value)]
    return errors


def _check_change(kind: str, key: Any, value: Any) -> list[CheckMessage]:
    where = f'{NAME}["KINDS"][{kind!r}]'
    if key not in CHANGEABLE:
        return [_error("E007", f"{where} has an unknown key {key!r}.", f"It takes: {', '.join(CHANGEABLE)}.")]
    if key in ("is_on", "keepable"):
        wanted = "" if isinstance(value, bool) else "True or False"
    else:
        least, most = KIND_RANGES[key]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        fits = is_number and value >= least and not (most and value > most)
        wanted = "" if fits or (key == "days" and value is None) else f"a whole number of {least} or more"
        if wanted and most:
            wanted = f"a whole number from {least} to {most}"
    default = getattr(KINDS[kind], key)
    return [_error("E007", f"{where}[{key!r}] is {value!r}.", f"Give {wanted}; default {default!r}.")] if wanted else []


def _check_room() -> list[CheckMessage]:
    """CK-2: a request whose cookies are too long is refused by the server, on every page, until the customer clears them."""
    sizes = {kind.name: kind.max_bytes for kind in on_device()}
    if sum(sizes.values()) <= ALL_COOKIES:
        return []
    listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
    hint = (
        f'Give {NAME}["KINDS"] a smaller "max_bytes" for some of them ({listed}), or switch a kind off. Many servers refuse '
        "requests whose cookies have more than 8,190 bytes; silence this check if yours takes more."
    )
    message = f"The cookies of a guest's lists may have {sum(sizes.values())} bytes together, more than {ALL_COOKIES}."
    return [Warning(message, hint=hint, id="thankyou_wishlists.W011")]


def _check_basket(given: Mapping[str, Any]) -> list[CheckMessage]:
    path = given.get("BASKET")
    if not path:
        return []
    try:
        problem = "" if callable(import_string(path)) else "cannot be called"
    except Exception as error:  # whatever a shop's module raises is its answer
        problem = f"cannot be used ({type(error).__name__}: {error})"
    hint = "Give the dotted path of a function: add(*, request, product_ref, quantity, options) -> bool."
    return [_error("E008", f'{NAME}["BASKET"] is {path!r}, which {problem}.', hint)] if problem else []


def _check_send_mail(given: Mapping[str, Any]) -> list[CheckMessage]:
    path = given.get("SEND_MAIL", DEFAULTS["SEND_MAIL"])
    try:
        problem = "" if callable(import_string(path)) else "cannot be called"
    except Exception as error:  # whatever a shop's module raises is its answer
        problem = f"cannot be used ({type(error).__name__}: {error})"
    hint = f"Give the dotted path of a function: send(*, message, key, language) -> bool; default {DEFAULTS['SEND_MAIL']!r}."
    return [_error("E012", f'{NAME}["SEND_MAIL"] is {path!r}, which {problem}.', hint)] if problem else []


def _check_encryption(given: Mapping[str, Any]) -> list[CheckMessage]:
    value = given.get("ENCRYPT_LISTS", False)
    if not isinstance(value, bool):
        return [_error("E003", f'{NAME}["ENCRYPT_LISTS"] is {value!r}.', "Give True or False; default False.")]
    if value and find_spec("cryptography") is None:
        hint = "Install it: pip install cryptography (or wagtail-thankyou-flows[encryption])."
        return [_error("E009", f'{NAME}["ENCRYPT_LISTS"] is on, but the package cryptography is missing.', hint)]
    return []


def _check_privacy(given: Mapping[str, Any]) -> list[CheckMessage]:
    days = given.get("KEEP_DAYS", DEFAULTS["KEEP_DAYS"])
    if not isinstance(days, int) or isinstance(days, bool) or not LONG_DAYS < days <= 400:
        return []
    hint = (
        f"With {LONG_DAYS} or less the cookie is what the customer asked for. Longer is more convenient for who comes back "
        "seldom, and shows more to others at a shared computer; regulators expect a life in relation to the purpose "
        "(WP29 04/2012). Say the number of days in your privacy notice, and silence this check if that is what you want."
    )
    message = f'{NAME}["KEEP_DAYS"] is {days}: "keep on this device" lasts longer than a customer may expect.'
    return [Warning(message, hint=hint, id="thankyou_wishlists.W010")]


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
