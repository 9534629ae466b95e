"""What can be wrong with an Oscar project that wants our thank-you page, and what to do about it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from . import OscarStore

#: The parts of Oscar that the adapter talks to, by app label.
NEEDED_APPS = ("basket", "catalogue", "checkout", "offer", "order", "partner", "payment", "voucher")
BASKET_MIDDLEWARE = "oscar.apps.basket.middleware.BasketMiddleware"


def check_project(*, store: OscarStore) -> list[CheckMessage]:
    """Return errors and warnings about the project, each with an id and a hint."""
    if find_spec("oscar") is None:
        return [
            Error(
                "THANKYOU_FLOWS['STORE'] is the django-oscar adapter, but django-oscar is not installed.",
                hint="Run: python -m pip install 'wagtail-thankyou-flows[oscar]'",
                id="thankyou_flows.E101",
            )
        ]
    missing = [label for label in NEEDED_APPS if label not in apps.app_configs]
    if missing:
        return [
            Error(
                f"These parts of django-oscar are not in INSTALLED_APPS: {', '.join(missing)}.",
                hint="Add *oscar.INSTALLED_APPS (from oscar), or your forks of these apps.",
                id="thankyou_flows.E102",
            )
        ]
    return [
        *_check_version(),
        *_check_middleware(),
        *_check_statuses(store),
        *_check_currency(),
    ]


def _check_version() -> list[CheckMessage]:
    import oscar

    if oscar.VERSION[:2] == (4, 2):
        return []
    return [
        Warning(
            f"The adapter was made for django-oscar 4.2; this is {oscar.get_version()}.",
            hint="Run: python -m pip install 'django-oscar>=4.2,<4.3'",
            id="thankyou_flows.W104",
        )
    ]


def _check_middleware() -> list[CheckMessage]:
    if any(_is_basket_middleware(path) for path in settings.MIDDLEWARE):
        return []
    return [
        Error(
            "Oscar's basket middleware is missing: offers can't be put on the customer's basket.",
            hint=f"Add {BASKET_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware and MessageMiddleware.",
            id="thankyou_flows.E103",
        )
    ]


def _is_basket_middleware(path: str) -> bool:
    if path == BASKET_MIDDLEWARE:
        return True
    try:
        middleware = import_string(path)
    except ImportError:
        return False
    return isinstance(middleware, type) and issubclass(middleware, import_string(BASKET_MIDDLEWARE))


def _check_statuses(store: OscarStore) -> list[CheckMessage]:
    pipeline = getattr(settings, "OSCAR_ORDER_STATUS_PIPELINE", {})
    initial = getattr(settings, "OSCAR_INITIAL_ORDER_STATUS", None)
    statuses = dict.fromkeys([*([initial] if initial else []), *pipeline])
    unknown = [status for status in statuses if status.strip().lower() not in store.state_map]
    if not unknown:
        return []
    return [
        Warning(
            f"The adapter does not know what these order statuses mean: {', '.join(map(repr, unknown))}. "
            "Orders in them count as not paid, and get no offers.",
            hint="Subclass OscarStore with a state_map that names them in lower case, "
            "and put the subclass into THANKYOU_FLOWS['STORE'].",
            id="thankyou_flows.W105",
        )
    ]


def _check_currency() -> list[CheckMessage]:
    currencies = getattr(settings, "CURRENCIES", None)
    if not currencies or settings.OSCAR_DEFAULT_CURRENCY in currencies:
        return []
    return [
        Warning(
            f"CURRENCIES does not name OSCAR_DEFAULT_CURRENCY ({settings.OSCAR_DEFAULT_CURRENCY!r}): "
            "a coupon can't be worth an amount of it.",
            hint=f"Add {settings.OSCAR_DEFAULT_CURRENCY!r} to CURRENCIES.",
            id="thankyou_flows.W106",
        )
    ]
