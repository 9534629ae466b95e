"""What the follow-ups have done so far: counted by the database, in a few statements whatever the number of messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, Q, QuerySet, Value
from django.db.models.functions import TruncDate
from django.utils import timezone

from ..models import FollowUp, Message

#: How many days the plot shows.
DAYS: Final = 30

#: Each number, and which messages are in it.
COUNTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "planned": {"pk__isnull": False},
    "waiting": {"state__in": [Message.State.PLANNED, Message.State.CLAIMED, Message.State.ATTEMPTING]},
    "sent": {"state": Message.State.SENT},
    "delivered": {"delivered_at__isnull": False},
    "clicked": {"clicked_at__isnull": False},
    "converted": {"converted_at__isnull": False},
    "left": {"left_at__isnull": False},
    "skipped": {"state": Message.State.SKIPPED},
    "failed": {"state": Message.State.FAILED},
}
#: What is shown day by day: on which day each message counts.
DATED: Final[Mapping[str, str]] = {
    "planned": "created_at",
    "sent": "sent_at",
    "delivered": "delivered_at",
    "clicked": "clicked_at",
    "converted": "converted_at",
    "left": "left_at",
}
#: What the list shows.
LISTED: Final = ("planned", "sent", "delivered", "converted", "left")


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """A follow-up at a glance, in messages. ``planned`` are all that were ever written for it."""

    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    clicked: int = 0
    converted: int = 0
    left: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day, in messages: each counts on the day on which it was planned, was sent, arrived, and so on."""

    date: date
    planned: int = 0
    sent: int = 0
    delivered: int = 0
    clicked: int = 0
    converted: int = 0
    left: int = 0

    def has_any(self, names: Iterable[str]) -> bool:
        """Return whether one of these numbers is not zero."""
        return any(getattr(self, name) for name in names)


def with_counts(follow_ups: QuerySet[FollowUp]) -> QuerySet[FollowUp]:
    """Add to each follow-up what the list shows of it: ``planned_count``, ``sent_count`` and so on, in one statement."""
    conditions = {
        name: Q(**{f"messages__{lookup}": value for lookup, value in COUNTED[name].items()}) for name in LISTED
    }
    return follow_ups.annotate(
        **{f"{name}_count": Count("messages", filter=condition) for name, condition in conditions.items()}
    )


def count(*, follow_up: FollowUp) -> Numbers:
    """Return a follow-up's numbers in one statement."""
    messages = Message.objects.filter(follow_up=follow_up).order_by()
    return Numbers(**messages.aggregate(**{name: Count("pk", filter=Q(**rule)) for name, rule in COUNTED.items()}))


def reasons(*, follow_up: FollowUp) -> list[tuple[str, int]]:
    """Return why messages were not sent, in words, with how many of them; the most frequent first."""
    rows = (
        Message.objects.filter(follow_up=follow_up, state__in=[Message.State.SKIPPED, Message.State.FAILED])
        .exclude(why_not="")
        .order_by()
        .values("why_not")
        .annotate(rows=Count("pk"))
        .order_by("-rows", "why_not")
    )
    words = dict(Message._meta.get_field("why_not").flatchoices)
    return [(str(words.get(row["why_not"], row["why_not"])), row["rows"]) for row in rows]


def course(*, follow_up: FollowUp, days: int = DAYS, now: datetime | None = None) -> list[Day]:
    """Return the last ``days`` days without gaps, the oldest first, in the site's zone; in one statement."""
    zone = timezone.get_current_timezone()
    today = (now or timezone.now()).astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, time.min, zone)
    one, *others = (_per_day(follow_up, name, since) for name in DATED)
    counted: dict[date, dict[str, int]] = {}
    for day, name, rows in one.union(*others, all=True):
        counted.setdefault(day, {})[name] = rows
    return [Day(date=day, **counted.get(day, {})) for day in (first + timedelta(days=step) for step in range(days))]


def _per_day(follow_up: FollowUp, name: str, since: datetime) -> Any:
    """Return rows of day, name and number."""
    column = DATED[name]
    return (
        Message.objects.filter(follow_up=follow_up, **{f"{column}__gte": since})
        .order_by()
        .values(day=TruncDate(column, tzinfo=since.tzinfo))
        .annotate(name=Value(name, CharField()), rows=Count("pk"))
        .values_list("day", "name", "rows")
    )
