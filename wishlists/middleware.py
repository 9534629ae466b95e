"""Gives each request its lists, and writes their cookies on the way out. Costs nothing where nobody asks."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from .storage import CartStore


class ListsMiddleware:
    """Sets ``request.cart_store`` (lazy), and writes its cookie and headers if it was used (CK-2, CK-7)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        store = CartStore(request)
        request.cart_store = store  # type: ignore[attr-defined]
        response = self.get_response(request)
        store.write(response)
        return response
