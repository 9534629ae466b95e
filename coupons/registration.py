"""A coupon as the next step after somebody has opened an account (CO-9)."""

from __future__ import annotations

from datetime import datetime

from .exceptions import CampaignNotRunning
from .holders import customer_key
from .issuing import issue
from .models import Campaign, Coupon
from .models.campaigns import CampaignQuerySet
from .moments import moment


def offered_campaigns(*, now: datetime) -> CampaignQuerySet:
    """Return the running campaigns with "offer it to everybody who registers", the newest first: only that one counts.
    One with a public word has no coupon to give to somebody.
    """
    running = Campaign.objects.running(now=now).exclude(code_type=Campaign.CodeType.WORD)
    return running.filter(offer_after_registration=True).order_by("-created_at", "-pk")


def welcome(*, email: str = "", user_key: str = "", now: datetime | None = None) -> Coupon | None:
    """Give a new account its coupon, and return it so that the shop can lead there; ``None`` if no campaign offers one.

    It is a coupon of the newest running campaign with "offer it to everybody who registers". ``user_key``
    (``holders.user_key(user)``) names the account; without it the address does. A fresh address is nobody's yet: with
    ``user_key`` the coupon belongs to the account, and is not handed to whoever proves the address later. The same
    account gets one coupon of a campaign, however often this is called. Raises ``ValueError`` if neither is given.
    """
    now = moment(now)
    holder_key = user_key or customer_key(email)
    if not holder_key:
        raise ValueError("give user_key or email")
    campaign = offered_campaigns(now=now).first()
    if campaign is None:
        return None
    try:
        key = f"registration:{holder_key}:campaign:{campaign.pk}"
        return issue(campaign=campaign, issue_key=key, holder_key=holder_key, now=now)
    except CampaignNotRunning:
        # It was paused between the two looks: then there is nothing to offer.
        return None
