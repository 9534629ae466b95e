"""What can go wrong at the checkout, in words for the customer."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from djmoney.money import Money


class ShopError(Exception):
    """Base of everything this shop raises on purpose. ``message`` may be shown to the customer."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(str(message))
        self.message = str(message)


class SoldOut(ShopError):
    """Somebody else was quicker: fewer pieces are left than asked for. Nothing was taken."""

    def __init__(self, *, title: str, left: int) -> None:
        self.title, self.left = title, left
        if left:
            text = _(
                "Somebody was a little quicker: there are only %(left)s of “%(title)s” left. Please change your cart."
            )
        else:
            text = _("Somebody was a little quicker: “%(title)s” has just sold out. Please take it out of your cart.")
        super().__init__(text % {"title": title, "left": left})


class CouponRefused(ShopError):
    """A coupon cannot be used for this order (any more). The customer decides whether to order without it."""

    def __init__(self, *, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class TotalChanged(ShopError):
    """The total is not the one the customer has seen, so nothing was ordered."""

    def __init__(self, *, total: Money) -> None:
        self.total = total
        super().__init__(
            _("The total has changed and is %(total)s now. Please look at it once more before you order.")
            % {"total": total}
        )


class FormUsed(ShopError):
    """The form's token belongs to an order of somebody else, or with another address. Nothing was ordered."""

    def __init__(self) -> None:
        super().__init__(_("This form was sent before. Please look at it once more and send it again."))


class WrongState(ShopError):
    """The order is in a state in which this cannot be done."""
