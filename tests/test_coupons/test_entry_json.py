"""The entry of codes as JSON (CO-6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from coupons.models import Campaign, Coupon

from .factories import make_coupon
from .small_site import site  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

HALF = {"benefit": Campaign.Benefit.PERCENT, "percent": Decimal(50)}


def send(client: Client, method: str, data: Any = None, **more: Any) -> HttpResponse:
    return client.generic(method, "/coupons/api/", data, content_type="application/json", **more)


def test_json_from_empty_to_a_quote(client: Client) -> None:
    """Issue 3: amounts are texts with the decimals of their currency."""
    empty = {
        "coupons": [],
        "quote": {
            "currency": "EUR",
            "lines": [{"ref": "0", "total": "20.00", "discount": "0.00"}],
            "subtotal": "20.00",
            "discount": "0.00",
            "shipping": "4.90",
            "shipping_discount": "0.00",
            "total": "24.90",
        },
    }
    assert send(client, "GET").json() == empty
    half, shipping = make_coupon(**HALF), make_coupon()
    send(client, "POST", f'{{"code": "{half.display_code}"}}')
    response = send(client, "POST", f'{{"code": "{shipping.code}"}}')
    assert response.status_code == 200
    assert response.json() == {
        "coupons": [
            {"code": half.code, "title": "50% off", "amount": "10.00", "error": None},
            {"code": shipping.code, "title": "Free shipping", "amount": "4.90", "error": None},
        ],
        "quote": {
            "currency": "EUR",
            "lines": [{"ref": "0", "total": "20.00", "discount": "10.00"}],
            "subtotal": "20.00",
            "discount": "10.00",
            "shipping": "0.00",
            "shipping_discount": "4.90",
            "total": "10.00",
        },
    }
    Coupon.objects.filter(pk=half.pk).update(used=1)
    [error] = [each["error"] for each in send(client, "GET").json()["coupons"] if each["code"] == half.code]
    assert error == {"code": "coupon_used_up", "message": "This coupon has already been used."}
    send(client, "DELETE", f'{{"code": "{half.display_code}"}}')
    assert send(client, "DELETE", f'{{"code": "{shipping.code}"}}').json() == empty


def test_json_without_a_basket(client: Client, site: Any) -> None:  # noqa: F811
    """A shop whose basket lives elsewhere keeps the codes only."""
    site.THANKYOU_COUPONS = {}
    coupon = make_coupon()
    found = {"code": coupon.code, "title": "Free shipping", "amount": None, "error": None}
    assert send(client, "POST", f'{{"code": "{coupon.code}"}}').json() == {"coupons": [found], "quote": None}


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"code": 7}', "null", "[" * 100_000, b"\xff"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_json_that_is_none(client: Client, method: str, body: Any) -> None:
    response = send(client, method, body)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_json_of_strange_texts(client: Client) -> None:
    """CO-5: never a 500."""
    for text in ("\\ud800", "\\u0000", "", "a" * 10_000):
        response = send(client, "POST", f'{{"code": "{text}"}}')
        assert (response.status_code, response.json()["code"]) == (422, "typing_error")


def test_json_knows_its_methods(client: Client) -> None:
    assert send(client, "PUT", "{}").status_code == 405
