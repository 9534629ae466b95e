"""The errors of ``coupons``: one tree, each with a text that may be shown to the person who caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CouponError(Exception):
    """Base of every error of this app.

    ``code`` names the error for programs, ``params`` fills its text, ``reason`` says for logs and for the proven
    holder what lies behind a text that is deliberately the same for several causes; never show ``reason`` to anybody
    else (CO-6).
    """

    default_code: ClassVar[str] = "coupon_error"
    text: ClassVar[str | Promise] = _("This coupon cannot be used.")

    def __init__(self, code: str = "", params: Mapping[str, Any] | None = None, *, reason: str = "") -> None:
        self.code = code or self.default_code
        self.params = dict(params or {})
        self.reason = reason
        super().__init__(self.code, self.params, reason)

    @property
    def message(self) -> str:
        """The text for people, in the active language."""
        return str(self.text) % self.params

    def __str__(self) -> str:
        return f"{self.code} ({self.reason})" if self.reason else self.code


class InvalidCode(CouponError):
    """The one refusal for whoever only typed a code: unknown, over, used up, not theirs, not for this basket (CO-6)."""

    default_code = "invalid_code"
    text = _("This code is not valid for your order.")


class TypingError(InvalidCode):
    """Raised when the text cannot be one of our codes at all: wrong length, foreign letters or a wrong check symbol
    (CO-5).
    """

    default_code = "typing_error"
    text = _("There seems to be a typing error in this code. A code has 12 letters and digits, such as 7K3M-Q0ZT-9XWB.")

    def __init__(self, code: str = "", params: Mapping[str, Any] | None = None, *, reason: str = "typo") -> None:
        super().__init__(code, params, reason=reason)


class CampaignNotRunning(CouponError):
    """Raised when a coupon is asked of a campaign that is a draft, paused, ended or outside its dates."""

    default_code = "campaign_not_running"
    text = _("This campaign is not running.")


class CouponOver(CouponError):
    """For the proven holder: the coupon's or its campaign's time is over, or it was withdrawn."""

    default_code = "coupon_over"
    text = _("This coupon is no longer valid.")


class CouponUsedUp(CouponError):
    """For the proven holder: all uses are taken."""

    default_code = "coupon_used_up"
    text = _("This coupon has already been used.")


class CouponLocked(CouponError):
    """For the proven holder: the coupon still waits to be unlocked."""

    default_code = "coupon_locked"
    text = _("This coupon is not unlocked yet.")


class CouponNotForBasket(CouponError):
    """For the proven holder: the coupon is in another currency than the basket."""

    default_code = "coupon_not_for_basket"
    text = _("This coupon cannot be used for this order.")


class CouponBusy(CouponError):
    """Raised when the database could not settle who comes first, even at the second attempt; trying again is right
    (CO-3).
    """

    default_code = "coupon_busy"
    text = _("Many people are using this coupon right now. Please try again in a moment.")


class DeadlineOver(CouponError):
    """Raised when somebody asks for more time after the deadline and its grace (AX-2)."""

    default_code = "deadline_over"
    text = _("This offer has ended.")


class NoMoreExtensions(CouponError):
    """Raised when a deadline cannot be extended (again): none at all, longer than 20 hours, or extended often enough
    (AX-2).
    """

    default_code = "no_more_extensions"
    text = _("This offer cannot be extended any further.")
