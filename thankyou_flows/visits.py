"""One visit to an order's page: settle the access, ask the store, choose the page, build the flow. Reads only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from coupons.holders import customer_key

from .access import settle_access
from .flow import Flow
from .matching import choose_page
from .orders import is_first_order
from .outcomes import read_outcomes
from .promises import OrderPromises
from .rules import Facts
from .stores import Store, get_store
from .values import AccessLevel, Order

if TYPE_CHECKING:
    from django.http import HttpRequest

    from .page import ThankYouPageMixin

MAX_NUMBER_LENGTH = 64


def is_possible_number(number: str) -> bool:
    """Tell whether some shop could have given this number to an order: nothing else is asked of a database."""
    return 0 < len(number) <= MAX_NUMBER_LENGTH and number.isprintable()


def stranger_flow(*, request: HttpRequest, store: Store | None = None) -> Flow:
    """Return the flow of a visitor who may see no order. Nothing in it depends on what was asked for (TY-2)."""
    return Flow(
        url=reverse("thankyou_flows:thank_you"),
        shop_url=(store or get_store()).get_shop_url(),
        outcomes=read_outcomes(request),
    )


def visit_order(*, request: HttpRequest, number: str) -> Flow:
    """Return the flow for this visitor and this order; the stranger's flow if there is no right to see it."""
    store = get_store()
    stranger = stranger_flow(request=request, store=store)
    if not is_possible_number(number):
        return stranger
    level = settle_access(session=request.session, user=getattr(request, "user", None), number=number, store=store)
    order = store.get_order(number=number) if level > AccessLevel.NONE else None
    if order is None:
        return stranger
    return order_flow(request=request, store=store, order=order, level=level)


def order_flow(
    *, request: HttpRequest, store: Store, order: Order, level: AccessLevel, now: datetime | None = None
) -> Flow:
    """Build the flow for an order that the visitor may see at this level."""
    now = now or timezone.now()
    key = customer_key(order.email) if order.email else ""
    flow = Flow(
        level=level,
        order=order,
        customer_key=key,
        # Only some rules and blocks want to know; none asks twice.
        find_first_order=cache(partial(is_first_order, order=order, key=key)),
        now=now,
        url=reverse("thankyou_flows:order", args=[order.number]),
        shop_url=store.get_shop_url(),
        promises=OrderPromises(order=order, key=key, store=store, request=request, now=now),
        outcomes=read_outcomes(request),
    )
    if level < AccessLevel.FULL:
        flow = replace(flow, order=order.without_personal_data(), can_confirm_email=bool(key))
    return flow


def page_for(*, request: HttpRequest, flow: Flow) -> ThankYouPageMixin | None:
    """Return the page for a flow, or None if the site has none that fits."""
    facts = None
    if flow.order is not None:
        facts = Facts(order=flow.order, find_first_order=flow.find_first_order, now=flow.now)
    return choose_page(request=request, facts=facts)
