"""A wrong configuration is found when Django starts, with advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oscar
import pytest

from thankyou_flows.layout import find_base_template, missing_blocks
from thankyou_flows.stores.oscar import OscarStore, checks

MIDDLEWARE = "oscar.apps.basket.middleware.BasketMiddleware"


def ids() -> list[str]:
    return [message.id for message in OscarStore().check()]


def test_a_stock_shop_is_fine() -> None:
    assert ids() == []


def test_oscar_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    [message] = OscarStore().check()
    assert message.id == "thankyou_flows.E101"
    assert "pip install 'wagtail-thankyou-flows[oscar]'" in message.hint


def test_oscar_is_not_among_the_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "NEEDED_APPS", ("basket", "no_such_app"))
    [message] = OscarStore().check()
    assert message.id == "thankyou_flows.E102"
    assert "no_such_app" in message.msg


def test_the_basket_middleware_is_missing(settings: Any) -> None:
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != MIDDLEWARE]
    assert ids() == ["thankyou_flows.E103"]


def test_a_middleware_of_the_shops_own_will_do(settings: Any) -> None:
    ours = f"{__name__}.OurBasketMiddleware"
    settings.MIDDLEWARE = [ours if path == MIDDLEWARE else path for path in settings.MIDDLEWARE]
    assert ids() == []


def test_another_version_of_oscar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oscar.VERSION", (5, 0, 0, "final"))
    assert ids() == ["thankyou_flows.W104"]


def test_a_status_that_nobody_explained(settings: Any) -> None:
    settings.OSCAR_ORDER_STATUS_PIPELINE = {"Pending": ("Knitted",), "Knitted": ()}
    [message] = OscarStore().check()
    assert message.id == "thankyou_flows.W105"
    assert "'Knitted'" in message.msg
    assert "state_map" in message.hint


def test_a_currency_that_no_coupon_can_have(settings: Any) -> None:
    settings.CURRENCIES = ("USD",)
    assert ids() == ["thankyou_flows.W106"]


def test_a_project_without_a_base_template_gets_oscars_layout(settings: Any) -> None:
    """Stock Oscar has no base.html; a thank-you page must not fail for that."""
    folders = [settings.ROOT / "templates", Path(oscar.__file__).parent / "templates"]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": folders}]
    assert find_base_template() == "thankyou_flows/oscar_base.html"
    assert missing_blocks("thankyou_flows/oscar_base.html") == set()


def __getattr__(name: str) -> Any:
    if name == "OurBasketMiddleware":
        from oscar.apps.basket.middleware import BasketMiddleware

        return type(name, (BasketMiddleware,), {})
    raise AttributeError(name)
