"""What can happen to an order after it was placed. Each verb is safe to repeat, and reported to ``thankyou_flows``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.quoting import quote
from coupons.redemption import redeem, release, restore
from thankyou_flows.orders import report_order
from thankyou_flows.values import OrderState

from . import mail
from .exceptions import WrongState
from .facts import facts_of_order
from .models import Order, Payment
from .placing import give_back_to_stock

logger = logging.getLogger(__name__)

PLACED, PAID, SHIPPED = OrderState.PLACED, OrderState.PAID, OrderState.SHIPPED
DELIVERED, CANCELLED, REFUNDED = OrderState.DELIVERED, OrderState.CANCELLED, OrderState.REFUNDED


def mark_paid(*, order: Order, now: datetime | None = None) -> bool:
    """The money is there: the coupons are used for good, the customer gets the confirmation.

    Return whether this call did it; False if it was paid already. Raises WrongState for a cancelled order. A payment
    that comes late, after the coupons' reservation has ended, counts all the same (CO-2).
    """
    now = now or timezone.now()
    with transaction.atomic():
        if not _move(order, from_states=[PLACED], to=PAID, done=[PAID, SHIPPED, DELIVERED], paid_at=now):
            return False
        order.payments.pending().update(state=Payment.State.SUCCEEDED, answered_at=now)
        for code in sorted(order.coupon_codes):
            redeem(order_ref=order.number, code=code, now=now)
        mail.confirm_order(order=order, now=now)
        report_order(number=order.number)
    return True


def mark_shipped(*, order: Order) -> bool:
    """The parcel has left. Return whether this call did it. Raises WrongState unless the order is paid."""
    return _simply(order, from_states=[PAID], to=SHIPPED, done=[SHIPPED, DELIVERED])


def mark_delivered(*, order: Order) -> bool:
    """The parcel has arrived. Return whether this call did it. Raises WrongState unless the order is on its way."""
    return _simply(order, from_states=[PAID, SHIPPED], to=DELIVERED, done=[DELIVERED])


def cancel(*, order: Order, now: datetime | None = None) -> bool:
    """Call the order off: the goods go back on the shelf, and coupons that no payment has used become free again.

    Return whether this call did it. Raises WrongState once the parcel has left. The coupons of a paid order come back
    as their campaigns say.
    """
    now = now or timezone.now()
    with transaction.atomic():
        unpaid = bool(Order.objects.filter(pk=order.pk, state=PLACED).update(state=CANCELLED))
        if not unpaid and not _move(order, from_states=[PAID], to=CANCELLED, done=[CANCELLED]):
            return False
        order.state = CANCELLED
        # Stock before coupons, as ``place_order`` locks them.
        give_back_to_stock(order=order)
        restore(order_ref=order.number, because="cancelled", now=now)
        report_order(number=order.number)
    return True


def refund(*, order: Order, now: datetime | None = None) -> bool:
    """The money went back. Return whether this call did it. Raises WrongState for an order that was never paid.

    Its coupons come back as their campaigns say.
    """
    from_states = [PAID, SHIPPED, DELIVERED]
    if order.payments.filter(state=Payment.State.SUCCEEDED).exists():
        from_states.append(CANCELLED)
    with transaction.atomic():
        moved = _simply(order, from_states=from_states, to=REFUNDED, done=[REFUNDED])
        if moved:
            restore(order_ref=order.number, because="refunded", now=now)
    return moved


def drop_coupons(*, order: Order, now: datetime | None = None) -> bool:
    """Let an unpaid order go on without its coupons, at the full price; the customer asked for it.

    Return whether this call did it. Raises WrongState if the order is not waiting for payment.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order.pk)
        if order.state != PLACED:
            raise WrongState(_("This order is not waiting for payment."))
        if not order.coupon_codes:
            return False
        release(order_ref=order.number, now=now)
        full = quote(codes=[], facts=facts_of_order(order), now=now)
        order.coupon_codes = []
        order.discount, order.shipping, order.total = full.discount, full.shipping, full.total
        order.save(update_fields=["coupon_codes", "discount", "shipping", "total"])
        report_order(number=order.number)
    return True


#: What staff can do: name → (verb, states in which it is offered). The buttons' words are in ``viewsets.py``.
ACTIONS: dict[str, tuple[Callable[..., bool], tuple[OrderState, ...]]] = {
    "paid": (mark_paid, (PLACED,)),
    "shipped": (mark_shipped, (PAID,)),
    "delivered": (mark_delivered, (SHIPPED,)),
    "cancelled": (cancel, (PLACED, PAID)),
    "refunded": (refund, (PAID, SHIPPED, DELIVERED)),
}


def possible_actions(order: Order) -> list[str]:
    """Return the names of what staff can do with this order now."""
    names = [name for name, (_verb, states) in ACTIONS.items() if order.state in states]
    if order.state == CANCELLED and order.payments.filter(state=Payment.State.SUCCEEDED).exists():
        names.append("refunded")
    return names


def _simply(order: Order, *, from_states: Iterable[OrderState], to: OrderState, done: Iterable[OrderState]) -> bool:
    with transaction.atomic():
        moved = _move(order, from_states=from_states, to=to, done=done)
        if moved:
            report_order(number=order.number)
    return moved


def _move(
    order: Order, *, from_states: Iterable[OrderState], to: OrderState, done: Iterable[OrderState], **values: object
) -> bool:
    """Set the state with one guarded UPDATE: of two callers at once, one moves the order and the other learns that."""
    if Order.objects.filter(pk=order.pk, state__in=list(from_states)).update(state=to, **values):
        order.state = to
        for name, value in values.items():
            setattr(order, name, value)
        return True
    order.refresh_from_db(fields=["state"])
    if order.state in set(done):
        return False
    raise WrongState(
        _("This cannot be done with an order in the state “%(state)s”.") % {"state": order.get_state_display()}
    )
