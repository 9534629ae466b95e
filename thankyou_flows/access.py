"""Who may see what of an order: one table of access levels (TY-1).

| who                                                         | level   |
|-------------------------------------------------------------|---------|
| the browser that ordered, within ``GRACE_MINUTES``          | FULL    |
| the signed-in owner                                         | FULL    |
| the browser that ordered, later, for ``LINK_DAYS``          | LIMITED |
| a browser that opened a live link                           | LIMITED |
| everybody else                                              | NONE    |

A LIMITED visitor rises to FULL by typing the order's e-mail address (rate-limited) or by signing in. The proof is
kept in the session, never in the address of a page (TY-5).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .conf import app_settings
from .links import is_link_live
from .models import OrderLink
from .stores import Store
from .values import AccessLevel

SESSION_KEY = "thankyou_flows.orders"
#: A browser that orders again and again keeps the proof for this many orders.
MAX_ORDERS = 8

Session = MutableMapping[str, Any]


def grant_ordering_browser(*, session: Session, number: str, again: bool = False, now: datetime | None = None) -> None:
    """Note in the session that this browser placed the order just now.

    A second call for the same order does not begin the grace anew: a payment that returns twice, or an old address
    opened again, must not open what time has closed (TY-1). ``again`` does: for somebody who has proved once more who
    they are, by the order's e-mail address.
    """
    if not again and "at" in _claims(session).get(number, {}):
        return
    _claim(session, number, at=(now or timezone.now()).timestamp())


def grant_link(*, session: Session, link: OrderLink) -> None:
    """Note in the session that this browser opened a live link to an order."""
    _claim(session, link.number, link=link.pk)


def forget_orders(*, session: Session) -> None:
    """Take every proof back ("hide my details on this computer", TY-11)."""
    session.pop(SESSION_KEY, None)


def latest_order(*, session: Session) -> str | None:
    """Return the number of the order that this browser placed or opened last."""
    claims = _claims(session)
    return next(reversed(claims), None)


def settle_access(
    *, session: Session, user: Any, number: str, store: Store, now: datetime | None = None
) -> AccessLevel:
    """Return how much of the order this visitor may see. The one place where that is decided.

    For a visitor without any proof it costs the same for an unknown and for a foreign order: nothing for a guest, one
    query for somebody signed in (TY-2).
    """
    now = now or timezone.now()
    claim = _claims(session).get(number, {})
    ordered_at = claim.get("at")
    age = now.timestamp() - ordered_at if isinstance(ordered_at, int | float) else None
    if age is not None and age <= app_settings.grace_minutes * 60:
        return AccessLevel.FULL
    if is_owner(user=user, number=number, store=store):
        return AccessLevel.FULL
    if age is not None and age <= timedelta(days=app_settings.link_days).total_seconds():
        return AccessLevel.LIMITED
    link_id = claim.get("link")
    if isinstance(link_id, int) and is_link_live(link_id=link_id, number=number, now=now):
        return AccessLevel.LIMITED
    return AccessLevel.NONE


def is_owner(*, user: Any, number: str, store: Store) -> bool:
    """Tell whether this user placed the order. Nobody never owns the orders of nobody (TY-3)."""
    if user is None or not getattr(user, "is_authenticated", False) or getattr(user, "pk", None) is None:
        return False
    return store.owns_order(user=user, number=number) is True


def _claims(session: Session) -> dict[str, dict[str, Any]]:
    claims = session.get(SESSION_KEY)
    if not isinstance(claims, dict):
        return {}
    return {number: claim for number, claim in claims.items() if isinstance(claim, dict)}


def _claim(session: Session, number: str, **proof: Any) -> None:
    claims = _claims(session)
    # A link adds to what the browser has proved already, and the order moves to the end: it is the latest now.
    merged = {**claims.pop(number, {}), **proof}
    claims[number] = merged
    session[SESSION_KEY] = dict(list(claims.items())[-MAX_ORDERS:])
