"""What was reported while nobody could hear it: the process died after the commit, or the shop was away just then.

What happened is in the database all the same. These searches offer it once more, a few minutes later, and find nothing
where the news was heard: each mail is planned once, whoever plans it (OP-5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial, reduce
from operator import or_
from typing import Any, Final

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Coalesce

from coupons.holders import customer_key
from coupons.models import Coupon

from ..conf import app_settings
from ..models import Message, OrderRecord, Subscription
from ..stores import get_store
from ..values import OrderState
from .looks import SETTLING, Job, Search
from .planning import Plans
from .receivers import coupon_occasions, occasion_of_order, occasion_of_subscription
from .stops import STATES
from .triggers import (
    COUPON_UNLOCKED,
    COUPON_UNUSED,
    ORDER_DELIVERED,
    ORDER_PAID,
    ORDER_SHIPPED,
    REVIEW_WANTED,
    SIGN_UP_CONFIRMED,
    Trigger,
)

ORDERS: Final = (ORDER_PAID, ORDER_SHIPPED, ORDER_DELIVERED, REVIEW_WANTED)
COUPONS: Final = (COUPON_UNUSED, COUPON_UNLOCKED)
TRIGGERS: Final = (*ORDERS, *COUPONS, SIGN_UP_CONFIRMED)
#: In which state of an order its last change was what the trigger is about.
_MEANT: Final = {
    ORDER_PAID: OrderState.PAID,
    ORDER_SHIPPED: OrderState.SHIPPED,
    ORDER_DELIVERED: OrderState.DELIVERED,
    REVIEW_WANTED: OrderState.DELIVERED,
}


def searches(plans: Mapping[str, Plans], now: datetime) -> Iterator[Search]:
    """Yield a search for each kind of news that a follow-up waits for."""
    for name, triggers, rows, prepare in (
        ("orders", ORDERS, _orders, _prepare_order),
        ("coupons", COUPONS, _coupons, _prepare_coupon),
        ("sign_ups", (SIGN_UP_CONFIRMED,), _sign_ups, _prepare_sign_up),
    ):
        wanted = {trigger: plans[trigger.key] for trigger in triggers if trigger.key in plans}
        if wanted:
            yield Search(
                name=f"missed:{name}",
                # What happened before a follow-up was switched on is none of its business: no need to begin anew.
                about="",
                oldest=now - timedelta(days=app_settings.late_days),
                rows=partial(rows, wanted),
                prepare=partial(prepare, wanted),
            )


def _settled(after: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return the moments of what is committed by now, and was not yet at the last look."""
    return after - SETTLING, until - SETTLING


def _unheard(trigger: Trigger, **about: Any) -> Q:
    # All mails of a trigger are planned in one transaction: where there is one, the news was heard.
    return Q(~Exists(Message.objects.filter(reason=trigger.key, **about)))


def _orders(wanted: Mapping[Trigger, Plans], after: datetime, until: datetime) -> QuerySet[OrderRecord]:
    first, last = _settled(after, until)
    reached = (Q(state__in=STATES[trigger.key]) & _unheard(trigger, ref=OuterRef("number")) for trigger in wanted)
    orders = OrderRecord.objects.filter(changed_at__gt=first, changed_at__lte=last).exclude(customer_key="")
    return orders.filter(reduce(or_, reached))


def _prepare_order(wanted: Mapping[Trigger, Plans], row: OrderRecord) -> Iterator[Job]:
    order = get_store().get_order(number=row.number)
    if order is None or customer_key(order.email or "") != row.customer_key:
        return
    was_moved = row.changed_at - row.recorded_at > timedelta(seconds=1)
    for trigger, plans in wanted.items():
        if row.state not in STATES[trigger.key]:
            continue
        if trigger is ORDER_SHIPPED and row.state != OrderState.SHIPPED:
            # That it is on its way is only said while it is.
            continue
        # Of an earlier state nobody has noted when it was reached: not before it was placed.
        is_last = was_moved and row.state == _MEANT[trigger]
        occasion = occasion_of_order(order, happened_at=row.changed_at if is_last else row.placed_at)
        if occasion is not None:
            yield plans, occasion, None


def _coupons(wanted: Mapping[Trigger, Plans], after: datetime, until: datetime) -> QuerySet[Coupon]:
    first, last = _settled(after, until)
    unlocked = {COUPON_UNLOCKED: Q(unlocked_at__isnull=False)}
    unheard = (unlocked.get(trigger, Q()) & _unheard(trigger, coupon=OuterRef("pk")) for trigger in wanted)
    coupons: Any = Coupon.objects.available().filter(used=0, is_word=False).exclude(holder_key="")
    coupons = coupons.annotate(begun=Coalesce("unlocked_at", "issued_at"))
    found: QuerySet[Coupon] = coupons.filter(reduce(or_, unheard), begun__gt=first, begun__lte=last)
    return found.select_related("campaign")


def _prepare_coupon(wanted: Mapping[Trigger, Plans], row: Any) -> Iterator[Job]:
    triggers = [trigger for trigger in wanted if trigger is not COUPON_UNLOCKED or row.unlocked_at is not None]
    for trigger, occasion in coupon_occasions(row, triggers, happened_at=row.begun):
        yield wanted[trigger], occasion, None


def _sign_ups(wanted: Mapping[Trigger, Plans], after: datetime, until: datetime) -> QuerySet[Subscription]:
    first, last = _settled(after, until)
    rows = Subscription.objects.filter(
        state=Subscription.State.CONFIRMED, confirmed_at__gt=first, confirmed_at__lte=last
    ).exclude(email="")
    unheard = _unheard(SIGN_UP_CONFIRMED, ref=Cast(OuterRef("pk"), CharField()))
    return rows.filter(unheard).select_related("mailing_list")


def _prepare_sign_up(wanted: Mapping[Trigger, Plans], row: Subscription) -> Iterator[Job]:
    yield wanted[SIGN_UP_CONFIRMED], occasion_of_subscription(row), None
