"""The one way to a confirmation mail (EM-3)."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone, translation

from coupons.holders import customer_key

from ..conf import app_settings
from ..mail import outbox
from ..mail.links import base_url as default_base_url
from ..models import ConsentReceipt, MessageKind, Subscription
from . import limits
from .lists import DEFAULT_LIST, describe, list_to_join
from .receipts import kept_ip


def subscribe(
    *,
    email: str,
    wording: str,
    list_slug: str = DEFAULT_LIST,
    method: ConsentReceipt.Method = ConsentReceipt.Method.BLOCK,
    source: str = "",
    path: str = "",
    language: str = "",
    ip_key: str = "",
    base_url: str = "",
    site_name: str = "",
    now: datetime | None = None,
) -> None:
    """Ask an address whether it wants to be on a list. The answer is the same for every address (EM-2).

    ``wording`` is the exact text that was shown, ``source`` what showed it (page and revision), ``path`` where; they
    are kept with the request (EM-4) and never mailed. ``ip_key`` is whose attempts these are (``ratelimit.client_ip``);
    empty for callers that are no visitors. ``base_url`` ("https://shop.example") begins the mailed link; without it,
    ``BASE_URL`` or Wagtail's default site does. ``site_name`` is who asks; without it ``WAGTAIL_SITE_NAME``. A list that
    does not exist is made: check the slug first if it comes from outside.

    The mail is a row of the outbox, written with the request; whoever is on the list already, or must not get mail, gets
    none, and that is found out when it is written, so that all addresses cost the same work here. None goes to a mailbox
    that got one in the last 3 minutes or three in the last 30 days, and none above ``CONFIRMATIONS_PER_HOUR`` (EM-3).

    Raises ValidationError if this is no e-mail address, ListClosed, and TooManySignUps if ``ip_key`` has tried too often.
    """
    now = now or timezone.now()
    budget = limits.count_visitor(ip_key)
    # Normalised first: what is checked, keyed, kept and mailed is one and the same address.
    address = unicodedata.normalize("NFKC", email).strip()
    validate_email(address)
    base_url = (base_url or default_base_url()).rstrip("/")
    with transaction.atomic():
        mailing_list = list_to_join(list_slug)
        if not limits.has_budget(budget=budget, now=now):
            return
        subscription, _created = Subscription.objects.get_or_create(
            mailing_list=mailing_list,
            email_key=customer_key(address),
            defaults={"email": address, "language": language[:16]},
        )
        if not limits.take_allowance(address, now=now):
            return
        receipt = ConsentReceipt.objects.create(
            subscription=subscription,
            kind=ConsentReceipt.Kind.REQUESTED,
            method=method,
            purpose=describe(mailing_list)[:500],
            wording=wording,
            source=source[:200],
            path=path[:500],
            language=language[:16],
            ip=kept_ip(ip_key),
        )
        outbox.queue(
            dedupe_key=f"confirmation:{receipt.pk}",
            email=address,
            composer="confirmation",
            reason=limits.REASON,
            kind=MessageKind.TRANSACTIONAL,
            ref=str(subscription.pk),
            mailing_list=mailing_list,
            language=language[:16] if language and translation.check_for_language(language) else "",
            context={
                "receipt": receipt.pk,
                "base_url": base_url,
                "site_name": site_name
                or getattr(django_settings, "WAGTAIL_SITE_NAME", "")
                or urlsplit(base_url).netloc,
            },
            expires_at=now + timedelta(hours=app_settings.confirm_hours),
            now=now,
        )
