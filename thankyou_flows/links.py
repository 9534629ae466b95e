"""Links to a thank-you page for mails: they show items, state and totals, and no personal data (TY-1, TY-4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from .conf import app_settings
from .models import OrderLink
from .tokens import hash_token, make_token

PURPOSE = "order"


def make_order_link(*, number: str, base_url: str = "", now: datetime | None = None) -> str:
    """Make a link to the order's thank-you page, for a mail to its customer.

    ``base_url`` is put before the path ("https://shop.example"). The link works for ``LINK_DAYS`` days and on every
    device. It can't be shown a second time: only the hash of its token is kept.
    """
    token, token_hash = make_token(purpose=PURPOSE)
    OrderLink.objects.create(
        number=str(number),
        token_hash=token_hash,
        expires_at=(now or timezone.now()) + timedelta(days=app_settings.link_days),
    )
    return base_url.rstrip("/") + reverse("thankyou_flows:link", args=[token])


def find_link(*, token: str, now: datetime | None = None) -> OrderLink | None:
    """Return the live link with this token, or None. Always one hash and one query, whatever the token is (TY-2)."""
    token_hash = hash_token(token, purpose=PURPOSE)
    return OrderLink.objects.live(now or timezone.now()).filter(token_hash=token_hash).first()


def is_link_live(*, link_id: int, number: str, now: datetime | None = None) -> bool:
    """Tell whether a link that was opened earlier still counts: it may have been revoked since."""
    return OrderLink.objects.live(now or timezone.now()).filter(pk=link_id, number=number).exists()


def revoke_order_links(*, number: str, now: datetime | None = None) -> int:
    """Make all links to this order stop working; return how many did work."""
    now = now or timezone.now()
    return OrderLink.objects.live(now).filter(number=str(number)).update(revoked_at=now)
