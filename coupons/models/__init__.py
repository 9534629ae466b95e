"""The facts: campaigns, coupons, their uses, what was asked and answered, and what happened. What *happens* is in the
modules beside this package, one for each verb.
"""

from __future__ import annotations

from .batches import CouponBatch
from .campaigns import LONGEST_DEADLINE_MINUTES, LONGEST_EXTENDABLE_MINUTES, Campaign, CampaignQuerySet
from .counters import UsageCounter
from .coupons import Coupon, CouponQuerySet
from .events import CouponEvent
from .questions import Answer, Question
from .redemptions import Redemption, RedemptionQuerySet

__all__ = [
    "LONGEST_DEADLINE_MINUTES",
    "LONGEST_EXTENDABLE_MINUTES",
    "Answer",
    "Campaign",
    "CampaignQuerySet",
    "Coupon",
    "CouponBatch",
    "CouponEvent",
    "CouponQuerySet",
    "Question",
    "Redemption",
    "RedemptionQuerySet",
    "UsageCounter",
]
