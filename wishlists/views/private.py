"""What pages with somebody's own lists have in common: never cached, and no search engine's affair."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control

from ..kinds import WISH
from ..shelf import is_on

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def private(view: View[P]) -> View[P]:
    """Let nobody keep a copy of the answer. A 404 says nothing and needs none of this."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return wrapper


def with_wish_lists(view: View[P]) -> View[P]:
    """Answer 404 in a shop that has switched wish lists off."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_on(WISH):
            raise Http404
        return view(request, *args, **kwargs)

    return wrapper
