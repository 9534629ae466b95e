"""Baskets and orders in the words that ``coupons`` understands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from djmoney.money import Money

from coupons.facts import BasketFacts, BasketLine
from coupons.holders import customer_key, user_key
from thankyou_flows.values import OrderState
from wishlists.lines import key_text
from wishlists.pricing import PricedLine, price

from .accounts import verified_email
from .models import Order
from .shipping import CURRENCY, ShippingMethod
from .store import ExampleStore


def facts_of_cart(
    *, lines: Iterable[PricedLine], shipping_method: str, email: str = "", country: str = "", user: Any = None
) -> BasketFacts:
    """Return what a cart would be as an order: only the lines that can be bought, at today's prices.

    ``email`` is an address that the visitor has proved: what is shown must not tell who is a customer here. Without it
    an account's own orders still say that they are not its first; that there are none says nothing, since the address
    may have some. One query for the earlier orders, if it is known who orders.
    """
    return BasketFacts(
        lines=tuple(
            BasketLine(
                ref=key_text(line.line.key),
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
        account_key=user_key(user),
        country=country,
        previous_orders=count_orders(email=email, user=user) or (0 if email else None),
    )


def facts_of_order(order: Order) -> BasketFacts:
    """Return an order as it was before its coupons, for another try at paying it."""
    return BasketFacts(
        lines=tuple(
            BasketLine(
                ref=key_text((line.product_ref, line.options)),
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
        account_key=user_key(order.user),
        country=str(order.country.code or ""),
        previous_orders=count_orders(email=order.email, user=order.user, but_for=order),
    )


def facts_of_request(request: HttpRequest) -> BasketFacts | None:
    """Return the cart of this browser before it is known how and where to it is sent: ``THANKYOU_COUPONS["BASKET"]``."""
    basket = price(request.lists.cart, ExampleStore())  # type: ignore[attr-defined]
    return facts_of_cart(
        lines=basket.lines,
        shipping_method=ShippingMethod.STANDARD,
        email=verified_email(request.user),
        user=request.user,
    )


def count_orders(*, email: str, user: Any = None, but_for: Order | None = None) -> int | None:
    """Return how many orders this customer has placed before; ``None`` if it is not known who it is.

    What was cancelled, or left at the payment page, does not count: it has not become anybody's order.
    """
    theirs = Q(customer_key=customer_key(email)) if email else Q()
    if getattr(user, "is_authenticated", False):
        theirs |= Q(user=user)
    if not theirs:
        return None
    orders = Order.objects.filter(theirs).exclude(state=OrderState.CANCELLED)
    orders = orders.exclude(pk__in=Order.objects.left_unpaid().values("pk"))
    return (orders if but_for is None else orders.exclude(pk=but_for.pk)).count()


def no_money() -> Money:
    """Return zero in the shop's currency."""
    return Money(0, CURRENCY)
