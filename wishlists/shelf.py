"""The lists of the visitor of one request, as ``request.lists``: a guest's in cookies, an account's in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import LazyObject

from . import notes
from .accounts import AccountShelf
from .catalog import Card
from .device import DeviceShelf
from .givers import forget_giver
from .kinds import CART, KINDS, get_kind
from .lines import Lines


class Shelf:
    """What this visitor keeps. Nothing is read before somebody asks, and a guest costs no query and no session.

    ``device`` is what this browser holds, also while somebody is logged in: it is a guest's until that person says
    otherwise (``merging``), so that at a shared computer nobody's things turn up in another one's account (CK-5).
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._account: AccountShelf | None = None
        self._is_leaving = False
        self.device = DeviceShelf(request)

    @property
    def account(self) -> AccountShelf | None:
        """The lists of whoever is logged in; None for a guest."""
        user = self._user
        if user is None:
            return None
        # What follows is this customer's.
        self.device.accessed = True
        if self._account is None or self._account.user.pk != user.pk:
            self._account = AccountShelf(user)
        return self._account

    @property
    def cart(self) -> Lines:
        """The visitor's cart."""
        return self.get(CART)

    def get(self, kind: str) -> Lines:
        """Return the visitor's list of a single kind, at most one query; for a guest none."""
        account = self.account
        self.device.accessed = True
        return account.get(kind) if account is not None else self.device.get(kind)

    def title(self, kind: str, product_ref: str, options: str = "") -> str:
        """Return the title that was kept with an item, for a product that left the shop; empty in a guest's list."""
        account = self.account
        if account is None:
            return ""
        key = product_ref, options
        return next((item.title for item in account.items(kind) if item.key == key), "")

    def save(self, lines: Lines, *, cards: Mapping[str, Card] | None = None) -> None:
        """Keep this list from now on. ``cards`` give new items of an account their title and price.

        Raises ListFull, and keeps the old one, if it is too long; TooFast if an account saves faster than people do.
        """
        account = self.account
        self.device.accessed = True
        if account is not None:
            account.save(lines, cards=cards)
        else:
            self.device.save(lines)

    def forget(self, kind: str = CART) -> None:
        """Leave nothing on the visitor's list of this kind, as in the cart after a finished checkout."""
        self.save(self.get(kind).having())

    @property
    def session(self) -> Any:
        """The session of whoever is logged in; None for a guest, whose session nobody touches (CK-7)."""
        return getattr(self._request, "session", None) if self.account is not None else None

    def log_out(self) -> None:
        """Leave nothing in the browser of what was only known while somebody was logged in (SL-2).

        A guest's things, which were there before, stay.
        """
        self._account = None
        self._is_leaving = True

    def write(self, response: HttpResponseBase) -> None:
        """Put what happened into the response: headers if a list was looked at, cookies if one changed or was bad."""
        if self._is_leaving:
            notes.drop(self._request, response)
            forget_giver(self._request, response)
        if not self.device.accessed:
            return
        patch_vary_headers(response, ("Cookie",))
        patch_cache_control(response, private=True, no_store=True)
        if response.status_code < 500:
            self.device.write(response)

    @property
    def _user(self) -> Any:
        """The logged-in user, or None. Without a session cookie nobody is, and the session is not touched (CK-7)."""
        user = getattr(self._request, "user", None)
        has_session = settings.SESSION_COOKIE_NAME in self._request.COOKIES
        # login() puts the account itself in the place of the lazy one.
        if user is None or not (has_session or not isinstance(user, LazyObject)):
            return None
        return user if user.is_authenticated else None


def is_on(kind: str) -> bool:
    """Say whether this shop has this kind of list."""
    return kind in KINDS and get_kind(kind).is_on


def lists_of(request: HttpRequest) -> Shelf:
    """Return ``request.lists``, with its type."""
    shelf: Shelf = request.lists  # type: ignore[attr-defined]
    return shelf
