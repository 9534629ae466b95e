"""The gate: whether a message may be sent to this person, now (EM-6, EM-11, EM-12). Asked just before sending."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..models import Ground, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one person when the gate is asked."""

    #: Slugs of lists whose sign-up this person confirmed, and has not left since.
    confirmed: frozenset[str] = frozenset()
    #: Of these, those that cover follow-ups.
    confirmed_for_follow_ups: frozenset[str] = frozenset()
    #: Asked for, not confirmed.
    pending: frozenset[str] = frozenset()
    #: Suppressions: scope → reason.
    suppressed: Mapping[str, str] | None = None
    #: Newest order that counts (not cancelled or refunded): when, and whether an objection was offered or used.
    last_order_at: datetime | None = None
    objection: str = ""
    #: What the person chose.
    rest: timedelta | None = None
    paused_until: datetime | None = None
    time_zone: str = ""
    last_marketing_at: datetime | None = None
    last_marketing_key: str = ""
    sent_in_30_days: int = 0


def standings(messages: Collection[Message], *, now: datetime) -> dict[str, Standing]:
    """Return what is known of the people of these messages, by address key: a fixed number of queries, none if all
    messages are transactional and the people have no suppression.
    """
    raise NotImplementedError


def judge(*, message: Message, standing: Standing, now: datetime) -> Ground:
    """Return the ground on which this message may be sent now. Pure: kind × consent × state × cap.

    Transactional mail is stopped by nothing here but an address that does not exist. A newsletter needs a confirmed
    sign-up to its list; a follow-up one to its list, or to a list that covers follow-ups, or the soft opt-in: the order
    it is about (or the newest one) was placed when an objection was offered and not used, within SOFT_OPT_IN_DAYS, and
    nobody objected since. Raises DoNotSend, or SendLater for a pause, quiet hours, and the caps.
    """
    raise NotImplementedError


def take_place(*, message: Message, now: datetime) -> bool:
    """Take this person's next place for a mail that is not transactional; return False if another message was quicker.
    One guarded UPDATE of the contact decides, so that two workers never send two mails on one day.
    """
    raise NotImplementedError


def next_morning(at: datetime, *, time_zone: str) -> datetime | None:
    """Return when the quiet hours end in which ``at`` lies, in this zone; None outside of them (EM-12)."""
    raise NotImplementedError


__all__ = ["Any", "Standing", "judge", "next_morning", "standings", "take_place"]
