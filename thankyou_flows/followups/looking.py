"""Looking for what nobody reports: lists that lie untouched, customers who stay away, ends that were set later.

Batch by batch: each in a transaction of its own, under a lock that makes two commands take turns, and each leaves out what
is planned already. Whatever was planned when a command is killed stays planned, and the next one goes on (OP-5).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Case, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Cast, Least
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon

from ..conf import app_settings
from ..models import FollowUp, FollowUpStep, Message, OrderRecord
from ..promises import URGENT_MINUTES
from ..stores import get_store
from ..values import OrderState
from .people import person_of_account, person_of_order
from .planning import Occasion, Plans
from .receivers import coupon_occasions
from .stops import move
from .triggers import COUPON_EXPIRING, CUSTOMER_QUIET, LIST_UNTOUCHED, OFFER_ENDING, Trigger

logger = logging.getLogger(__name__)

#: Rows in one transaction, and in memory.
BATCH: Final = 200
#: Names the turn of this command among PostgreSQL's advisory locks.
LOCK: Final = 0x7468_616E_6B66_7570
#: A mail at a time of day may be due so much before what it counts back from.
A_DAY: Final = timedelta(days=1)


def look_around(*, now: datetime | None = None) -> int:
    """Plan the mails of what has come about by now without news, and return how many.

    Of lists and customers only those that reached a mail's delay within the last LATE_DAYS: who switches such a follow-up
    on does not write everybody at once. Safe to run at any time, by two at once, and to be killed.
    """
    now = now or timezone.now()
    planned = _move_ends(now)
    if apps.is_installed("wishlists"):
        planned += _each(LIST_UNTOUCHED, _untouched_lists, _plan_list, now)
    planned += _each(CUSTOMER_QUIET, _quiet_customers, _plan_customer, now)
    for trigger in (COUPON_EXPIRING, OFFER_ENDING):
        planned += _each(trigger, _ending_coupons, _plan_coupon, now)
    return planned


Candidates = Callable[[Trigger, FollowUpStep, datetime], QuerySet[Any]]
Planner = Callable[[Plans, FollowUpStep, datetime, Any], int]


def _each(trigger: Trigger, candidates: Candidates, plan: Planner, now: datetime) -> int:
    """Plan all mails of one trigger for all that have come so far."""
    plans = Plans(trigger.key)
    planned = 0
    for step in plans.steps:
        planned += _batches(candidates(trigger, step, now), partial(plan, plans, step, now))
    return planned


def _batches(rows: QuerySet[Any], work: Callable[[Any], int]) -> int:
    """Do the work on all rows by their primary key, so many at a time; return what it adds up to."""
    done, last = 0, 0
    while True:
        with transaction.atomic():
            take_turn()
            batch = list(rows.filter(pk__gt=last).order_by("pk")[:BATCH])
            done += sum(work(row) for row in batch)
        if len(batch) < BATCH:
            return done
        last = batch[-1].pk


def take_turn() -> None:
    """Let only one transaction at a time look and plan, until it ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    else:
        # A write comes first: it takes the lock of SQLite's file, before anything was read.
        FollowUp.objects.filter(pk=0).update(is_on=False)


def _planned(step: FollowUpStep, **about: Any) -> Exists:
    """Say of a row whether this mail was planned about it, whatever became of it."""
    return Exists(Message.objects.filter(step=step, **about))


def _reached(step: FollowUpStep, now: datetime) -> tuple[datetime, datetime]:
    """Return between which moments something must have happened to have reached a mail's delay of late."""
    latest = now - step.delay_span
    return latest - timedelta(days=app_settings.late_days), latest


# Lists ----------------------------------------------------------------------------------------------


def _untouched_lists(_trigger: Trigger, step: FollowUpStep, now: datetime) -> QuerySet[Any]:
    from wishlists.models import ListItem, ProductList

    after, until = _reached(step, now)
    kinds = (ProductList.Kind.SAVED, ProductList.Kind.WISH)
    lists = ProductList.objects.filter(
        kind__in=kinds, changed_at__gt=after, changed_at__lte=until, owner__is_active=True
    )
    return lists.filter(
        Exists(ListItem.objects.filter(list=OuterRef("pk"))),
        ~_planned(step, ref=Cast(OuterRef("pk"), CharField())),
    ).select_related("owner")


def _plan_list(plans: Plans, step: FollowUpStep, now: datetime, row: Any) -> int:
    person = person_of_account(row.owner)
    if person is None:
        return 0
    occasion = Occasion(email=person.email, ref=str(row.pk), happened_at=row.changed_at, context={})
    return len(plans.write(occasion, steps=[step], now=now))


# Customers ------------------------------------------------------------------------------------------


def _quiet_customers(_trigger: Trigger, step: FollowUpStep, now: datetime) -> QuerySet[OrderRecord]:
    """Return the latest orders of customers who have not ordered since."""
    after, until = _reached(step, now)
    settled = [state for state in OrderState if state.is_settled]
    orders = OrderRecord.objects.filter(state__in=settled, placed_at__gt=after, placed_at__lte=until)
    newer = OrderRecord.objects.counting().filter(
        Q(placed_at__gt=OuterRef("placed_at")) | Q(placed_at=OuterRef("placed_at"), pk__gt=OuterRef("pk")),
        customer_key=OuterRef("customer_key"),
    )
    planned = _planned(step, email_key=OuterRef("customer_key"), ref=OuterRef("number"))
    return orders.exclude(customer_key="").filter(~Exists(newer), ~planned)


def _plan_customer(plans: Plans, step: FollowUpStep, now: datetime, row: OrderRecord) -> int:
    order = get_store().get_order(number=row.number)
    person = person_of_order(order) if order is not None else None
    if person is None or customer_key(person.email) != row.customer_key:
        return 0
    occasion = Occasion(
        email=person.email,
        ref=row.number,
        happened_at=row.placed_at,
        language=person.language,
        time_zone=person.time_zone,
        context={"order": row.number},
        order=person.order,
    )
    return len(plans.write(occasion, steps=[step], now=now))


# Ends of coupons ------------------------------------------------------------------------------------


def _end(prefix: str = "") -> Case:
    """The SQL of ``Coupon.valid_until``: the coupon's own end or its campaign's, whichever is earlier."""
    own, campaigns = f"{prefix}ends_at", f"{prefix}campaign__ends_at"
    return Case(
        When(**{own: None}, then=F(campaigns)),
        When(**{campaigns: None}, then=F(own)),
        default=Least(F(own), F(campaigns)),
        output_field=DateTimeField(),
    )


def _ending_coupons(trigger: Trigger, step: FollowUpStep, now: datetime) -> QuerySet[Coupon]:
    """Return coupons whose end comes near, whoever set it: also by the campaign, and after they were given."""
    urgent = Q(deadline_minutes__isnull=False, deadline_minutes__lte=URGENT_MINUTES)
    coupons = Coupon.objects.available().filter(used=0, is_word=False).exclude(holder_key="")
    coupons = coupons.filter(urgent if trigger is OFFER_ENDING else ~urgent, campaign__status=Campaign.Status.RUNNING)
    coupons = coupons.annotate(end=_end()).filter(end__gt=now, end__lte=now + step.delay_span + A_DAY)
    return coupons.filter(~_planned(step, coupon=OuterRef("pk"))).select_related("campaign")


def _plan_coupon(plans: Plans, step: FollowUpStep, now: datetime, row: Coupon) -> int:
    trigger = OFFER_ENDING if row.deadline_minutes and row.deadline_minutes <= URGENT_MINUTES else COUPON_EXPIRING
    occasions: Iterable[Any] = coupon_occasions(row, [trigger], happened_at=row.issued_at)
    return sum(len(plans.write(occasion, steps=[step], now=now)) for _trigger, occasion in occasions)


def _move_ends(now: datetime) -> int:
    """Move planned mails whose end has moved with its campaign; return 0, for they are not new.

    One whose coupon ends never any more is left to ``stops.reconsider``.
    """
    triggers = {trigger.key: trigger for trigger in (COUPON_EXPIRING, OFFER_ENDING)}
    planned = Message.objects.filter(state=Message.State.PLANNED, reason__in=triggers, step__isnull=False)
    moved = planned.annotate(end=_end("coupon__")).filter(end__isnull=False).exclude(end=F("happened_at"))

    def work(message: Any) -> int:
        move(message, step=message.step, trigger=triggers[message.reason], end=message.end)
        return 0

    return _batches(moved.select_related("step"), work)
