"""System checks of ``thankyou_flows``: a wrong configuration is found at start-up, not after a sale.

E001 unknown settings key · E002 wrong type · E003 store cannot be loaded · E004 URLs not included · E005 another
package shadows ``coupons`` or ``wishlists`` · E006 templates not found · E007 webhooks of Anymail that are open or can't
work · E008 a value that can't be used · W002 blocks missing in the site's layout · W003 two numbers of proxies · W004 no
footer of mails · W005 mail is sent inside requests · W006 links in mails without https. E1xx belong to store adapters.
A cache that is not shared is ``thankyou_coupons.W002``.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.core.checks import register as register_check
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from .conf import DEFAULTS
from .layout import find_base_template, is_replaced, missing_blocks
from .mail import checks as mail_checks

DISTRIBUTION = "wagtail-thankyou-flows"


def register() -> None:
    """Register the checks with Django. Called when the app is ready."""
    register_check(check_settings, Tags.compatibility)
    register_check(check_packages, Tags.compatibility)
    register_check(check_store, Tags.compatibility)
    register_check(check_urls, Tags.urls)
    register_check(check_templates, Tags.templates)
    register_check(check_proxies, Tags.security)
    mail_checks.register()


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report unknown keys, with the one that was probably meant, and values of a wrong type."""
    given = getattr(django_settings, "THANKYOU_FLOWS", {})
    if not isinstance(given, dict):
        return [
            Error(
                f"THANKYOU_FLOWS is a {type(given).__name__}, not a dict.",
                hint='Write THANKYOU_FLOWS = {"STORE": "yourshop.store.YourStore"}.',
                id="thankyou_flows.E002",
            )
        ]
    messages: list[CheckMessage] = []
    for key, value in given.items():
        if key not in DEFAULTS:
            close = difflib.get_close_matches(str(key), DEFAULTS, n=1, cutoff=0.5)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(sorted(DEFAULTS))}."
            messages.append(Error(f"THANKYOU_FLOWS has an unknown key {key!r}.", hint=hint, id="thankyou_flows.E001"))
            continue
        wanted = type(DEFAULTS[key])
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            messages.append(
                Error(
                    f"THANKYOU_FLOWS[{key!r}] is {value!r}, a {type(value).__name__}.",
                    hint=f"Give it a value of type {wanted.__name__}, for example {DEFAULTS[key]!r}.",
                    id="thankyou_flows.E002",
                )
            )
        elif wanted is int and value < 0:
            messages.append(
                Error(
                    f"THANKYOU_FLOWS[{key!r}] is {value!r}.",
                    hint=f"It can't be negative; the default is {DEFAULTS[key]!r}.",
                    id="thankyou_flows.E002",
                )
            )
    return messages


def check_packages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report when another ``coupons`` or ``wishlists`` is imported in the place of ours: a shadowed app can't say so
    itself.
    """
    messages: list[CheckMessage] = []
    expected = Path(__file__).resolve().parent.parent
    for name in ("coupons", "wishlists"):
        module = importlib.import_module(name)
        if getattr(module, "DISTRIBUTION", None) != DISTRIBUTION:
            found = getattr(module, "__file__", None) or "an unknown place"
            messages.append(
                Error(
                    f"The package {name!r} comes from {found}, but thankyou_flows needs its own in {expected / name}.",
                    hint="Rename the other package, or uninstall the distribution that brought it; then reinstall "
                    f"{DISTRIBUTION}.",
                    id="thankyou_flows.E005",
                )
            )
    return messages


def check_store(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a store adapter that can't be loaded, and what the adapter itself finds wrong."""
    from .stores import get_store

    try:
        store = get_store()
    except Exception as error:
        return [
            Error(
                f"THANKYOU_FLOWS['STORE'] can't be loaded: {error}",
                hint="Name a subclass of thankyou_flows.stores.Store, for example "
                "'thankyou_flows.stores.oscar.OscarStore'.",
                id="thankyou_flows.E003",
            )
        ]
    return list(store.check())


def check_urls(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report when the URLs are not included."""
    try:
        reverse("thankyou_flows:thank_you")
    except NoReverseMatch:
        return [
            Error(
                "The URLs of thankyou_flows are not included.",
                hint='Add path("thanks/", include("thankyou_flows.urls")) to your urlpatterns, above Wagtail\'s.',
                id="thankyou_flows.E004",
            )
        ]
    return []


def check_templates(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report when our templates are not found, or have no layout to stand in."""
    try:
        get_template("thankyou_flows/built_in_page.html")
        if is_replaced():
            return []
        base = find_base_template()
    except TemplateDoesNotExist as error:
        return [
            Error(
                f"A template can't be found: {error}.",
                hint="Set APP_DIRS to True in TEMPLATES and give your site a base.html with the blocks title, "
                "extra_head and content; in a checkout of the package, add its templates/ folder to DIRS.",
                id="thankyou_flows.E006",
            )
        ]
    except Exception:
        # The store can't be loaded; thankyou_flows.E003 says so.
        return []
    missing = missing_blocks(base)
    if not missing:
        return []
    return [
        Warning(
            f"Your {base} lacks these blocks: {', '.join(sorted(missing))}. Thank-you pages would look empty.",
            hint="Add them, or bring a thankyou_flows/base.html of your own that extends your layout.",
            id="thankyou_flows.W002",
        )
    ]


def check_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn when the two apps that limit by network address disagree on the proxies in front of them: one of them would
    take all visitors for one, or believe what a visitor typed (TY-9, CO-7).
    """
    given = [getattr(django_settings, name, {}) for name in ("THANKYOU_FLOWS", "THANKYOU_COUPONS")]
    ours, theirs = (each.get("TRUSTED_PROXIES", 0) if isinstance(each, dict) else 0 for each in given)
    if ours == theirs:
        return []
    return [
        Warning(
            f"THANKYOU_FLOWS['TRUSTED_PROXIES'] is {ours!r}, THANKYOU_COUPONS['TRUSTED_PROXIES'] is {theirs!r}: the same "
            "visitor would have two addresses.",
            hint="Give both the same number: how many proxies of yours write X-Forwarded-For.",
            id="thankyou_flows.W003",
        )
    ]
