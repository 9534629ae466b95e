"""The one call that a shop makes when a customer has ordered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from wagtail.fields import StreamField

from .access import grant_ordering_browser
from .blocks.base import FlowBlock
from .orders import record_new_order, report_order
from .stores import Store, get_store
from .values import AccessLevel, Order
from .visits import is_possible_number, order_flow, page_for

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


def finish_checkout(*, request: HttpRequest, number: str) -> str:
    """Call this in the view that has just saved an order; redirect the customer to the address it returns.

    It notes in the session that this browser ordered (TY-1), records the order, and gives the coupons and offers of
    the page that fits it. Safe to call again for the same order (a payment that comes back twice). Never raises: if
    something of ours fails, it is logged, and the address returned still shows the order.

    Example::

        return redirect(finish_checkout(request=request, number=order.number))
    """
    number = str(number)
    if not is_possible_number(number):
        logger.error("A checkout was finished without a usable order number.")
        return reverse("thankyou_flows:thank_you")
    try:
        grant_ordering_browser(session=request.session, number=number)
        with transaction.atomic():
            store = get_store()
            order = store.get_order(number=number)
            if order is not None:
                _prepare(request=request, store=store, order=order)
    except Exception:
        logger.exception("A checkout could not be finished as planned; the order itself is safe.")
        # Try again after the shop's transaction: the record is what later rules count on.
        report_order(number=number)
    return reverse("thankyou_flows:order", args=[number])


def _prepare(*, request: HttpRequest, store: Store, order: Order) -> None:
    if not record_new_order(order=order):
        # Somebody else may know more by now: the state is read again, once the shop's transaction is through.
        report_order(number=order.number)
    flow = order_flow(request=request, store=store, order=order, level=AccessLevel.FULL)
    page = page_for(request=request, flow=flow)
    if page is None:
        return
    for field in page._meta.get_fields():
        if not isinstance(field, StreamField):
            continue
        for child in getattr(page, field.name):
            if isinstance(child.block, FlowBlock):
                _prepare_block(child, flow=flow, request=request)


def _prepare_block(child: object, *, flow: object, request: HttpRequest) -> None:
    try:
        with transaction.atomic():
            child.block.prepare(value=child.value, flow=flow, request=request)  # type: ignore[attr-defined]
    except Exception:
        logger.exception("A block could not be prepared; the others are.")
