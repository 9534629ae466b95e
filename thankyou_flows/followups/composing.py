"""Writing the mail of a follow-up, as today's texts and facts have it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from coupons.exceptions import CampaignNotRunning
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption

from ..links import make_order_link
from ..mail import links
from ..mail.blocks import leads_elsewhere
from ..mail.composing import DoNotSend, Mail, SendLater
from ..mail.rendering import token_of, write
from ..mail.samples import sample_coupon
from ..models import FollowUpStep, Message, MessageKind, WhyNot
from ..stores import get_store
from .facts import MailFacts, gather
from .stops import check_campaign
from .triggers import About, get_trigger
from .zones import find_zone, zone_of_order


class ShopAway(ConnectionError):
    """Raised when the shop cannot honour a coupon now. The outbox tries again, as after any lost connection."""


def compose(*, message: Message, now: datetime) -> Mail:
    """Write the mail of a follow-up's message; issues the coupon it brings, once, and notes it in the message.

    Raises DoNotSend if the follow-up is gone, if its coupon is used or cannot be given any more, or if its blocks have
    nothing to say to this customer; ShopAway if the shop's own engine does not take the coupon now.
    """
    step = message.step
    if step is None or message.follow_up_id is None:
        raise DoNotSend(WhyNot.FOLLOW_UP_GONE)
    facts = gather(message, now=now)
    if step.campaign is not None:
        facts = replace(facts, coupon=_bring(step.campaign, message=message, now=now))
    if message.kind != MessageKind.TRANSACTIONAL:
        facts = replace(
            facts,
            unsubscribe_url=facts.unsubscribe_url or links.unsubscribe_url(message),
            preferences_url=facts.preferences_url or links.preferences_url(message),
        )
    order_url = _order_url(step, message=message, facts=facts)
    facts = replace(facts, url=facts.url or order_url)
    with timezone.override(_zone(facts)):
        written = write(
            subject=step.subject,
            preheader=step.preheader,
            body=step.body,
            facts=facts,
            kind=message.kind,
            ground=message.ground,
            list_title=message.mailing_list.title if message.mailing_list is not None else "",
            tags=(f"follow-up-{message.follow_up_id}",),
        )
    if not written.has_content:
        raise DoNotSend(WhyNot.DONE)
    if facts.url and facts.url == order_url:
        return replace(written.mail, secrets=(*written.mail.secrets, token_of(order_url)))
    return written.mail


def render_step(step: FollowUpStep, *, facts: MailFacts, kind: str, ground: str = "") -> Mail:
    """Return the mail of one step with these facts: HTML with inlined styles, and text from the same blocks. For
    previews and for test mails. Changes nothing: in a preview, a coupon that the step brings is a sample of it.
    """
    if facts.is_preview and step.campaign is not None:
        facts = replace(facts, coupon=sample_coupon(step.campaign, now=facts.now))
    follow_up = step.follow_up if step.follow_up_id else None
    mailing_list = follow_up.mailing_list if follow_up is not None else None
    with timezone.override(_zone(facts)):
        return write(
            subject=step.subject,
            preheader=step.preheader,
            body=step.body,
            facts=facts,
            kind=kind,
            ground=ground,
            list_title=mailing_list.title if mailing_list is not None else "",
        ).mail


def issue_key(*, message: Message, campaign: Campaign) -> str:
    """Return the key under which one person gets one coupon of a campaign from a follow-up for the same occasion, however
    many of its mails bring it.
    """
    about = hashlib.sha256(f"{message.ref}\n{message.email_key}".encode()).hexdigest()
    return f"follow-up:{message.follow_up_id}:campaign:{campaign.pk}:{about}"


def _bring(campaign: Campaign, *, message: Message, now: datetime) -> Coupon:
    """Return the coupon that a message brings: the one of an earlier mail or attempt, or a new one."""
    check_campaign(campaign, now)
    try:
        with transaction.atomic():
            coupon = issue(
                campaign=campaign,
                issue_key=issue_key(message=message, campaign=campaign),
                holder_key=message.email_key,
                now=now,
            )
            if message.coupon_id != coupon.pk:
                _publish(coupon)
                Message.objects.filter(pk=message.pk).update(coupon=coupon)
    except CampaignNotRunning as error:
        # Somebody has paused or ended it since it was read.
        check_campaign(Campaign.objects.get(pk=campaign.pk), now)
        raise DoNotSend(WhyNot.COUPON_OVER) from error
    message.coupon = coupon
    if coupon.state == Coupon.State.REVOKED or coupon.is_over(now):
        raise DoNotSend(WhyNot.COUPON_OVER)
    if coupon.is_used_up():
        if coupon.is_word:
            # Others took the last use.
            raise DoNotSend(WhyNot.COUPON_OVER)
        held_until = coupon.redemptions.filter(state=Redemption.State.RESERVED).aggregate(last=Max("expires_at"))[
            "last"
        ]
        if held_until is not None and held_until > now:
            # A checkout has just taken it, for an order that is not paid yet.
            raise SendLater(until=held_until, why=WhyNot.COUPON_HELD)
        raise DoNotSend(WhyNot.COUPON_USED)
    return coupon


def _publish(coupon: Coupon) -> None:
    """Have the shop's own engine honour the coupon, in the running transaction, as in ``promises.give``.

    ``stores.publishing`` hears of a new coupon only after the commit, and may fail without anybody noticing; a mail must
    promise nothing that the checkout does not know.
    """
    store = get_store()
    if not store.has_own_discounts or coupon.state != Coupon.State.AVAILABLE:
        return
    try:
        store.publish_coupon(coupon=coupon)
    except Exception as error:
        raise ShopAway("The shop's own engine did not take the coupon.") from error


def _order_url(step: FollowUpStep, *, message: Message, facts: MailFacts) -> str:
    """Return a new link to the thank-you page of the order that the mail is about, if a button of it leads there."""
    trigger = get_trigger(message.reason)
    if facts.url or facts.order is None or trigger is None or trigger.about != About.ORDER:
        return ""
    if not any(child.block_type == "button" and not leads_elsewhere(child.value) for child in step.body):
        return ""
    return make_order_link(number=facts.order.number, base_url=facts.base_url, now=facts.now)


def _zone(facts: MailFacts) -> ZoneInfo | None:
    """Return the customer's own time zone, in which the mail tells times; None for the shop's."""
    return find_zone(zone_of_order(facts.order)) if facts.order is not None else None
