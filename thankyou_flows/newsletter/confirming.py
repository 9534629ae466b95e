"""The link in a confirmation mail: what it leads to, and what its button does (EM-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from ..mail import suppression
from ..models import ConfirmationLink, ConsentReceipt, Subscription
from ..signals import subscription_confirmed
from ..tokens import hash_token
from . import incentives
from .errors import LinkOver
from .lists import describe
from .receipts import kept_ip

#: What the tokens of these links are for: one that was made for something else is worthless here.
PURPOSE: Final = "newsletter"


def find_confirmation(*, token: str, now: datetime | None = None) -> ConfirmationLink | None:
    """Return the link with this token, to show what it confirms; None if there is nothing to show.

    Changes nothing (EM-1). ``used_at`` of the link tells whether it is done already. Always one hash and one query,
    whatever the token is. What was asked for before somebody left the list leads nowhere any more.
    """
    now = now or timezone.now()
    links = ConfirmationLink.objects.select_related("receipt__subscription__mailing_list__incentive")
    link = links.filter(token_hash=hash_token(token, purpose=PURPOSE)).first()
    if link is None:
        return None
    subscription = link.receipt.subscription
    if link.used_at is not None:
        return link if subscription.state == Subscription.State.CONFIRMED else None
    if is_overtaken(link.receipt):
        return None
    return link if link.expires_at > now else None


def is_overtaken(receipt: ConsentReceipt) -> bool:
    """Return whether the person has left the list since this request."""
    subscription = receipt.subscription
    left_at = subscription.left_at if subscription.state == Subscription.State.LEFT else None
    return left_at is not None and receipt.created_at <= left_at


def confirm(
    *,
    token: str,
    path: str = "",
    language: str = "",
    ip_key: str = "",
    base_url: str = "",
    site_name: str = "",
    now: datetime | None = None,
) -> Subscription:
    """Put the address on the list, because its owner pressed the button behind the link. Idempotent.

    Keeps a receipt with the wording that was asked for, notes the contact, ends the suppressions that this overrules,
    gives the list's thank-you coupon (``incentives``), and announces ``subscription_confirmed`` after commit, once. A
    list that was closed in the meantime still takes those who were asked before. Raises LinkOver if the link is unknown,
    mangled or out of date, or if the owner has left the list since.
    """
    now = now or timezone.now()
    with transaction.atomic():
        link = find_confirmation(token=token, now=now)
        if link is None:
            raise LinkOver
        request = link.receipt
        subscription = request.subscription
        # The WHERE makes one of two presses the one that confirms; the other finds it done.
        taken = ConfirmationLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now)
        moved = taken and (
            Subscription.objects.filter(pk=subscription.pk)
            .exclude(state=Subscription.State.CONFIRMED)
            .update(
                state=Subscription.State.CONFIRMED,
                email=link.email,
                language=request.language,
                confirmed_at=now,
                left_at=None,
            )
        )
        if moved:
            ConsentReceipt.objects.create(
                subscription=subscription,
                kind=ConsentReceipt.Kind.CONFIRMED,
                method=ConsentReceipt.Method.LINK,
                purpose=request.purpose or describe(subscription.mailing_list)[:500],
                wording=request.wording,
                source=request.source,
                path=path[:500],
                language=(language or request.language)[:16],
                ip=kept_ip(ip_key),
            )
            # Other mails of the same request are done too: after leaving the list, none of them leads back.
            ConfirmationLink.objects.filter(receipt__subscription=subscription, used_at=None).update(used_at=now)
        subscription.refresh_from_db(fields=["state", "email", "language", "confirmed_at", "left_at"])
        if moved:
            suppression.meet(email=link.email, language=request.language, acted=True, now=now)
            suppression.lift(email_key=subscription.email_key, mailing_list=subscription.mailing_list)
            incentives.give(subscription=subscription, base_url=base_url, site_name=site_name, now=now)
            transaction.on_commit(
                lambda: subscription_confirmed.send_robust(sender=Subscription, subscription=subscription), robust=True
            )
    return subscription
