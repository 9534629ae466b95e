"""What breaks on purpose, and who asks."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import BaseCache
from django.test import Client
from django.urls import reverse

WORDING = "Yes, write to me."


class NoCache(BaseCache):
    """A cache server that is down."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__({})

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no cache")

    add = get = set = touch = delete = incr = clear = get_many = has_key = _fail


def is_person(request: Any) -> bool:
    """A shop's own challenge."""
    return request.headers.get("X-Person") == "yes"


def fails(request: Any) -> bool:
    raise ConnectionError("the challenge's server is down")


def post(client: Client, email: str = "ann@example.com", *, headers: Any = None, **changes: str) -> Any:
    """Ask for a newsletter through the API."""
    data = {"email": email, "wording": WORDING, **changes}
    return client.post(reverse("thankyou_flows:subscribe"), data, content_type="application/json", headers=headers)
