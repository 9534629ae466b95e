"""Looking for something so that looking often costs little: how far a search came is kept in ``LastLook``.

A search moves over time: each look takes what has come about since the last one, batch by batch. Whose turn it is, and how
far it came, is one row that is only changed by who has seen it as it is (a guarded UPDATE): no lock is held while the shop
is asked, so that nobody waits, two at once do nothing twice, and after a kill the next one goes on (OP-5).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..models import FollowUpStep, LastLook
from .planning import Occasion, Plans

logger = logging.getLogger(__name__)

#: Rows in one transaction, and in memory.
BATCH: Final = 200
#: So often a search looks at most, unless it is told to.
INTERVAL: Final = timedelta(minutes=15)
#: Somebody who has not said anything for so long is not coming back.
LEASE: Final = timedelta(minutes=5)
#: What was written so shortly before a look may have been committed after it.
SETTLING: Final = timedelta(minutes=5)
#: So many failures at the beginning of a batch mean that the shop is away, and not that an order is broken.
AWAY: Final = 3
#: So long a search waits for a shop that is away.
PATIENCE: Final = timedelta(days=1)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DONE, _OPEN, _BUSY = "done", "open", "busy"

#: Whose mails are to be planned, about what, and which of them (None: all).
Job = tuple[Plans, Occasion, Iterable[FollowUpStep] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Something to look for."""

    name: str
    #: What it depends on; if that changes, everything that is still of interest is looked at again.
    about: str
    #: Nothing before this is of interest.
    oldest: datetime = _EPOCH
    #: The rows that have come about after the first moment, up to the second one.
    rows: Callable[[datetime, datetime], QuerySet[Any]]
    #: What there is to plan about a row. May ask the shop, and fail.
    prepare: Callable[[Any], Iterable[Job]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a search came: rows of which moments, and up to which primary key."""

    about: str
    after: datetime
    until: datetime
    last: int = 0
    state: str = _BUSY

    def as_text(self) -> str:
        moments = [str((moment - _EPOCH) // timedelta(microseconds=1)) for moment in (self.after, self.until)]
        return ";".join([self.about, *moments, str(self.last), self.state])

    @classmethod
    def from_text(cls, text: str) -> Progress | None:
        """Read what ``as_text`` wrote; None for what nobody can read any more."""
        try:
            about, after, until, last, state = text.split(";")
            moments = [_EPOCH + timedelta(microseconds=int(moment)) for moment in (after, until)]
            return cls(about=about, after=moments[0], until=moments[1], last=int(last), state=state)
        except (ValueError, OverflowError):
            return None


class Deadline:
    """When a look has taken long enough; the next one goes on where it ended."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


def digest(*facts: object) -> str:
    """Return what tells whether any of these has changed."""
    return sha256(repr(facts).encode()).hexdigest()[:16]


def last_looks(names: Iterable[str]) -> dict[str, LastLook]:
    """Return how far these searches came, by name: one query."""
    return {look.name: look for look in LastLook.objects.filter(name__in=list(names))}


def run(search: Search, look: LastLook | None, *, now: datetime, force: bool, deadline: Deadline) -> int:
    """Plan what a search finds, and return how many mails are new; 0 if it is not time yet or somebody else looks.

    With ``force`` everything that is still of interest is looked at again, now.
    """
    progress = next_progress(search, look, now=now, force=force)
    turn = take_turn(search.name, look, progress) if progress is not None else None
    if progress is None or turn is None:
        return 0
    planned = 0
    while True:
        try:
            following, jobs = _read(search, progress, now=now, deadline=deadline)
            if following is None:
                # Nobody tries again before LEASE is over.
                return planned
            with transaction.atomic():
                if not turn.move(following):
                    # Somebody else took this batch for abandoned.
                    return planned
                planned += sum(len(plans.write(occasion, steps=steps, now=now)) for plans, occasion, steps in jobs)
        except BaseException:
            turn.give_back(progress)
            raise
        turn.moved(following)
        progress = following
        if progress.state == _DONE:
            return planned
        if deadline.is_over():
            turn.give_back(progress)
            return planned


def next_progress(search: Search, look: LastLook | None, *, now: datetime, force: bool) -> Progress | None:
    """Return what is to be looked at; None if it is not time yet, or somebody looks just now."""
    before = Progress.from_text(look.cursor) if look is not None else None
    beginning = Progress(about=search.about, after=search.oldest, until=now)
    if look is None or before is None:
        return beginning
    if before.state == _BUSY and timezone.now() < look.at + LEASE:
        return None
    if force or before.about != search.about:
        return beginning
    if before.state != _DONE:
        return replace(before, after=max(before.after, search.oldest), state=_BUSY)
    if now < before.until + INTERVAL:
        return None
    return replace(beginning, after=max(before.until, search.oldest))


class Turn:
    """The right to go on with a search, as long as nobody takes it over."""

    def __init__(self, look: LastLook) -> None:
        self._look = look
        self._next = look.at

    def move(self, progress: Progress) -> bool:
        """Say how far it came; False if somebody else has gone on meanwhile."""
        seen = LastLook.objects.filter(pk=self._look.pk, cursor=self._look.cursor, at=self._look.at)
        return bool(seen.update(cursor=progress.as_text(), at=self._next_at()))

    def moved(self, progress: Progress) -> None:
        """Know about the last move; called once it is committed."""
        self._look.cursor = progress.as_text()
        self._look.at = self._next

    def give_back(self, progress: Progress) -> None:
        """Let the next one go on from here at once. Best effort: without it, they wait until LEASE is over."""
        try:
            self.move(replace(progress, state=_OPEN))
        except Exception:
            logger.warning("A search for follow-ups could not be given back; it goes on in a few minutes.")

    def _next_at(self) -> datetime:
        self._next = timezone.now()
        return self._next


def take_turn(name: str, look: LastLook | None, progress: Progress) -> Turn | None:
    """Take a search over; None if somebody else was faster."""
    now = timezone.now()
    if look is None:
        try:
            with transaction.atomic():
                return Turn(LastLook.objects.create(name=name, at=now, cursor=progress.as_text()))
        except IntegrityError:
            return None
    turn = Turn(look)
    if not turn.move(progress):
        return None
    turn.moved(progress)
    return turn


def _read(
    search: Search, progress: Progress, *, now: datetime, deadline: Deadline
) -> tuple[Progress | None, list[Job]]:
    """Return how far the next batch goes and what there is to plan; None if the shop is away and it must wait."""
    rows = search.rows(progress.after, progress.until).filter(pk__gt=progress.last).order_by("pk")
    batch = list(rows[:BATCH])
    jobs: list[Job] = []
    read = failed = 0
    for row in batch:
        read += 1
        try:
            jobs += search.prepare(row)
        except Exception:
            logger.exception("What %s found could not be looked up (%s).", search.name, row.pk)
            failed += 1
        is_away = failed == read and (failed >= AWAY or read == len(batch))
        if is_away and now < progress.until + PATIENCE:
            return None, []
        if deadline.is_over():
            break
    if read == len(batch) < BATCH:
        return replace(progress, state=_DONE), jobs
    return replace(progress, last=batch[read - 1].pk), jobs
