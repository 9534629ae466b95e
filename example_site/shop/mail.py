"""The order confirmation: one mail for each order, as text and HTML."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from thankyou_flows.links import make_order_link

from .models import Order
from .payment_methods import how_to_pay

logger = logging.getLogger(__name__)


def confirm_order(*, order: Order, now: datetime | None = None) -> bool:
    """Send the confirmation once the running transaction is committed. Return whether this call is the one that does.

    A card order is confirmed when it is paid; one that waits for a transfer when it is placed, with what to do now.
    """
    mine = Order.objects.filter(pk=order.pk, confirmed_at=None).update(confirmed_at=now or timezone.now())
    if mine:
        transaction.on_commit(lambda: _send(pk=order.pk), robust=True)
    return bool(mine)


def _send(*, pk: int) -> None:
    """Write and send the mail. A mail server that is away must not spoil the sale."""
    try:
        order = Order.objects.prefetch_related("lines").get(pk=pk)
        with translation.override(order.language or settings.LANGUAGE_CODE):
            build_confirmation(order=order).send()
    except Exception:
        logger.exception("The confirmation of the order with pk %s could not be sent.", pk)


def build_confirmation(*, order: Order) -> EmailMultiAlternatives:
    """Return the confirmation mail of an order, with a link to its page that shows no personal data."""
    instructions = how_to_pay(order)
    context = {
        "order": order,
        "lines": order.lines.all(),
        "link": make_order_link(number=order.number, base_url=settings.SHOP_BASE_URL),
        "payment_instructions": instructions,
    }
    subject = " ".join(render_to_string("shop/mail/confirmation_subject.txt", context).split())
    message = EmailMultiAlternatives(subject, render_to_string("shop/mail/confirmation.txt", context), to=[order.email])
    message.attach_alternative(render_to_string("shop/mail/confirmation.html", context), "text/html")
    return message
