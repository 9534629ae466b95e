"""An order through Oscar's own checkout, our thank-you page, its offer, and the second order that gets it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.urls import reverse

from coupons.models import Campaign, Coupon, Redemption
from thankyou_flows import checkout, orders
from thankyou_flows.models import OrderRecord
from thankyou_flows.pages.models import ThankYouPage

from .conftest import NOW, SHIPPING, model

OSCARS_OWN = "/checkout/thank-you/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def our_page(order: Any) -> str:
    return reverse("thankyou_flows:order", args=[order.number])


# The first order ----------------------------------------------------------------------------------


def test_a_guest_lands_on_our_thank_you_page(customer: Callable[..., Any], product: Any) -> None:
    """Also without any page in the CMS: a shop that has just installed us never shows an error after a sale."""
    ana = customer()
    order = ana.order(product, quantity=2)
    assert ana.landed == our_page(order)
    response = ana.client.get(ana.landed)
    assert response.status_code == 200
    html = response.content.decode()
    assert order.number in html
    assert product.title in html
    assert "44.90" in html
    assert order.shipping_incl_tax == SHIPPING
    assert [message.to for message in mail.outbox] == [["ana@example.com"]]


def test_a_signed_in_customer_lands_there_too(
    customer: Callable[..., Any], make_user: Callable[..., Any], product: Any
) -> None:
    berta = customer(user=make_user())
    order = berta.order(product)
    assert berta.landed == our_page(order)
    assert product.title in berta.client.get(berta.landed).content.decode()


def test_the_order_is_recorded_once_and_its_state_follows(customer: Callable[..., Any], product: Any) -> None:
    ana = customer()
    order = ana.order(product)
    assert OrderRecord.objects.get().state == "paid"
    with ana.capture(execute=True):
        order.set_status("Being processed")
        order.set_status("Complete")
    assert OrderRecord.objects.get().state == "shipped"


# The offer ----------------------------------------------------------------------------------------


def test_the_offer_is_honoured_by_oscars_checkout(
    customer: Callable[..., Any], product: Any, offer_page: ThankYouPage, offer_of: Callable[[Any], Coupon]
) -> None:
    """Issue 2, done-when 3: order, thank-you page, offer, second order with free shipping."""
    ana = customer()
    first = ana.order(product)
    assert first.shipping_incl_tax == SHIPPING
    coupon = offer_of(first)
    assert coupon.display_code in ana.client.get(ana.landed).content.decode()

    # Another browser, where nothing waits in the session: the code is typed into Oscar's own form.
    elsewhere = customer()
    second = elsewhere.order(product, code=coupon.display_code.lower())
    assert second.shipping_incl_tax == 0
    assert second.total_incl_tax == Decimal("20.00")
    assert [discount.voucher_code for discount in second.discounts.all()] == [coupon.display_code]
    redemption = Redemption.objects.get()
    assert (redemption.coupon, redemption.order_ref, redemption.state) == (coupon, second.number, "redeemed")
    assert not redemption.over_limit

    html = elsewhere.client.get(elsewhere.landed).content.decode()
    assert second.number in html

    third = customer("bor@example.com").order(product, code=coupon.display_code)
    assert third.shipping_incl_tax == SHIPPING
    assert Redemption.objects.count() == 1


def test_the_browser_that_ordered_needs_no_typing(
    customer: Callable[..., Any], product: Any, offer_page: ThankYouPage, offer_of: Callable[[Any], Coupon]
) -> None:
    ana = customer()
    coupon = offer_of(ana.order(product))
    second = ana.order(product)
    assert second.shipping_incl_tax == 0
    assert Redemption.objects.get().coupon == coupon
    # It is used up, and not given again at once (CD-4).
    assert ana.order(product).shipping_incl_tax == SHIPPING


def test_a_signed_in_customer_needs_no_typing(
    customer: Callable[..., Any], make_user: Callable[..., Any], product: Any, offer_page: ThankYouPage
) -> None:
    berta = customer(user=make_user())
    berta.order(product)
    assert berta.order(product).shipping_incl_tax == 0


def test_the_deadline_decides_at_the_checkout(
    customer: Callable[..., Any],
    product: Any,
    offer_page: ThankYouPage,
    offer_of: Callable[[Any], Coupon],
    clock: Any,
) -> None:
    """CD-1, CD-2: taken until the grace after the deadline is over, and not a moment longer."""
    offers = [offer_of(customer(f"c{number}@example.com").order(product)) for number in range(3)]
    assert {coupon.ends_at for coupon in offers} == {NOW + timedelta(minutes=60)}

    clock.move_to(NOW + timedelta(minutes=60, seconds=60))
    assert customer("a@example.com").order(product, code=offers[0].display_code).shipping_incl_tax == 0
    clock.move_to(NOW + timedelta(minutes=60, seconds=91))
    assert customer("b@example.com").order(product, code=offers[1].display_code).shipping_incl_tax == SHIPPING


def test_a_code_that_waited_too_long_costs_nothing_but_the_saving(
    customer: Callable[..., Any], product: Any, offer_page: ThankYouPage, clock: Any
) -> None:
    """The voucher is on the basket, then its time is over: the customer is told before paying, and orders with
    shipping.
    """
    ana = customer()
    ana.order(product)
    ana.add(product)
    clock.move_to(NOW + timedelta(minutes=62))
    ana.preview()
    response = ana.place()
    assert response.status_code == 200
    assert "can no longer be used" in response.content.decode()
    response = ana.place()
    assert response.status_code == 302
    assert model("order.Order").objects.latest("pk").shipping_incl_tax == SHIPPING


def test_more_time_moves_oscars_deadline_too(
    customer: Callable[..., Any],
    product: Any,
    offer_page: ThankYouPage,
    offer_of: Callable[[Any], Coupon],
    clock: Any,
) -> None:
    """AX-2: the button on the page; afterwards the longer deadline is the true one."""
    ana = customer()
    order = ana.order(product)
    [block] = [child for child in offer_page.body if child.block_type == "offer"]
    response = ana.client.post(
        reverse("thankyou_flows:act", args=[offer_page.pk, block.id]),
        {"order": order.number, "command": "extend", "seen": "0"},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 303
    coupon = offer_of(order)
    assert coupon.ends_at == NOW + timedelta(minutes=120)
    voucher = model("voucher.Voucher").objects.get()
    assert voucher.end_datetime == coupon.ends_at + timedelta(seconds=90)
    clock.move_to(NOW + timedelta(minutes=119))
    assert customer("x@example.com").order(product, code=coupon.display_code).shipping_incl_tax == 0


def test_a_paused_campaign_is_not_honoured_until_it_goes_on(
    customer: Callable[..., Any],
    product: Any,
    offer_page: ThankYouPage,
    offer_of: Callable[[Any], Coupon],
    free_shipping: Campaign,
) -> None:
    ana = customer()
    coupon = offer_of(ana.order(product))
    other = customer("o@example.com")
    with other.capture(execute=True):
        free_shipping.status = Campaign.Status.PAUSED
        free_shipping.save()
    assert other.order(product, code=coupon.display_code).shipping_incl_tax == SHIPPING
    with other.capture(execute=True):
        free_shipping.status = Campaign.Status.RUNNING
        free_shipping.save()
    assert other.order(product, code=coupon.display_code).shipping_incl_tax == 0


# Other people's uses --------------------------------------------------------------------------------


def test_a_code_that_somebody_else_used_meanwhile_does_not_stop_a_paid_order(
    customer: Callable[..., Any], product: Any, offer_page: ThankYouPage, offer_of: Callable[[Any], Coupon]
) -> None:
    """CO-2. Oscar alone takes the payment, refuses the order and reopens the basket."""
    coupon = offer_of(customer().order(product))
    slow = customer("slow@example.com")
    slow.add(product)
    slow.type_code(coupon.display_code)
    slow.preview()
    assert customer("quick@example.com").order(product, code=coupon.display_code).shipping_incl_tax == 0
    response = slow.place()
    assert response.status_code == 200
    assert "Nothing has been charged" in response.content.decode()
    response = slow.place()
    assert response.status_code == 302
    order = model("order.Order").objects.latest("pk")
    assert order.guest_email == "slow@example.com"
    assert order.shipping_incl_tax == SHIPPING
    assert Redemption.objects.count() == 1


# When we fail -----------------------------------------------------------------------------------------


def explode(**_: Any) -> str:
    raise RuntimeError("ours is broken")


@pytest.mark.parametrize("atomic_requests", [False, True])
def test_a_broken_receiver_leaves_the_checkout_untouched(
    customer: Callable[..., Any],
    product: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    atomic_requests: bool,
) -> None:
    """Oscar's own page, the mail, the order, a submitted basket: as if we were not there."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    monkeypatch.setattr(checkout, "finish_checkout", explode)
    monkeypatch.setattr(orders, "report_order", explode)
    ana = customer()
    with caplog.at_level(logging.ERROR):
        order = ana.order(product)
    assert ana.landed == OSCARS_OWN
    response = ana.client.get(ana.landed)
    assert response.status_code == 200
    assert "oscar/checkout/thank_you.html" in [template.name for template in response.templates]
    assert order.number in response.content.decode()
    assert len(mail.outbox) == 1
    assert order.basket.status == "Submitted"
    assert order.lines.count() == 1
    assert "on_post_checkout failed" in caplog.text
    assert "ana@example.com" not in caplog.text


def test_a_failed_query_of_ours_does_not_spoil_the_orders_transaction(
    customer: Callable[..., Any], product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the error of a statement ends its transaction, even when the exception is caught."""

    def bad_query(**_: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM no_such_table")
        return "/"

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(checkout, "finish_checkout", bad_query)
    ana = customer()
    order = ana.order(product)
    assert ana.landed == OSCARS_OWN
    assert model("order.Order").objects.filter(pk=order.pk).exists()
    assert ana.client.get(ana.landed).status_code == 200


def test_a_failing_store_leaves_the_checkout_untouched(
    customer: Callable[..., Any], product: Any, monkeypatch: pytest.MonkeyPatch, offer_page: ThankYouPage
) -> None:
    from thankyou_flows.stores.oscar import OscarStore

    monkeypatch.setattr(OscarStore, "get_order", explode)
    ana = customer()
    order = ana.order(product)
    assert order.basket.status == "Submitted"
    assert len(mail.outbox) == 1
    # The order is there, and the customer is told so in a friendly way until the shop answers again.
    assert ana.client.get(ana.landed).status_code == 503
    monkeypatch.undo()


def test_without_the_guard_oscar_shows_an_error_after_the_sale(
    customer: Callable[..., Any], product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teeth: what a receiver that raises does to a customer of Oscar."""
    from oscar.apps.order.signals import order_placed

    def careless(sender: Any, **_: Any) -> None:
        raise RuntimeError

    order_placed.connect(careless)
    try:
        ana = customer()
        ana.add(product)
        ana.preview()
        response = ana.place()
    finally:
        order_placed.disconnect(careless)
    assert response.status_code == 200
    assert "A problem occurred while placing this order" in response.content.decode()
    assert model("order.Order").objects.exists()
    assert not mail.outbox
