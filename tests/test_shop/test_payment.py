"""Paying for an order: declined, tried again, twice, late, or never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from djmoney.money import Money

from coupons.models import Coupon, Redemption
from example_site.shop import orders
from example_site.shop.models import Order, Product
from example_site.shop.store import ExampleStore
from thankyou_flows.models import Message, WhyNot
from thankyou_flows.values import OrderState

from .conftest import Shopper, hidden

MakeCoupon = Callable[..., Coupon]


def used(coupon: Coupon) -> int:
    coupon.refresh_from_db()
    return coupon.used


def test_a_declined_card_and_another_try(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """CO-2: the coupon is free in between, and the same order takes it again."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)}, payment_method="declined_card")
    order = Order.objects.get()
    first = order.payments.get()
    failed = shopper.client.get(shopper.answer(first)["Location"])
    assert "did not go through" in failed.content.decode()
    assert used(coupon) == 0
    again = shopper.client.post(f"/checkout/payment/{first.reference}/again/", {"payment_method": "card"})
    second = order.payments.latest("pk")
    assert again["Location"] == f"/checkout/payment/{second.reference}/"
    assert used(coupon) == 1
    shopper.answer(second)
    order.refresh_from_db()
    assert (order.state, order.total, Order.objects.count()) == (OrderState.PAID, Money(10, "EUR"), 1)
    assert coupon.redemptions.get().state == Redemption.State.REDEEMED
    tea.refresh_from_db()
    assert tea.stock == 9


def test_another_try_after_the_coupon_has_gone(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """The customer decides whether to pay the full price."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)}, payment_method="declined_card")
    order = Order.objects.get()
    shopper.pay(order)
    Coupon.objects.update(state=Coupon.State.REVOKED)
    retry = f"/checkout/payment/{order.payments.get().reference}/again/"
    refused = shopper.client.post(retry, {"payment_method": "card"})
    assert refused.status_code == 422
    assert "€14.90" in refused.content.decode()
    assert order.payments.count() == 1
    shopper.client.post(retry, {"payment_method": "card", "without_coupons": "1"})
    shopper.pay(order)
    order.refresh_from_db()
    assert (order.state, order.total, order.coupon_codes) == (OrderState.PAID, Money("14.90", "EUR"), [])


def test_paying_twice_changes_nothing_twice(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, django_capture_on_commit_callbacks
) -> None:
    """TY-8: a double POST, and a provider that says it twice."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)})
    order = Order.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        first, second = shopper.pay(order), shopper.pay(order)
    assert first["Location"] == second["Location"]
    shopper.pay(order, "fail")
    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert used(coupon) == 1
    assert len(mail.outbox) == 1


def test_a_bank_transfer_that_comes_late(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, client: Client
) -> None:
    """CO-2: after the reservation has ended, and somebody else has used the coupon, a paid order still counts."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    response = shopper.send({**form, **hidden(page)}, payment_method="bank")
    order = Order.objects.get()
    assert response["Location"] == f"/thanks/order/{order.number}/"
    assert order.state == OrderState.PLACED
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert order.number in client.get("/demo/bank/").content.decode()
        for _twice in range(2):
            client.post(f"/demo/bank/{order.payments.get().reference}/", {"answer": "arrived"})
    order.refresh_from_db()
    assert (order.state, order.total) == (OrderState.PAID, Money(10, "EUR"))
    assert coupon.redemptions.get().state == Redemption.State.REDEEMED
    assert order.number not in client.get("/demo/bank/").content.decode().partition("<main")[2].partition("<ul")[2]


def test_a_bank_transfer_says_where_the_money_goes(
    shopper: Shopper, tea: Product, django_capture_on_commit_callbacks
) -> None:
    """In the mail, on the thank-you page and on the payment page, and marked as pretended."""
    shopper.put(tea)
    with django_capture_on_commit_callbacks(execute=True):
        order = shopper.place(payment_method="bank")
    html, _mime = mail.outbox[0].alternatives[0]
    told = ExampleStore().get_order(number=order.number).payment_instructions
    for text in (mail.outbox[0].body, html, told):
        assert "DE00 0000" in text
        assert f"Reference: {order.number}" in text
        assert "no real money" in text
    orders.mark_paid(order=order)
    assert ExampleStore().get_order(number=order.number).payment_instructions == ""


def test_a_confirmation_that_fails_does_not_spoil_the_sale(
    shopper: Shopper, tea: Product, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
) -> None:
    """TY-10: neither when the mail cannot be sent, nor when something else goes wrong on the way."""

    def fail(**_order: object) -> None:
        raise RuntimeError

    shopper.put(tea)
    monkeypatch.setattr("example_site.shop.mail.build_confirmation", fail)
    with django_capture_on_commit_callbacks(execute=True):
        shopper.place(payment_method="bank")
    assert Order.objects.get().confirmed_at
    # It is not lost either: the shop's people see it, with the reason.
    message = Message.objects.get(reason="order_confirmation")
    assert (message.state, message.why_not) == (Message.State.FAILED, WhyNot.UNSENDABLE)


def test_a_bank_transfer_that_never_comes(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, client: Client
) -> None:
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)}, payment_method="bank")
    order = Order.objects.get()
    for _twice in range(2):
        client.post(f"/demo/bank/{order.payments.get().reference}/", {"answer": "never"})
    order.refresh_from_db()
    tea.refresh_from_db()
    assert (order.state, tea.stock, used(coupon)) == (OrderState.CANCELLED, 10, 0)


def test_the_history_does_not_open_the_order_again(shopper: Shopper, tea: Product) -> None:
    """TY-1: after the grace time, sending the payment form once more shows no personal data."""
    shopper.put(tea)
    order = shopper.place()
    shopper.pay(order)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        page = shopper.client.get(shopper.pay(order)["Location"])
        assert "Rosenweg" not in page.content.decode()
        assert "ada@example.com" not in page.content.decode()


def test_the_address_is_not_asked_twice(
    client: Client, tea: Product, make_order: Callable[..., Order], django_user_model
) -> None:
    """AX-3 (3.3.7): a customer with an account finds the last address in the form; a guest finds nothing."""
    user = django_user_model.objects.create_user("ada@example.com", "ada@example.com", "pw")
    make_order(user=user)
    shopper = Shopper(client)
    shopper.put(tea)
    assert "Rosenweg" not in client.get("/checkout/").content.decode()
    client.force_login(user)
    shopper.put(tea)  # an account's cart is its own
    assert "Rosenweg" in client.get("/checkout/").content.decode()
    assert shopper.place().user == user
