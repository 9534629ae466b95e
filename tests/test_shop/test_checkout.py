"""The checkout of the example shop: what the customer sees, and what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from djmoney.money import Money

from coupons.codes import generate
from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Redemption
from coupons.staging import stage, staged
from example_site.shop.models import Order, Payment, Product
from thankyou_flows.values import OrderState

from .conftest import ADDRESS, Shopper, hidden

MakeCoupon = Callable[..., Coupon]


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
    assert shopper.client.get("/cart/summary/").json() == {"count": 0}
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


# Coupons ------------------------------------------------------------------------------------------


def test_a_coupon_from_the_field_to_the_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 2: shipping is 0 in the stored order; reserved before payment, redeemed after it (CO-1, CO-2)."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.display_code.lower())
    assert "Free shipping" in page.content.decode()
    assert hidden(page)["seen_total"] == "10.00"
    assert used(coupon) == 0
    assert shopper.send({**form, **hidden(page)}).status_code == 302
    order = Order.objects.get()
    assert (order.shipping, order.total, order.coupon_codes) == (Money(0, "EUR"), Money(10, "EUR"), [coupon.code])
    assert used(coupon) == 1
    assert coupon.redemptions.get().state == Redemption.State.RESERVED
    shopper.pay(order)
    assert coupon.redemptions.get().state == Redemption.State.REDEEMED
    # It is gone from the next order.
    shopper.put(tea)
    assert hidden(shopper.client.get("/checkout/"))["seen_total"] == "14.90"


def test_percent_comes_off_the_goods(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    coupon = make_coupon(Campaign.Benefit.PERCENT, percent=Decimal(10))
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=coupon.code)
    assert hidden(page)["seen_total"] == "13.90"
    assert "−€1.00" in page.content.decode()


def test_a_coupon_that_changes_nothing_is_not_used_up(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """A second free shipping stays with the customer, typed or staged by a thank-you page."""
    first, second = make_coupon(), make_coupon()
    shopper.put(tea)
    form = shopper.form()
    shopper.send(form, action="update", code=first.code)
    page = shopper.send(form, action="update", code=second.code)
    assert page.status_code == 422
    assert "would change nothing" in page.content.decode()
    session = shopper.client.session
    stage(session, second.code)
    session.save()
    page = shopper.send(form, action="update")
    shopper.send({**form, **hidden(page)})
    order = Order.objects.get()
    assert order.coupon_codes == [first.code]
    assert (used(first), used(second)) == (1, 0)
    shopper.pay(order)
    assert staged(shopper.client.session) == [second.code]


@pytest.mark.parametrize("code", ["nonsense", "0000-0000-0000"])
def test_a_wrong_code_is_refused_beside_its_field(shopper: Shopper, tea: Product, code: str) -> None:
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=code)
    text = page.content.decode()
    assert page.status_code == 422
    assert f'value="{code}"' in text
    assert 'aria-describedby="code-news"' in text
    assert 'value="Rosenweg 1"' in text


def test_a_code_typed_and_not_applied_comes_before_the_order(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon
) -> None:
    """Enter in the code field must not order at a price that the customer has not seen."""
    coupon = make_coupon()
    shopper.put(tea)
    page = shopper.send(shopper.form(), code=coupon.code)
    assert not Order.objects.exists()
    assert hidden(page)["seen_total"] == "10.00"


def test_a_coupon_can_be_removed(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    shopper.send(form, action="update", code=coupon.code)
    page = shopper.send(form, action="", remove=coupon.code)
    assert hidden(page)["seen_total"] == "14.90"
    assert 'value="Rosenweg 1"' in page.content.decode()


def test_somebody_elses_coupon_is_refused_at_the_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """CO-6: the customer decides whether to order without it."""
    coupon = make_coupon(holder_key=customer_key("eve@example.com"), personal=True)
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code, email="")
    assert hidden(page)["seen_total"] == "10.00"
    page = shopper.send({**form, **hidden(page)})
    assert page.status_code == 422
    assert not Order.objects.exists()
    assert "This coupon belongs to another customer." in page.content.decode()
    # Not dropped: with another address it may fit.
    assert staged(shopper.client.session) == [coupon.code]
    page = shopper.send({**form, **hidden(page)}, action="", remove=coupon.code)
    assert shopper.send({**form, **hidden(page)}).status_code == 302


def test_after_the_deadline_shipping_costs_again(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 2, done-when 1; CD-2: kinder by the grace, and then it is over."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    with time_machine.travel(coupon.ends_at + timedelta(seconds=60), tick=False):
        page = shopper.send(form, action="update", code=coupon.code)
        assert hidden(page)["seen_total"] == "10.00"
    with time_machine.travel(coupon.ends_at + timedelta(seconds=91), tick=False):
        page = shopper.send({**form, **hidden(page)})
        assert page.status_code == 422
        assert not Order.objects.exists()
        assert hidden(page)["seen_total"] == "14.90"
        assert "It ended " in page.content.decode()


@pytest.mark.parametrize(
    ("change", "reason", "kept"),
    [
        (lambda coupon: Coupon.objects.update(ends_at=timezone.now() - timedelta(hours=1)), "It ended ", False),
        (lambda coupon: Coupon.objects.update(used=1), "This coupon has already been used.", False),
        (lambda coupon: Coupon.objects.update(state=Coupon.State.REVOKED), "This coupon is no longer valid.", False),
        # These may fit again.
        (lambda coupon: Campaign.objects.update(status=Campaign.Status.PAUSED), "cannot be used at the moment", True),
        (
            lambda coupon: Campaign.objects.update(minimum_spend=Decimal(25), minimum_spend_currency="EUR"),
            "€15.00 are missing",
            True,
        ),
    ],
    ids=["over", "used up", "revoked", "paused", "minimum spend"],
)
def test_a_staged_coupon_that_is_refused_says_why(
    shopper: Shopper,
    tea: Product,
    make_coupon: MakeCoupon,
    change: Callable[[Coupon], object],
    reason: str,
    kept: bool,
) -> None:
    """CO-6: this browser has the coupon, so it may hear the true reason; one that is over is then out of the way."""
    coupon = make_coupon()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    change(coupon)
    text = shopper.client.get("/checkout/").content.decode()
    assert reason in text
    assert all(words in text for words in ("Free shipping", coupon.display_code))
    assert "This code is not valid" not in text
    assert staged(shopper.client.session) == [coupon.code], "a look changes nothing"
    assert reason in shopper.send(shopper.form(), action="update").content.decode()
    assert staged(shopper.client.session) == [coupon.code] * kept
    assert (coupon.display_code in shopper.client.get("/checkout/").content.decode()) is kept
    # Whoever types it hears no more than anybody else.
    stranger = Shopper()
    stranger.put(tea)
    page = stranger.send(stranger.form(), action="update", code=coupon.code)
    assert "This code is not valid" in page.content.decode()


@pytest.mark.parametrize("right", [True, False])
def test_guessing_at_the_checkout_is_limited(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, right: bool
) -> None:
    """CO-7: the shop's own field has the limits, too; what else was typed stays, and the order can be placed."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    first = make_coupon()
    shopper.send(form, action="update", code=first.code)  # a session, as after any right code
    pages = [shopper.send(form, action="update", code=generate()) for _n in range(6)]
    assert [page.status_code for page in pages] == [422] * 5 + [429]
    page = shopper.send(form, action="update", code=coupon.code if right else generate())
    assert page.status_code == 429
    assert "Please wait a few minutes" in page.content.decode()
    assert 'value="Rosenweg 1"' in page.content.decode()
    assert staged(shopper.client.session) == [first.code]
    assert shopper.send({**form, **hidden(page)}).status_code == 302


def test_a_coupon_for_a_country_and_a_first_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 3: the checkout tells what it knows; a country that is only preselected is not known."""
    coupon = make_coupon(countries=["AT"], audience="first")
    shopper.put(tea)
    form = {**shopper.form(), "postcode": "", "city": ""}
    page = shopper.send(form, action="update", code=coupon.code)
    assert hidden(page)["seen_total"] == "10.00"
    page = shopper.send({**form, **ADDRESS, "country": "DE"}, action="update")
    assert "This coupon is not for deliveries to this country." in page.content.decode()
    page = shopper.send({**form, **ADDRESS, "country": "AT"}, action="update")
    assert hidden(page)["seen_total"] == "10.00"
    shopper.send({**form, **ADDRESS, "country": "AT", **hidden(page)})
    shopper.pay(Order.objects.get())
    second = make_coupon(audience="first")
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send({**form, "email": ""}, action="update", code=second.code)
    page = shopper.send({**form, "email": ADDRESS["email"].upper()}, action="update")
    assert "This coupon is for the first order only." in page.content.decode()


def test_a_link_brings_a_code_and_applies_nothing(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """CO-12: the button of the link's page does it; back where the customer was, the shop says so."""
    coupon = make_coupon()
    shopper.put(tea)
    text = shopper.client.get(f"/tea/t-1/?coupon={coupon.display_code}").content.decode()
    address = unescape(re.search(r'href="(/coupons/apply/[^"]*)"', text)[1])
    assert coupon.display_code in shopper.client.get(address).content.decode()
    assert staged(shopper.client.session) == []
    response = shopper.client.post("/coupons/apply/", {"code": coupon.display_code, "next": "/tea/t-1/"})
    assert response["Location"] == "/tea/t-1/"
    assert "Your coupon is on this order: Free shipping." in shopper.client.get("/tea/t-1/").content.decode()
    assert hidden(shopper.client.get("/checkout/"))["seen_total"] == "10.00"


def test_the_cart_has_a_field_for_codes(shopper: Shopper, tea: Product) -> None:
    shopper.put(tea)
    text = shopper.client.get("/cart/").content.decode()
    assert "I have a code" in text
    assert 'action="/coupons/apply/"' in text
    assert '<input type="hidden" name="next" value="/cart/">' in text


def test_a_new_order_takes_the_coupon_from_the_one_left_unpaid(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon
) -> None:
    """CO-2: who goes back from the payment page and orders anew keeps the coupon; the older order is called off."""
    coupon = make_coupon()
    shopper.put(tea, 2)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)})
    older = Order.objects.get()
    shopper.put(tea)
    page = shopper.client.get("/checkout/")
    assert hidden(page)["seen_total"] == "10.00"
    assert f"It is on your order {older.number}" in page.content.decode()
    newer = shopper.place()
    older.refresh_from_db()
    tea.refresh_from_db()
    assert (older.state, newer.coupon_codes, newer.total) == (OrderState.CANCELLED, [coupon.code], Money(10, "EUR"))
    assert (tea.stock, used(coupon)) == (9, 1)
    # The older order's payment page in another tab takes no money any more.
    assert shopper.pay(older)["Location"] == f"/thanks/order/{older.number}/"
    assert older.payments.get().state == Payment.State.FAILED
    shopper.pay(newer)
    assert coupon.redemptions.get(order_ref=newer.number).state == Redemption.State.REDEEMED
    assert staged(shopper.client.session) == []


def test_a_new_order_leaves_other_orders_alone(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """One without this coupon, one whose transfer is on its way, and one that could not be placed anew."""
    coupon = make_coupon()
    shopper.put(tea)
    plain = shopper.place()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    transfer = shopper.place(payment_method="bank")
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=coupon.code)
    assert "This code is not valid" in page.content.decode()
    shopper.place()
    assert set(Order.objects.values_list("state", flat=True)) == {OrderState.PLACED}
    assert (used(coupon), transfer.coupon_codes, plain.coupon_codes) == (1, [coupon.code], [])


def test_an_order_that_fails_keeps_the_older_one(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """All in one transaction: if the new order is not placed, the older one still waits, with its coupon."""
    coupon = make_coupon()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    older = shopper.place()
    shopper.put(tea)
    form = shopper.form()
    Product.objects.update(price=Decimal("12.00"))
    assert shopper.send(form).status_code == 422
    older.refresh_from_db()
    assert (older.state, used(coupon)) == (OrderState.PLACED, 1)
    assert older.payments.get().state == Payment.State.PENDING
