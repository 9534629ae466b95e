"""The mail with the link to a locked coupon, for customers who would rather answer later.

It goes to the order's own address only, because its customer pressed the button, and says nothing but what was asked
for: a reminder that the customer ordered, not advertising.
"""

from __future__ import annotations

import logging
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from coupons.links import unlock_path
from coupons.models import Coupon

from .ratelimit import hit

logger = logging.getLogger(__name__)

#: Of one coupon: a double click sends one mail, and nobody fills somebody's mailbox.
LIMITS = ("1/3 minutes", "3/day")


def mail_unlock_link(*, coupon: Coupon, email: str, base_url: str, site_name: str = "", language: str = "") -> bool:
    """Mail the link to the questions of a locked coupon to its customer, once the transaction is committed.

    ``base_url`` ("https://shop.example") begins the link. Returns False if the same link was mailed a moment ago, or
    three times today: then nothing is sent. A mail server that is away is logged and raises nothing.
    """
    if not email or not hit(name="unlock_mail", key=str(coupon.pk), limits=LIMITS):
        return False
    send = partial(
        _send,
        coupon=coupon,
        email=email,
        url=base_url.rstrip("/") + unlock_path(coupon),
        site_name=site_name or getattr(django_settings, "WAGTAIL_SITE_NAME", "") or urlsplit(base_url).netloc,
        language=language,
    )
    transaction.on_commit(lambda: send(), robust=True)
    return True


def _send(*, coupon: Coupon, email: str, url: str, site_name: str, language: str) -> None:
    known = language if language and translation.check_for_language(language) else django_settings.LANGUAGE_CODE
    try:
        with translation.override(known):
            context = {"url": url, "site_name": " ".join(site_name.split()), "campaign": coupon.campaign}
            subject = render_to_string("thankyou_flows/email/unlock_subject.txt", context)
            message = EmailMultiAlternatives(
                subject=" ".join(subject.split()),
                body=render_to_string("thankyou_flows/email/unlock_message.txt", context).strip() + "\n",
                to=[email],
                headers={"Auto-Submitted": "auto-generated"},
            )
            html = render_to_string("thankyou_flows/email/unlock_message.html", context)
            message.attach_alternative(html, "text/html")
            message.send()
    except Exception:
        logger.exception("The link to the questions of coupon %s could not be mailed.", coupon.pk)
