"""Rendering a Wagtail page at an address that is not in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseBase
from wagtail import hooks

if TYPE_CHECKING:
    from django.http import HttpRequest


def serve_page(page: Any, request: HttpRequest) -> HttpResponseBase:
    """Serve a page as ``wagtail.views.serve`` would have, had it been routed there.

    Runs the same hooks (``before_serve_page``, ``on_serve_page``), so that page privacy and the site's own hooks
    apply. The loops are written out because Wagtail offers no function that takes a page.
    """
    from wagtail.views import serve_chain

    chain = serve_chain
    for hook in reversed(hooks.get_hooks("on_serve_page")):
        chain = hook(chain)
    for hook in hooks.get_hooks("before_serve_page"):
        result = hook(page, request, [], {})
        if isinstance(result, HttpResponseBase):
            return result
    response: HttpResponseBase = chain(page, request, [], {})
    return response
