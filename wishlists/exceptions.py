"""What can go wrong in ``wishlists``, in words for the customer."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

#: By kind of list and code; kinds without a text of their own use those of "".
FULL_TEXTS = {
    ("cart", "lines"): _("Your cart is full: it holds up to {limit} different products. Remove one to add another."),
    ("cart", "quantity"): _("You can have up to {limit} of one product in your cart."),
    ("cart", "bytes"): _("Your cart is full: it cannot hold any more different products. Remove one to add another."),
    ("compare", "lines"): _("You can compare up to {limit} products. Take one out to add another."),
    ("wish", "lists"): _("You can have up to {limit} wish lists. Delete one to begin another."),
    ("", "lines"): _("This list is full: it holds up to {limit} products. Remove one to add another."),
    ("", "quantity"): _("You can have up to {limit} of one product on a list."),
    ("", "bytes"): _(
        "This list is full: the cookie that keeps it on this device holds no more. Remove something, "
        "or log in to save more."
    ),
}


class ListError(Exception):
    """Base of everything this app raises on purpose.

    ``code`` is for programs, ``params`` are the facts of the case, ``message`` is for the customer.
    """

    code: str
    params: dict[str, Any]
    message: Any

    def __init__(self, code: str, message: Any, **params: Any) -> None:
        super().__init__(code, params)
        self.code, self.params = code, params
        self.message = format_lazy(message, **params) if params else message

    def __str__(self) -> str:
        return str(self.message)


class ListFull(ListError):
    """The list cannot take this; it stays as it was, and the customer is told (CK-2, SL-6).

    ``code`` is ``lines`` (the kind's ``max_items``), ``quantity`` (MAX_QUANTITY), ``bytes`` (the kind's ``max_bytes``) or
    ``lists`` (the kind's ``max_lists``).
    """

    def __init__(self, code: str, *, kind: str = "", **params: Any) -> None:
        super().__init__(code, FULL_TEXTS.get((kind, code)) or FULL_TEXTS["", code], **params)
        self.kind = kind


class TooFast(ListError):
    """More was saved in a minute than a person does (ADDS_PER_MINUTE, SL-6). Nothing was saved; a while later it will."""

    def __init__(self) -> None:
        super().__init__("too_fast", _("That was a lot at once. Please wait a minute, then go on."))


class NameTaken(ListError):
    """The account has a wish list of this name already; two of one name could not be told apart."""

    def __init__(self, *, name: str) -> None:
        super().__init__("name", _("You have a wish list called “{name}” already. Choose another name."), name=name)


class AlreadyTaken(ListError):
    """Others are getting so many pieces of a wished-for product that fewer are left than this giver wants."""

    def __init__(self, *, left: int) -> None:
        texts = (
            _("Somebody else was faster: {left} left to get.") if left else _("Somebody else is getting this already.")
        )
        super().__init__("taken", texts, **({"left": left} if left else {}))
        self.left = left


class UndoOver(ListError):
    """A merge cannot be undone: it was already (``undone``), or UNDO_DAYS are over (``late``). Nothing has changed."""

    def __init__(self, code: str) -> None:
        texts = {
            "undone": _("This was undone already."),
            "late": _("It is too late to undo this. You can still change each list by hand."),
        }
        super().__init__(code, texts[code])


class NoCatalog(ListError):
    """The setting CATALOG is empty, so there is nothing to look products up in."""

    def __init__(self) -> None:
        super().__init__("no_catalog", 'THANKYOU_WISHLISTS["CATALOG"] names no product catalogue.')
