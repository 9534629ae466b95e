"""Gives each request its lists, and writes their cookies on the way out. Costs nothing where nobody asks."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from .shelf import Shelf


class ListsMiddleware:
    """Sets ``request.lists`` (lazy), and writes its cookies and headers if it was used (CK-2, CK-7)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        shelf = Shelf(request)
        request.lists = shelf  # type: ignore[attr-defined]
        response = self.get_response(request)
        shelf.write(response)
        return response
