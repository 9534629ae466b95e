"""Cancelled and refunded orders give their coupons back as the campaign says, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from djmoney.money import Money
from oscar.apps.order.signals import order_status_changed

from coupons.models import Coupon, CouponEvent, Redemption

from .conftest import SHIPPING, model


def set_status(customer: Any, order: Any, *statuses: str) -> None:
    """Tell the news of an order, whatever the shop's pipeline allows."""
    for status in statuses:
        model("order.Order").objects.filter(pk=order.pk).update(status=status)
        with customer.capture(execute=True):
            order_status_changed.send(sender=order, order=order, old_status="", new_status=status)


@pytest.mark.parametrize(
    ("give_back", "status", "state"),
    [
        ("cancelled", "Cancelled", "released"),
        ("cancelled", "Refunded", "redeemed"),
        ("refunded", "Cancelled", "released"),
        ("refunded", "Refunded", "released"),
        ("never", "Cancelled", "redeemed"),
    ],
)
def test_an_order_that_is_undone_gives_back_as_the_campaign_says(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    give_back: str,
    status: str,
    state: str,
) -> None:
    coupon, ana = make_coupon(give_back=give_back), customer()
    order = ana.order(product, code=coupon.display_code)
    # Whatever news come after, it is given back once and not taken again.
    set_status(ana, order, status, status, "Being processed", status)
    assert Redemption.objects.get().state == state
    coupon.refresh_from_db()
    assert coupon.used == (state == "redeemed")
    assert CouponEvent.objects.filter(kind="restored").count() == (state == "released")
    total = customer("next@example.com").order(product, code=coupon.display_code).total_incl_tax
    assert total == (Decimal("22.90") if state == "released" else Decimal("24.90"))


def test_oscars_own_button_for_cancelling(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    coupon, ana = make_coupon(benefit="free_shipping"), customer()
    order = ana.order(product, code=coupon.display_code)
    assert Redemption.objects.get().shipping_discount == Money(SHIPPING, "EUR")
    order = model("order.Order").objects.get(pk=order.pk)
    with ana.capture(execute=True):
        order.set_status("Cancelled")
    assert Redemption.objects.get().state == "released"
    assert customer("b@example.com").order(product, code=coupon.display_code).shipping_incl_tax == 0
