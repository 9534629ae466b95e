"""The limits of a whole campaign and of each customer in it, decided on ``UsageCounter`` rows (CO-1, CO-8, CO-10).

A public word is its campaign's only coupon, so that its own ``usage_limit`` is the campaign's total limit already; the
limit per customer is counted here for words and single codes alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from django.db.models import F, Q
from django.db.models.functions import Greatest

from ..models import Campaign, Coupon, Redemption, RedemptionQuerySet, UsageCounter
from . import uses

#: Coupons that ``recount`` locks at a time.
CHUNK: Final = 500


class Key(NamedTuple):
    """Names a counter: of one customer in a campaign, or of all (an empty ``customer_key``). Keys sort in the order in
    which counters are locked (CO-3).
    """

    campaign_id: int
    customer_key: str

    @property
    def reason(self) -> str:
        """Why nothing more can be taken under it, in the words of ``quoting``."""
        return "customer_limit" if self.customer_key else "total_limit"

    @property
    def flag(self) -> str:
        """The column of a redemption that says whether it is counted under it."""
        return "counts_customer" if self.customer_key else "counts_total"


class NoUseLeft(Exception):
    """Undoes the transaction of an attempt that a limit refused. ``key``: a counter's, or the primary key of a coupon
    with no use of its own left.
    """

    def __init__(self, key: Key | int) -> None:
        self.key = key
        self.reason = key.reason if isinstance(key, Key) else "used_up"
        super().__init__(key)


def counted_under(row: Redemption) -> list[Key]:
    """Return the counters that a use is counted in now. Needs ``row.coupon``."""
    keys = (Key(row.coupon.campaign_id, ""), Key(row.coupon.campaign_id, row.customer_key))
    return [key for key, counts in zip(keys, (row.counts_total, row.counts_customer), strict=True) if counts]


def limits_of(coupon: Coupon, customer_key: str) -> dict[Key, int]:
    """Return the counters that a use of this coupon by this customer falls under, each with its limit.

    An unknown customer cannot be counted; such an order is refused before (CO-10), unless it is paid already.
    """
    campaign, limits = coupon.campaign, {}
    if campaign.total_limit is not None and not coupon.is_word:
        limits[Key(campaign.pk, "")] = campaign.total_limit
    if campaign.limit_per_customer is not None and customer_key:
        limits[Key(campaign.pk, customer_key)] = campaign.limit_per_customer
    return limits


class Tally:
    """What one transaction takes from counters and gives back to them: collected first, then done by ``settle`` in the
    order of locks (CO-3). All of it needs the coupons' locks.
    """

    def __init__(self) -> None:
        self._given: Counter[Key] = Counter()
        self._wanted: dict[Key, list[tuple[Redemption, int]]] = {}

    def give(self, row: Redemption) -> None:
        """Give back what a use is counted under."""
        for key in counted_under(row):
            self._given[key] += 1
            setattr(row, key.flag, False)

    def take(self, row: Redemption) -> None:
        """Count a use under the limits that its campaign has now, as far as it is not counted yet."""
        for key, limit in limits_of(row.coupon, row.customer_key).items():
            if not getattr(row, key.flag):
                self._wanted.setdefault(key, []).append((row, limit))

    def settle(self, *, accepted: Iterable[Key | int] = ()) -> list[tuple[Redemption, Key]]:
        """Do it all, and say in each row's columns what it is counted under.

        Raises ``NoUseLeft`` for a limit that is reached, unless its key is ``accepted``: then the use is not counted
        under it, and is returned with the key.
        """
        over = []
        for key in sorted({*self._given, *self._wanted}):
            if self._given[key]:
                give_back(key, self._given[key])
            for row, limit in self._wanted.get(key, ()):
                if take(key, limit=limit):
                    setattr(row, key.flag, True)
                elif key in accepted:
                    over.append((row, key))
                else:
                    raise NoUseLeft(key)
        return over


def take(key: Key, *, limit: int) -> bool:
    """Take one use under a limit in one guarded UPDATE, and return whether there was one to take (CO-1)."""
    rows = UsageCounter.objects.filter(campaign_id=key.campaign_id, customer_key=key.customer_key)
    if rows.filter(used__lt=limit).update(used=F("used") + 1, allowed=limit):
        return True
    # The first use makes the row; somebody else may be just as quick, so that the guard is asked again.
    fresh = UsageCounter(campaign_id=key.campaign_id, customer_key=key.customer_key, allowed=limit)
    UsageCounter.objects.bulk_create([fresh], ignore_conflicts=True)
    return rows.filter(used__lt=limit).update(used=F("used") + 1, allowed=limit) == 1


def give_back(key: Key, count: int) -> None:
    """Give uses back to a counter."""
    rows = UsageCounter.objects.filter(campaign_id=key.campaign_id, customer_key=key.customer_key)
    rows.filter(used__gte=count).update(used=F("used") - count)


def count_in(key: Key, count: int, *, limit: int = 0) -> None:
    """Add uses that are out already, whatever the limit: it refuses what comes later, not what was promised."""
    rows = UsageCounter.objects.filter(campaign_id=key.campaign_id, customer_key=key.customer_key)
    fresh = UsageCounter(campaign_id=key.campaign_id, customer_key=key.customer_key, allowed=limit)
    UsageCounter.objects.bulk_create([fresh], ignore_conflicts=True)
    rows.update(used=F("used") + count, allowed=Greatest(F("allowed"), F("used") + count))


def has_room(key: Key) -> bool:
    """Tell whether a use is free now under the limit that the campaign has now."""
    limit = "total_limit" if not key.customer_key else "limit_per_customer"
    row = UsageCounter.objects.filter(campaign_id=key.campaign_id, customer_key=key.customer_key)
    return not row.filter(Q(used__gte=F(f"campaign__{limit}"))).exists()


def run_out_coupons(key: Key | int, *, now: datetime) -> list[int]:
    """Return the coupons with a reservation that has run out and holds a use under this limit, in ascending pk."""
    rows = Redemption.objects.run_out(now=now)
    if not isinstance(key, Key):
        rows = rows.filter(coupon_id=key)
    elif key.customer_key:
        rows = rows.filter(coupon__campaign_id=key.campaign_id, customer_key=key.customer_key, counts_customer=True)
    else:
        rows = rows.filter(coupon__campaign_id=key.campaign_id, counts_total=True)
    return list(rows.order_by("coupon_id").values_list("coupon_id", flat=True).distinct())


def recount(*, campaign: Campaign) -> int:
    """Count the uses that are out already under the limits the campaign has now; return how many rows that changed.

    For an owner who gives a campaign a limit while it is running. Uses that are out stay, also where they are more
    than the new limit: it refuses what comes after (CO-1). Call it after the campaign is saved; may be repeated. Raises
    ``CouponBusy``.
    """
    missing = Q()
    if campaign.total_limit is not None:
        missing |= Q(counts_total=False, coupon__is_word=False)
    if campaign.limit_per_customer is not None:
        missing |= Q(counts_customer=False) & ~Q(customer_key="")
    if not missing:
        return 0
    # Whoever has read the limits as they were before is through now, and what they have taken is seen below.
    uses.patiently(partial(_wait_for_checkouts, campaign.pk))
    rows = Redemption.objects.live().filter(missing, coupon__campaign=campaign, over_limit=False).order_by("coupon_id")
    changed, last = 0, 0
    while ids := list(rows.filter(coupon_id__gt=last).values_list("coupon_id", flat=True).distinct()[:CHUNK]):
        changed += uses.patiently(partial(_recount, rows.filter(coupon_id__in=ids), ids))
        last = ids[-1]
    return changed


def _wait_for_checkouts(campaign_id: int) -> None:
    with uses.settling():
        uses.own_limits(campaign_id)


def _recount(rows: RedemptionQuerySet, coupon_ids: list[int]) -> int:
    with uses.settling():
        uses.lock(coupon_ids)
        found = list(rows.select_related("coupon__campaign"))
        added: Counter[Key] = Counter()
        limits: dict[Key, int] = {}
        for row in found:
            for key, limit in limits_of(row.coupon, row.customer_key).items():
                if not getattr(row, key.flag):
                    setattr(row, key.flag, True)
                    added[key] += 1
                    limits[key] = limit
        for key in sorted(added):
            count_in(key, added[key], limit=limits[key])
        Redemption.objects.bulk_update(found, ["counts_total", "counts_customer"], batch_size=CHUNK)
    return len(found)
