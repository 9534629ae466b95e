"""What can go wrong in ``wishlists``, in words for the customer."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

FULL_TEXTS = {
    "lines": _("Your cart is full: it holds up to {limit} different products. Remove one to add another."),
    "quantity": _("You can have up to {limit} of one product in your cart."),
    "bytes": _("Your cart is full: it cannot hold any more different products. Remove one to add another."),
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


class CartFull(ListError):  # noqa: N818 (named for what is the case, not for the program)
    """The cart cannot take this; it stays as it was, and the customer is told (CK-2).

    ``code`` is ``lines`` (MAX_LINES), ``quantity`` (MAX_QUANTITY) or ``bytes`` (COOKIE_MAX_BYTES).
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, FULL_TEXTS[code], **params)


class NoCatalog(ListError):  # noqa: N818
    """The setting CATALOG is empty, so there is nothing to look products up in."""

    def __init__(self) -> None:
        super().__init__("no_catalog", 'THANKYOU_WISHLISTS["CATALOG"] names no product catalogue.')
