"""Headers of every answer that may show a coupon of somebody's: not cached, not indexed, no address passed on."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponseBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers

Response = TypeVar("Response", bound=HttpResponseBase)


def add_private_headers(response: Response, *, referrer: str = "same-origin") -> Response:
    """Make caches, crawlers and other sites keep out. Returns the same response."""
    add_never_cache_headers(response)
    # Always, and not only when the session was looked at: a header must not tell one refusal from another (CO-6).
    patch_vary_headers(response, ["Cookie"])
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = referrer
    return response
