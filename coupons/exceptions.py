"""The errors of ``coupons``: one tree, each with a text that may be shown to the person who caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HOUR: Final = 60 * 60


class CouponError(Exception):
    """Base of every error of this app.

    ``code`` names the error for programs, ``params`` fills its text, ``reason`` says for logs and for the proven
    holder what lies behind a text that is deliberately the same for several causes; never show ``reason`` to anybody
    else (CO-6).
    """

    default_code: ClassVar[str] = "coupon_error"
    text: ClassVar[str | Promise] = _("This coupon cannot be used.")
    #: Texts of other codes than the default one.
    texts: ClassVar[Mapping[str, str | Promise]] = {}

    def __init__(self, code: str = "", params: Mapping[str, Any] | None = None, *, reason: str = "") -> None:
        self.code = code or self.default_code
        self.params = dict(params or {})
        self.reason = reason
        super().__init__(self.code, self.params, reason)

    @property
    def message(self) -> str:
        """The text for people, in the active language."""
        return str(self.texts.get(self.code, self.text)) % self.params

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
    """For the proven holder: the coupon's or its campaign's time is over, or it was withdrawn.

    Codes: ``coupon_over``, and ``not_begun`` and ``paused`` for a campaign that may still come.
    """

    default_code = "coupon_over"
    text = _("This coupon is no longer valid.")
    texts: ClassVar[Mapping[str, str | Promise]] = {
        "not_begun": _("This coupon is not valid yet."),
        "paused": _("This coupon cannot be used at the moment."),
    }


class CouponUsedUp(CouponError):
    """For the proven holder: all uses are taken, of the coupon (``coupon_used_up``) or of all its campaign's coupons
    together (``total_limit``).
    """

    default_code = "coupon_used_up"
    text = _("This coupon has already been used.")
    texts: ClassVar[Mapping[str, str | Promise]] = {
        "total_limit": _("Others were quicker: all uses of this offer are taken."),
    }


class CouponLocked(CouponError):
    """For the proven holder: the coupon still waits to be unlocked."""

    default_code = "coupon_locked"
    text = _("This coupon is not unlocked yet.")


class CouponNotForBasket(CouponError):
    """For the proven holder: the coupon is not for this order, whatever is in the basket.

    Codes: ``coupon_not_for_basket``, and ``foreign``, ``currency``, ``country``, ``not_first_order``,
    ``not_returning``, ``customer_unknown``, ``country_unknown``, ``customer_limit``.
    """

    default_code = "coupon_not_for_basket"
    text = _("This coupon cannot be used for this order.")
    texts: ClassVar[Mapping[str, str | Promise]] = {
        "foreign": _("This coupon belongs to another customer."),
        "currency": _("This coupon is for orders in another currency."),
        "country": _("This coupon is not for deliveries to this country."),
        "country_unknown": _("This coupon is only for some countries: please enter your address first."),
        "customer_unknown": _(
            "Please enter your e-mail address first: this coupon can be used a limited number of times."
        ),
        "not_first_order": _("This coupon is for the first order only."),
        "not_returning": _("This coupon is for customers who have ordered before."),
        "customer_limit": _("You have used this coupon as often as it allows."),
    }


class BasketNotEnough(CouponNotForBasket):
    """For the proven holder: something in the basket can be changed so that the coupon fits.

    Codes: ``minimum_spend`` (params: ``minimum``, ``missing``, both as text with currency), ``no_matching_product``,
    ``free_product_missing``, ``not_combinable``, ``same_campaign``.
    """

    default_code = "no_matching_product"
    text = _("This coupon is for other products than those in the basket.")
    texts: ClassVar[Mapping[str, str | Promise]] = {
        "minimum_spend": _("This coupon is for orders of %(minimum)s or more: %(missing)s are missing."),
        "free_product_missing": _("Put the free product into the basket first: then it costs nothing."),
        "not_combinable": _("This coupon cannot be used together with another one."),
        "same_campaign": _("Only one coupon of this kind can be used for an order."),
    }


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


class ChangesNothing(CouponError):
    """Raised when a right code would take nothing off this basket, such as a second free shipping: it was not used."""

    default_code = "changes_nothing"
    text = _("This coupon would change nothing on this order, so it was not used. Keep it for the next one.")


class TooManyTries(CouponError):
    """Raised when somebody has tried too many wrong codes: the same text whatever was typed (CO-7).

    ``retry_after``: in how many seconds trying again is worth it, for the header of this name.
    """

    default_code = "too_many_tries"
    text = _("You have tried many codes. Please wait a few minutes, then try again.")
    #: For the longer limits: by the seconds they last at least.
    longer_texts: ClassVar[Mapping[int, str | Promise]] = {
        HOUR + 1: _("You have tried many codes. Please try again another day."),
        15 * 60: _("You have tried many codes. Please try again in an hour."),
    }

    def __init__(
        self, code: str = "", params: Mapping[str, Any] | None = None, *, reason: str = "", retry_after: int = 60
    ) -> None:
        super().__init__(code, params, reason=reason)
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        longer = (text for seconds, text in self.longer_texts.items() if self.retry_after >= seconds)
        return str(next(longer, self.text))


class ChallengeNeeded(TooManyTries):
    """Raised while somebody is guessing codes across the whole site, and the shop's challenge was not passed (CO-7)."""

    default_code = "challenge_needed"
    text = _("Please show that you are a person, then try the code again.")


class NotUnlockable(CouponError):
    """Raised when a coupon cannot be unlocked (any more): it was revoked, or its time is over (CO-9)."""

    default_code = "not_unlockable"
    text = _("This coupon can no longer be unlocked.")


class AnswersMissing(CouponError):
    """Raised when the required answers are not all there: what was given is kept (CO-9). ``params["names"]`` are the
    clean names of the questions that are still open.
    """

    default_code = "answers_missing"
    text = _("Some answers are still missing.")


class BatchRefused(CouponError):
    """Raised when codes cannot be made in bulk or imported: nothing has changed then.

    Codes: ``word``, ``paused``, ``ended`` (the campaign), ``empty``, ``no_code_column``, ``header``,
    ``too_many_rows`` (params: ``rows``), ``not_text`` (the file).
    """

    default_code = "batch_refused"
    text = _("No codes can be made for this campaign.")
    texts: ClassVar[Mapping[str, str | Promise]] = {
        "word": _("This campaign has one public word for everybody, and no single codes."),
        "paused": _("This campaign is paused. Set it to “Running” or “Draft” first."),
        "ended": _("This campaign has ended. Make a new one for new codes."),
        "empty": _("There are no codes in this file."),
        "no_code_column": _("The first row must name the columns, and one of them must be called “code”."),
        "header": _(
            "The row that names the columns cannot be read. Is a quotation mark missing, or is there a line break in it?"
        ),
        "too_many_rows": _("This file has more than %(rows)s rows. Please split it."),
        "not_text": _("This is not a CSV file. In a spreadsheet, choose “Save as” and then “CSV”."),
    }
