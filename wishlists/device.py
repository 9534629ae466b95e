"""What a guest keeps on this device: the cookies of one request, read lazily and written back on the way out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.http.cookie import parse_cookie
from django.utils import timezone

from . import cookies
from .conf import app_settings
from .cookies import Kept
from .exceptions import ListFull
from .kinds import KINDS, get_kind, on_device
from .lines import Key, Lines, union

logger = logging.getLogger(__name__)

#: Stands among the opened kinds if the note about what was left was sent away for this browser session.
HUSHED = "-"
#: Name of the marker of the opened kinds among the ``values`` of a shelf.
OPEN = "open"


class DeviceShelf:
    """The lists in one browser's cookies. Nothing is read before somebody asks.

    A kept list (CK-6) of an earlier visit is closed until the customer asks for it: ``get`` gives an empty list, ``left``
    what is in there. So the next person at a shared computer sees a number, and nothing is brought back uninvited (CK-5).
    """

    def __init__(self, request: HttpRequest) -> None:
        # As they came: a page cache may cut what the views see of them (wagtail-cache does, on every GET).
        self.cookies = request.COOKIES
        self._header = request.META.get("HTTP_COOKIE", "")
        self._kept: dict[str, Kept] = {}
        #: New cookie values by kind; an empty one deletes the cookie.
        self._values: dict[str, str] = {}
        self._bad: set[str] = set()
        self._opened: frozenset[str] | None = None
        self._opened_before: frozenset[str] | None = None
        self.accessed = False

    # Looking --------------------------------------------------------------------------------------

    def get(self, kind: str) -> Lines:
        """Return the open list of this kind; an empty one if there is no cookie, or none that can be read (CK-3)."""
        return self._load(kind).lines

    def left(self, kind: str) -> Lines:
        """Return what an earlier visit left in this kind of list; show no more of it than the number until asked."""
        return self._load(kind).left

    def changed_at(self, kind: str) -> datetime | None:
        """Return when this list was last changed, as its cookie says; None without one."""
        return self._load(kind).at

    def left_at(self, kind: str) -> datetime | None:
        """Return when what an earlier visit left was last changed; None if nothing is left."""
        return self._load(kind).left_at

    @property
    def count_left(self) -> int:
        """Number of different products that an earlier visit left, over all kinds that can be kept."""
        return sum(len(self.left(kind.name)) for kind in on_device())

    @property
    def is_kept(self) -> bool:
        """Say whether the customer asked to keep the lists on this device."""
        return any(self._load(kind.name).keep for kind in on_device() if kind.keepable)

    @property
    def is_hushed(self) -> bool:
        """Say whether the note about what was left was sent away for this browser session."""
        self.accessed = True
        return HUSHED in self._open_now

    @property
    def is_empty(self) -> bool:
        """Say whether nothing of ours is kept in this browser."""
        return not any(self._load(kind.name) for kind in on_device())

    # Changing -------------------------------------------------------------------------------------

    def save(self, lines: Lines) -> None:
        """Keep this list from now on; what an earlier visit left stays beside it.

        Raises ListFull, and keeps the old one, if it is too long for a cookie. Where the oldest makes room, it does here too.
        """
        kept = self._load(lines.kind)
        while True:
            try:
                return self._put(replace(kept, lines=lines))
            except ListFull:
                if not lines.policy.drops_oldest or len(lines) < 2:
                    raise
                lines = lines.having(*lines.lines[1:])

    def open(self, kind: str, *, into: str = "") -> Lines:
        """Take what an earlier visit left into the list, because the customer asked for it; return what did not fit.

        ``into`` is another kind of list to take it to. What does not fit stays where it was left, the oldest go first.
        """
        into = into or kind
        number = len(self._load(kind).left)
        while number and not self._open(kind, into, number):
            number -= 1
        return self._load(kind).left

    def _open(self, kind: str, into: str, number: int) -> bool:
        """Take so many lines, the oldest; change nothing and return False if the cookie cannot hold them."""
        kept, target = self._load(kind), self._load(into)
        oldest, others = kept.left.lines[:number], kept.left.lines[number:]
        lines, rest = union(target.lines, kept.left.having(*oldest))
        left = kept.left.having(*rest, *others)
        try:
            self._put(replace(target, lines=lines, left=left) if into == kind else replace(target, lines=lines))
        except ListFull:
            return False
        if into != kind:
            self._put(replace(kept, left=left))
        return True

    def take_out(self, kind: str, keys: Collection[Key]) -> None:
        """Remove these lines, whether they are open or were left by an earlier visit; what is not there is not missed."""
        kept = self._load(kind)
        lines = kept.lines.having(*(line for line in kept.lines if line.key not in keys))
        left = kept.left.having(*(line for line in kept.left if line.key not in keys))
        if (lines, left) != (kept.lines, kept.left):
            self._put(replace(kept, lines=lines, left=left))

    def drop_left(self, kind: str) -> None:
        """Forget what an earlier visit left in this kind of list; what is open stays."""
        kept = self._load(kind)
        self._put(replace(kept, left=kept.left.having()))

    def forget(self, kind: str) -> None:
        """Leave nothing of this kind of list in the browser."""
        self._put(Kept.empty(kind))

    def forget_all(self) -> None:
        """Leave nothing of ours in the browser, switched-off kinds included."""
        for kind in KINDS:
            if get_kind(kind).max_bytes:
                self.forget(kind)
        self._opened = frozenset()

    def retain(self, kind: str, keys: Collection[tuple[str, str]]) -> None:
        """Forget all of this kind of list but these lines; they stay as they are, open or closed."""
        kept = self._load(kind)
        lines = [line for line in kept.lines if line.key in keys]
        left = [line for line in kept.left if line.key in keys]
        if len(lines) + len(left) < len(kept.lines) + len(kept.left):
            self._put(replace(kept, lines=kept.lines.having(*lines), left=kept.left.having(*left)), inherit=False)

    def keep(self, wanted: bool) -> None:
        """Let the lists outlive the browser's session for KEEP_DAYS after each change, or no longer (CK-6)."""
        for kind in on_device():
            kept = self._load(kind.name)
            if kind.keepable and kept:
                self._put(replace(kept, keep=wanted), inherit=False)

    def hush(self) -> None:
        """Send the note about what was left away, for this browser session."""
        self.accessed = True
        self._opened = self._open_now | {HUSHED}

    def values(self) -> dict[str, str]:
        """Return the cookies as this request brought them, those of ours that can be read, for ``restore``."""
        self.accessed = True
        found = {}
        for kind in KINDS:
            sent = self._sent(app_settings.cookie_name(kind))
            readable = (value for value in sent if cookies.decode(value, kind=kind) is not None)
            if value := next(readable, ""):
                found[kind] = value
        if app_settings.open_cookie_name in self.cookies:
            found[OPEN] = ".".join(sorted(self._open_now))
        return found

    def restore(self, values: Mapping[str, str]) -> None:
        """Put the cookies back as ``values`` returned them then, to the last byte."""
        self.accessed = True
        self._opened = frozenset(str(values.get(OPEN, "")).split(".")) & {*KINDS, HUSHED}
        for kind in KINDS:
            if get_kind(kind).max_bytes:
                value = str(values.get(kind, ""))
                kept = cookies.decode(value, kind=kind)
                self._kept[kind], self._values[kind] = self._close(kept or Kept.empty(kind)), value if kept else ""

    # In and out -----------------------------------------------------------------------------------

    def write(self, response: HttpResponseBase) -> None:
        """Put what happened into the response: cookies that changed, and away with those that cannot be read."""
        for kind in {*self._values, *self._bad}:
            self._write(response, kind, self._values.get(kind, ""))
        name = app_settings.open_cookie_name
        if self._opened:
            # Never kept: when the browser is closed, what is left is closed too.
            self._set(response, name, _open_text(self._opened))
        elif self._opened is not None and name in self.cookies:
            response.delete_cookie(name, path="/", samesite="Lax")

    def _write(self, response: HttpResponseBase, kind: str, value: str) -> None:
        name = app_settings.cookie_name(kind)
        if value:
            days = app_settings.keep_days if self._kept[kind].keep else None
            self._set(response, name, value, max_age=days * 24 * 60 * 60 if days else None)
        elif name in self.cookies:
            response.delete_cookie(name, path="/", samesite="Lax")

    def _set(self, response: HttpResponseBase, name: str, value: str, **more: Any) -> None:
        secure = app_settings.cookie_secure
        response.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="Lax", **more)

    def _put(self, kept: Kept, *, inherit: bool = True) -> None:
        kind = kept.lines.kind
        before = self._load(kind)
        if inherit and kept and kept.lines.policy.keepable and not kept.keep:
            # Asked for once, it holds for what is saved later, too.
            kept = replace(kept, keep=self.is_kept)
        kept = replace(kept, left_at=(kept.left_at or timezone.now()) if kept.left else None)
        value = cookies.encode(kept, limit=self._limit(before, kept)) if kept else ""
        self._kept[kind], self._values[kind] = kept, value
        self.accessed = True
        if kept.keep and kind not in self._open_now:
            self._opened = self._open_now | {kind}

    def _limit(self, before: Kept, kept: Kept) -> int | None:
        """Return how long a cookie may get by a change that brings nothing new; None for one that does.

        Taking something out has to work also after the shop has lowered the limit.
        """
        there: dict[tuple[str, str], int] = {}
        for line in (*before.left, *before.lines):
            there[line.key] = max(line.quantity, there.get(line.key, 0))
        if any(line.quantity > there.get(line.key, 0) for line in (*kept.left, *kept.lines)):
            return None
        policy = kept.lines.policy
        sent = max((len(value) for value in self._sent(app_settings.cookie_name(policy.name))), default=0)
        name = len(app_settings.cookie_name(policy.name))
        return max(policy.max_bytes, min(sent + name + cookies.ROOM, cookies.LONGEST))

    @property
    def _open_now(self) -> frozenset[str]:
        """The kinds that were opened, or changed, since the browser was."""
        if self._opened is not None:
            return self._opened
        if self._opened_before is None:
            text = self.cookies.get(app_settings.open_cookie_name, "")
            names = frozenset(name for name in text.split(".") if name in KINDS or name == HUSHED)
            self._opened_before = names
            if text and text != _open_text(names):
                # Not what we wrote: put right, or away with it.
                self._opened = names
        return self._opened_before

    def _load(self, kind: str) -> Kept:
        self.accessed = True
        if kind not in self._kept:
            self._kept[kind] = self._close(self._read(kind))
        return self._kept[kind]

    def _close(self, kept: Kept) -> Kept:
        """Return what a cookie holds as this browser session may see it: an earlier visit's is left, until it is opened.

        No limit is asked: it came out of one cookie, and goes back into it.
        """
        if not kept.keep or not kept.lines or kept.lines.kind in self._open_now:
            return kept
        left = {line.key: line for line in kept.left}
        for line in kept.lines:
            both = max(line.quantity, left[line.key].quantity) if line.key in left else line.quantity
            left[line.key] = replace(line, quantity=both)
        closed = kept.left.having(*left.values())
        return replace(kept, lines=kept.lines.having(), left=closed, left_at=kept.left_at or kept.at)

    def _read(self, kind: str) -> Kept:
        values = self._sent(app_settings.cookie_name(kind))
        for value in values:
            kept = cookies.decode(value, kind=kind)
            if kept is not None:
                return kept
        if values:
            self._bad.add(kind)
            logger.info("An unreadable %s cookie was dropped.", kind)
        return Kept.empty(kind)

    def _sent(self, name: str) -> list[str]:
        """Return every value sent under this name.

        A cookie for a longer path or the parent domain may share it (CK-3); the dict of a request keeps only one.
        """
        if name not in self.cookies:
            return []
        pairs = (parse_cookie(part) for part in self._header.split(";"))
        return [pair[name] for pair in pairs if name in pair] or [self.cookies[name]]


def _open_text(names: frozenset[str]) -> str:
    return ".".join(sorted(names))
