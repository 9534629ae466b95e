"""Sample orders for previews. None of them exists, nothing of them is written, and no shop is asked for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from djmoney.money import Money
from djmoney.settings import DEFAULT_CURRENCY

from coupons.models import Campaign, Coupon

from .flow import Flow, Promises
from .promises import Promise
from .values import AccessLevel, Address, Order, OrderLine, OrderState

#: Preview mode → what the editor reads in the list of previews.
SAMPLES = {
    "first_order": gettext_lazy("First order, as a guest"),
    "returning": gettext_lazy("Returning customer"),
    "offer_running": gettext_lazy("Offer running"),
    "offer_over": gettext_lazy("Offer over"),
    "answered": gettext_lazy("After your questions were answered"),
    "waiting": gettext_lazy("Waiting for payment"),
    "link": gettext_lazy("Opened from a link in a mail"),
    "stranger": gettext_lazy("Somebody whose order we do not know"),
}

#: A code whose check symbol is wrong: nobody can mistake it for one that works.
SAMPLE_CODE = "PREV1EW00000"


class SamplePromises(Promises):
    """Coupons that look real and are never saved."""

    def __init__(self, *, now: Any, over: bool, answered: bool = False) -> None:
        self._now = now
        self._over = over
        self._answered = answered

    def of(self, campaign: Campaign) -> Promise | None:
        if not campaign:
            # It was deleted since the page was saved.
            return None
        minutes = campaign.deadline_minutes
        span = timedelta(minutes=minutes or 0)
        ends_at = self._now + span * (-0.2 if self._over else 0.7) if span else None
        is_locked = campaign.asks and not self._answered
        coupon = Coupon(
            campaign=campaign,
            code=SAMPLE_CODE,
            state=Coupon.State.LOCKED if is_locked else Coupon.State.AVAILABLE,
            issued_at=ends_at - span if ends_at is not None else self._now,
            ends_at=ends_at,
            deadline_minutes=minutes,
            usage_limit=1,
            used=0,
            extensions=0,
        )
        is_over = self._over and ends_at is not None
        return Promise(
            coupon=coupon,
            is_over=is_over,
            is_used=False,
            is_locked=is_locked,
            is_extendable=not is_over and coupon.is_extendable(self._now),
            is_applied=not is_over,
        )


def sample_flow(mode: str) -> Flow:
    """Return the flow of a preview mode (one of ``SAMPLES``; an unknown one gives the first)."""
    now = timezone.now()
    if mode == "stranger":
        return Flow(now=now, is_preview=True)
    state = OrderState.PLACED if mode == "waiting" else OrderState.PAID
    order = sample_order(state=state)
    level = AccessLevel.LIMITED if mode == "link" else AccessLevel.FULL
    return Flow(
        level=level,
        order=order if level is AccessLevel.FULL else order.without_personal_data(),
        find_first_order=lambda: mode != "returning",
        now=now,
        promises=SamplePromises(now=now, over=mode == "offer_over", answered=mode == "answered"),
        is_preview=True,
    )


def sample_currency() -> str:
    """Return the shop's currency, or what comes nearest: a preview must not fail for a setting."""
    return str(DEFAULT_CURRENCY or "EUR")


def sample_order(*, state: OrderState = OrderState.PAID) -> Order:
    """Return an order of two sample products in the shop's currency."""
    now = timezone.now()
    currency = sample_currency()

    def money(amount: str) -> Money:
        return Money(amount, currency)

    address = Address(
        name=_("Ana Sample"), lines=(_("1 Example Street"),), postcode="12345", city=_("Sampletown"), country="DE"
    )
    return Order(
        number=_("SAMPLE-1"),
        state=state,
        placed_at=now - timedelta(minutes=2),
        lines=(
            OrderLine(
                product_ref="sample-1",
                title=_("A sample product"),
                quantity=2,
                unit_price=money("12.50"),
                total=money("25.00"),
            ),
            OrderLine(
                product_ref="sample-2",
                title=_("Another sample product with a rather long name"),
                quantity=1,
                unit_price=money("18.90"),
                total=money("18.90"),
                options=_("large"),
            ),
        ),
        subtotal=money("43.90"),
        shipping=money("4.90"),
        total=money("48.80"),
        shipping_method=_("Standard"),
        delivery_from=(now + timedelta(days=2)).date(),
        delivery_until=(now + timedelta(days=4)).date(),
        email="ana@example.com",
        first_name=_("Ana"),
        shipping_address=address,
        billing_address=address,
    )
