"""A coupon as its proven holder sees it: which state it is in, in words for customers."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from .. import unlocking
from ..models import Campaign, Coupon, CouponQuerySet, Question, Redemption
from ..quoting import explain, with_uses
from ..wording import good_for, in_words


class TicketState(TextChoices):
    """What a ticket says, and under which heading a list has it."""

    READY = "ready", ""
    WAITING = "waiting", ""
    DECLINED = "declined", ""
    RESTING = "resting", _("This coupon is resting at the moment. Please look in again later.")
    RESERVED = (
        "reserved",
        _("This coupon is on an order that waits for its payment. If that comes to nothing, you can use it again."),
    )
    USED = "used", _("This coupon has been used. We hope it was a good choice.")
    TAKEN = "taken", _("This coupon was for a limited number of orders, and all of them have been placed.")
    OVER = "over", _("The time of this coupon is over.")
    WITHDRAWN = "withdrawn", _("We had to take this coupon back. Please ask us if you have any questions.")


class Group(enum.Enum):
    """The headings of a customer's list."""

    USABLE = _("Ready to use")
    WAITING = _("Waiting for your answers")
    OVER = _("Used or over")


_GROUPS = {
    TicketState.READY: Group.USABLE,
    TicketState.RESTING: Group.USABLE,
    TicketState.RESERVED: Group.USABLE,
    TicketState.WAITING: Group.WAITING,
    TicketState.DECLINED: Group.WAITING,
}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One coupon to show. ``questions`` are those that are still open, where it is locked."""

    coupon: Coupon
    state: TicketState
    now: datetime
    questions: Sequence[Question] = field(default_factory=tuple)

    @property
    def group(self) -> Group:
        return _GROUPS.get(self.state, Group.OVER)

    @property
    def is_ready(self) -> bool:
        return self.state == TicketState.READY

    @property
    def is_open(self) -> bool:
        """Whether it waits for answers, declined or not."""
        return self.group is Group.WAITING

    @property
    def is_over(self) -> bool:
        return self.group is Group.OVER

    @property
    def end_in_words(self) -> str:
        """Until when it can be used, with the zone (CD-6); empty for no end, and where the end is not what counts."""
        end = self.coupon.valid_until
        return in_words(end, now=self.now) if end is not None and not self.is_over else ""

    @property
    def deadline_in_words(self) -> str:
        """How long it can be used once it is unlocked; empty for no personal deadline."""
        minutes = self.coupon.deadline_minutes
        if minutes is None:
            return ""
        return good_for(minutes)


def for_tickets(coupons: CouponQuerySet, *, now: datetime) -> QuerySet[Coupon]:
    """Return the coupons with all that their tickets say, in one query."""
    waiting = Redemption.objects.reserved().filter(coupon=OuterRef("pk"), expires_at__gt=now)
    return with_uses(coupons, now=now).annotate(held=Exists(waiting)).select_related("campaign")


def settle_state(*, coupon: Coupon, now: datetime) -> TicketState:
    """Return the state of a coupon for its proven holder. No query for one that was read through ``for_tickets``."""
    if coupon.state == Coupon.State.REVOKED:
        return TicketState.WITHDRAWN
    if coupon.state == Coupon.State.LOCKED:
        if unlocking.why_not(coupon=coupon, now=now):
            return _resting_or_over(coupon, now)
        return TicketState.WAITING if coupon.declined_at is None else TicketState.DECLINED
    error = explain(coupon=coupon, now=now)
    if error is None:
        return TicketState.READY
    if error.reason == "used_up":
        return TicketState.RESERVED if getattr(coupon, "held", False) else TicketState.USED
    return TicketState.TAKEN if error.reason == "total_limit" else _resting_or_over(coupon, now)


def _resting_or_over(coupon: Coupon, now: datetime) -> TicketState:
    """A campaign that is paused, or begins later, comes back; everything else does not."""
    campaign = coupon.campaign
    returns = campaign.status in {Campaign.Status.PAUSED, Campaign.Status.DRAFT} or (
        campaign.status == Campaign.Status.RUNNING and campaign.starts_at is not None and campaign.starts_at > now
    )
    return TicketState.RESTING if returns and not coupon.is_over(now) else TicketState.OVER
