"""Protects POST forms on cacheable pages from other sites without a token in the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import is_same_domain
from django.views.decorators.csrf import csrf_exempt, csrf_protect

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def same_origin_post(view: View[P]) -> View[P]:
    """Let a form of this site through without a CSRF token; everything else must carry Django's.

    A token in a page sets a cookie and ``Vary: Cookie``, so that the page cannot be cached any more (CK-7). Browsers
    themselves say where a request comes from, in headers that no page can forge:

    - ``Sec-Fetch-Site`` (on https and localhost): ``same-origin`` passes. A sibling subdomain (``same-site``),
      another site (``cross-site``) and anything unknown do not.
    - without it (plain http, old browsers): ``Origin`` must be the request's own, or one of CSRF_TRUSTED_ORIGINS.
      ``null`` never passes.

    With neither header, or another answer, it is not known to be our page, and Django's own check decides: a valid
    token still passes, all else gets the site's CSRF_FAILURE_VIEW. This is the rule of Go's
    ``http.CrossOriginProtection`` (there without the last step); OWASP's CSRF page recommends it as "Fetch Metadata".

    The wrapper is exempt from CsrfViewMiddleware, because it asks that middleware itself; so the wrapped view must not
    be ``csrf_exempt``. Django's test client passes as usual; ``Client(enforce_csrf_checks=True)`` does not.
    """
    protected = csrf_protect(view)

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method in SAFE_METHODS or is_same_origin(request):
            return view(request, *args, **kwargs)
        return protected(request, *args, **kwargs)

    return csrf_exempt(wrapper)


def is_same_origin(request: HttpRequest) -> bool:
    """Say whether the browser vouches that this request was made by a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and (origin == _own_origin(request) or _is_trusted(origin))


def _own_origin(request: HttpRequest) -> str | None:
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return None


def _is_trusted(origin: str) -> bool:
    """Compare with CSRF_TRUSTED_ORIGINS by Django's rules: exact, or ``https://*.example.com``."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    wildcards = (urlsplit(trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS if "*" in trusted)
    return any(
        parts.scheme == trusted.scheme and is_same_domain(parts.netloc, trusted.netloc.lstrip("*"))
        for trusted in wildcards
    )
