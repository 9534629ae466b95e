"""Which mail an order followed: the numbers of follow-ups, and when a person last did something of their own (EM-13).

No cookie and no click is needed: the order's customer key is the message's. Refunds correct it (D9).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from coupons.models import Redemption

from ..conf import app_settings
from ..models import Contact, Message, OrderRecord
from ..signals import order_recorded, order_state_changed
from ..values import OrderState


def connect() -> None:
    """Listen to what is recorded of orders. Called once, when Django has started."""
    order_recorded.connect(on_order_recorded, dispatch_uid="thankyou_flows.conversions")
    order_state_changed.connect(on_order_state_changed, dispatch_uid="thankyou_flows.conversions")


def on_order_recorded(*, record: OrderRecord, **_: Any) -> None:
    """An order is something that its customer did."""
    if record.customer_key:
        done = Contact.objects.filter(email_key=record.customer_key, last_action_at__lt=record.placed_at)
        done.update(last_action_at=record.placed_at)
    note_order(record=record)


def on_order_state_changed(*, record: OrderRecord, **_: Any) -> None:
    note_order(record=record)


def note_order(*, record: OrderRecord) -> None:
    """Note which message an order followed, once its money is there; take that back when it is cancelled or refunded.

    An order converts one message at most, and a message is converted by one order: the newest mail, if it was placed
    within CONVERSION_DAYS after it; or first of all, whenever that is, the mail whose coupon it used. Transactional mail
    converts nobody. Idempotent, and safe against news of the order that overtake each other.
    """
    with transaction.atomic():
        # The state as it is now, and nobody else notes the same order meanwhile.
        current = OrderRecord.objects.select_for_update().filter(pk=record.pk).first()
        if current is None:
            return
        noted = Message.objects.filter(converted_order=current.number)
        state = OrderState(current.state)
        if state in {OrderState.CANCELLED, OrderState.REFUNDED}:
            noted.update(converted_at=None, converted_order="")
        elif state.is_settled and not noted.exists():
            message = _by_coupon(current) or _by_time(current)
            if message is not None:
                facts = {"converted_at": current.placed_at, "converted_order": current.number}
                Message.objects.filter(pk=message.pk, converted_at=None).update(**facts)


def _by_coupon(record: OrderRecord) -> Message | None:
    """The newest mail that brought a coupon which this order used. A public word is everybody's, so there only the
    customer's own mail counts.
    """
    used = Redemption.objects.live().filter(order_ref=record.number).values_list("coupon", flat=True)
    carried = Q(coupon__in=list(used))
    own = Q(coupon__is_word=False)
    if record.customer_key:
        own |= Q(email_key=record.customer_key)
    return _sent_before(record).filter(carried & own, converted_at=None).first()


def _by_time(record: OrderRecord) -> Message | None:
    """The newest mail to this customer; None if that was too long ago, or if another order has followed it already."""
    if not record.customer_key:
        return None
    since = record.placed_at - timedelta(days=app_settings.conversion_days)
    newest = _sent_before(record).filter(email_key=record.customer_key, sent_at__gte=since).first()
    return newest if newest is not None and newest.converted_at is None else None


def _sent_before(record: OrderRecord) -> Any:
    sent = Message.objects.marketing().filter(state=Message.State.SENT, sent_at__lte=record.placed_at)
    return sent.order_by("-sent_at", "-pk").only("pk", "converted_at")
