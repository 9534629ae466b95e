"""Limits for those who guess codes (CO-7): only wrong codes count, in a cache that all processes share.

Three counters: of the session, of the network address, and of the whole site. The first two refuse further tries; the
third raises an alarm, and asks for the shop's challenge if it has one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from limits import parse

from .conf import app_settings
from .exceptions import ChallengeNeeded, TooManyTries
from .models import Coupon
from .ratelimit import PREFIX, CacheStorage, Slot, take
from .signals import guessing_suspected

logger = logging.getLogger(__name__)

#: What the alarm counts, and how often it is told, in seconds.
WINDOW: Final = 60
#: How long the challenge is asked for after the last minute with too many wrong codes, in seconds.
ALARM_LASTS: Final = 600

_IP: Final = "coupon-ip"
_SESSION: Final = "coupon-session"
_ALARM: Final = f"{PREFIX}alarm"
_TOLD: Final = f"{PREFIX}alarm-told"


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Who tries a code: the key of the session, empty if there is none yet, and the network address (CO-7).

    ``holder_keys`` are the keys whose coupons this visitor has shown to be theirs (``holders.keys_of``): for these they
    hear the true reasons (CO-6).
    """

    session_key: str = ""
    ip: str = ""
    holder_keys: tuple[str, ...] = ()


class Attempt:
    """One try of a code, counted before anything is looked up. Without slots it is one that nobody counts."""

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = slots
        self._failed = False

    def fail(self, *, session_key: str = "") -> None:
        """Say that the code was wrong: the try stays counted, and the site counts it, too. ``session_key``: that of a
        session which the visitor has got only now.
        """
        if self._failed or not self._slots:
            return
        self._failed = True
        _count_failure()
        for each in app_settings.guess_limits_session if session_key else ():
            take(name=_SESSION, key=session_key, limits=[each])

    def close(self) -> None:
        """Uncount the try unless it failed."""
        if not self._failed:
            for slot in self._slots:
                slot.give_back()


@contextmanager
def attempt(*, visitor: Visitor, challenge_passed: bool = False) -> Iterator[Attempt]:
    """Let a visitor try one code, and count it if ``Attempt.fail`` is called.

    The try is counted first and uncounted if it did not fail, so that no more than the limit can be under way at any
    instant. Raises ``ChallengeNeeded`` while the alarm is on, if the shop has a challenge and it was not passed; and
    ``TooManyTries`` if the session or the network address has failed too often. Both before anything is looked at, so
    that the answer is the same for a right code (CO-6, CO-7); it says when the longest limit that was hit is over. A
    visitor without a session is counted by the address only.
    """
    if not challenge_passed and needs_challenge():
        raise ChallengeNeeded
    limits = [(_IP, visitor.ip or "unknown", each) for each in app_settings.guess_limits_ip]
    if visitor.session_key:
        limits += [(_SESSION, visitor.session_key, each) for each in app_settings.guess_limits_session]
    slots: list[Slot] = []
    full: dict[int, str] = {}
    trying = Attempt(slots)
    try:
        for name, key, each in limits:
            slot = take(name=name, key=key, limits=[each])
            if slot is None:
                full[parse(each).get_expiry()] = name
            else:
                slots.append(slot)
        if full:
            raise TooManyTries(reason=full[max(full)], retry_after=max(full))
        yield trying
    finally:
        trying.close()


def is_alarm_on() -> bool:
    """Return whether so many codes failed lately that somebody is guessing (``GUESS_ALARM_PER_MINUTE``)."""
    try:
        return bool(cache.get(_ALARM))
    except Exception:
        logger.exception("The alarm against guessing could not be read: the cache failed.")
        return False


def needs_challenge() -> bool:
    """Return whether a try must pass the shop's challenge now: it has one, and the alarm is on."""
    return bool(app_settings.challenge) and is_alarm_on()


def _count_failure() -> None:
    """Count a wrong code for the whole site; raise the alarm if there were too many in this minute."""
    try:
        window = int(time.time()) // WINDOW
        failures = CacheStorage().incr(f"failures:{window}", 2 * WINDOW)
        if failures <= app_settings.guess_alarm_per_minute:
            return
        cache.set(_ALARM, True, timeout=ALARM_LASTS)
        first = cache.add(_TOLD, True, timeout=WINDOW)
    except Exception:
        logger.exception("A wrong code could not be counted: the cache failed.")
        return
    if first:
        logger.warning("Somebody is guessing coupon codes: %d wrong ones in this minute.", failures)
        guessing_suspected.send_robust(sender=Coupon, failures=failures, seconds=WINDOW)
