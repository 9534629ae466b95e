"""What we do when Oscar says that an order was placed or changed.

Oscar sends these signals in the middle of its checkout, after the order is saved, and an exception in a receiver would
show the customer "a problem occurred" for an order that exists. Hence the one rule here: nothing of ours gets out.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from djmoney.money import Money
from oscar.apps.basket.signals import basket_addition
from oscar.apps.checkout.signals import post_checkout, pre_payment, start_checkout
from oscar.apps.order.signals import order_placed, order_status_changed

from coupons import redemption
from coupons.codes import normalise
from coupons.exceptions import InvalidCode
from coupons.models import Campaign, Coupon

from ... import checkout, orders
from .. import get_store
from . import OscarStore
from .baskets import applied_vouchers, apply_staged
from .orders import OscarOrder, voucher_discounts
from .vouchers import follow_campaign

logger = logging.getLogger(__name__)


def connect() -> None:
    """Listen to Oscar. Connecting twice does nothing more than connecting once."""
    order_placed.connect(on_order_news, dispatch_uid="thankyou_flows.order_placed")
    order_status_changed.connect(on_order_news, dispatch_uid="thankyou_flows.order_status_changed")
    basket_addition.connect(on_shopping, dispatch_uid="thankyou_flows.basket_addition")
    start_checkout.connect(on_shopping, dispatch_uid="thankyou_flows.start_checkout")
    pre_payment.connect(on_pre_payment, dispatch_uid="thankyou_flows.pre_payment")
    post_checkout.connect(on_post_checkout, dispatch_uid="thankyou_flows.post_checkout")
    post_save.connect(on_campaign_saved, sender=Campaign, dispatch_uid="thankyou_flows.oscar_campaign")


def harmless(receiver: Callable[..., None]) -> Callable[..., None]:
    """Keep everything that goes wrong in the receiver away from the shop, and log it."""

    @functools.wraps(receiver)
    def guarded(sender: Any, **arguments: Any) -> None:
        try:
            if transaction.get_connection().in_atomic_block:
                # With ATOMIC_REQUESTS we are in the order's own transaction. On PostgreSQL a failed query would spoil
                # all of it, even if the exception were caught; the savepoint takes the damage.
                with transaction.atomic():
                    receiver(sender=sender, **arguments)
            else:
                receiver(sender=sender, **arguments)
        except Exception:
            logger.exception("%s failed; the shop goes on without it.", receiver.__name__)

    return guarded


@harmless
def on_order_news(*, order: Any, **_: Any) -> None:
    """Record the order, and the coupons that it used, once it is committed."""
    # The number is an int until the order is read back from the database.
    number = str(order.number)
    transaction.on_commit(lambda: _record_order(number), robust=True)


@harmless
def on_post_checkout(*, order: Any, request: Any, response: Any, **_: Any) -> None:
    """Send the customer to our thank-you page in place of Oscar's. Changes one header of the response, nothing else."""
    url = checkout.finish_checkout(request=request, number=str(order.number))
    if url and response.has_header("Location"):
        response["Location"] = url


@harmless
def on_shopping(*, request: Any, **_: Any) -> None:
    """Put the coupons that wait for the visitor's next order on the basket, now that there is one."""
    store = get_store()
    if isinstance(store, OscarStore):
        apply_staged(request=request, voucher_code=store.voucher_code)


@harmless
def on_pre_payment(*, view: Any, **_: Any) -> None:
    """Take vouchers of ours that give this basket nothing off it, before any money moves (CO-2).

    Somebody else may have used the code since it was put on the basket. Oscar leaves it out of the sum, but would
    refuse the paid order because of it. A voucher that is good, but saves nothing here, would be used up in vain.
    """
    basket = view.request.basket
    useful = {voucher.pk for voucher in applied_vouchers(basket)}
    idle = [voucher for voucher in basket.vouchers.all() if voucher.pk not in useful]
    ours = _our_codes([voucher.code for voucher in idle]) if idle else {}
    for voucher in idle:
        if voucher.code in ours:
            basket.vouchers.remove(voucher)


@harmless
def on_campaign_saved(*, instance: Campaign, created: bool, raw: bool, **_: Any) -> None:
    """Let the vouchers of a campaign follow it when it is paused, resumed or given other dates."""
    if not created and not raw:
        # Not a partial: Django's "robust" asks what failed for its __qualname__.
        transaction.on_commit(lambda: _follow(instance), robust=True)


def _follow(campaign: Campaign) -> None:
    store = get_store()
    if isinstance(store, OscarStore):
        follow_campaign(campaign=campaign, voucher_code=store.voucher_code)


def _record_order(number: str) -> None:
    for record in (orders.report_order, _record_redemptions):
        try:
            record(number=number)
        except Exception:
            logger.exception("%s failed; the shop goes on without it.", record.__name__)


def _record_redemptions(*, number: str) -> None:
    """Note in our ledger what Oscar's engine took off. Idempotent: one redemption an order and coupon."""
    order = OscarOrder.objects.filter(number=number).first()
    amounts = voucher_discounts(order) if order is not None else {}
    ours = _our_codes(list(amounts)) if amounts else {}
    for voucher_code, code in ours.items():
        amount = Money(amounts[voucher_code], order.currency)
        redemption.redeem(order_ref=number, code=code, discount=amount)


def _our_codes(voucher_codes: list[str]) -> dict[str, str]:
    """Return our code for each of these voucher codes that stands for a coupon of ours. At most one query."""
    codes = {}
    for voucher_code in voucher_codes:
        try:
            codes[voucher_code] = normalise(voucher_code)
        except InvalidCode:
            continue
    if not codes:
        return {}
    known = set(Coupon.objects.filter(code__in=codes.values()).values_list("code", flat=True))
    return {voucher_code: code for voucher_code, code in codes.items() if code in known}
