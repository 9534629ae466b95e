"""Headers of every answer that may show an order: not cached, not indexed, no address passed on (TY-5, TY-6)."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers


def add_private_headers(response: HttpResponseBase, *, referrer: str = "same-origin") -> HttpResponseBase:
    """Make caches, crawlers and other sites keep out. Returns the same response."""
    add_never_cache_headers(response)
    # Always, and not only when the session was looked at: a header must not tell one refusal from another (TY-2).
    patch_vary_headers(response, ["Cookie"])
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = referrer
    return response
