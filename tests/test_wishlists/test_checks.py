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


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("cart", "must be a dict"),
        ({"carts": {}}, "unknown kind 'carts'"),
        ({"cart": 3}, "[\"KINDS\"]['cart'] must be a dict"),
        ({"cart": {"max": 3}}, "unknown key 'max'. It takes: is_on, max_lists, max_items, keepable, days, max_bytes"),
        ({"cart": {"guests": False}}, "unknown key 'guests'"),
        ({"cart": {"max_items": 0}}, "Give a whole number of 1 or more; default 50"),
        ({"cart": {"max_items": True}}, "Give a whole number of 1 or more; default 50"),
        ({"saved": {"max_bytes": 5000}}, "Give a whole number from 200 to 4096; default 2400"),
        ({"saved": {"max_bytes": "2400"}}, "Give a whole number from 200 to 4096; default 2400"),
        ({"recent": {"is_on": 1}}, "Give True or False; default False"),
        ({"compare": {"keepable": None}}, "Give True or False; default False"),
        ({"compare": {"days": 0}}, "Give a whole number of 1 or more; default 30"),
        ({"wish": {"max_lists": None}}, "Give a whole number of 1 or more; default 20"),
    ],
)
def test_the_kinds_are_checked(site: Any, kinds: Any, expected: str):
    (message,) = found(site, KINDS=kinds)
    assert message.startswith("thankyou_wishlists.E007")
    assert expected in message


def test_every_change_that_a_shop_may_make_of_a_kind_is_quiet(site: Any):
    kinds = {
        "cart": {"max_items": 30, "max_bytes": 4096, "keepable": False},
        "saved": {"is_on": False, "days": 90},
        "wish": {"max_lists": 3},
        "compare": {"days": None},
        "recent": {"is_on": True, "max_bytes": 200},
    }
    assert found(site, KINDS=kinds) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests.test_wishlists.test_checks.no_such_thing", "cannot be used (ImportError"),
        ("nodots", "cannot be used (ImportError"),
        ("tests.test_wishlists.test_checks.GOOD", "cannot be called"),
        (7, "cannot be used"),
    ],
)
def test_the_basket_is_checked(site: Any, path: Any, expected: str):
    (message,) = found(site, BASKET=path)
    assert message.startswith("thankyou_wishlists.E008")
    assert expected in message
    assert "Give the dotted path" in message


def test_a_basket_that_can_be_called_is_quiet(site: Any):
    assert found(site, BASKET="tests.test_wishlists.test_checks.make") == []


@pytest.mark.parametrize("path", ["wishlists.mails.no_such_thing", "tests.test_wishlists.test_checks.GOOD", None])
def test_who_sends_mail_is_checked(site: Any, path: Any):
    (message,) = found(site, SEND_MAIL=path)
    assert message.startswith("thankyou_wishlists.E012")
    assert "send(*, message, key, language)" in message
    assert found(site, SEND_MAIL="wishlists.mails.send_directly") == []


def test_encryption_needs_its_package(site: Any, monkeypatch: pytest.MonkeyPatch):
    """CK-8."""
    assert found(site, ENCRYPT_LISTS=True) == []
    monkeypatch.setattr("wishlists.checks.find_spec", lambda _name: None)
    (message,) = found(site, ENCRYPT_LISTS=True)
    assert message.startswith("thankyou_wishlists.E009")
    assert "wagtail-thankyou-flows[encryption]" in message
    assert found(site, ENCRYPT_LISTS=False) == []
    (message,) = found(site, ENCRYPT_LISTS="yes")
    assert message.startswith("thankyou_wishlists.E003")


def test_keeping_for_long_is_worth_a_word(site: Any):
    """CK-6: the trade-off is named; it is a warning, and can be silenced."""
    for days in (1, 30, 90):
        assert found(site, KEEP_DAYS=days) == []
    (message,) = found(site, KEEP_DAYS=91)
    assert message.startswith("thankyou_wishlists.W010")
    assert "shared computer" in message
    assert "silence" in message
    for days in (0, 401, "90"):
        (message,) = found(site, KEEP_DAYS=days)
        assert message.startswith("thankyou_wishlists.E003")


@pytest.mark.parametrize("quiet", ["/pay/", [3], {"/pay/": 1}])
def test_the_quiet_addresses_are_a_list(site: Any, quiet: Any):
    (message,) = found(site, QUIET_URLS=quiet)
    assert message.startswith("thankyou_wishlists.E003")
    assert found(site, QUIET_URLS=["/pay/", "checkout"]) == []
    (message,) = found(site, QUIET_URLS=["chekout"])
    assert message.startswith("thankyou_wishlists.E006")


def test_the_cookies_of_all_kinds_fit_into_one_request(site: Any):
    """CK-2: as they come, and with all kinds on, they do; more is worth a word, and a wrong number is named first."""
    for kinds in ({}, {"recent": {"is_on": True}}, {"cart": {"max_bytes": 4096}, "saved": {"max_bytes": 2604}}):
        assert found(site, KINDS=kinds) == []
    (message,) = found(site, KINDS={"cart": {"max_bytes": 4096}, "recent": {"is_on": True}})
    assert message.startswith("thankyou_wishlists.W011")
    assert "7496 bytes together, more than 7200" in message
    assert "cart 4096, saved 2400, compare 500, recent 500" in message
    assert "silence" in message
    (message,) = found(site, KINDS={"cart": {"max_bytes": 4096}, "saved": {"max_bytes": 9000}})
    assert message.startswith("thankyou_wishlists.E007")
    assert found(site, KINDS={"cart": {"max_bytes": 4096}, "saved": {"is_on": False}, "recent": {"is_on": True}}) == []
