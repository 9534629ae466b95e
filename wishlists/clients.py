"""Which client sends a request, and how often it may do what needs no account; counted in Django's default cache."""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from .conf import app_settings

logger = logging.getLogger(__name__)

#: IPv6 customers get a whole network; its single addresses are free to change (RFC 6177).
IPV6_PREFIX: Final = 64
#: The client of all whose address is not known, as behind a Unix socket.
UNKNOWN: Final = "unknown"
#: Own purpose of the keyed hash, and before every key in the cache.
SALT: Final = "thankyou_wishlists.client.v1"

#: So many times, in so many seconds.
Limit = tuple[int, int]


def client_of(request: HttpRequest) -> str:
    """Return the visitor's IPv4 address, or the /64 network of an IPv6 address.

    ``X-Forwarded-For`` can be typed by anybody; only its last TRUSTED_PROXIES entries were written by proxies of ours,
    and the first of those is the visitor. If it is shorter, who is connected counts.
    """
    peer = _network(request.META.get("REMOTE_ADDR", ""))
    proxies = app_settings.trusted_proxies
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    visitor = _network(entries[-proxies]) if 0 < proxies <= len(entries) else ""
    return visitor or peer or UNKNOWN


def is_within(*, name: str, client: str, limits: tuple[Limit, ...]) -> bool:
    """Count one attempt; return whether it is within all limits, which begin anew with each hour, day and so on.

    What one limit refuses does not count in those after it. Only a keyed hash of the client reaches the cache; a cache
    that fails lets through, and that is logged.
    """
    digest = salted_hmac(SALT, f"{name}:{client}", algorithm="sha256").hexdigest()
    try:
        return all(_count(f"{SALT}:{digest}", seconds) <= most for most, seconds in limits)
    except Exception:
        # Every cache has exceptions of its own.
        logger.exception("The limit %s could not be counted: the cache failed.", name)
        return True


def _count(key: str, seconds: int) -> int:
    key = f"{key}:{seconds}:{int(time.time()) // seconds}"
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        count = int(cache.incr(key))
    except ValueError:  # it went out of date between the two calls
        cache.set(key, 1, timeout=seconds)
        return 1
    # Django's file and database caches give a counter the default timeout when it is increased.
    cache.touch(key, timeout=seconds)
    return count


def _network(text: str) -> str:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]  # [2001:db8::1]:443
    elif text.count(":") == 1:
        text = text.partition(":")[0]  # 192.0.2.1:443
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None:
        return str(getattr(address, "ipv4_mapped", None) or address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
