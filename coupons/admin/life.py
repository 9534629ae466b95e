"""Everything that is known of one coupon, ready to be shown: its state in words, its steps, its orders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import codes
from ..exceptions import TypingError
from ..holders import CUSTOMER_PREFIX, customer_key
from ..models import Coupon, CouponEvent, Redemption
from ..money import money_text
from ..quoting import explain

#: So many steps and orders are shown of one coupon; a public word may have many more.
SHOWN: Final = 100

_STAFF = re.compile(r"user (\d+)\Z")
_ACTORS = {"shop": _("the checkout"), "customer": _("the customer"), "system": _("by itself"), "": _("by itself")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One row of the audit trail in words."""

    at: datetime
    kind: str
    label: str
    actor: str
    order_ref: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One order that used, or wanted to use, the coupon."""

    order_ref: str
    state: str
    is_given_back: bool
    goods: str
    shipping: str
    at: datetime
    over_limit: bool


def masked_holder(key: str) -> str:
    """Return enough of a holder key to recognise that two coupons are one customer's, and too little to use it."""
    if not key:
        return ""
    plain = key.removeprefix(CUSTOMER_PREFIX)
    return plain if len(plain) <= 8 else f"{plain[:8]}…"


def find(queryset: QuerySet[Coupon], text: str) -> QuerySet[Coupon]:
    """Return the coupons that somebody may mean: by code or word however it is typed, by the number of an order, by a
    customer's e-mail address (which is only hashed, never looked up), or by a part of a code or a campaign's name.
    """
    text = text.strip()
    if "@" in text and (key := customer_key(text)):
        own = Redemption.objects.filter(coupon=OuterRef("pk"), customer_key=key)
        return queryset.filter(Q(holder_key=key) | Exists(own))
    ordered = Exists(Redemption.objects.filter(coupon=OuterRef("pk"), order_ref=text))
    try:
        stored = codes.normalise(text)
    except TypingError:
        stored = ""
    exact = queryset.filter(Q(code=stored) | ordered if stored else ordered)
    if exact.exists():
        return exact
    named = Q(campaign__title__icontains=text)
    part = codes.part_key(text)
    return queryset.filter(named | Q(code__contains=part) if part else named)


def state_in_words(coupon: Coupon, *, now: datetime) -> str:
    """Return what the coupon can do now, in one sentence for the person at the counter."""
    if coupon.state == Coupon.State.REVOKED:
        return gettext("Revoked: nobody can use it any more.")
    if coupon.is_over(now):
        return gettext("Over: its time has passed.")
    if coupon.state == Coupon.State.LOCKED:
        if coupon.declined_at is not None:
            return gettext("Locked: the customer would rather not answer. A change of mind is welcome.")
        return gettext("Locked: it waits for the customer’s answers.")
    error = explain(coupon=coupon, now=now)
    if error is None:
        return gettext("Ready: it can be used.")
    texts = {
        "used_up": gettext("Used up: all its uses are taken."),
        "total_limit": gettext("Used up: all uses of its campaign together are taken."),
        "campaign_not_running": gettext("Resting: its campaign is not running."),
    }
    return texts.get(error.reason, error.message)


def steps_of(coupon: Coupon) -> list[Step]:
    """Return the latest steps of a coupon, newest first, with the names of staff; two statements."""
    events = list(CouponEvent.objects.filter(coupon=coupon)[:SHOWN])
    names = _names(event.actor for event in events)
    return [
        Step(
            at=event.at,
            kind=event.kind,
            label=event.get_kind_display(),
            actor=names.get(event.actor) or str(_ACTORS.get(event.actor, event.actor)),
            order_ref=event.order_ref,
            detail=_in_words(event.detail),
        )
        for event in events
    ]


def _names(actors: Iterable[str]) -> dict[str, str]:
    """Return who "user 7" is, for all of them in one statement; somebody who is gone stays a number."""
    found = {actor: int(match[1]) for actor in set(actors) if (match := _STAFF.match(actor))}
    if not found:
        return {}
    users = get_user_model()._default_manager.in_bulk(list(found.values()))
    return {actor: _name(users[pk]) for actor, pk in found.items() if pk in users}


def _name(user: Any) -> str:
    return (user.get_full_name() if hasattr(user, "get_full_name") else "") or user.get_username()


_DETAILS = {
    "reason": _("reason"),
    "note": _("note"),
    "over_limit": _("over the limit"),
    "answers": _("answers"),
    "because": _("because"),
}


def _in_words(detail: Any) -> str:
    if not isinstance(detail, dict):
        return ""
    parts = []
    for key, value in detail.items():
        if value in ("", None, False, [], {}):
            continue
        name = str(_DETAILS.get(key, key.replace("_", " ")))
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        parts.append(name if value is True else f"{name}: {value}")
    return "; ".join(parts)


def uses_of(coupon: Coupon) -> list[Use]:
    """Return the latest uses of a coupon, newest first; one statement."""
    return [
        Use(
            order_ref=row.order_ref,
            state=row.get_state_display(),
            is_given_back=row.state == Redemption.State.RELEASED,
            goods=money_text(row.discount) if row.discount is not None else "",
            shipping=money_text(row.shipping_discount) if row.shipping_discount is not None else "",
            at=row.released_at or row.redeemed_at or row.reserved_at,
            over_limit=row.over_limit,
        )
        for row in Redemption.objects.filter(coupon=coupon)[:SHOWN]
    ]
