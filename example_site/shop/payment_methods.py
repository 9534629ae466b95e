"""The pretend ways to pay. No money moves in this shop, and every one of them says what it will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from thankyou_flows.values import OrderState

if TYPE_CHECKING:
    from .models import Order

#: All zeros: no bank can take it for a real account.
IBAN = "DE00 0000 0000 0000 0000 00"


class PaymentMethod(models.TextChoices):
    """The choices at the checkout."""

    CARD = "card", _("Card")
    DECLINED_CARD = "declined_card", _("Card that is declined")
    BANK = "bank", _("Bank transfer")

    @property
    def explanation(self) -> Promise:
        """What will happen, in one sentence."""
        return {
            PaymentMethod.CARD: _("Succeeds at once."),
            PaymentMethod.DECLINED_CARD: _("Fails, so that you can see how the shop deals with it."),
            PaymentMethod.BANK: _("Answers later, when you say so on the demo's bank page."),
        }[self]

    @property
    def answers_later(self) -> bool:
        """Whether the customer leaves the checkout before the money is there."""
        return self is PaymentMethod.BANK


def how_to_pay(order: Order) -> str:
    """Return where the money of an order goes that waits for a transfer, line by line; empty for every other order."""
    if order.state != OrderState.PLACED or order.payment_method != PaymentMethod.BANK:
        return ""
    lines = (
        gettext("Amount: %(total)s"),
        gettext("To: Kettle & Fern, %(iban)s"),
        gettext("Reference: %(number)s"),
        gettext("This is a demo with a pretend account: please send no real money."),
    )
    return "\n".join(lines) % {"total": order.total, "iban": IBAN, "number": order.number}
