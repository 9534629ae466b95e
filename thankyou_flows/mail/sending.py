"""Sending what is due: claim, ask, write, hand over, record."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, OperationalError, connection, models
from django.utils import timezone

from ..models import Ground, Message, Suppression, WhyNot
from . import claiming, errors, gate
from .composing import DoNotSend, Letter, SendLater, write
from .connections import Line
from .errors import Meaning, Verdict
from .waking import wake

logger = logging.getLogger(__name__)

#: Messages that a worker takes at once. Facts about their people are gathered once for all of them.
BATCH: Final = 50
#: So many messages in a row that found no mail server end a run: the others keep their attempts.
PATIENCE: Final = 3
#: What a mail can go without, in this order; of the tags the first one is kept longest.
_EXTRAS: Final = (("tags", 1), ("track_clicks", 0), ("tags", 0), ("metadata", 0))
#: What is postponed waits at least so long, so that nothing turns in circles.
_SHORTEST: Final = timedelta(minutes=1)

#: What the gate knows of people, by address key.
Standings = dict[str, gate.Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run did."""

    sent: int = 0
    skipped: int = 0
    postponed: int = 0
    failed: int = 0
    retried: int = 0


def send_due(*, limit: int | None = None, worker: str = "", now: datetime | None = None) -> Report:
    """Send what is due, batch by batch, until nothing is left or ``limit`` messages were taken. Safe to run any number
    of times at the same time, and to be killed at any moment (OP-5).

    For each message: is it worth sending still, does its follow-up still apply (``followups.stops``), does the gate let
    it through; it is written, takes its person's place, is marked as attempted, handed to the mail backend, and recorded.
    One bad message stops nobody (EM-9). A mail server that is not there ends the run; the rest waits for the next.
    """
    return Run(limit=limit, worker=worker, now=now).go()


class _Lost(Exception):
    """The message is not ours any more: stopped, or taken over."""


class Run:
    """One run of one worker. ``seconds`` ends it early, ``should_stop`` is asked before each message, ``ids`` are the only
    messages it may take, ``patience`` is how many messages may find no mail server before it gives up, and ``timeout``
    is how many seconds the mail server may be silent, if that is less than the backend's own.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        worker: str = "",
        now: datetime | None = None,
        ids: Collection[int] | None = None,
        seconds: float | None = None,
        patience: int = PATIENCE,
        timeout: float | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        # A name of its own for each run: it is what says whose a claimed message is.
        self.worker = f"{worker or _this_process()}"[:40] + f"-{secrets.token_hex(6)}"
        self._left = limit
        self._now = now
        self._ids = ids
        self._ends = None if seconds is None else monotonic() + seconds
        self._patience = patience
        self._should_stop = should_stop
        self._line = Line(timeout=timeout)
        self._away = 0
        self._counts: Counter[str] = Counter()

    def go(self) -> Report:
        """Send until nothing is left, and say what was done. Raises what the database raises: then nobody can work."""
        try:
            if self._ids is None:
                claiming.sweep(now=self._time())
            while batch := self._claim():
                self._send_batch(batch)
        finally:
            self._line.close()
        return Report(**self._counts)

    def _time(self) -> datetime:
        return self._now or timezone.now()

    def _is_over(self) -> bool:
        out_of_time = self._ends is not None and monotonic() > self._ends
        return out_of_time or self._away >= self._patience or self._should_stop()

    def _claim(self) -> list[Message]:
        if self._is_over():
            return []
        limit = BATCH if self._left is None else min(BATCH, self._left)
        batch = claiming.claim(worker=self.worker, limit=limit, now=self._time(), ids=self._ids)
        if self._left is not None:
            self._left -= len(batch)
        return batch

    def _send_batch(self, batch: list[Message]) -> None:
        """Send what was claimed, as long as the lease is good; what is left at the end is given back, come what may."""
        good_until = monotonic() + claiming.lease().total_seconds() / 2
        waiting = list(reversed(batch))
        try:
            # Names of lists do not change, other facts might while the batch is being sent.
            models.prefetch_related_objects([each for each in batch if each.mailing_list_id], "mailing_list")
            standings = self._standings(batch)
            while waiting and monotonic() < good_until and not self._is_over():
                self._send_one(waiting.pop(), standings)
        finally:
            if waiting:
                given_back = claiming.give_back(waiting)
                if self._left is not None:
                    self._left += given_back

    def _standings(self, batch: list[Message]) -> Standings | None:
        """Gather what the gate wants to know; None if one message spoils that for all: then each is looked at alone."""
        try:
            return gate.standings(batch, now=self._time())
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.warning("A batch of mails could not be looked at together: %s", errors.for_logs(error))
            return None

    def _send_one(self, message: Message, standings: Standings | None) -> None:
        """Bring one message to its next state. Raises nothing but what makes further work impossible."""
        before: gate.Place | None = None
        try:
            ground, standing = self._ask(message, standings)
            message.ground = ground
            letter = self._write(message)
            if message.is_marketing:
                before = self._take_place(message, standing, standings)
            if not self._begin(message, ground, letter):
                raise _Lost
        except DoNotSend as no:
            self._count("skipped", claiming.skip(message=message, why=no.why, now=self._time()))
        except SendLater as later:
            self._postpone(message, later)
        except _Failed as failure:
            self._fail(message, failure.verdict)
        except _Lost:
            pass
        else:
            if self._hand_over(message, letter):
                return
        if before is not None:
            gate.give_place_back(message=message, before=before)

    # Before

    def _ask(self, message: Message, standings: Standings | None) -> tuple[Ground, gate.Standing]:
        """Return on which ground the message may go now, and what is known of its person. Raises DoNotSend, SendLater or
        _Failed.
        """
        now = self._time()
        if not message.email:
            raise DoNotSend(WhyNot.ERASED)
        if message.expires_at is not None and message.expires_at <= now:
            raise DoNotSend(WhyNot.TOO_LATE)
        try:
            if message.composer == "follow_up":
                from ..followups import stops

                stops.reconsider(message, now=now)
            standing = _standing(message, standings, now)
            return gate.judge(message=message, standing=standing, now=now), standing
        except (DoNotSend, SendLater, OperationalError, InterfaceError):
            raise
        except Exception as error:
            # Not the mail's fault, and perhaps better tomorrow: the shop's answer, or a rule.
            self._log("could not be judged", message, error)
            raise _Failed(Verdict(meaning=Meaning.SOFT, error=errors.in_words(error))) from error

    def _write(self, message: Message) -> Letter:
        try:
            return write(message, now=self._time())
        except (DoNotSend, SendLater, OperationalError, InterfaceError):
            raise
        except Exception as error:
            self._log("could not be written", message, error)
            raise _Failed(errors.judge_composing(error)) from error

    def _take_place(self, message: Message, standing: gate.Standing, standings: Standings | None) -> gate.Place:
        """Take the person's place, last of all: a mail that has nothing to say uses up nobody's day (EM-12). Return what
        was there before. Raises DoNotSend, SendLater or _Failed.
        """
        now = self._time()
        try:
            is_taken = gate.take_place(message=message, now=now)
            # Whatever becomes of this mail, the next one to this person is judged by fresh facts (MAILS_IN_30_DAYS).
            if standings is not None:
                standings.pop(message.email_key, None)
            if not is_taken:
                # Another message was quicker since the facts were gathered: now the gate says until when.
                gate.judge(message=message, standing=_standing(message, None, now), now=now)
                raise SendLater(until=now + timedelta(hours=1), why=WhyNot.TOO_MANY)
        except (DoNotSend, SendLater, OperationalError, InterfaceError):
            raise
        except Exception as error:
            self._log("got no place", message, error)
            raise _Failed(Verdict(meaning=Meaning.SOFT, error=errors.in_words(error))) from error
        return gate.Place(at=standing.last_marketing_at, key=standing.last_marketing_key)

    def _begin(self, message: Message, ground: Ground, letter: Letter) -> bool:
        return claiming.begin(
            message=message,
            ground=ground,
            now=self._time(),
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
        )

    # The sending

    def _hand_over(self, message: Message, letter: Letter) -> bool:
        """Return whether the mail server took it."""
        try:
            provider_id = _send(self._line, letter.email)
        except Exception as error:
            verdict = errors.judge_sending(error)
            self._away = self._away + 1 if verdict.is_away else 0
            self._log(f"could not be sent ({verdict.meaning})", message, error)
            self._fail(message, verdict)
            return False
        self._away = 0
        self._record(message, provider_id)
        return True

    def _record(self, message: Message, provider_id: str) -> None:
        """Record that it was sent; once more on a new connection if the database has hung up in between."""
        try:
            is_ours = claiming.record_sent(message=message, now=self._time(), provider_id=provider_id)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            is_ours = claiming.record_sent(message=message, now=self._time(), provider_id=provider_id)
        self._count("sent", is_ours)

    # After a failure

    def _postpone(self, message: Message, later: SendLater) -> None:
        now = self._time()
        until = max(later.until, now + _SHORTEST)
        if message.expires_at is not None and until >= message.expires_at:
            self._count("skipped", claiming.skip(message=message, why=WhyNot.TOO_LATE, now=now))
        elif claiming.postpone(message=message, until=until, why=later.why):
            self._count("postponed", True)
            wake(at=until, now=now)

    def _fail(self, message: Message, verdict: Verdict) -> None:
        """Try again later, or give up."""
        now = self._time()
        why = _why_for_good(message, verdict)
        if why is None:
            attempt = message.attempts + (message.state == Message.State.CLAIMED)
            wait = errors.wait_before(attempt)
            is_in_time = wait is not None and (message.expires_at is None or now + wait < message.expires_at)
            if wait is not None and is_in_time:
                due_at = now + wait
                uncertain = verdict.meaning is Meaning.UNCERTAIN
                if claiming.retry(message=message, due_at=due_at, error=verdict.error, uncertain=uncertain):
                    self._count("retried", True)
                    wake(at=due_at, now=now)
                return
            why = WhyNot.UNCERTAIN if verdict.meaning is Meaning.UNCERTAIN else WhyNot.GAVE_UP
        is_uncertain = verdict.meaning is Meaning.UNCERTAIN
        is_ours = claiming.record_failed(message=message, why=why, now=now, error=verdict.error, uncertain=is_uncertain)
        self._count("failed", is_ours)
        if verdict.meaning is Meaning.HARD:
            _note_bounce(message, now=now)

    def _count(self, what: str, is_ours: bool) -> None:
        self._counts[what] += is_ours

    def _log(self, what: str, message: Message, error: Exception) -> None:
        logger.warning("Message %s %s: %s", message.key, what, errors.for_logs(error))


class _Failed(Exception):
    """A message failed before anything was handed over."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.error)
        self.verdict = verdict


def _standing(message: Message, standings: Standings | None, now: datetime) -> gate.Standing:
    """Return what is known of the message's person; looked up anew if it is not among what was gathered."""
    found = standings.get(message.email_key) if standings is not None else None
    return found or gate.standings([message], now=now).get(message.email_key) or gate.Standing()


def _why_for_good(message: Message, verdict: Verdict) -> WhyNot | None:
    """Return why there is no further attempt; None if there may be one."""
    if verdict.meaning in (Meaning.HARD, Meaning.REFUSED):
        return WhyNot.REFUSED
    if verdict.meaning is Meaning.UNSENDABLE:
        return WhyNot.UNSENDABLE
    if verdict.meaning is Meaning.UNCERTAIN and message.uncertain:
        # It may have arrived twice by now.
        return WhyNot.UNCERTAIN
    return None


def _note_bounce(message: Message, *, now: datetime) -> None:
    """Suppress an address that does not exist, for everything but what the customer asks for (EM-6)."""
    from .suppression import suppress

    try:
        suppress(
            email_key=message.email_key,
            scope=Suppression.MARKETING,
            reason=Suppression.Reason.BOUNCED,
            message_key=message.key,
            now=now,
        )
    except DatabaseError:
        raise
    except Exception as error:
        logger.error("A bounce of message %s could not be noted: %s", message.key, errors.for_logs(error))


def _send(line: Line, email: Any) -> str:
    """Hand a mail over. Words for statistics that a provider does not take are left out rather than the mail: Anymail
    says so before it calls anybody.
    """
    for name, kept in _EXTRAS:
        try:
            return line.send(email)
        except ValueError as error:
            if type(error).__name__ != "AnymailUnsupportedFeature":
                raise
            setattr(email, name, getattr(email, name, [])[:kept] if name == "tags" else None)
    return line.send(email)


def _this_process() -> str:
    return f"{socket.gethostname()[:20]}-{os.getpid()}"
