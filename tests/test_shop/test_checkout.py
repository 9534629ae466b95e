"""The checkout of the example shop: what the customer sees, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from djmoney.money import Money

from coupons.models import Coupon
from example_site.shop.models import Order, Payment, Product
from example_site.shop.placing import place_order
from example_site.shop.views import checkout as views
from thankyou_flows.values import OrderState

from .conftest import Shopper, hidden

MakeCoupon = Callable[..., Coupon]
MakeProduct = Callable[..., Product]


def used(coupon: Coupon) -> int:
    coupon.refresh_from_db()
    return coupon.used


def test_a_guest_orders_and_pays(shopper: Shopper, tea: Product, django_capture_on_commit_callbacks) -> None:
    """Issue 2: from cart to thank-you page without registration."""
    shopper.put(tea, 2)
    order = shopper.place(shipping_method="express")
    assert (order.state, order.total, order.user) == (OrderState.PLACED, Money("29.90", "EUR"), None)
    with django_capture_on_commit_callbacks(execute=True):
        response = shopper.pay(order)
    assert response["Location"] == f"/thanks/order/{order.number}/"
    order.refresh_from_db()
    tea.refresh_from_db()
    assert (order.state, tea.stock) == (OrderState.PAID, 8)
    assert order.paid_at
    assert shopper.client.get("/lists/state/").json()["counts"]["cart"] == 0
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    assert "/thanks/link/" in mail.outbox[0].body
    assert order.number in mail.outbox[0].subject


def test_nothing_typed_is_lost(shopper: Shopper, tea: Product) -> None:
    """AX-3: errors stand beside the field and in a summary; what was typed stays."""
    shopper.put(tea)
    response = shopper.send(shopper.form(), email="ada@", city="", shipping_method="express")
    text = response.content.decode()
    assert response.status_code == 422
    assert not Order.objects.exists()
    assert 'href="#id_email"' in text
    assert 'id="id_city_error"' in text
    assert 'aria-describedby="id_email_helptext id_email_error"' in text
    for kept in ("ada@", "Rosenweg 1", "10115"):
        assert f'value="{kept}"' in text
    assert "9.90" in text


def test_a_double_click_makes_one_order(shopper: Shopper, tea: Product) -> None:
    """Issue 2: the same form twice is the same order."""
    shopper.put(tea)
    form = shopper.form()
    first, second = shopper.send(form), shopper.send(form)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1
    tea.refresh_from_db()
    assert tea.stock == 9


def test_a_foreign_form_does_not_open_the_order(shopper: Shopper, tea: Product) -> None:
    """TY-1: knowing the form's token is not having ordered."""
    shopper.put(tea)
    form = shopper.form()
    shopper.send(form)
    stranger = Shopper()
    stranger.put(tea)
    stranger.form()
    response = stranger.send(form, name="Eve")
    assert response.status_code == 422
    assert hidden(response)["token"] != form["token"]
    assert Order.objects.count() == 1
    payment = Payment.objects.earliest("pk")
    assert stranger.client.get(f"/checkout/payment/{payment.reference}/").status_code == 404
    assert stranger.answer(payment).status_code == 404
    payment.refresh_from_db()
    assert payment.state == Payment.State.PENDING


def test_sold_out_meanwhile(shopper: Shopper, tea: Product) -> None:
    """Nobody gets what is not there; the customer is told the true number and loses nothing."""
    shopper.put(tea, 3)
    form = shopper.form()
    Product.objects.update(stock=1)
    response = shopper.send(form)
    assert response.status_code == 422
    assert not Order.objects.exists()
    assert 'value="Rosenweg 1"' in response.content.decode()
    assert "Only 1 left" in response.content.decode()
    # Having seen that, the customer takes the one that is left.
    assert shopper.send({**form, **hidden(response)}).status_code == 302
    assert Order.objects.get().lines.get().quantity == 1


def test_a_price_that_rose_is_shown_first(shopper: Shopper, tea: Product) -> None:
    """CK-4: nobody pays another total than the one on the page."""
    shopper.put(tea)
    form = shopper.form()
    Product.objects.update(price=Decimal("12.00"))
    response = shopper.send(form)
    assert response.status_code == 422
    assert "€16.90" in response.content.decode()
    assert not Order.objects.exists()


def test_changing_the_shipping_shows_the_new_total(shopper: Shopper, tea: Product) -> None:
    shopper.put(tea)
    form = shopper.form()
    assert shopper.send(form, shipping_method="express").status_code == 422
    page = shopper.send(form, action="update", shipping_method="express")
    assert page.status_code == 200
    assert hidden(page)["seen_total"] == "19.90"
    assert 'value="Rosenweg 1"' in page.content.decode()


def test_an_empty_cart_has_no_checkout(client: Client, tea: Product) -> None:
    assert client.get("/checkout/")["Location"] == "/cart/"
    assert client.post("/checkout/", {"action": "place"})["Location"] == "/cart/"


def cart_of(shopper: Shopper) -> dict[str, int]:
    data = shopper.client.get("/lists/api/cart/").json()
    return {item["product_ref"]: item["quantity"] for item in data["items"]}


def saved_of(shopper: Shopper) -> dict[str, bool]:
    data = shopper.client.get("/lists/api/saved/").json()
    return {item["product_ref"]: item["parked"] for item in data["items"]}


def test_what_was_sold_out_waits_among_the_saved(shopper: Shopper, tea: Product, make_product: MakeProduct) -> None:
    """SL-2: the order goes on without it, and it is not lost."""
    cup = make_product("C-1")
    shopper.put(cup)
    shopper.put(tea)
    Product.objects.filter(pk=cup.pk).update(stock=0)
    assert [line.product_ref for line in shopper.place().lines.all()] == ["T-1"]
    assert cart_of(shopper) == {}
    assert saved_of(shopper) == {"C-1": True}


def test_what_the_saved_things_cannot_take_stays_in_the_cart(
    shopper: Shopper, tea: Product, make_product: MakeProduct, settings: Any
) -> None:
    """SL-2: the saved list is full, and a product that left the shop is nobody's to park: both stay in the cart."""
    kinds = settings.THANKYOU_WISHLISTS.get("KINDS", {})
    settings.THANKYOU_WISHLISTS |= {"KINDS": {**kinds, "saved": {"max_items": 1}}}
    shopper.client.post("/saved/add/", {"product_ref": tea.sku, "action": "add"})
    cup, gone = make_product("C-1"), make_product("G-1")
    for product in (cup, gone, tea):
        shopper.put(product)
    Product.objects.filter(pk=cup.pk).update(stock=0)
    gone.page.delete()
    gone.delete()
    shopper.place()
    assert cart_of(shopper) == {"C-1": 1, "G-1": 1}
    assert saved_of(shopper) == {"T-1": False}


@pytest.mark.parametrize("teeth", [pytest.param(True, marks=pytest.mark.teeth), False])
def test_what_another_device_added_meanwhile_stays(
    tea: Product, make_product: MakeProduct, django_user_model: Any, monkeypatch: pytest.MonkeyPatch, teeth: bool
) -> None:
    """SL-1: an account's cart is on all its devices; an order takes only what it is about."""
    cup = make_product("C-1")
    user = django_user_model.objects.create_user("ada", "ada@example.com", "secret")
    here, there = Shopper(), Shopper()
    for shopper in (here, there):
        shopper.client.force_login(user)
    here.put(tea)

    def place_meanwhile(**values: Any) -> Order:
        there.put(cup)
        there.put(tea, 2)
        return place_order(**values)

    if teeth:
        monkeypatch.setattr(views, "take_ordered", lambda *, shelf, quantities: shelf.forget())
    monkeypatch.setattr(views, "place_order", place_meanwhile)
    order = here.place()
    assert [(line.product_ref, line.quantity) for line in order.lines.all()] == [("T-1", 1)]
    assert (cart_of(there) == {"C-1": 1, "T-1": 2}) is not teeth


def test_a_line_of_which_less_was_left_is_done(shopper: Shopper, tea: Product) -> None:
    """CK-4: the page said "Only 1 left" and the customer took it: the other two do not come back in the cart."""
    shopper.put(tea, 3)
    Product.objects.update(stock=1)
    assert shopper.place().lines.get().quantity == 1
    assert cart_of(shopper) == {}
