"""Rate limits, counted in Django's default cache, so that all processes share them if they share the cache (TY-9)."""

from __future__ import annotations

import ipaddress
import logging
import time
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from limits import parse
from limits.storage.base import SlidingWindowCounterSupport, Storage, TimestampedSlidingWindow
from limits.strategies import SlidingWindowCounterRateLimiter

from .conf import app_settings

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

#: IPv6 customers get a whole network; its single addresses are free to change (RFC 6177).
IPV6_PREFIX = 64
#: The bucket of all whose address is not known.
UNKNOWN = "unknown"


def hit(*, name: str, key: str, limits: Sequence[str], if_broken: bool = False) -> bool:
    """Count one attempt; return whether it is within all of the limits.

    ``name`` says what is limited, ``key`` who tries (an address, an order number): spellings that differ in case, width
    or white space are one. Only a keyed hash of it reaches the cache. ``limits`` are like ``"5/5 minutes"`` or
    ``"20/minute"``, over a sliding window; an attempt that a limit refuses does not count in it. If the cache does not
    answer, ``if_broken`` is returned, and the failure logged.

    Caches that are not shared count per process; those without an atomic ``incr`` (files, database) may let a few too
    many through at the same instant.
    """
    digest = salted_hmac("thankyou_flows.ratelimit", f"{name}:{_normalised(key)}", algorithm="sha256").hexdigest()
    limiter = SlidingWindowCounterRateLimiter(CacheStorage())
    items = [parse(limit) for limit in limits]
    try:
        # All are asked, because each counts this attempt, whatever the others say.
        return [limiter.hit(item, digest) for item in items].count(False) == 0
    except Exception:
        # Every cache has exceptions of its own.
        logger.exception("Rate limit %s could not be counted: the cache failed.", name)
        return if_broken


def client_ip(request: HttpRequest) -> str:
    """Return whose attempts these are: the visitor's IPv4 address, or the /64 network of an IPv6 address.

    ``X-Forwarded-For`` can be typed by anybody; only its last ``TRUSTED_PROXIES`` entries were written by proxies of
    ours, and the first of those is the visitor (TY-9). If it is shorter than that, the request did not come through all
    of them, and who is connected counts.
    """
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    hops = app_settings.trusted_proxies
    if hops < 1:
        return peer or UNKNOWN
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    visitor = _address(entries[-hops]) if len(entries) >= hops else ""
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


def _normalised(key: str) -> str:
    return "".join(unicodedata.normalize("NFKC", key).casefold().split())


class CacheStorage(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counters of the ``limits`` library in Django's default cache. Made per use, keeps nothing itself."""

    PREFIX = "thankyou_flows:limit:"

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        if cache.add(self.PREFIX + key, amount, timeout=expiry):
            return amount
        try:
            count = int(cache.incr(self.PREFIX + key, amount))
        except ValueError:  # it went out of date between the two calls
            cache.set(self.PREFIX + key, amount, timeout=expiry)
            return amount
        # Django's file and database caches give a counter the default timeout when it is increased.
        cache.touch(self.PREFIX + key, timeout=expiry)
        return count

    def get(self, key: str) -> int:
        return int(cache.get(self.PREFIX + key, 0))

    def get_expiry(self, key: str) -> float:
        return time.time()  # Django's caches do not tell; the sliding window does not ask

    def check(self) -> bool:
        cache.get(self.PREFIX + "check")
        return True

    def reset(self) -> int | None:
        raise NotImplementedError("The cache may hold other things too, so it is not emptied.")

    def clear(self, key: str) -> None:
        cache.delete(self.PREFIX + key)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        previous, left, current, _ = self.get_sliding_window(key, expiry)
        carried = previous * left / expiry
        if carried + current + amount > limit:
            return False
        _, current_key = self.sliding_window_keys(key, expiry, time.time())
        # Others may have counted since our look; what the counter says now decides.
        return carried + self.incr(current_key, 2 * expiry, amount) <= limit

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        found = cache.get_many([self.PREFIX + previous_key, self.PREFIX + current_key])
        left = expiry - now % expiry
        return (
            int(found.get(self.PREFIX + previous_key, 0)),
            left,
            int(found.get(self.PREFIX + current_key, 0)),
            left + expiry,
        )

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        for window_key in self.sliding_window_keys(key, expiry, time.time()):
            self.clear(window_key)
