"""The pretend payment provider's answers, and trying again. An answer may come twice, late, or after a cancellation."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.redemption import release
from thankyou_flows.orders import report_order
from thankyou_flows.values import OrderState

from . import mail, orders
from .exceptions import WrongState
from .facts import facts_of_order
from .models import Order, Payment
from .payment_methods import PaymentMethod
from .placing import reserve_coupons

logger = logging.getLogger(__name__)


def record_success(*, payment: Payment, now: datetime | None = None) -> bool:
    """The provider says that the money is there. Return whether this call was the first to hear it.

    Money for an order that was cancelled in the meantime is recorded; the order stays cancelled and is to be refunded.
    """
    now = now or timezone.now()
    with transaction.atomic():
        if not _answer(payment, state=Payment.State.SUCCEEDED, now=now):
            return False
        try:
            orders.mark_paid(order=payment.order, now=now)
        except WrongState:
            logger.warning("Money arrived for order %s, which is not waiting for it.", payment.order.number)
    return True


def record_failure(*, payment: Payment, now: datetime | None = None) -> bool:
    """The provider says that there will be no money. Return whether this call was the first to hear it.

    The coupons become free again. An order paid by card waits for another try; one whose transfer never came is
    cancelled, because nobody is there any more to try again.
    """
    now = now or timezone.now()
    with transaction.atomic():
        if not _answer(payment, state=Payment.State.FAILED, now=now):
            return False
        order = payment.order
        if order.state != OrderState.PLACED:
            return True
        if PaymentMethod(payment.method).answers_later:
            orders.cancel(order=order, now=now)
        else:
            release(order_ref=order.number, now=now)
            report_order(number=order.number)
    return True


def try_again(*, order: Order, method: str, now: datetime | None = None) -> Payment:
    """Begin another payment for an unpaid order, with its coupons reserved again. Two tabs get the same payment.

    Raises WrongState if the order does not wait for payment, CouponRefused if a coupon cannot be used any more; then
    nothing has changed, and the customer decides whether to go on without it (``orders.drop_coupons``).
    """
    now = now or timezone.now()
    method = PaymentMethod(method)
    try:
        with transaction.atomic():
            order = Order.objects.select_for_update().get(pk=order.pk)
            if order.state != OrderState.PLACED:
                raise WrongState(_("This order is not waiting for payment."))
            pending = order.payments.pending().first()
            if pending is not None:
                return pending
            reserve_coupons(
                order_number=order.number,
                codes=order.coupon_codes,
                facts=facts_of_order(order),
                payment_method=method,
                now=now,
            )
            payment = Payment.objects.create(order=order, method=method, amount=order.total)
            order.payment_method = method
            order.save(update_fields=["payment_method"])
            if method.answers_later:
                mail.confirm_order(order=order, now=now)
            report_order(number=order.number)
    except IntegrityError:
        return Payment.objects.pending().get(order=order)
    return payment


def _answer(payment: Payment, *, state: Payment.State, now: datetime) -> bool:
    """Record the provider's answer with one guarded UPDATE, so that a repeated one changes nothing."""
    waiting = Payment.objects.pending().filter(pk=payment.pk)
    if not waiting.update(state=state, answered_at=now):
        return False
    payment.state, payment.answered_at = state, now
    payment.order.refresh_from_db()
    return True
