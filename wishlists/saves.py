"""Which products accounts saved and bought, for the shop's report: counted from accounts only, shown without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from .models import Save


def record_saves(*, user: Any, titles: Mapping[str, str], now: datetime | None = None) -> None:
    """Note that this account saved these products (reference → title); what it saved before stays as it was noted.

    One statement, whatever the number.
    """
    at = now or timezone.now()
    rows = [Save(owner_id=user.pk, product_ref=ref, title=title, saved_at=at) for ref, title in titles.items()]
    if rows:
        Save.objects.bulk_create(rows, ignore_conflicts=True)


def record_purchase(*, user: Any, product_refs: Iterable[str], now: datetime | None = None) -> int:
    """Note that this account bought these products; return how many of them it had saved before and not yet bought.

    Called by the shop, or by ``thankyou_flows`` when an order is paid. Safe to repeat: each saved product counts once.
    ``user`` may be None or anonymous (a guest's order): then nothing is noted.
    """
    if not getattr(user, "is_authenticated", False):
        return 0
    at = now or timezone.now()
    waiting = Save.objects.filter(Q(bought_at=None), owner_id=user.pk, product_ref__in=list(product_refs))
    return waiting.update(bought_at=Greatest(F("saved_at"), at))
