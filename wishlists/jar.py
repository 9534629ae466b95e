"""The cookies of a request as they came."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest


def cookies_of(request: HttpRequest) -> Mapping[str, str]:
    """Return what the browser sent, also behind a page cache that cuts foreign cookies off a GET, as wagtail-cache does.

    That takes our middleware, which has to stand above the cache's ``FetchFromCacheMiddleware`` (always the last one).
    """
    device = getattr(getattr(request, "lists", None), "device", None)
    found: Mapping[str, str] = device.cookies if device is not None else request.COOKIES
    return found
