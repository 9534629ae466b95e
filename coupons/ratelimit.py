"""Rate limits, counted in Django's default cache, so that all processes share them if they share the cache (CO-7, TY-9)."""

from __future__ import annotations

import ipaddress
import logging
import time
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from limits import parse, parse_many
from limits.storage.base import SlidingWindowCounterSupport, Storage, TimestampedSlidingWindow
from limits.strategies import SlidingWindowCounterRateLimiter

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

#: IPv6 customers get a whole network; its single addresses are free to change (RFC 6177).
IPV6_PREFIX: Final = 64
#: The bucket of all whose address is not known.
UNKNOWN: Final = "unknown"
#: Before every key of ours in the cache.
PREFIX: Final = "thankyou_coupons:limit:"


def hit(*, name: str, key: str, limits: Sequence[str], if_broken: bool = False) -> bool:
    """Count one attempt; return whether it is within all of the limits.

    ``name`` says what is limited, ``key`` who tries (an address, an order number): spellings that differ in case, width
    or white space are one. Only a keyed hash of it reaches the cache. ``limits`` are like ``"5/5 minutes"`` or
    ``"20/minute"``, over a sliding window; an attempt that a limit refuses does not count in it. If the cache does not
    answer, ``if_broken`` is returned, and the failure logged.

    Caches that are not shared count per process; those without an atomic ``incr`` (files, database) may let a few too
    many through at the same instant.
    """
    digest = _digest(name, key)
    limiter = SlidingWindowCounterRateLimiter(CacheStorage())
    items = [parse(limit) for limit in limits]
    try:
        # All are asked, because each counts this attempt, whatever the others say.
        return [limiter.hit(item, digest) for item in items].count(False) == 0
    except Exception:
        # Every cache has exceptions of its own.
        logger.exception("Rate limit %s could not be counted: the cache failed.", name)
        return if_broken


class Slot:
    """One attempt, counted before its outcome is known. Made by ``take``."""

    def __init__(self, name: str = "", counted: Sequence[tuple[str, int]] = ()) -> None:
        self._name = name
        #: The counters that were increased, each with its lifetime in seconds.
        self._counted = list(counted)

    def give_back(self) -> None:
        """Uncount the attempt, once: it turned out to be none of those that are limited."""
        counted, self._counted = self._counted, []
        try:
            for key, lifetime in counted:
                CacheStorage().decr(key, lifetime)
        except Exception:
            logger.exception("Rate limit %s could not be uncounted: the cache failed.", self._name)


def take(*, name: str, key: str, limits: Sequence[str]) -> Slot | None:
    """Count one attempt in every limit and return its ``Slot``, or ``None`` if one of them has no room; then nothing
    was counted.

    For limits on attempts that *fail*: count first, and give the slot back if it did not fail. To look first and count
    afterwards would let everything through that arrives at the same instant (CO-7). Arguments as for ``hit``. If the
    cache does not answer, the attempt is let through uncounted, and the failure logged.
    """
    digest, storage, counted = _digest(name, key), CacheStorage(), Slot(name)
    try:
        for item in (parse(limit) for limit in limits):
            window = storage.enter(item.key_for(digest), item.amount, item.get_expiry())
            if window is None:
                counted.give_back()
                return None
            counted._counted.append(window)
    except Exception:
        logger.exception("Rate limit %s could not be counted: the cache failed.", name)
    return counted


def is_limit(text: object) -> bool:
    """Return whether this text is one limit that lets something through, such as ``"5/minute"``."""
    try:
        found = parse_many(text) if isinstance(text, str) else []
    except ValueError:
        return False
    return len(found) == 1 and found[0].amount > 0


def client_ip(request: HttpRequest, *, trusted_proxies: int) -> str:
    """Return whose attempts these are: the visitor's IPv4 address, or the /64 network of an IPv6 address.

    ``X-Forwarded-For`` can be typed by anybody; only its last ``trusted_proxies`` entries were written by proxies of
    ours, and the first of those is the visitor (TY-9). If it is shorter than that, the request did not come through all
    of them, and who is connected counts.
    """
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    if trusted_proxies < 1:
        return peer or UNKNOWN
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    visitor = _address(entries[-trusted_proxies]) if len(entries) >= trusted_proxies else ""
    return visitor or peer or UNKNOWN


def _address(text: str) -> str:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]  # [2001:db8::1]:443
    elif text.count(":") == 1:
        text = text.partition(":")[0]  # 192.0.2.1:443
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _digest(name: str, key: str) -> str:
    text = f"{name}:{_normalised(key)}"
    return salted_hmac("thankyou_coupons.ratelimit", text, algorithm="sha256").hexdigest()


def _normalised(key: str) -> str:
    return "".join(unicodedata.normalize("NFKC", key).casefold().split())


class CacheStorage(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counters of the ``limits`` library in Django's default cache. Made per use, keeps nothing itself."""

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        if cache.add(PREFIX + key, amount, timeout=expiry):
            return amount
        try:
            count = int(cache.incr(PREFIX + key, amount))
        except ValueError:  # it went out of date between the two calls
            cache.set(PREFIX + key, amount, timeout=expiry)
            return amount
        # Django's file and database caches give a counter the default timeout when it is increased.
        cache.touch(PREFIX + key, timeout=expiry)
        return count

    def decr(self, key: str, expiry: int, amount: int = 1) -> None:
        """Take back an ``incr``; does nothing if the counter is out of date."""
        with suppress(ValueError):
            cache.decr(PREFIX + key, amount)
            cache.touch(PREFIX + key, timeout=expiry)

    def get(self, key: str) -> int:
        return int(cache.get(PREFIX + key, 0))

    def get_expiry(self, key: str) -> float:
        return time.time()  # Django's caches do not tell; the sliding window does not ask

    def check(self) -> bool:
        cache.get(PREFIX + "check")
        return True

    def reset(self) -> int | None:
        raise NotImplementedError("The cache may hold other things too, so it is not emptied.")

    def clear(self, key: str) -> None:
        cache.delete(PREFIX + key)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self.enter(key, limit, expiry, amount) is not None

    def enter(self, key: str, limit: int, expiry: int, amount: int = 1) -> tuple[str, int] | None:
        """Count an attempt if there is room; return the counter that was increased and its lifetime, or ``None``."""
        previous, left, current, _ = self.get_sliding_window(key, expiry)
        carried = previous * left / expiry
        if carried + current + amount > limit:
            return None
        _, current_key = self.sliding_window_keys(key, expiry, time.time())
        # Others may have counted since our look; what the counter says now decides.
        if carried + self.incr(current_key, 2 * expiry, amount) <= limit:
            return current_key, 2 * expiry
        self.decr(current_key, 2 * expiry, amount)
        return None

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        found = cache.get_many([PREFIX + previous_key, PREFIX + current_key])
        left = expiry - now % expiry
        return (
            int(found.get(PREFIX + previous_key, 0)),
            left,
            int(found.get(PREFIX + current_key, 0)),
            left + expiry,
        )

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        for window_key in self.sliding_window_keys(key, expiry, time.time()):
            self.clear(window_key)
