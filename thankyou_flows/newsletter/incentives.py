"""The coupon that a list gives for a confirmed sign-up, once per person."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from coupons.exceptions import CampaignNotRunning
from coupons.issuing import issue
from coupons.models import Campaign, Coupon

from ..mail import outbox
from ..mail.links import base_url as default_base_url
from ..models import MailingList, MessageKind, Subscription
from .limits import mailbox_key

logger = logging.getLogger(__name__)

#: What the issue keys of these coupons begin with. They outlive an erasure: once per person means once.
ISSUE_PREFIX: Final = "sign-up:"


def promised(mailing_list: MailingList, *, now: datetime | None = None) -> Campaign | None:
    """Return the campaign whose coupon a sign-up for this list brings; None if there is none, or if it is not running:
    then nothing is promised.
    """
    campaign = mailing_list.incentive
    return campaign if campaign is not None and campaign.is_running(now) else None


def give(
    *, subscription: Subscription, base_url: str = "", site_name: str = "", now: datetime | None = None
) -> Coupon | None:
    """Issue the list's coupon to whoever has just confirmed, and mail it; return it, or None if there is none to give.

    Once per person and campaign: also for the same mailbox with a tag behind a plus, after leaving and joining again,
    and over two lists that give the same. ``base_url`` and ``site_name`` as for ``subscribe``. What fails here is logged
    and takes nobody off the list again.
    """
    now = now or timezone.now()
    mailing_list = subscription.mailing_list
    campaign = promised(mailing_list, now=now)
    if campaign is None:
        return None
    try:
        with transaction.atomic():
            coupon = issue(
                campaign=campaign,
                issue_key=issue_key(campaign, subscription.email),
                holder_key=subscription.email_key,
                now=now,
            )
            if not _is_for(coupon, subscription):
                return None
            base_url = (base_url or default_base_url()).rstrip("/")
            outbox.queue(
                dedupe_key=f"incentive:{issue_key(campaign, subscription.email)}",
                email=subscription.email,
                composer="incentive",
                reason="incentive",
                kind=MessageKind.TRANSACTIONAL,
                ref=str(coupon.pk),
                mailing_list=mailing_list,
                coupon=coupon,
                language=subscription.language,
                context={
                    "coupon": coupon.pk,
                    "base_url": base_url,
                    "site_name": site_name
                    or getattr(django_settings, "WAGTAIL_SITE_NAME", "")
                    or urlsplit(base_url).netloc,
                },
                happened_at=now,
                expires_at=coupon.valid_until,
                now=now,
            )
    except CampaignNotRunning:
        return None
    except Exception:
        logger.exception("The thank-you coupon of list %s could not be given.", mailing_list.slug)
        return None
    return coupon


def find(*, subscription: Subscription, now: datetime | None = None) -> Coupon | None:
    """Return the coupon that this confirmed sign-up brought, as long as it is good for something. Changes nothing."""
    campaign = subscription.mailing_list.incentive
    if campaign is None or subscription.state != Subscription.State.CONFIRMED or not subscription.email:
        return None
    coupons = Coupon.objects.select_related("campaign")
    if campaign.code_type == Campaign.CodeType.WORD:
        coupon = (
            coupons.filter(campaign=campaign, is_word=True).first() if promised(subscription.mailing_list) else None
        )
    else:
        coupon = coupons.filter(issue_key=issue_key(campaign, subscription.email)).first()
    return coupon if coupon is not None and _is_for(coupon, subscription) and is_useful(coupon, now=now) else None


def is_useful(coupon: Coupon, *, now: datetime | None = None) -> bool:
    """Return whether it is worth showing: not used, not over, not taken back."""
    return coupon.state != Coupon.State.REVOKED and not coupon.is_used_up() and not coupon.is_over(now)


def issue_key(campaign: Campaign, email: str) -> str:
    """Return the reason for which a person gets a coupon of this campaign: the same for all lists and all spellings."""
    return f"{ISSUE_PREFIX}{campaign.pk}:{mailbox_key(email)}"


def _is_for(coupon: Coupon, subscription: Subscription) -> bool:
    # Two people behind one mailbox key are rare, but the code of one is not the other's to read.
    return coupon.is_word or coupon.holder_key == subscription.email_key
