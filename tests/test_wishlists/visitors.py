"""A browser with its lists, and what it reads."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from wishlists.accounts import AccountShelf
from wishlists.kinds import SAVED
from wishlists.lines import Line, Lines

from .catalogs import PRODUCTS
from .conftest import kept, put

JSON = {"accept": "application/json"}


class Visitor:
    """A browser with its lists, of a guest or an account: the tests ask both the same."""

    def __init__(self, client: Client, user: User | None = None) -> None:
        self.client, self.user = client, user

    def has(self, *lines: Line, kind: str = SAVED) -> None:
        if self.user is None:
            put(self.client, *lines, kind=kind)
        else:
            AccountShelf(self.user).save(Lines(lines, kind), cards=PRODUCTS, is_limited=False)

    def keeps(self, kind: str = SAVED) -> list[tuple[str, int]]:
        if self.user is None:
            return kept(self.client, kind)
        return [(line.product_ref, line.quantity) for line in AccountShelf(self.user).get(kind)]

    def post(self, url: str, headers: dict[str, str] | None = None, /, **fields: Any) -> Any:
        return self.client.post(url, fields, headers=headers or {})

    def read(self, to: str = "/saved/") -> str:
        return text(self.client.get(to))


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def make_visitor(request: Any) -> Visitor:
    """Return a guest or an account, as the parameter of the fixture says."""
    if request.param == "guest":
        return Visitor(Client())
    return Visitor(request.getfixturevalue("member"), request.getfixturevalue("customer"))
