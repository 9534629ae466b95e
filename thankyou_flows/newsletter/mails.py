"""The mails of a sign-up, written when the outbox sends them. Nothing in them was typed by whoever asked (EM-3, EM-8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin

from django.template.loader import render_to_string
from django.urls import reverse

from coupons.links import make_token as make_unlock_token
from coupons.links import unlock_path
from coupons.models import Coupon

from ..conf import app_settings
from ..mail.composing import DoNotSend, Mail
from ..mail.suppression import list_scope
from ..models import ConfirmationLink, ConsentReceipt, Message, Subscription, Suppression, WhyNot
from ..stores import get_store
from ..texts import format_deadline_in_full
from ..tokens import make_token
from . import incentives
from .confirming import PURPOSE, is_overtaken

#: What a new sign-up cannot overrule, and the word for it in the outbox.
STAYS: Final[Mapping[str, WhyNot]] = {
    Suppression.Reason.BOUNCED: WhyNot.BOUNCED,
    Suppression.Reason.COMPLAINED: WhyNot.COMPLAINED,
    Suppression.Reason.MANUAL: WhyNot.BY_HAND,
}


def compose_confirmation(*, message: Message, now: datetime) -> Mail:
    """Write the mail that asks whether the sign-up is wanted. Each attempt has a link of its own, of which only the hash
    is kept (TY-4).

    Raises DoNotSend for who is on the list already, has left it since, must not get mail, or was erased: nobody but the
    outbox learns it (EM-2).
    """
    receipts = ConsentReceipt.objects.select_related("subscription__mailing_list")
    receipt = receipts.filter(pk=message.context.get("receipt")).first()
    if receipt is None:
        raise DoNotSend(WhyNot.ERASED)
    subscription = receipt.subscription
    if subscription.state == Subscription.State.CONFIRMED:
        raise DoNotSend(WhyNot.DONE)
    if is_overtaken(receipt):
        raise DoNotSend(WhyNot.LEFT)
    mailing_list = subscription.mailing_list
    scopes = (Suppression.MARKETING, list_scope(mailing_list))
    stays = Suppression.objects.of(subscription.email_key).filter(scope__in=scopes, reason__in=list(STAYS)).first()
    if stays is not None:
        raise DoNotSend(STAYS[stays.reason])
    token, token_hash = make_token(purpose=PURPOSE)
    hours = app_settings.confirm_hours
    ConfirmationLink.objects.create(
        receipt=receipt, email=message.email, token_hash=token_hash, expires_at=now + timedelta(hours=hours)
    )
    context = {
        "url": message.context["base_url"] + reverse("thankyou_flows:confirm", args=[token]),
        "site_name": _one_line(message.context["site_name"]),
        "hours": hours,
        "mailing_list": mailing_list,
    }
    return write("newsletter_confirm", context, secrets=(token,))


def compose_incentive(*, message: Message, now: datetime) -> Mail:
    """Write the mail with the thank-you coupon of a confirmed sign-up. Raises DoNotSend if it is good for nothing."""
    coupon = Coupon.objects.select_related("campaign").filter(pk=message.context.get("coupon")).first()
    if coupon is None or coupon.state == Coupon.State.REVOKED or coupon.is_over(now):
        raise DoNotSend(WhyNot.COUPON_OVER)
    if not incentives.is_useful(coupon, now=now):
        raise DoNotSend(WhyNot.COUPON_USED)
    is_locked = coupon.state == Coupon.State.LOCKED
    base_url = message.context["base_url"]
    context = {
        "url": base_url + unlock_path(coupon) if is_locked else urljoin(f"{base_url}/", get_store().get_shop_url()),
        "site_name": _one_line(message.context["site_name"]),
        "coupon": coupon,
        "campaign": coupon.campaign,
        "is_locked": is_locked,
        "until": format_deadline_in_full(coupon.valid_until) if coupon.valid_until is not None else "",
        "mailing_list": message.mailing_list,
    }
    return write("incentive", context, secrets=(make_unlock_token(coupon),) if is_locked else ())


def write(name: str, context: Mapping[str, Any], *, secrets: tuple[str, ...] = ()) -> Mail:
    """Return the mail of the templates ``email/<name>_subject.txt``, ``_message.txt`` and ``_message.html``."""
    folder = f"thankyou_flows/email/{name}"
    return Mail(
        subject=_one_line(render_to_string(f"{folder}_subject.txt", dict(context))),
        text=render_to_string(f"{folder}_message.txt", dict(context)).strip() + "\n",
        html=render_to_string(f"{folder}_message.html", dict(context)),
        secrets=secrets,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
