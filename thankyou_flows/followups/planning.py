"""Something happened: plan the messages of the follow-ups that wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coupons.models import Coupon

from ..models import Message


def plan(
    *,
    trigger: str,
    email: str,
    ref: str,
    happened_at: datetime,
    language: str = "",
    time_zone: str = "",
    coupon: Coupon | None = None,
    context: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> list[Message]:
    """Plan all mails of all follow-ups that are switched on for ``trigger``, and return those that are new.

    ``ref`` names what it is about (see ``triggers.About``): of one follow-up, one person gets each mail once for the same
    ref. ``happened_at`` is when it happened, or for ``before_end`` triggers the end; what happened before the follow-up
    was switched on plans nothing. Each mail is due at ``due_at(step, …)``. The follow-up's rules are looked at now and
    again before sending. Consent is not looked at here: the gate does it when it counts (EM-6). Whatever goes wrong is
    logged and raises nothing: this is called while a customer orders.
    """
    raise NotImplementedError


def report_download(
    *, email: str, name: str, url: str = "", language: str = "", at: datetime | None = None
) -> list[Message]:
    """Note that a download was delivered to somebody, for follow-ups. ``name`` is what it was ("Care guide")."""
    raise NotImplementedError
