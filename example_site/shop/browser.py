"""Which orders this browser has placed: what lets it pay, try again, and see its thank-you page once."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from coupons.staging import unstage
from thankyou_flows.checkout import finish_checkout
from thankyou_flows.values import OrderState

from .models import Order

KEY = "shop.orders"
#: Enough for anybody who pays in between.
MAX_ORDERS = 20


def remember_order(request: HttpRequest, order: Order) -> None:
    """Note in the session that this browser placed the order."""
    _note(request, order, finished=False)


def has_placed(request: HttpRequest, order: Order) -> bool:
    """Whether this browser placed the order, or its signed-in customer did. Nobody is not a customer (TY-3)."""
    if order.number in _orders(request):
        return True
    return order.user_id is not None and request.user.is_authenticated and order.user_id == request.user.pk


def orders_left_unpaid(request: HttpRequest) -> list[Order]:
    """Return the orders that this browser placed and left at the payment page, newest first."""
    numbers = list(_orders(request))
    return list(Order.objects.left_unpaid().filter(number__in=numbers)) if numbers else []


def has_finished(request: HttpRequest, order: Order) -> bool:
    """Whether this browser has been led to the order's thank-you page."""
    return _orders(request).get(order.number, False)


def finish(request: HttpRequest, order: Order) -> str:
    """Return where the customer goes after the checkout.

    Only the first time for each order does it open the page with all details: whoever comes back to this computer later
    and goes through the browser's history must not open it again (TY-1).
    """
    if has_finished(request, order):
        return reverse("thankyou_flows:order", args=[order.number])
    if order.state != OrderState.CANCELLED:
        for code in order.coupon_codes:
            unstage(request.session, code)
    address = finish_checkout(request=request, number=order.number)
    _note(request, order, finished=True)
    return address


def _note(request: HttpRequest, order: Order, *, finished: bool) -> None:
    orders = _orders(request)
    orders.pop(order.number, None)
    request.session[KEY] = dict([*orders.items(), (order.number, finished)][-MAX_ORDERS:])


def _orders(request: HttpRequest) -> dict[str, bool]:
    orders = request.session.get(KEY)
    return {str(number): finished is True for number, finished in orders.items()} if isinstance(orders, dict) else {}
