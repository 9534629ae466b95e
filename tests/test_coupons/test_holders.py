"""Recognising a customer without keeping the address (CO-10)."""

from __future__ import annotations

import pytest
from django.test import override_settings

from coupons.holders import customer_key, is_foreign


@pytest.mark.parametrize(
    "same",
    [
        "  Ann@Example.COM ",
        "ann@example.com\n",
        "\N{FULLWIDTH LATIN SMALL LETTER A}nn@example.com",
    ],
)
def test_one_customer_however_the_address_is_typed(same: str) -> None:
    """CO-10: case, spaces and width."""
    assert customer_key(same) == customer_key("ann@example.com")


def test_the_key_hides_the_address_and_depends_on_the_sites_secret() -> None:
    """CO-10: keyed hash."""
    key = customer_key("ann@example.com")
    assert key.startswith("c:")
    assert len(key) == 66
    assert "ann" not in key
    with override_settings(SECRET_KEY="another"):
        assert customer_key("ann@example.com") != key


def test_gmail_aliases() -> None:
    """CO-10: by setting, and only where they are one mailbox."""
    aliases = ["a.nn@gmail.com", "Ann+shop@gmail.com", "ann@googlemail.com"]
    assert {customer_key(alias) for alias in aliases} == {customer_key("ann@gmail.com")}
    assert customer_key("a.nn@example.com") != customer_key("ann@example.com")
    with override_settings(THANKYOU_COUPONS={"GMAIL_ALIASES": False}):
        assert customer_key("a.nn@gmail.com") != customer_key("ann@gmail.com")


def test_no_address_no_key() -> None:
    """An unknown customer is nobody in particular."""
    assert customer_key("") == customer_key("  ") == ""


@pytest.mark.parametrize(
    ("holder", "known", "quoted", "final"),
    [
        ("c:ann", {}, False, True),
        ("c:ann", {"customer_key": "c:ann"}, False, False),
        ("c:ann", {"customer_key": "c:eve"}, True, True),
        ("c:ann", {"account_key": "u:1"}, False, True),
        ("u:1", {}, False, True),
        ("u:1", {"account_key": "u:1"}, False, False),
        ("u:1", {"account_key": "u:2"}, True, True),
        ("u:1", {"customer_key": "c:ann"}, False, True),
        ("", {"customer_key": "c:ann", "account_key": "u:1"}, False, False),
        ("table 4", {"customer_key": "c:ann"}, False, False),
    ],
)
def test_whose_coupon_it_is(holder: str, known: dict[str, str], quoted: bool, final: bool) -> None:
    """CO-10: an address against the address, an account against the account; a coupon without a holder is free."""
    arguments = {"holder_key": holder, "customer_key": "", **known}
    assert (is_foreign(**arguments), is_foreign(**arguments, final=True)) == (quoted, final)
