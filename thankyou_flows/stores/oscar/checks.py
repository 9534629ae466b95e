"""What can be wrong with an Oscar project that wants our thank-you page, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError
from django.utils.module_loading import import_string

from .. import get_store

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


def check_campaigns(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Compare the campaigns with the shop: run by ``check --database default``, since it asks the database."""
    from . import OscarStore

    store = get_store()
    if "default" not in (kwargs.get("databases") or ()) or not isinstance(store, OscarStore):
        return []
    try:
        return [*_check_amounts(), *_check_words()]
    except DatabaseError:
        # "migrate" checks the database before it has made the tables.
        return []


def _check_amounts() -> list[CheckMessage]:
    from oscar.core.loading import get_model

    from coupons.models import Campaign

    sold_in = {settings.OSCAR_DEFAULT_CURRENCY}
    sold_in.update(get_model("partner", "StockRecord").objects.values_list("price_currency", flat=True).distinct())
    worth = Campaign.objects.filter(benefit=Campaign.Benefit.AMOUNT).exclude(status=Campaign.Status.ENDED)
    return [
        Warning(
            f"The campaign “{campaign}” takes off {campaign.amount}, but nothing is sold in that currency: "
            "its coupons are refused for every basket.",
            hint="End the campaign and make a new one with an amount in the shop's currency.",
            id="thankyou_flows.W107",
        )
        for campaign in worth.exclude(amount_currency__in=sold_in)
    ]


def _check_words() -> list[CheckMessage]:
    from oscar.core.loading import get_model

    from coupons.models import Campaign, Coupon

    from .facts import SLUG

    words = Coupon.objects.filter(is_word=True).exclude(campaign__status=Campaign.Status.ENDED)
    by_code = {coupon.display_code.upper(): coupon for coupon in words.select_related("campaign")}
    vouchers = get_model("voucher", "Voucher").objects.filter(code__in=by_code).exclude(offers__slug__startswith=SLUG)
    return [
        Warning(
            f"The shop has a voucher of its own with the word of the campaign “{by_code[code].campaign}”, {code!r}: "
            "customers get what that voucher gives.",
            hint="Delete the voucher in Oscar's dashboard, or choose another word.",
            id="thankyou_flows.W108",
        )
        for code in vouchers.values_list("code", flat=True)
    ]
