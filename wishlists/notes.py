"""One status message carried over a redirect, without a session: a signed cookie that lives two minutes at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from .catalog import Card
from .conf import app_settings
from .lines import is_ref

#: Own purpose: a note is not a cart and a cart is not a note (CK-1).
SALT = "thankyou_wishlists.note.v1"
MAX_AGE = 120  # seconds; enough for the redirect, too short for the next person at this computer

TEXTS = {
    "added": _("Added: %(title)s"),
    "changed": _("%(title)s: quantity changed to %(quantity)s."),
    "limited": _("Only %(quantity)s of “%(title)s” left, so that is what your cart holds now."),
    "removed": _("Removed: %(title)s"),
    "gone": _("Sorry, this product cannot be bought at the moment, so it was not added."),
    "missing": _("“%(title)s” was no longer in your cart, so nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class Note:
    """What happened: a code and references, so that the words come in the reader's language and no title is kept."""

    code: str
    product_ref: str = ""
    options: str = ""
    quantity: int = 0

    @property
    def is_bad_news(self) -> bool:
        return self.code in {"limited", "gone", "missing"}

    def text(self, card: Card | None) -> str:
        """Return the message for the customer. ``card`` is the product, if the catalogue still knows it."""
        title: Any = card.title if card is not None else _("the product")
        return str(TEXTS[self.code]) % {"title": title, "quantity": self.quantity}


def leave(response: HttpResponseBase, note: Note) -> None:
    """Send a note along with a redirect."""
    payload = [note.code, note.product_ref, note.options, note.quantity]
    response.set_cookie(
        app_settings.note_cookie_name,
        signing.dumps(payload, salt=SALT),
        max_age=MAX_AGE,
        path="/",
        secure=app_settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest) -> Note | None:
    """Return the note that came with this request; None if there is none, or none of ours (CK-3)."""
    text = request.COOKIES.get(app_settings.note_cookie_name, "")
    if not text or len(text) > 4096:
        return None
    try:
        payload = signing.loads(text, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        return None
    match payload:
        case [str(code), str(ref), str(options), int(quantity)] if code in TEXTS and is_ref(ref, empty=True):
            return Note(code, ref, options, quantity)
    return None


def drop(request: HttpRequest, response: HttpResponseBase) -> None:
    """Delete the note that came with this request, good or bad: it is shown once."""
    if app_settings.note_cookie_name in request.COOKIES:
        response.delete_cookie(app_settings.note_cookie_name, path="/", samesite="Lax")
