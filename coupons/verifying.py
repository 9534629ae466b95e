"""Does everything still add up? Recomputes what is counted from what happened, whatever the size of the shop (CO-11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from . import events
from .ledger import limits, uses
from .models import Campaign, Coupon, CouponEvent, Redemption, UsageCounter

#: What drifted, for programs; in this order they are looked for.
COUPON_USED: Final = "coupon_used"
COUNTER_USED: Final = "counter_used"
COUNTER_MISSING: Final = "counter_missing"
UNCOUNTED: Final = "uncounted"
OVER_LIMIT: Final = "over_limit"
EVENT_MISSING: Final = "event_missing"
STATE: Final = "state"

#: What ``repair`` can put right. A missing event cannot be made up, and which of two contradicting facts is true is for
#: people to say.
REPAIRABLE: Final = frozenset({COUPON_USED, COUNTER_USED, COUNTER_MISSING, UNCOUNTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """One place where the books do not add up. ``stored`` is what the row says, ``counted`` what it should say."""

    kind: str
    model: str
    pk: int
    stored: str
    counted: str
    #: For a counter that is missing: of which campaign (``pk``) and customer.
    customer_key: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.model} {self.pk} has {self.stored}, should have {self.counted}"


def verify() -> list[Drift]:
    """Return every drift, an empty list if all adds up. Ten queries, whatever there is; writes nothing.

    Checked are ``Coupon.used`` and every ``UsageCounter`` against the live redemptions that are counted under them; uses
    that are not counted under a limit which their campaign has; uses over a limit, which are not counted under it; an
    event for each live redemption; and states against their times. Each query sees one moment, so that a shop may go on
    selling meanwhile.
    """
    return [
        *_coupons(),
        *_counters(),
        *_missing_counters(),
        *_uncounted(),
        *_over_limit(),
        *_missing_events(),
        *_states(),
    ]


def repair(drifts: list[Drift]) -> list[Drift]:
    """Put right what can be recomputed (``REPAIRABLE``), each in its own transaction under the locks of the checkout,
    and return what was. A coupon's life says so.
    """
    return [drift for drift in drifts if drift.kind in REPAIRABLE and uses.patiently(partial(_repair, drift))]


def _repair(drift: Drift) -> bool:
    if drift.kind == UNCOUNTED:
        return limits.recount(campaign=Campaign.objects.get(pk=drift.pk)) > 0
    with uses.settling():
        if drift.kind == COUPON_USED:
            return _repair_coupon(drift.pk)
        if drift.kind == COUNTER_MISSING:
            UsageCounter.objects.get_or_create(campaign_id=drift.pk, customer_key=drift.customer_key)
            counters = UsageCounter.objects.filter(campaign_id=drift.pk, customer_key=drift.customer_key)
        else:
            counters = UsageCounter.objects.filter(pk=drift.pk)
        # Locked before it is counted: what another transaction has counted in by then is committed, and seen.
        counter = counters.select_for_update().get()
        counter.used = _count_under(counter)
        # A limit that was lowered breaks nothing that is out already.
        counter.allowed = max(counter.allowed, counter.used)
        counter.save(update_fields=["used", "allowed"])
        return True


def _repair_coupon(pk: int) -> bool:
    uses.lock([pk])
    coupon = Coupon.objects.get(pk=pk)
    count = Redemption.objects.live().filter(coupon=pk, counts_coupon=True).count()
    if coupon.usage_limit is not None and count > coupon.usage_limit:
        # More are out than there may be: which of them is over the limit is for people to say.
        return False
    if count != coupon.used:
        Coupon.objects.filter(pk=pk).update(used=count)
        events.record(CouponEvent.Kind.CHANGED, coupon=pk, repaired="used", before=coupon.used, after=count)
    return True


def _count_under(counter: UsageCounter) -> int:
    rows = Redemption.objects.live().filter(coupon__campaign=counter.campaign_id)
    if counter.customer_key:
        return rows.filter(counts_customer=True, customer_key=counter.customer_key).count()
    return rows.filter(counts_total=True).count()


def _counted(rows: QuerySet[Redemption], by: str) -> Coalesce:
    """Return an expression that counts redemptions that belong to a row; ``by`` groups them all into one."""
    counted = rows.order_by().values(by).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _coupons() -> Iterator[Drift]:
    live = Redemption.objects.live().filter(coupon=OuterRef("pk"), counts_coupon=True)
    rows = Coupon.objects.order_by("pk").annotate(counted=_counted(live, "coupon")).exclude(used=F("counted"))
    for pk, used, counted in rows.values_list("pk", "used", "counted").iterator():
        yield Drift(kind=COUPON_USED, model="coupon", pk=pk, stored=f"used={used}", counted=f"used={counted}")


def _counters() -> Iterator[Drift]:
    live = Redemption.objects.live().filter(coupon__campaign=OuterRef("campaign"))
    of_all = live.filter(counts_total=True)
    of_one = live.filter(counts_customer=True, customer_key=OuterRef("customer_key"))
    for counters, counted in (
        (UsageCounter.objects.filter(customer_key=""), _counted(of_all, "coupon__campaign")),
        (UsageCounter.objects.exclude(customer_key=""), _counted(of_one, "coupon__campaign")),
    ):
        rows = counters.order_by("pk").annotate(counted=counted).exclude(used=F("counted"))
        for pk, used, count in rows.values_list("pk", "used", "counted").iterator():
            yield Drift(kind=COUNTER_USED, model="counter", pk=pk, stored=f"used={used}", counted=f"used={count}")


def _missing_counters() -> Iterator[Drift]:
    live = Redemption.objects.live().order_by()
    counter = UsageCounter.objects.filter(campaign=OuterRef("coupon__campaign"))
    of_all = live.filter(counts_total=True).exclude(Exists(counter.filter(customer_key="")))
    of_one = live.filter(counts_customer=True).exclude(Exists(counter.filter(customer_key=OuterRef("customer_key"))))
    found = [(pk, "", n) for pk, n in of_all.values_list("coupon__campaign").annotate(n=Count("pk"))]
    found += of_one.values_list("coupon__campaign", "customer_key").annotate(n=Count("pk"))
    for pk, key, count in sorted(found):
        what = f"used={count}" + (" of one customer" if key else "")
        yield Drift(kind=COUNTER_MISSING, model="campaign", pk=pk, stored="no counter", counted=what, customer_key=key)


def _uncounted() -> Iterator[Drift]:
    """Uses that no limit was there for when they were taken, and that nobody has counted since (``limits.recount``)."""
    rows = Redemption.objects.live().filter(
        Q(counts_total=False, coupon__campaign__total_limit__isnull=False, coupon__is_word=False)
        | Q(Q(counts_customer=False, coupon__campaign__limit_per_customer__isnull=False), ~Q(customer_key="")),
        over_limit=False,
    )
    found = rows.order_by("coupon__campaign").values_list("coupon__campaign").annotate(count=Count("pk"))
    for pk, count in found:
        yield Drift(kind=UNCOUNTED, model="campaign", pk=pk, stored=f"uncounted={count}", counted="uncounted=0")


def _over_limit() -> Iterator[Drift]:
    """What is not counted in its coupon is over the limit, and what is over a limit is left out of one count at least."""
    uncounted = Q(over_limit=False, counts_coupon=False)
    counted = Q(over_limit=True, counts_coupon=True, counts_total=True, counts_customer=True)
    rows = Redemption.objects.live().filter(uncounted | counted).order_by("pk")
    for pk, over in rows.values_list("pk", "over_limit").iterator():
        stored, should = f"over_limit={over}", f"over_limit={not over}"
        yield Drift(kind=OVER_LIMIT, model="redemption", pk=pk, stored=stored, counted=should)


def _missing_events() -> Iterator[Drift]:
    told = CouponEvent.objects.filter(
        coupon=OuterRef("coupon"), order_ref=OuterRef("order_ref"), kind=OuterRef("state")
    )
    # The states of a live redemption are called like the events that lead to them.
    rows = Redemption.objects.live().order_by("pk").exclude(Exists(told))
    for pk, state in rows.values_list("pk", "state").iterator():
        yield Drift(kind=EVENT_MISSING, model="redemption", pk=pk, stored="no event", counted=f"an event “{state}”")


def _states() -> Iterator[Drift]:
    """States and their times; and a use that was given back is counted nowhere."""
    coupon, use = Coupon.State, Redemption.State
    is_counted = Q(counts_coupon=True) | Q(counts_total=True) | Q(counts_customer=True)
    rules: dict[type[Model], list[When]] = {
        Coupon: [
            When(Q(state=coupon.REVOKED, revoked_at=None), then=Value("revoked_at")),
            When(~Q(state=coupon.REVOKED) & Q(revoked_at__isnull=False), then=Value("no revoked_at")),
            When(Q(state=coupon.LOCKED, unlocked_at__isnull=False), then=Value("no unlocked_at")),
        ],
        Redemption: [
            When(Q(state=use.REDEEMED, redeemed_at=None), then=Value("redeemed_at")),
            When(Q(state=use.RELEASED, released_at=None), then=Value("released_at")),
            When(~Q(state=use.RELEASED) & Q(released_at__isnull=False), then=Value("no released_at")),
            When(Q(state=use.RELEASED) & is_counted, then=Value("no count")),
        ],
    }
    for model, wrong in rules.items():
        rows = model._default_manager.annotate(should=Case(*wrong, output_field=CharField())).exclude(should=None)
        for pk, state, should in rows.order_by("pk").values_list("pk", "state", "should").iterator():
            name = str(model._meta.model_name)
            yield Drift(kind=STATE, model=name, pk=pk, stored=f"state={state}", counted=should)
