"""A wrong setting is named, with its fix (D11)."""

from __future__ import annotations

from typing import Any

import pytest

from wishlists.catalog import get_catalog
from wishlists.checks import check_settings
from wishlists.exceptions import NoCatalog
from wishlists.middleware import ListsMiddleware

from . import catalogs

GOOD = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog"}

instance = catalogs.MemoryCatalog()


class OwnMiddleware(ListsMiddleware):
    """A shop's own version."""


def found(site: Any, **given: Any) -> list[str]:
    site.THANKYOU_WISHLISTS = {**GOOD, **given}
    return [f"{message.id} {message.msg} {message.hint}" for message in check_settings()]


def test_right_settings_are_quiet(site: Any):
    assert found(site) == []
    assert found(site, MAX_QUANTITY=10, CHECKOUT_URL="checkout", SHOP_URL="/shop/", COOKIE_NAME="my-cart") == []


def test_a_shop_without_a_cart_is_left_alone(site: Any):
    site.MIDDLEWARE = []
    del site.THANKYOU_WISHLISTS
    assert check_settings() == []


def test_settings_must_be_a_dict(site: Any):
    site.THANKYOU_WISHLISTS = "shop.Catalog"
    (message,) = check_settings()
    assert message.id == "thankyou_wishlists.E001"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"MAX_QUANTIT": 3}, "E002 THANKYOU_WISHLISTS has an unknown key 'MAX_QUANTIT'. Did you mean 'MAX_QUANTITY'?"),
        ({"max_quantity": 3}, "Did you mean 'MAX_QUANTITY'?"),
        ({"PRICES": 3}, "Known keys: CATALOG"),
        ({"MAX_QUANTITY": "50"}, "E003 THANKYOU_WISHLISTS[\"MAX_QUANTITY\"] is '50'. Give a whole number of 1 or more"),
        ({"MAX_QUANTITY": 0}, "of 1 or more; default 99"),
        ({"MAX_QUANTITY": True}, "of 1 or more; default 99"),
        ({"KINDS": {"cart": {"max_bytes": 9000}}}, "from 200 to 4096; default 3800"),
        ({"COOKIE_NAME": "my cart"}, "Use letters"),
        ({"COOKIE_NAME": "__Host-cart"}, "is added where"),
        ({"SHOP_URL": None}, "Give a string; default '/'"),
        ({"CHECKOUT_URL": "chekout"}, "E006"),
        (
            {"CATALOG": "nowhere.Catalog"},
            "E004 THANKYOU_WISHLISTS[\"CATALOG\"] is 'nowhere.Catalog', which cannot be used",
        ),
        ({"CATALOG": "nodots"}, "E004"),
        ({"CATALOG": 7}, "E004"),
        ({"CATALOG": "tests.test_wishlists.catalogs.broken"}, "RuntimeError: the shop is closed"),
        ({"CATALOG": "tests.test_wishlists.catalogs.NoQuestions"}, "has no get_products()"),
        ({"CATALOG": ""}, "names no catalogue"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(site: Any, given: dict[str, Any], expected: str):
    (message,) = found(site, **given)
    assert message.startswith("thankyou_wishlists.E")
    assert expected in message


def test_the_middleware_is_missed(site: Any):
    site.MIDDLEWARE = []
    (message,) = found(site)
    assert message.startswith("thankyou_wishlists.E005")
    assert '"wishlists.middleware.ListsMiddleware"' in message
    site.MIDDLEWARE = ["tests.test_wishlists.test_checks.OwnMiddleware"]
    assert found(site) == []


@pytest.mark.parametrize("name", ["catalogs.MemoryCatalog", "test_checks.instance", "test_checks.make"])
def test_a_catalogue_may_be_a_class_an_instance_or_a_callable(site: Any, name: str):
    assert found(site, CATALOG=f"tests.test_wishlists.{name}") == []
    assert get_catalog().get_products(refs=["tea"])["tea"].title == "Sencha"


def make() -> catalogs.MemoryCatalog:
    return instance


def test_without_a_catalogue_one_is_asked_for_by_name(site: Any):
    site.THANKYOU_WISHLISTS = {}
    with pytest.raises(NoCatalog, match="CATALOG"):
        get_catalog()
