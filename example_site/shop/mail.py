"""The order confirmation: one mail for each order, as text and HTML, by the outbox of ``thankyou_flows``: it is written
down with the order, and late rather than lost when the mail server is away.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from thankyou_flows.links import make_order_link
from thankyou_flows.mail.composing import DoNotSend, Mail
from thankyou_flows.mail.outbox import queue
from thankyou_flows.models import Message, MessageKind, WhyNot

from .models import Order
from .payment_methods import how_to_pay


def confirm_order(*, order: Order, now: datetime | None = None) -> bool:
    """Have the confirmation sent once the running transaction is committed. Return whether this call is the one that does.

    A card order is confirmed when it is paid; one that waits for a transfer when it is placed, with what to do now.
    """
    now = now or timezone.now()
    mine = Order.objects.filter(pk=order.pk, confirmed_at=None).update(confirmed_at=now)
    if mine:
        queue(
            dedupe_key=f"order-confirmation:{order.pk}",
            email=order.email,
            composer="example_site.shop.mail.compose_confirmation",
            reason="order_confirmation",
            kind=MessageKind.TRANSACTIONAL,
            context={"order": order.pk},
            ref=order.number,
            language=order.language,
            now=now,
        )
    return bool(mine)


def compose_confirmation(*, message: Message, now: datetime) -> Mail:
    """Write the confirmation when it is about to be sent: its link is made now, and kept nowhere else."""
    order = Order.objects.prefetch_related("lines").filter(pk=message.context["order"]).first()
    if order is None:
        raise DoNotSend(WhyNot.ORDER_STATE)
    return build_confirmation(order=order)


def build_confirmation(*, order: Order) -> Mail:
    """Return the confirmation mail of an order, with a link to its page that shows no personal data."""
    link = make_order_link(number=order.number, base_url=settings.SHOP_BASE_URL)
    context = {
        "order": order,
        "lines": order.lines.all(),
        "link": link,
        "payment_instructions": how_to_pay(order),
    }
    return Mail(
        subject=" ".join(render_to_string("shop/mail/confirmation_subject.txt", context).split()),
        text=render_to_string("shop/mail/confirmation.txt", context),
        html=render_to_string("shop/mail/confirmation.html", context),
        secrets=(link.rstrip("/").rpartition("/")[2],),
    )
