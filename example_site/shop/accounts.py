"""Whether an account's e-mail address is really its owner's: a link by mail, and a button behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse

from coupons.holders import customer_key
from coupons.ratelimit import hit
from thankyou_flows.mail.composing import DoNotSend, Mail
from thankyou_flows.mail.outbox import queue
from thankyou_flows.models import Message, MessageKind, WhyNot

from .models import ConfirmedAddress

SALT = "example_site.confirm_address"
#: Seconds for which the link in the mail works.
MAX_AGE = 7 * 24 * 60 * 60
#: Mails to one address.
LIMITS = ("2/10 minutes", "5/day")


def verified_email(user: Any) -> str:
    """Return the address that the owner of this account has confirmed, or an empty text. One query."""
    if not user.is_authenticated:
        return ""
    confirmed = ConfirmedAddress.objects.filter(user_id=user.pk).first()
    return confirmed.email if confirmed is not None and confirmed.email == user.email else ""


def ask_for_confirmation(*, user: Any) -> bool:
    """Have the link mailed to a new account; return whether it will be. The address may be somebody else's: it gets few of
    these mails, however often they are asked for.
    """
    if not hit(name="confirm_address", key=customer_key(user.email), limits=LIMITS):
        return False
    queue(
        dedupe_key=f"confirm-address:{user.pk}:{uuid4().hex}",
        email=user.email,
        composer="example_site.shop.accounts.compose_address",
        reason="confirm_address",
        kind=MessageKind.TRANSACTIONAL,
        context={"user": user.pk},
    )
    return True


def compose_address(*, message: Message, now: datetime) -> Mail:
    """Write the mail with the link; it is made when the mail is sent."""
    user = get_user_model().objects.filter(pk=message.context["user"], email=message.email).first()
    if user is None:
        raise DoNotSend(WhyNot.DONE)
    token = signing.dumps([user.pk, user.email], salt=SALT)
    context = {"link": settings.SHOP_BASE_URL.rstrip("/") + reverse("shop:confirm_address", args=[token])}
    return Mail(
        subject=" ".join(render_to_string("shop/mail/address_subject.txt", context).split()),
        text=render_to_string("shop/mail/address.txt", context),
        html=render_to_string("shop/mail/address.html", context),
        secrets=(token,),
    )


def find_account(*, token: str) -> Any:
    """Return the user whose address this link confirms, or None for a link that is old or mangled."""
    try:
        pk, email = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return get_user_model().objects.filter(pk=pk, email=email).first()


def confirm_address(*, token: str) -> Any:
    """Note that the address is the owner's, because they opened their mail and pressed the button. Safe to repeat.

    Return the user, or None as ``find_account`` does.
    """
    user = find_account(token=token)
    if user is not None:
        ConfirmedAddress.objects.update_or_create(user=user, defaults={"email": user.email})
    return user
