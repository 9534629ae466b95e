"""Looking for what nobody reports: lists that lie untouched, customers who stay away, ends that were set later; and for
what was reported while nobody could hear it (``missed``).

Whatever was planned when a command is killed stays planned, and the next one goes on (OP-5): see ``looks``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from itertools import groupby
from operator import itemgetter, or_
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError
from django.db.models import Case, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Cast, Coalesce, Least
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Redemption

from ..conf import app_settings
from ..models import FollowUpStep, Message, OrderRecord, WhyNot
from ..promises import URGENT_MINUTES
from ..stores import get_store
from ..values import OrderState
from . import missed
from .looks import BATCH, SETTLING, Deadline, Job, Search, digest, last_looks, run
from .people import person_of_account, person_of_order
from .planning import Occasion, Plans, plans_for
from .receivers import coupon_occasions
from .stops import move
from .triggers import COUPON_EXPIRING, CUSTOMER_QUIET, LIST_UNTOUCHED, OFFER_ENDING, Trigger

logger = logging.getLogger(__name__)

#: A mail at a time of day may be due so much before what it counts back from.
A_DAY: Final = timedelta(days=1)
ENDS: Final = (COUPON_EXPIRING, OFFER_ENDING)


def look_around(*, now: datetime | None = None, force: bool = False, seconds: float | None = None) -> int:
    """Plan the mails of what has come about by now without news, and return how many.

    Each search looks at most every 15 minutes, and then at what has come about since. The first time, after a follow-up was
    switched on or its delays were changed, and with ``force`` it looks at all that came about within the last LATE_DAYS:
    who switches a follow-up on does not write everybody at once. Ends after about ``seconds``; the next one goes on there.

    Safe to run at any time, by two at once, and to be killed. What fails is logged, and looked for again.
    """
    now = now or timezone.now()
    deadline = Deadline(seconds)
    _move_ends()
    plans = plans_for(LIST_UNTOUCHED, CUSTOMER_QUIET, *ENDS, *missed.TRIGGERS)
    searches = [*_sequences(plans, now), *_endings(plans, now), *missed.searches(plans, now)]
    looks = last_looks(search.name for search in searches) if searches else {}
    planned = 0
    for search in searches:
        if deadline.is_over():
            break
        try:
            planned += run(search, looks.get(search.name), now=now, force=force, deadline=deadline)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s could not be looked for.", search.name)
    return planned


def _sequences(all_plans: dict[str, Plans], now: datetime) -> Iterator[Search]:
    """Yield a search for each follow-up that has to be looked for. Who reaches the delay of its first mail gets all of
    them, each in its time: nobody gets the last one of a sequence without the first.
    """
    kinds: dict[Trigger, Any] = {CUSTOMER_QUIET: (_quiet_customers, _prepare_customer)}
    if apps.is_installed("wishlists"):
        kinds[LIST_UNTOUCHED] = (_untouched_lists, _prepare_list)
    for trigger, (rows, prepare) in kinds.items():
        plans = all_plans.get(trigger.key)
        for pk, group in groupby(plans.steps if plans is not None else (), key=lambda step: step.follow_up_id):
            steps = list(group)
            delays = [(step.pk, step.delay_span) for step in steps]
            yield Search(
                name=f"{trigger.key}:sequence:{pk}",
                about=digest(app_settings.late_days, steps[0].follow_up.switched_on_at, delays),
                oldest=now - timedelta(days=app_settings.late_days),
                rows=partial(rows, steps, min(map(itemgetter(1), delays))),
                prepare=partial(prepare, plans, steps),
            )


def _unplanned(steps: Iterable[FollowUpStep], **about: Any) -> Q:
    """Say of a row whether one of these mails was not planned about it yet, whatever became of it."""
    return reduce(or_, (Q(~Exists(Message.objects.filter(step=step, **about))) for step in steps))


def _window(delay: timedelta, until: datetime) -> tuple[datetime, datetime]:
    """Return between which moments something must have happened to have reached a delay of late."""
    return until - delay - timedelta(days=app_settings.late_days), until - delay


# Lists ----------------------------------------------------------------------------------------------


def _untouched_lists(steps: list[FollowUpStep], delay: timedelta, after: datetime, until: datetime) -> QuerySet[Any]:
    from wishlists.models import ListItem, ProductList

    kinds = (ProductList.Kind.SAVED, ProductList.Kind.WISH)
    oldest, latest = _window(delay, until)
    lists = ProductList.objects.filter(
        kind__in=kinds, changed_at__gt=oldest, changed_at__lte=latest, owner__is_active=True
    )
    about = {"step__in": steps, "ref": Cast(OuterRef("pk"), CharField())}
    # Each last change has its reminder; but none is planned while another one is on its way out.
    going_out = Message.objects.filter(**about, state=Message.State.ATTEMPTING)
    gone_out = Message.objects.filter(
        **about, settled_at__gt=after - SETTLING, sent_at__isnull=False, happened_at__lt=OuterRef("changed_at")
    )
    return lists.filter(
        Q(changed_at__gt=after - delay) | Exists(gone_out),
        Exists(ListItem.objects.filter(list=OuterRef("pk"))),
        _unplanned(steps, ref=about["ref"], happened_at__gte=OuterRef("changed_at")),
        ~Exists(going_out),
    ).select_related("owner")


def _prepare_list(plans: Plans, steps: list[FollowUpStep], row: Any) -> Iterator[Job]:
    from ..mail.outbox import stop

    person = person_of_account(row.owner)
    if person is None:
        return
    # Of one that still waits, what it says is over: the list has been touched since.
    waiting = Message.objects.filter(
        step__in=[step.pk for step in steps], ref=str(row.pk), happened_at__lt=row.changed_at
    )
    stop(messages=waiting, why=WhyNot.CHANGED)
    changed_at = row.changed_at.astimezone(UTC)
    occasion = Occasion(
        email=person.email,
        ref=str(row.pk),
        happened_at=changed_at,
        turn=f"{changed_at:%Y%m%dT%H%M%S%f}",
        context={},
    )
    yield plans, occasion, steps


# Customers ------------------------------------------------------------------------------------------


def _quiet_customers(
    steps: list[FollowUpStep], delay: timedelta, after: datetime, until: datetime
) -> QuerySet[OrderRecord]:
    """Return the latest orders of customers who have not ordered since."""
    oldest, latest = _window(delay, until)
    settled = [state for state in OrderState if state.is_settled]
    orders = OrderRecord.objects.filter(state__in=settled, placed_at__gt=oldest, placed_at__lte=latest)
    theirs = OrderRecord.objects.filter(customer_key=OuterRef("customer_key"))
    newer = theirs.counting().filter(
        Q(placed_at__gt=OuterRef("placed_at")) | Q(placed_at=OuterRef("placed_at"), pk__gt=OuterRef("pk"))
    )
    # One may have been paid only now, or a newer one may have been cancelled.
    has_come_about = Q(placed_at__gt=after - delay) | Exists(theirs.filter(changed_at__gt=after - SETTLING))
    unplanned = _unplanned(steps, email_key=OuterRef("customer_key"), ref=OuterRef("number"))
    return orders.exclude(customer_key="").filter(has_come_about, ~Exists(newer), unplanned)


def _prepare_customer(plans: Plans, steps: list[FollowUpStep], row: OrderRecord) -> Iterator[Job]:
    order = get_store().get_order(number=row.number)
    person = person_of_order(order) if order is not None else None
    if person is None or customer_key(person.email) != row.customer_key:
        return
    occasion = Occasion(
        email=person.email,
        ref=row.number,
        happened_at=row.placed_at,
        language=person.language,
        time_zone=person.time_zone,
        context={"order": row.number},
        order=person.order,
    )
    yield plans, occasion, steps


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


def _endings(all_plans: dict[str, Plans], now: datetime) -> Iterator[Search]:
    """Yield a search for each mail that counts back from the end of a coupon."""
    found = [(trigger, all_plans[trigger.key]) for trigger in ENDS if trigger.key in all_plans]
    if not found:
        return
    # Nobody says when the end of a campaign is set: if one has changed, all coupons are looked at again.
    running = Campaign.objects.filter(status=Campaign.Status.RUNNING, ends_at__isnull=False).order_by("pk")
    ends = list(running.values_list("pk", "ends_at"))
    for trigger, plans in found:
        for step in plans.steps:
            yield Search(
                name=f"{trigger.key}:mail:{step.pk}",
                about=digest(step.follow_up.switched_on_at, step.delay_span, ends),
                rows=partial(_ending_coupons, trigger, step, now),
                prepare=partial(_prepare_coupon, plans, trigger, step),
            )


def _ending_coupons(
    trigger: Trigger, step: FollowUpStep, now: datetime, after: datetime, until: datetime
) -> QuerySet[Coupon]:
    """Return coupons whose end comes near, whoever set it: also by the campaign, and after they were given."""
    urgent = Q(deadline_minutes__isnull=False, deadline_minutes__lte=URGENT_MINUTES)
    # One that an unpaid checkout holds may be free again before its end.
    held = Redemption.objects.filter(coupon=OuterRef("pk"), state=Redemption.State.RESERVED)
    coupons: Any = Coupon.objects.available().filter(Q(used=0) | Exists(held), is_word=False).exclude(holder_key="")
    coupons = coupons.filter(urgent if trigger is OFFER_ENDING else ~urgent, campaign__status=Campaign.Status.RUNNING)
    span = step.delay_span + A_DAY
    coupons = coupons.annotate(end=_end(), begun=Coalesce("unlocked_at", "issued_at"))
    coupons = coupons.filter(end__gt=now, end__lte=until + span)
    # Far ahead in time there is no moment to compare with, and so far back neither.
    if after > now - timedelta(days=365):
        coupons = coupons.filter(Q(end__gt=after + span) | Q(begun__gt=after - SETTLING))
    planned = Message.objects.filter(step=step, coupon=OuterRef("pk"))
    found: QuerySet[Coupon] = coupons.filter(~Exists(planned))
    return found.select_related("campaign")


def _prepare_coupon(plans: Plans, trigger: Trigger, step: FollowUpStep, row: Coupon) -> Iterator[Job]:
    for _trigger, occasion in coupon_occasions(row, [trigger], happened_at=row.issued_at):
        yield plans, occasion, [step]


def _move_ends() -> None:
    """Move planned mails whose end has moved with its campaign.

    One whose coupon ends never any more is left to ``stops.reconsider``.
    """
    triggers = {trigger.key: trigger for trigger in ENDS}
    planned = Message.objects.filter(state=Message.State.PLANNED, reason__in=triggers, step__isnull=False)
    moved: Any = planned.annotate(end=_end("coupon__")).filter(end__isnull=False).exclude(end=F("happened_at"))
    last = 0
    while batch := list(moved.select_related("step").filter(pk__gt=last).order_by("pk")[:BATCH]):
        for message in batch:
            move(message, step=message.step, trigger=triggers[message.reason], end=message.end)
        last = batch[-1].pk
        if len(batch) < BATCH:
            return
