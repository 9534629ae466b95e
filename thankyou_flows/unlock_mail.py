"""The mail with the link to a locked coupon, for customers who would rather answer later.

It goes to the order's own address only, because its customer pressed the button, and says nothing but what was asked
for: a reminder that the customer ordered, not advertising.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.utils import translation

from coupons.links import make_token, unlock_path
from coupons.models import Coupon

from .mail import outbox
from .mail.composing import DoNotSend, Mail
from .models import Message, MessageKind, WhyNot
from .newsletter.mails import write
from .ratelimit import hit

#: Of one coupon: a double click sends one mail, and nobody fills somebody's mailbox.
LIMITS: Final = ("1/3 minutes", "3/day")


def mail_unlock_link(*, coupon: Coupon, email: str, base_url: str, site_name: str = "", language: str = "") -> bool:
    """Put the mail with the link to the questions of a locked coupon into the outbox, for its customer.

    ``base_url`` ("https://shop.example") begins the link; the link itself is made when the mail is written. Returns False
    if the same link was asked for a moment ago, or three times today: then nothing is sent. Raises ValidationError if
    ``email`` is no address.
    """
    if not email or not hit(name="unlock_mail", key=str(coupon.pk), limits=LIMITS):
        return False
    base_url = base_url.rstrip("/")
    outbox.queue(
        # The limits decide how often; asked again tomorrow, it is another mail.
        dedupe_key=f"unlock_link:{coupon.pk}:{secrets.token_hex(8)}",
        email=email,
        composer="unlock_link",
        reason="unlock_link",
        kind=MessageKind.TRANSACTIONAL,
        ref=str(coupon.pk),
        coupon=coupon,
        language=language if language and translation.check_for_language(language) else "",
        context={
            "coupon": coupon.pk,
            "base_url": base_url,
            "site_name": site_name or getattr(django_settings, "WAGTAIL_SITE_NAME", "") or urlsplit(base_url).netloc,
        },
        expires_at=coupon.valid_until,
    )
    return True


def compose(*, message: Message, now: datetime) -> Mail:
    """Write the mail. Raises DoNotSend for a coupon that is gone, over, or has its answers already."""
    coupon = Coupon.objects.select_related("campaign").filter(pk=message.context.get("coupon")).first()
    if coupon is None or coupon.state == Coupon.State.REVOKED or coupon.is_over(now):
        raise DoNotSend(WhyNot.COUPON_OVER)
    if coupon.state != Coupon.State.LOCKED:
        raise DoNotSend(WhyNot.DONE)
    context = {
        "url": message.context["base_url"] + unlock_path(coupon),
        "site_name": " ".join(message.context["site_name"].split()),
        "campaign": coupon.campaign,
    }
    return write("unlock", context, secrets=(make_token(coupon),))
