"""Baskets and orders in the words that ``coupons`` understands."""

from __future__ import annotations

from collections.abc import Iterable

from djmoney.money import Money

from coupons.facts import BasketFacts, BasketLine
from coupons.holders import customer_key
from wishlists.cart import PricedLine

from .models import Order
from .shipping import CURRENCY, ShippingMethod


def facts_of_cart(*, lines: Iterable[PricedLine], shipping_method: str, email: str = "") -> BasketFacts:
    """Return what a cart would be as an order: only the lines that can be bought, at today's prices."""
    return BasketFacts(
        lines=tuple(
            BasketLine(
                ref=line.line.product_ref,
                product_ref=line.line.product_ref,
                quantity=line.quantity,
                unit_price=line.unit_price,
                category_refs=tuple(getattr(line.card, "category_refs", ())),
            )
            for line in lines
            if line.unit_price is not None and line.quantity
        ),
        shipping=ShippingMethod(shipping_method).cost,
        currency=CURRENCY,
        customer_key=customer_key(email) if email else "",
    )


def facts_of_order(order: Order) -> BasketFacts:
    """Return an order as it was before its coupons, for another try at paying it."""
    return BasketFacts(
        lines=tuple(
            BasketLine(
                ref=line.product_ref,
                product_ref=line.product_ref,
                quantity=line.quantity,
                unit_price=line.unit_price,
                category_refs=(line.category_ref,) if line.category_ref else (),
            )
            for line in order.lines.all()
        ),
        shipping=ShippingMethod(order.shipping_method).cost,
        currency=CURRENCY,
        customer_key=customer_key(order.email),
    )


def no_money() -> Money:
    """Return zero in the shop's currency."""
    return Money(0, CURRENCY)
