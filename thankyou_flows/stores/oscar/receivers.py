"""What we do when Oscar says that an order was placed or changed.

Oscar sends these signals in the middle of its checkout, after the order is saved, and an exception in a receiver would
show the customer "a problem occurred" for an order that exists. Hence the one rule here: nothing of ours gets out.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.checks import Tags
from django.core.checks import register as register_check
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from djmoney.money import Money
from oscar.apps.basket.signals import basket_addition, voucher_removal
from oscar.apps.checkout.signals import post_checkout, pre_payment, start_checkout
from oscar.apps.order.signals import order_placed, order_status_changed

from coupons import redemption
from coupons.codes import normalise
from coupons.exceptions import InvalidCode
from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Redemption
from coupons.signals import code_staged, code_unstaged, coupon_released
from coupons.staging import unstage

from ... import checkout, orders
from ...values import OrderState
from .. import get_store
from . import OscarStore
from .baskets import apply_staged, forget_used, take_off
from .checks import check_campaigns
from .holding import hold, let_go
from .orders import OscarOrder, voucher_discounts
from .vouchers import CodeTaken, follow_campaign, withdraw_word

logger = logging.getLogger(__name__)


def connect() -> None:
    """Listen to Oscar. Connecting twice does nothing more than connecting once."""
    order_placed.connect(on_order_news, dispatch_uid="thankyou_flows.order_placed")
    order_status_changed.connect(on_order_news, dispatch_uid="thankyou_flows.order_status_changed")
    basket_addition.connect(on_shopping, dispatch_uid="thankyou_flows.basket_addition")
    start_checkout.connect(on_shopping, dispatch_uid="thankyou_flows.start_checkout")
    pre_payment.connect(on_pre_payment, dispatch_uid="thankyou_flows.pre_payment")
    voucher_removal.connect(on_voucher_removed, dispatch_uid="thankyou_flows.voucher_removal")
    post_checkout.connect(on_post_checkout, dispatch_uid="thankyou_flows.post_checkout")
    post_save.connect(on_campaign_saved, sender=Campaign, dispatch_uid="thankyou_flows.oscar_campaign")
    post_delete.connect(on_coupon_deleted, sender=Coupon, dispatch_uid="thankyou_flows.oscar_coupon")
    code_staged.connect(on_code_staged, dispatch_uid="thankyou_flows.oscar_code_staged")
    code_unstaged.connect(on_code_unstaged, dispatch_uid="thankyou_flows.oscar_code_unstaged")
    coupon_released.connect(on_released, dispatch_uid="thankyou_flows.oscar_released")
    register_check(check_campaigns, Tags.database)


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
    forget_used(request=request, basket=order.basket)
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
def on_code_staged(*, request: Any, **_: Any) -> None:
    """Put a code that was entered on a page of ``coupons`` on the basket at once, for Oscar's own pages to show it."""
    on_shopping(sender=None, request=request)


@harmless
def on_code_unstaged(*, request: Any, code: str, **_: Any) -> None:
    """Take it off the basket again, and give back what an earlier try to pay has reserved."""
    if isinstance(get_store(), OscarStore) and take_off(request=request, code=code):
        let_go(request=request, basket=request.basket)


@harmless
def on_pre_payment(*, view: Any, **_: Any) -> None:
    """Reserve what the basket uses, before any money moves (CO-1)."""
    hold(view)


@harmless
def on_voucher_removed(*, sender: Any, basket: Any, voucher: Any = None, **_: Any) -> None:
    """Give back what an earlier try to pay has reserved: the customer goes on without this coupon, next time too."""
    # Oscar sends the view; a shop of its own ways may send anything.
    request = getattr(sender, "request", None)
    if request is not None:
        unstage(request.session, getattr(voucher, "code", ""))
        let_go(request=request, basket=basket)


@harmless
def on_campaign_saved(*, instance: Campaign, raw: bool, **_: Any) -> None:
    """Let the vouchers of a campaign follow it when it is paused, resumed, or given another word or other dates."""
    if not raw:
        # Not a partial: Django's "robust" asks what failed for its __qualname__.
        transaction.on_commit(lambda: _follow(instance), robust=True)


@harmless
def on_coupon_deleted(*, instance: Coupon, **_: Any) -> None:
    """Withdraw the voucher of a public word that is gone because nobody had used it."""
    if instance.is_word and isinstance(get_store(), OscarStore):
        withdraw_word(coupon=instance)


@harmless
def on_released(*, redemption: Redemption, **_: Any) -> None:
    """Look whether an order was placed whose reservation has run out: the process may have died before we heard of it
    (CO-2).
    """
    if redemption.expired and OscarOrder.objects.filter(number=redemption.order_ref).exists():
        _record_redemptions(number=redemption.order_ref)


def _follow(campaign: Campaign) -> None:
    store = get_store()
    if isinstance(store, OscarStore):
        try:
            follow_campaign(campaign=campaign, voucher_code=store.voucher_code)
        except CodeTaken:
            logger.warning("The shop has a voucher of its own with the word of campaign %s; it stays.", campaign.pk)


def _record_order(number: str) -> None:
    for record in (orders.report_order, _record_redemptions):
        try:
            record(number=number)
        except Exception:
            logger.exception("%s failed; the shop goes on without it.", record.__name__)


def _record_redemptions(*, number: str) -> None:
    """Note in our ledger what Oscar's engine took off, or give it back if the order came to nothing.

    Idempotent, and run at all news of an order: what was missed once is made up for at the next step.
    """
    order = OscarOrder.objects.filter(number=number).select_related("user").first()
    store = get_store()
    if order is None or not isinstance(store, OscarStore):
        return
    state = store.get_state(status=order.status)
    if state == OrderState.CANCELLED:
        redemption.restore(order_ref=number, because="cancelled")
        return
    if state == OrderState.REFUNDED:
        redemption.restore(order_ref=number, because="refunded")
        return
    amounts = voucher_discounts(order)
    ours = _our_codes(list(amounts)) if amounts else {}
    key = customer_key(order.email or "")
    for voucher_code, code in ours.items():
        redemption.redeem(
            order_ref=number,
            code=code,
            discount=Money(amounts[voucher_code].goods, order.currency),
            shipping_discount=Money(amounts[voucher_code].shipping, order.currency),
            customer_key=key,
        )
    # Reserved, but of no use when Oscar placed the order.
    if Redemption.objects.reserved().filter(order_ref=number).exists():
        redemption.release(order_ref=number)


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
