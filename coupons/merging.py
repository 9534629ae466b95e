"""A guest becomes an account: what was promised to the one belongs to the other (CO-10)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from . import events
from .ledger import limits, uses
from .models import Answer, Coupon, CouponEvent, Redemption, UsageCounter
from .moments import moment

#: How often answers are moved again because the account has just answered for itself.
ATTEMPTS: Final = 5


def merge(*, from_key: str, to_key: str, actor: str = events.CUSTOMER, now: datetime | None = None) -> int:
    """Move a guest's coupons, answers and uses to another holder key; return how many coupons were moved (CO-10).

    Both keys must have been proven by whoever asks: the caller sees to that. Uses count on under the limits per
    customer, so that nobody gets more of them by opening an account; of two answers to the same question the newer one
    stays. May be repeated, also after the guest has got more. Raises ``CouponBusy``, and ``ValueError`` for an empty
    key.
    """
    if not from_key or not to_key:
        raise ValueError("An empty key belongs to nobody.")
    now = moment(now)
    return 0 if from_key == to_key else uses.patiently(lambda: _merge(from_key, to_key, actor, now))


def _merge(from_key: str, to_key: str, actor: str, now: datetime) -> int:
    used = Redemption.objects.filter(customer_key=from_key).select_related("coupon__campaign")
    with uses.settling():
        owned = list(Coupon.objects.filter(holder_key=from_key).values_list("pk", flat=True))
        locked = {*owned, *used.values_list("coupon_id", flat=True)}
        uses.lock(locked)
        # Another call may have moved them until they were locked.
        owned = list(Coupon.objects.filter(pk__in=owned, holder_key=from_key).values_list("pk", flat=True))
        # A use that was taken since on another coupon waits for the next call: its row must not be changed unlocked.
        rows = list(used.filter(coupon_id__in=locked))
        _move_uses(rows, from_key, to_key)
        _move_answers(from_key, to_key)
        Coupon.objects.filter(pk__in=owned).update(holder_key=to_key)
        # Which keys they were is personal data, and no part of the coupon's life.
        events.record_all(CouponEvent.Kind.MERGED, coupon_ids=owned, actor=actor, at=now)
    return len(owned)


def _move_uses(rows: list[Redemption], from_key: str, to_key: str) -> None:
    counted = Counter(row.coupon.campaign_id for row in rows if row.counts_customer)
    for campaign_id in sorted(counted):
        # In the order of the keys (CO-3): another merge may go the other way round.
        for key in sorted((limits.Key(campaign_id, from_key), limits.Key(campaign_id, to_key))):
            if key.customer_key == from_key:
                limits.give_back(key, counted[campaign_id])
            else:
                limits.count_in(key, counted[campaign_id])
    Redemption.objects.filter(pk__in=[row.pk for row in rows]).update(customer_key=to_key)
    # These are locked since they were counted down, so that an empty one stays empty until it is gone.
    UsageCounter.objects.filter(campaign_id__in=counted, customer_key=from_key, used=0).delete()


def _move_answers(from_key: str, to_key: str) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _move_newest_answers(from_key, to_key)
        except IntegrityError:
            # The account has answered the same question since it was looked at: now that answer is seen.
            if attempt == ATTEMPTS:
                raise


def _move_newest_answers(from_key: str, to_key: str) -> None:
    both = Answer.objects.filter(holder_key__in=(from_key, to_key))
    newest = {answer.question_name: answer.pk for answer in both.order_by("answered_at", "pk")}
    both.filter(question_name__in=list(newest)).exclude(pk__in=newest.values()).delete()
    Answer.objects.filter(holder_key=from_key).update(holder_key=to_key)
