"""What happens in the shop and in the lower apps, and what we do then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils.translation import get_language

from coupons.signals import marketing_agreed

from .signals import order_recorded, order_state_changed
from .stores import get_store
from .values import Objection, OrderState

if TYPE_CHECKING:
    from django.http import HttpRequest

    from coupons.models import Coupon

    from .models import OrderRecord
    from .values import Order

logger = logging.getLogger(__name__)


def connect() -> None:
    """Listen to the lower apps, and let the store adapter connect to the shop's own signals. Called once, when Django
    has started.
    """
    from .followups import receivers
    from .mail import conversions, tracking

    marketing_agreed.connect(on_marketing_agreed, dispatch_uid="thankyou_flows.marketing_agreed")
    order_recorded.connect(on_order_recorded, dispatch_uid="thankyou_flows.count_purchases")
    order_state_changed.connect(on_order_state_changed, dispatch_uid="thankyou_flows.count_purchases")
    receivers.connect()
    conversions.connect()
    tracking.connect()
    try:
        store = get_store()
    except Exception:
        # Said at greater length, with a hint, by the system check thankyou_flows.E003.
        logger.warning("The store adapter could not be loaded, so nothing is heard from the shop.")
        return
    store.connect()


def on_marketing_agreed(*, coupon: Coupon, email: str, text: str, request: HttpRequest | None, **_: Any) -> None:
    """Ask the customer by mail whether the newsletter is really wanted: a ticked box alone is no proof (EM-1).

    The address is the one that the view knew, or that of the order with which the coupon was given.
    """
    from .models import ConsentReceipt
    from .newsletter import NewsletterError, subscribe, subscribe_visitor
    from .promises import order_number_of

    number = "" if email else order_number_of(coupon)
    order = get_store().get_order(number=number) if number else None
    address = email or (order.email if order is not None else "")
    if not address:
        logger.info("Somebody without a known address ticked the newsletter box of campaign %s.", coupon.campaign_id)
        return
    method, source = ConsentReceipt.Method.COUPON, f"campaign {coupon.campaign_id}"
    try:
        if request is not None:
            subscribe_visitor(request=request, email=address, wording=text, method=method, source=source)
        else:
            subscribe(email=address, wording=text, method=method, source=source, language=get_language() or "")
    except (NewsletterError, ValidationError) as error:
        # The words of a ValidationError may hold the address (OP-6).
        logger.info("A newsletter sign-up from %s was not accepted: %s.", source, type(error).__name__)


def on_order_recorded(*, record: OrderRecord, order: Order, **_: Any) -> None:
    """Keep the customer's objection, and count what was saved and is now bought if the order was paid when it was placed."""
    if record.objection == Objection.USED:
        keep_objection(record)
    if order.state.is_settled:
        count_purchase(order)


def on_order_state_changed(*, order: Order, old_state: str, new_state: str, **_: Any) -> None:
    """Count it when the money is there."""
    if OrderState(new_state).is_settled and not OrderState(old_state).is_settled:
        count_purchase(order)


def keep_objection(record: OrderRecord) -> None:
    """Send this customer no follow-ups any more, not after a later order either whose box was not ticked: an objection
    lasts until it is taken back (GDPR, article 21).
    """
    from .mail.suppression import suppress
    from .models import Suppression

    if record.customer_key:
        suppress(email_key=record.customer_key, scope=Suppression.FOLLOW_UPS, reason=Suppression.Reason.OBJECTED)


def count_purchase(order: Order) -> None:
    """Tell ``wishlists`` what an account bought, for the report on saved products. Safe to repeat."""
    if not apps.is_installed("wishlists"):
        return
    from wishlists.saves import record_purchase

    store = get_store()
    owner = store.get_owner(number=order.number)
    if owner is not None:
        bought = {line.product_ref for line in order.lines if line.product_ref}
        record_purchase(user=owner, product_refs=store.get_saved_refs(refs=bought))
